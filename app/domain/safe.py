"""Text from agents, made safe to show: nothing in it can move a cursor, hide, or reorder what a person reads.

Whatever would not print is replaced by something visible, never dropped, so that a reviewer sees that it is there.
"""

import re
import unicodedata
from typing import Final

from policies.deception import spelt

_INVISIBLE: Final = (
    "\u115f\u1160\u3164\uffa0"  # Hangul fillers: letters by category, blank on the screen
    "\u2800"  # the blank Braille pattern
    "\ufe00-\ufe0f\U000e0100-\U000e01ef"  # variation selectors
    "\u034f\u17b4\u17b5\u180b-\u180f"  # joiners and vowels that take no room
)
_ODD: Final = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
_ON_TOP: Final = {"Mn", "Me"}
_SUSPECT: Final = re.compile(rf"[^ -~\n\t\u00a1-\u00ac\u00ae-\u02ff]|[{_INVISIBLE}]")
_HIDDEN: Final = re.compile(f"[{_INVISIBLE}]")
MAX_MARKS: Final = 4
"""Combining marks kept on one character; towers of them would cover the lines above."""
_FOREIGN: Final = re.compile(r"[^\x00-\u02ff]{5,}")
"""Runs of characters that marks may be among; shorter ones hold no tower."""


def clean(text: str) -> str:
    """`text` with every control, formatting and invisible character made visible.

    C0 and DEL become control pictures (`␛`), everything else `<U+202E>`; so do letters that pass for Latin ones in
    a Latin word. Line ends stay, a tab is 4 spaces.
    """
    if text.isascii() and text.isprintable():
        return text
    shown = _SUSPECT.sub(_visible, text)
    return spelt(_FOREIGN.sub(_lowered, shown)).replace("\t", "    ")


def clean_line(text: str, width: int = 0) -> str:
    """As `clean`, on one line: line ends become `⏎`. With `width`, cut to that many characters."""
    line = clean(text).replace("\n", "⏎")
    return line if not width or len(line) <= width else line[: max(0, width - 1)] + "…"


def _visible(match: re.Match[str]) -> str:
    char = match[0]
    code = ord(char)
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "␡"
    if unicodedata.category(char) in _ODD or _HIDDEN.match(char):
        return f"<U+{code:04X}>"
    return char


def _lowered(match: re.Match[str]) -> str:
    """The same with no more marks on a character than letters of any script have."""
    kept, marks = [], 0
    for char in match[0]:
        marks = marks + 1 if unicodedata.category(char) in _ON_TOP else 0
        if marks <= MAX_MARKS:
            kept.append(char)
        elif marks == MAX_MARKS + 1:
            kept.append("<…>")
    return "".join(kept)
