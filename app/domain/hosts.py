"""Names of hosts as an allow-list takes them: plain DNS names in the one form that means nothing else.

Many spellings reach the same machine (a dot at the end, capitals, numbers in any base); a list that is compared by
text must see only one of them, so that all others are refused and not repaired.
"""

import re
from typing import Final

_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_LAST = r"[a-z](?:[a-z0-9-]{0,61}[a-z0-9])"
"""Of the last label: a number there would make it an address, in whatever base."""
_HOST: Final = re.compile(rf"(?:{_LABEL}\.)+{_LAST}", re.ASCII)
_LONGEST: Final = 253


def is_host(text: str) -> bool:
    """Whether that is a full DNS name: lower case, at least two labels, no dot at its end, not a number."""
    return len(text) <= _LONGEST and _HOST.fullmatch(text) is not None


def check_host(text: str) -> str:
    """The name as it is; raises `ValueError` that says what was expected, and what was probably meant."""
    if is_host(text):
        return text
    meant = _meant(text)
    hint = f"; did you mean {meant!r}?" if meant else ""
    raise ValueError(
        f"should be the full name of a host, such as pypi.org, not {text[:80]!r}{hint}"
    )


def _meant(text: str) -> str:
    """The name in what may be an address of a page, in capitals, or with a dot at its end."""
    bare = text.strip().lower()
    bare = re.sub(r"^[a-z]+://", "", bare)
    bare = re.split(r"[/?#:]", bare, maxsplit=1)[0].rpartition("@")[2].rstrip(".")
    return bare if is_host(bare) else ""
