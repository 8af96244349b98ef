"""Keys, tokens and passwords in a text: which, where, and never what they are.

Typed shapes (`policies.secret_kinds`) are certain. What only looks random where a secret would stand is a guess.
Nothing that leaves this module holds a secret: a person names one by its fingerprint.
"""

import hashlib
import math
import re
from collections import Counter
from collections.abc import Collection, Iterator
from itertools import pairwise
from typing import Final

import msgspec

from policies.secret_kinds import KINDS, Kind


class Leak(msgspec.Struct, frozen=True, kw_only=True):
    """A secret that was found."""

    kind: str
    title: str
    """What it is, with its article."""
    line: int
    """Counted from 0 in the text that was looked at."""
    fingerprint: str
    """`kind:` and twelve hexadecimal digits; the same for the same secret wherever it stands."""
    masked: str
    """As much of it as may be shown."""
    certain: bool
    """Whether its shape is that of a known kind; otherwise it only looks like a secret."""


def scan(text: str, *, guess: bool = True) -> tuple[Leak, ...]:
    """Every secret in the text, each once, in the order of its lines. Without `guess` only certain ones."""
    found = [leak for leak in _typed(text) if guess or leak.certain]
    if guess:
        lines = {leak.line for leak in found}
        found += [leak for leak in _guessed(text) if leak.line not in lines]
    found.sort(key=lambda leak: leak.line, reverse=True)
    first = {leak.fingerprint: leak for leak in found}
    return tuple(sorted(first.values(), key=lambda leak: leak.line))


def masked(text: str, *, allowed: Collection[str] = ()) -> str:
    """The text without its certain secrets; for whatever leaves this machine or is kept.

    Each is replaced by its fingerprint in angle brackets; `allowed` are fingerprints that may stay.
    """
    for kind in _possible(text):
        text = kind.pattern.sub(lambda match, kind=kind: _cut(match, kind, allowed), text)  # type: ignore[misc]
    return text


def fingerprint(kind: str, secret: str) -> str:
    """What stands for the secret where a person has to name it."""
    digest = hashlib.sha256(f"{kind}\0{secret.strip()}".encode(errors="surrogatepass"))
    return f"{kind}:{digest.hexdigest()[:12]}"


def _possible(text: str) -> Iterator[Kind]:
    """The kinds that are worth looking for: their mark stands in the text."""
    lower = text.lower()
    return (kind for kind in KINDS if any(mark in lower for mark in kind.marks))


def _typed(text: str) -> Iterator[Leak]:
    for kind in _possible(text):
        for match in kind.pattern.finditer(text):
            secret = match["secret"]
            if not _is_placeholder(kind.name, secret):
                yield Leak(
                    kind=kind.name,
                    title=kind.title,
                    line=text.count("\n", 0, match.start("secret")),
                    fingerprint=fingerprint(kind.name, secret),
                    masked=_shown(secret),
                    certain=_is_certain(kind.name, secret),
                )


def _is_certain(kind: str, secret: str) -> bool:
    """A short or simple password in an address is more often an example than a secret."""
    return kind != "url-password" or (len(secret) >= 8 and _entropy(secret) >= 2.75)


def _cut(match: re.Match[str], kind: Kind, allowed: Collection[str]) -> str:
    secret = match["secret"]
    name = fingerprint(kind.name, secret)
    if name in allowed or _is_placeholder(kind.name, secret):
        return match[0]
    before, after = match.start("secret") - match.start(), match.end("secret") - match.start()
    return f"{match[0][:before]}<{name}>{match[0][after:]}"


def _shown(secret: str) -> str:
    """The first four signs of what is long enough to stay unknown; those of tokens name their issuer."""
    start = secret[:4] if len(secret) >= 20 and "\n" not in secret else ""
    return f"{start}… ({len(secret)} characters)"


_STAND_INS: Final = re.compile(
    r"(?i)example|sample|placeholder|changeme|change[-_]me|your[-_]|dummy|redacted|insert|"
    r"x{4,}|\*{3,}|\.{3,}|(?:^|[-_])fake(?:$|[-_])"
)
_FEW: Final = 5
"""A secret has more different signs than this."""
_COMMON: Final = frozenset(
    (
        *("password", "passwd", "pass", "pwd", "secret", "token", "root", "admin", "user", "guest"),
        *("test", "demo", "app", "postgres", "mysql", "redis", "mongo", "rabbitmq", "minio"),
    )
)


