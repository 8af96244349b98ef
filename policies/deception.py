"""Text that is not what it looks like: reordered, invisible, or letters of one alphabet among another's.

After "Trojan Source" (CVE-2021-42574) and "homoglyphs" (CVE-2021-42694).
"""

import re
import unicodedata
from collections.abc import Iterator
from typing import Final, NamedTuple


class Trick(NamedTuple):
    """One place where eyes cannot be trusted."""

    rule: str
    """`bidi`, `invisible` or `mixed-script`."""
    line: int
    """Counted from 0 in the text that was looked at."""
    why: str
    """A sentence in which nothing acts on a screen."""


_BIDI: Final = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_UNSEEN: Final = (
    "\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200d\u2060-\u2064\u206a-\u206f\u2800"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e0fff"
)
_REORDERING: Final = re.compile(f"[{_BIDI}]")
_INVISIBLE: Final = re.compile(f"[{_UNSEEN}]")
_WORD: Final = re.compile(r"\w+")


def tricks(text: str) -> tuple[Trick, ...]:
    """What in the text is not what it looks like, at most one of each rule a line."""
    if text.isascii():
        return ()
    lines = ((n, line) for n, line in enumerate(text.split("\n")) if not line.isascii())
    return tuple(trick for number, line in lines for trick in _of_line(number, line))


def _of_line(number: int, line: str) -> Iterator[Trick]:
    if match := _REORDERING.search(line):
        yield Trick("bidi", number, f"{_code(match[0])} changes the order in which it is shown")
    if sign := next((m[0] for m in _INVISIBLE.finditer(line) if not _is_usual(line, m)), ""):
        yield Trick("invisible", number, f"{_code(sign)} cannot be seen")
    for word in _WORD.findall(line):
        if not word.isascii() and (why := _mixed(word)):
            yield Trick("mixed-script", number, why)
            return


def _is_usual(line: str, match: re.Match[str]) -> bool:
    """Joiners and selectors belong to emoji, and to words of the languages that are written with them."""
    sign, before, after = match[0], line[: match.start()], line[match.end() :]
    base = before.rstrip("\ufe0f")[-1:]
    if sign in "\ufe0e\ufe0f" and base:
        return unicodedata.category(base) in ("So", "Sm", "Po", "Nd")
    if sign == "\u200d" and base and unicodedata.category(base) in ("So", "Sk"):
        return True
    if sign in "\u200c\u200d" and base and after:
        return _script(base) in _JOINED and _script(after[0]) in _JOINED
    return sign == "\ufeff" and not before


_JOINED: Final = frozenset(
    (
        *("ARABIC", "DEVANAGARI", "BENGALI", "GURMUKHI", "GUJARATI", "ORIYA", "TAMIL", "TELUGU"),
        *("KANNADA", "MALAYALAM", "SINHALA", "KHMER", "MYANMAR", "SYRIAC", "MONGOLIAN"),
    )
)
_GREEK_TWINS: Final = frozenset("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧανορυϲϳ")
"""Greek letters that look like Latin ones; the others are at home in formulas."""
_TWINS: Final = frozenset(
    ("CYRILLIC", "ARMENIAN", "CHEROKEE", "COPTIC", "LISU", "DESERET", "FULLWIDTH", "MATHEMATICAL")
)


_FOREIGN: Final = re.compile(
    "[\u0370-\u058f\u13a0-\u13fd\u2c80-\u2cff\ua4d0-\ua4ff\uab70-\uabbf\uff21-\uff5a"
    "\U00010400-\U0001044f\U0001d400-\U0001d7ff]"
)
"""Letters of the alphabets that have twins of Latin ones."""


def spelt(text: str) -> str:
    """The text with look-alikes inside of Latin words spelt out, as `p<U+0430>ssword`; other words as they are."""
    if not _FOREIGN.search(text):
        return text
    return _WORD.sub(lambda word: _spell(word[0]), text)


def _spell(word: str) -> str:
    odd = _twins(word)
    return "".join(f"<{_code(sign)}>" if sign in odd else sign for sign in word) if odd else word


def _mixed(word: str) -> str:
    """Why a word looks like one of another alphabet; empty when it does not."""
    odd = _twins(word)
    if not odd:
        return ""
    first = next(sign for sign in word if sign in odd)
    return f"a word of Latin letters holds {_code(first)}, {unicodedata.name(first).lower()}"


def _twins(word: str) -> frozenset[str]:
    """Letters of a Latin word that look like Latin ones and are none."""
    if word.isascii() or not _FOREIGN.search(word):
        return frozenset()
    letters = frozenset(sign for sign in word if sign.isalpha())
    if not any(_script(sign) == "LATIN" for sign in letters):
        return frozenset()
    return frozenset(s for s in letters if _script(s) in _TWINS or s in _GREEK_TWINS)


def _script(sign: str) -> str:
    """The first word of its name, which for letters is their alphabet's."""
    return unicodedata.name(sign, "").partition(" ")[0]


def _code(sign: str) -> str:
    return f"U+{ord(sign):04X}"
