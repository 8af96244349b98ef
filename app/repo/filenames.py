"""What a name, or the target of a link, could do to a person's eyes or to a disk. Pure."""

import unicodedata
from typing import Final


def shown(path: bytes) -> str:
    """The name as text; bytes that are not UTF-8 and signs no terminal should see are spelt out."""
    text = path.decode(errors="backslashreplace")
    return "".join(_spelt(sign) if _is_hidden(sign) else sign for sign in text)


def _spelt(sign: str) -> str:
    return f"\\x{ord(sign):02x}" if ord(sign) < 0x100 else f"\\u{ord(sign):04x}"


def folded(text: str) -> str:
    """The text as a disk sees it that ignores case and how accents are spelt."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())


def link_problem(path: bytes, target: bytes | None) -> str:
    """Why a symbolic link could lead out of the tree; empty when it cannot."""
    if target is None:
        return "the link's target is too long"
    if target.startswith(b"/"):
        return "it links to an absolute path"
    parts = [part for part in target.split(b"/") if part not in (b"", b".")]
    ups = sum(1 for part in parts if part == b"..")
    if ups > path.count(b"/"):
        return "it links to a place outside of the tree"
    if b".." in parts[ups:]:
        # `name/..` is not where it started when `name` is itself a link.
        return "it links through a directory and up again, which may lead anywhere"
    if any(_is_dot_git(part) for part in parts):
        return "it links into a git directory"
    return ""


def _is_dot_git(part: bytes) -> bool:
    # Some disks drop what cannot be seen, and dots and spaces at the end.
    seen = "".join(sign for sign in part.decode(errors="replace") if not _is_hidden(sign))
    return folded(seen).rstrip(". ") in (".git", "git~1")


def name_problem(path: bytes) -> str:
    """Why nobody could trust their eyes with that name; empty when they can."""
    try:
        text = path.decode()
    except UnicodeDecodeError:
        return "its name is not UTF-8"
    if hidden := next((sign for sign in text if _is_hidden(sign)), ""):
        return f"its name holds the invisible character U+{ord(hidden):04X}"
    return ""


_HIDDEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
_FILLERS: Final = frozenset("\u115f\u1160\u3164\uffa0\u034f")
"""Letters by category, blank on the screen."""


def _is_hidden(sign: str) -> bool:
    return sign in _FILLERS or unicodedata.category(sign) in _HIDDEN