def _is_placeholder(kind: str, secret: str) -> bool:
    """Whether it stands for a secret in an example: nobody has such a key."""
    if kind == "private-key":
        return False
    if _STAND_INS.search(secret):
        return True
    if kind == "url-password":
        return secret.lower() in _COMMON or len(set(secret)) == 1
    return len(set(secret[4:])) <= _FEW


_RUN: Final = re.compile(r"[A-Za-z0-9+/_.~!@#$^&*-]{12,200}={0,2}")
_NAME: Final = re.compile(
    r"(?i)(?:secret|token|passw(?:or)?d|passwd|pwd|api[_-]?key|access[_-]?key|private[_-]?key|"
    r"signing[_-]?key|credential|auth)[\w.-]{0,40}[\"']?\s{0,3}(?:=>|:=|=|:)\s{0,3}[\"'`]?$"
)
"""What stands before the value of something that is named like a secret."""
_QUOTES: Final = "\"'`"
_NOT_ONE: Final = re.compile(
    r"(?i)(?:sha\d{1,3}|md5|blake\w*|hash|digest|integrity|checksum|etag|commit|revision|\brev\b|nonce|uuid|"
    r"guid|base64,|public|fingerprint|thumbprint|h1:)"
)
_UUID: Final = re.compile(r"(?i)[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_PLAIN: Final = re.compile(r"[A-Za-z0-9+/_-]{24,120}={0,2}")
_HEX: Final = re.compile(r"(?i)(?:0x)?[0-9a-f]+")
_CODE: Final = re.compile(r"[(){}\[\]<>$%|\\]|::|->|\.\w+\.|^[\w.]+\.[a-zA-Z_]\w*$|^https?:")


def _guessed(text: str) -> Iterator[Leak]:
    for match in _RUN.finditer(text):
        value = match[0].rstrip(".")
        if not _is_mixed(value):
            continue
        start, end = match.span()
        before = text[max(text.rfind("\n", 0, start) + 1, start - 120) : start]
        if _NOT_ONE.search(before) or _long_line(text, start):
            continue
        quoted = before[-1:] in _QUOTES and text[end : end + 1] in _QUOTES
        if (quoted and _is_random(value)) or (_NAME.search(before) and _may_be_named(value)):
            yield Leak(
                kind="unknown",
                title="what looks like a secret",
                line=text.count("\n", 0, start),
                fingerprint=fingerprint("unknown", value),
                masked=_shown(value),
                certain=False,
            )


def _is_mixed(value: str) -> bool:
    return any(sign.isdigit() for sign in value) and any(sign.isalpha() for sign in value)


def _long_line(text: str, at: int) -> bool:
    """Whether the line is data or generated, where guesses are noise."""
    end = text.find("\n", at)
    return (len(text) if end < 0 else end) - text.rfind("\n", 0, at) > _LONGEST_LINE


_LONGEST_LINE: Final = 1000
"""Characters."""


def _may_be_named(value: str) -> bool:
    """Whether it could be the value of something that is named like a secret."""
    if _CODE.search(value) or _UUID.search(value) or _is_placeholder("unknown", value):
        return False
    return _entropy(value) >= (3.0 if _HEX.fullmatch(value) else 3.3)


def _is_random(value: str) -> bool:
    """Whether it looks random even without a name; ids in hexadecimal are not secrets by themselves."""
    if len(value) < 24 or not _PLAIN.fullmatch(value) or _HEX.fullmatch(value):
        return False
    if _UUID.search(value) or _is_placeholder("unknown", value):
        return False
    classes = (str.isdigit, str.islower, str.isupper)
    if not all(any(is_one(sign) for sign in value) for is_one in classes):
        return False
    return _entropy(value) >= 4.2 and _restless(value)


def _restless(value: str) -> bool:
    """Whether letters, capitals and digits take turns as they do by chance, and not as in words."""
    kinds = [1 if s.isdigit() else 2 if s.isupper() else 3 if s.islower() else 0 for s in value]
    turns = sum(1 for one, next_ in pairwise(kinds) if one != next_)
    return turns >= 0.42 * len(value)


def _entropy(value: str) -> float:
    """Bits per sign."""
    counts = Counter(value).values()
    return -sum(n / len(value) * math.log2(n / len(value)) for n in counts)
