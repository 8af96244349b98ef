"""The last line of defence: nothing but printable text leaves for the terminal, whatever a widget was given.

Text is made safe where it comes in and where it is drawn (`app.domain.safe.clean`); this module holds what
guards the widgets that are not ours, and every one that will be written in a hurry.
"""

import re
from typing import Final

from rich.segment import Segment
from textual.color import Color
from textual.content import Content
from textual.filter import LineFilter

from app.domain.safe import clean

_BAD: Final = re.compile(
    "["
    "\x00-\x1f\x7f-\x9f"  # C0, DEL and C1, with every way to begin an escape sequence
    "\u00ad\u034f\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff"  # lone surrogates, which no terminal can be sent
    "\U000e0000-\U000e007f"  # tag characters
    "]"
)
"""Characters that take no cell, so that removing them leaves all columns where they were."""


class PrintableOnly(LineFilter):
    """Removes from every line what a terminal would obey instead of show."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The same segments when all is well, which is the usual case."""
        if all(text.isprintable() for text, _style, _control in segments):
            return segments
        return [Segment(_BAD.sub("", text), style, control) for text, style, control in segments]


def content(text: str) -> Content:
    """Text from anywhere, for a widget that is not ours: clean, and never read as markup."""
    return Content(clean(text))
