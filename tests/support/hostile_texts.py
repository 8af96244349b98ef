"""Ten thousand texts that would take over a terminal, break a screen or pass for part of one; each time the same.

Made from parts that were seen to work against some terminal, pager or screen. A control sequence of a kind that
the screen itself writes carries a number that it never writes, so that one that got through is known as theirs.
"""

import os
import random
import string
import sys
from collections.abc import Callable
from functools import cache
from typing import Final

COUNT: Final = 10_000
THEIRS: Final = "7919"
"""Stands in every sequence of a kind that the screen writes, too: colours, places, modes."""
_C0: Final = [chr(code) for code in (*range(0x20), 0x7F)]
_C1: Final = [chr(code) for code in range(0x80, 0xA0)]
_ENDS: Final = ("\x07", "\x1b\\", "\x9c", "")
"""How a string to the terminal ends; the last one swallows whatever follows."""
_BETWEEN: Final = ("", " ")
_CSI: Final = ("\x1b[", "\x9b")
_OSC: Final = ("\x1b]", "\x9d")
_BIDI: Final = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
_NOTHING: Final = (
    "\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b\u180e\u200b\u200c\u200d\u2060\u2061\u2063\u206a"
    "\u2800\u3164\ufe00\ufe0f\ufeff\uffa0\ufff9\ufffb\U000e0001\U000e0041\U000e007f\U000e0100"
)
_LINES: Final = ("\n", "\r", "\r\n", "\x0b", "\x0c", "\x1c", "\x1e", "\x85", "\u2028", "\u2029")
_MARKS: Final = (
    "\u0300\u0301\u0316\u0327\u0334\u0336\u0489\u20d0\u20dd\u1dc4\ufe20\u0e49\u0650\u0951\u3099"
)
_EMOJI: Final = (
    "👩‍👩‍👧‍👦",
    "🏴‍☠️",
    "👍🏽",
    "1️⃣",
    "🇩🇪",
    "❤️",
    "☠",
    "🫠",
    "中文",
    "ｗｉｄｅ",
    "한",
    "﷽",
    "𒐫",
)
_BROKEN: Final = (
    "\ud800",
    "\udbff",
    "\udc00",
    "\udfff",
    "\udc80\udcff",
    "\udc00\ud800",
    "\ufffe",
    "\U0010ffff",
)
_LOOKALIKES: Final = ("pаypal.com", "ｒｍ -rf", "ѕсоре", "Ⅰl1", "аpprove", "℮tc/pаsswd", "οperator")
_MARKUP: Final = (
    "[bold]", "[/]", "[/bold]", "[@click=app.quit]x[/]", "[@click='app.bell']", "[link=https://a.b]c[/link]",
    "[$error on $success]", "[", "]", "[[", "\\[", "[red on", "[=]", "[not bold]", ":skull:", "[/nope]",
    "<b>", "&lt;", "`code`", "**bold**", "[text](https://a.b)", "{0}", "%s%n", "${HOME}", "{self.app}", "\\x1b[2J",
)  # fmt: skip
_OURS: Final = (
    " y yes  n no  esc back", "approve: lands on main  ↵ land", "NO SANDBOX", "▌ ! asks you",
    "│ ┌ [1 Log] 2 Diff", "supervisor gone · reconnecting", "REVIEW k3f9m", "@@ -1,2 +1,2 @@",
    "+++ b/f", "--- /dev/null", "\\ No newline at end of file", "checks ✓ 3 of 3 passed",
)  # fmt: skip
_PATHS: Final = (
    "a/b\nc", "../../etc/passwd", '"quo"ted', "a\tb", "-rf", "~/x", "a//b", "dir/", ".git/hooks/x", "CON", "a\\b",
    "sp ace ", " ", "…", "\x7f", "a:b", "é", "e\u0301", "*?[x]", "$(reboot)", "`id`", "a;b", "file:///etc",
)  # fmt: skip


