"""What a program in a sandbox may do to the terminal of a person who looks at it: draw, and nothing else.

Text, colours, the cursor, the alternate screen and the keyboard's modes go through. Titles, the clipboard, links,
notices, pictures, printing, the window's size and everything unknown do not, nor do characters that hide or
reorder text. Sequences: ECMA-48, and xterm's ctlseqs.
"""

import codecs
import re
from typing import Final

_TOKEN: Final = re.compile(
    r"(?P<text>[^\x00-\x1f\x7f-\x9f]+)"
    r"|(?P<csi>\x1b\[[0-?]{0,64}[ -/]{0,2}[@-~])"
    r"|(?P<short>\x1b(?:[()][0AB]|[78DEHM=>]))"
    r"|(?P<string>\x1b[\]P_^X])"
    r"|(?P<cut>\x1b(?:\[[0-?]{0,64}[ -/]{0,2}|[ -/]{0,2})?\Z)"
    r"|(?P<other>\x1b[ -/]{0,2}[0-~])"
    r"|(?P<control>.)",
    re.DOTALL,
)
_STRING_ENDS: Final = re.compile(r"[\x07\x18\x1a\x1b\x9c]")
_CONTROLS: Final = frozenset("\b\t\n\r")
_ALLOWED: Final = (
    re.compile(r"[0-9;:]*[@A-HJKLMPSTXZ`abdefgmr]"),  # text, cursor, erasing, colours, margins
    re.compile(r"[?>][0-9;:]*m"),  # how modified keys are sent
    re.compile(r"[su]"),  # keep the cursor's place
    re.compile(r"[<=>?][0-9;:]*u"),  # how keys are sent: the kitty protocol
    re.compile(r"[0-9]* q"),  # the cursor's shape
    re.compile(r">?0?c"),  # what are you? answered to the program
    re.compile(r"\??[0-9;]*n"),  # where is the cursor? answered to the program
    re.compile(r"\?[0-9;]*\$p"),  # is that mode on? answered to the program
    re.compile(r"!p"),  # back to the usual modes
    re.compile(r"4[hl]"),  # insert or overwrite
)
_MODES: Final = re.compile(r"\?(?P<modes>[0-9;]+)(?P<on>[hl])")
_KNOWN_MODES: Final = frozenset(
    str(mode)
    for modes in (
        (1, 5, 6, 7, 12, 25, 45, 47, 1000, 1015, 2004, 2026),
        range(1002, 1007),
        range(1047, 1050),
    )
    for mode in modes
)
_HIDING: Final = re.compile(
    "[\u00ad\u034f\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e007f]"
)

RESTORE: Final = (
    "\x1b[?2026l\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1004l\x1b[?1005l\x1b[?1006l\x1b[?1015l\x1b[?2004l"
    "\x1b[<99u\x1b[>4m\x1b[?1l\x1b>\x1b[?6l\x1b[?5l\x1b[?7h\x1b[4l\x1b[r\x1b(B\x1b)B\x1b[0 q\x1b[0m"
    "\x1b[?1049l\x1b[?25h"
)
"""Takes back all that a program may have switched on."""


def words_of(drawn: bytes) -> str:
    """The words in what was drawn, for a log."""
    text = _TOKEN.sub(
        lambda found: found[0] if found.lastgroup == "text" else " ", drawn.decode(errors="replace")
    )
    return " ".join(text.split())


class Drawing:
    """Lets through what draws. Fed in pieces, it gives the same as fed at once."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._kept = ""
        self._in_string = False

    def feed(self, data: bytes) -> bytes:
        """What of it may be shown."""
        text, shown, at = self._kept + self._decoder.decode(data), [], 0
        self._kept = ""
        while at < len(text):
            if self._in_string:
                at = self._skip(text, at)
                continue
            found = _TOKEN.match(text, at)
            assert found is not None  # the last alternative takes any character
            at = found.end()
            match found.lastgroup:
                case "string":
                    self._in_string = True
                case "cut":
                    self._kept = found[0]
                case kind:
                    shown.append(_shown(str(kind), found[0]))
        return "".join(shown).encode()

    def _skip(self, text: str, at: int) -> int:
        """Where a title, a picture or the like ends, of which nothing is shown."""
        end = _STRING_ENDS.search(text, at)
        if end is None:
            return len(text)
        if end[0] != "\x1b":
            self._in_string = False
            return end.end()
        if end.end() == len(text):
            self._kept = "\x1b"
            return len(text)
        self._in_string = False
        return end.end() + 1 if text[end.end()] == "\\" else end.start()


def _shown(kind: str, token: str) -> str:
    match kind:
        case "text":
            return token if token.isascii() else _HIDING.sub("", token)
        case "csi":
            return _sequence(token)
        case "short":
            return token
        case _:
            return token if token in _CONTROLS else ""


def _sequence(token: str) -> str:
    body = token[2:]
    if any(allowed.fullmatch(body) for allowed in _ALLOWED):
        return token
    modes = _MODES.fullmatch(body)
    if modes is None:
        return ""
    known = [mode for mode in modes["modes"].split(";") if mode in _KNOWN_MODES]
    return f"\x1b[?{';'.join(known)}{modes['on']}" if known else ""
