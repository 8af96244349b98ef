"""Makes a terminal heard: the bell, and a notice on the desktop in the one way that this terminal knows.

OSC 9 is iTerm2's, OSC 777 urxvt's (also foot, WezTerm, Ghostty), OSC 99 kitty's. What a terminal does not
know it may show as garbage, so `auto` sends a notice only to those that say who they are, and inside a
multiplexer only the bell.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from app.wire_screen import Ring

BELL: Final = "\a"
LONGEST: Final = 160
"""Characters of a notice that a terminal is given."""
_BY_PROGRAM: Final[dict[str, Ring]] = {
    "iTerm.app": "osc9",
    "WezTerm": "osc777",
    "ghostty": "osc777",
    "kitty": "osc99",
}
_BY_TERM: Final[tuple[tuple[str, Ring], ...]] = (
    ("xterm-kitty", "osc99"),
    ("foot", "osc777"),
    ("rxvt-unicode", "osc777"),
    ("xterm-ghostty", "osc777"),
    ("wezterm", "osc777"),
)


def way_of(wish: Ring, env: Mapping[str, str]) -> Ring:
    """What `auto` means in the terminal that this environment is of."""
    if wish != "auto":
        return wish
    term = env.get("TERM", "")
    if env.get("TMUX") or env.get("STY") or term.startswith(("tmux", "screen")):
        return "bell"
    if known := _BY_PROGRAM.get(env.get("TERM_PROGRAM", "")):
        return known
    return next((way for begin, way in _BY_TERM if term.startswith(begin)), "bell")


def sequence(way: Ring, text: str) -> str:
    """What to write to the terminal. Nothing in `text` can end the sequence, whoever wrote it."""
    said = "".join(char for char in text if char.isprintable() and char != ";")[:LONGEST]
    match way:
        case "osc9":
            return f"{BELL}\x1b]9;swarm: {said}\x1b\\"
        case "osc777":
            return f"{BELL}\x1b]777;notify;swarm;{said}\x1b\\"
        case "osc99":
            return f"{BELL}\x1b]99;i=swarm:d=0;swarm\x1b\\\x1b]99;i=swarm:p=body;{said}\x1b\\"
        case "bell" | "auto":
            return BELL
        case "off":
            return ""


def one_line(texts: Sequence[str]) -> str:
    """What happened at once, as one notice."""
    return texts[0] if len(texts) == 1 else f"{texts[0]} · and {len(texts) - 1} more"