@cache
def texts(count: int = COUNT, seed: int = 6) -> tuple[str, ...]:
    """So many. Each begins and ends with a word of its own, by which it is found again wherever it is cut."""
    chance = random.Random(seed)
    kinds = list(KINDS.values())
    made = []
    for number in range(count):
        parts = [kinds[number % len(kinds)](chance)]
        parts += [chance.choice(kinds[:-1])(chance) for _ in range(chance.choice((0, 0, 1, 3)))]
        made.append(f"{mark(number)}{chance.choice(_BETWEEN).join(parts)}{mark(number)}")
    return tuple(made)


def mark(number: int) -> str:
    return f"q{number:04}z"


def _word(chance: random.Random) -> str:
    return "".join(chance.choices(string.ascii_letters, k=chance.randint(1, 8)))


def _csi(chance: random.Random) -> str:
    numbers = ";".join([THEIRS, *(str(chance.randrange(300)) for _ in range(chance.randrange(3)))])
    private = chance.choice(("", "", "?", ">", "=", "<", "!"))
    between = chance.choice(("", "", "", " ", "$", '"', "'"))
    last = chance.choice(string.ascii_letters + "@`~{|}")
    return f"{chance.choice(_CSI)}{private}{numbers}{between}{last}"


def _osc(chance: random.Random) -> str:
    number = chance.choice(
        (
            "0",
            "1",
            "2",
            "4",
            "7",
            "8",
            "9",
            "10",
            "12",
            "22",
            "50",
            "52",
            "99",
            "104",
            "133",
            "633",
            "777",
            "1337",
        )
    )
    said = {
        "8": ";https://evil.example/",
        "52": "c;b3duZWQ=",
        "4": "1;?",
        "1337": "File=name=eA==:eA==",
    }
    end = chance.choice(_ENDS)
    return f"{chance.choice(_OSC)}{number};{said.get(number, _word(chance))}{THEIRS}{end}"


def _string(chance: random.Random) -> str:
    """A device control, application, privacy or start-of-string message."""
    start = chance.choice(
        ("\x1bP", "\x1b_", "\x1b^", "\x1bX", "\x90", "\x9f", "\x9e", "\x98", "\x1bk")
    )
    said = chance.choice(
        ("+q544e", "$qm", "q#0;2;0;0;0~-", "Gi=7,a=T;AAAA", "tmux;\x1b\x1b]0;x\x07", "1$r")
    )
    return f"{start}{said}{chance.choice(_ENDS)}"


def _escape(chance: random.Random) -> str:
    ends = (
        "c",
        "7",
        "8",
        "D",
        "E",
        "H",
        "M",
        "N",
        "O",
        "Z",
        "=",
        ">",
        "(0",
        ")B",
        "#8",
        "%G",
        " F",
        "",
        "\x1b",
    )
    return "\x1b" + chance.choice(ends)


def _some(of: str | tuple[str, ...] | list[str], most: int = 4) -> Callable[[random.Random], str]:
    def made(chance: random.Random) -> str:
        return "".join(chance.choices(of, k=chance.randint(1, most)))

    return made


def _tower(chance: random.Random) -> str:
    base = chance.choice(("a", "é", "中", "◌", " ", ""))
    return base + "".join(chance.choices(_MARKS, k=chance.randint(5, 60)))


def _long(chance: random.Random) -> str:
    piece = chance.choice(("x", "\t", " ", "中", "-", "a b ", "\u0301", "\r", "[", "\x1b"))
    return piece * chance.randint(200, 3000)


KINDS: Final[dict[str, Callable[[random.Random], str]]] = {
    "control": _some(_C0),
    "control of eight bits": _some(_C1),
    "csi": _csi,
    "osc": _osc,
    "string": _string,
    "escape": _escape,
    "bidi": _some(_BIDI),
    "nothing to see": _some(_NOTHING),
    "lines": _some(_LINES, 6),
    "tower": _tower,
    "wide": _some(_EMOJI),
    "broken": _some(_BROKEN),
    "lookalike": _some(_LOOKALIKES, 2),
    "markup": _some(_MARKUP),
    "ours": _some(_OURS, 2),
    "path": _some(_PATHS),
    "long": _long,
}
"""How each kind of text is made; the last only by itself."""


if __name__ == "__main__":
    sys.stdout.buffer.write(
        "\n".join(texts()[: int(os.environ.get("SWARM_TEST_TEXTS", "600"))]).encode(
            "utf-8", "surrogatepass"
        )
    )
