"""Checks of single values. Each takes what was written and gives it back in one form, or raises `ValueError`."""

import re
from decimal import Decimal

from app.domain.money import parse_dollars
from app.domain.network import is_http_proxy

_SIZE = re.compile(r"([1-9][0-9]*)\s*([kmg])i?b?", re.IGNORECASE)
_SPAN = re.compile(r"([1-9][0-9]*)\s*([smhd])")
_FINGERPRINT = re.compile(r"[a-z][a-z0-9-]*:[0-9a-f]{12}")
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*", re.IGNORECASE)
_DATABASE = re.compile(r"postgresql(\+psycopg)?://")
_KEY = re.compile(r"(env:[A-Za-z_][A-Za-z0-9_]*|file:.+|cmd:.+|keyring:[^/]+/.+)", re.DOTALL)


def database_of(value: object) -> str:
    """The address of a PostgreSQL database, or nothing."""
    if not isinstance(value, str) or (value and not _DATABASE.match(value)):
        raise ValueError(
            "should be like postgresql+psycopg://USER:PASSWORD@HOST/DATABASE, or empty"
        )
    return value


def dollars_of(value: object) -> Decimal:
    """`1.50`, `"$1.50"` or `1.5` as an exact amount."""
    text = "" if isinstance(value, bool) else str(value).strip()
    parse_dollars(text)
    return Decimal(text.removeprefix("$"))


def size_of(value: object) -> str:
    """`2G`, `2 GiB` or `2g` as `2g`."""
    match = _SIZE.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise ValueError("should be a size with its unit, such as 512m or 2g")
    return match[1] + match[2].lower()


def bytes_of(size: str) -> int:
    """What `size_of` gave back, as a number of bytes."""
    units = {"k": 1024, "m": 1024**2, "g": 1024**3}
    return int(size[:-1]) * units[size[-1]]


def span_of(value: object) -> str:
    """`90s`, `45 m` or `2h` as `2h`."""
    match = _SPAN.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise ValueError("should be a time with its unit, such as 90s, 45m, 2h or 1d")
    return match[1] + match[2]


def seconds(span: str) -> float:
    """What `span_of` gave, in seconds."""
    return float(span[:-1]) * {"s": 1, "m": 60, "h": 3600, "d": 86_400}[span[-1]]


def as_list(value: object) -> object:
    """A single text as the list of it; anything else as it is."""
    return [value] if isinstance(value, str) else value


def check_name(value: object) -> str:
    """A name of letters, digits, `.`, `_` and `-`."""
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise ValueError("should be a name of letters, digits, '.', '_' and '-'")
    return value


def check_pattern(value: object) -> str:
    """A pattern as in .gitignore. Nothing is taken back with `!`: what is written here adds up."""
    if not isinstance(value, str) or not value.strip("/ ") or value.startswith("!"):
        raise ValueError("should be a pattern as in .gitignore, such as '*.sql' or 'src/auth/'")
    return value.strip()


def check_fingerprint(value: object) -> str:
    """What names a secret in findings; the message does not repeat what was written."""
    if not isinstance(value, str) or not _FINGERPRINT.fullmatch(value):
        raise ValueError("should be a fingerprint as findings show it, kind:0123456789ab")
    return value


def check_url(value: object) -> str:
    """An http or https address, without the slash at its end."""
    if not isinstance(value, str) or not re.fullmatch(r"https?://[^\s/?#@]+(/[^\s?#]*)?", value):
        raise ValueError(
            "should be an address such as https://api.example.com, without user, ? and #"
        )
    return value.rstrip("/")


def check_proxy(value: object) -> str:
    """An HTTP proxy, `none`, or empty; the message does not repeat what was written: a password may be in it."""
    if value in ("", "none"):
        return str(value)
    if not isinstance(value, str) or not is_http_proxy(value):
        raise ValueError(
            "should be the address of an HTTP proxy such as http://proxy.example.com:3128, or none"
        )
    return value


def check_key_reference(value: object) -> str:
    """Where a key is, never the key: the message does not repeat what was written."""
    if value == "":
        return ""
    if not isinstance(value, str) or not _KEY.fullmatch(value):
        raise ValueError(
            "should say where the key is: env:NAME, file:PATH, cmd:COMMAND or keyring:SERVICE/USER"
        )
    return value
