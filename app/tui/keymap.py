"""The table of actions, as Textual's bindings, as a footer, and as the page of the manual."""

from collections.abc import Collection
from typing import Final

from textual.binding import Binding

from app.domain.run import RunState
from app.tui.actions import PLACES, Action, Place, at
from app.tui.model.line import Line, cells, line_cells, wrap

_SHOWN: Final = {
    "enter": "↵",
    "escape": "esc",
    "pagedown": "pgdn",
    "pageup": "pgup",
    "down": "↓",
    "up": "↑",
    "left": "←",
    "right": "→",
}
_NAMES: Final = {
    "!": "exclamation_mark",
    "?": "question_mark",
    "/": "slash",
    ":": "colon",
    ",": "comma",
    "-": "minus",
    "_": "underscore",
    "*": "asterisk",
    "=": "equals_sign",
    "<": "less_than_sign",
    ">": "greater_than_sign",
    "(": "left_parenthesis",
    ")": "right_parenthesis",
    "[": "left_square_bracket",
    "]": "right_square_bracket",
    "{": "left_curly_bracket",
    "}": "right_curly_bracket",
}


def bindings(place: Place) -> list[Binding]:
    """What a screen or widget puts into `BINDINGS`; every key calls `action_do` with the action's id."""
    return [
        Binding(
            _NAMES.get(key, key),
            f"do('{action.id}')",
            action.label,
            show=False,
            id=f"{place}.{action.id}.{number}",
        )
        for action in at(place)
        for number, key in enumerate(action.keys)
    ]


def key_name(key: str) -> str:
    """How a key is written on the screen and in the manual."""
    return _SHOWN.get(key, key.replace("ctrl+", "^").replace("shift+", "⇧"))


def possible(action: Action, state: RunState | None) -> bool:
    """Whether it makes sense now; `state` is the selected run's, None without one."""
    if state is None and action.of_one:
        return False
    return action.states is None or state in action.states


def footer(place: Place, state: RunState | None, width: int, without: Collection[str] = ()) -> Line:
    """As many keys as fit, the weightiest kept, in the table's order."""
    here = (action for action in at(place) if action.weight and action.id not in without)
    wanted = [action for action in here if possible(action, state)]
    room = width - 1
    kept: set[str] = set()
    for action in sorted(wanted, key=lambda action: -action.weight):
        need = cells(key_name(action.keys[0])) + cells(action.label) + 3
        if need <= room:
            kept.add(action.id)
            room -= need
    line: Line = [(" ", "")]
    for action in wanted:
        if action.id in kept:
            line += [(key_name(action.keys[0]), "key"), (f" {action.label}  ", "dim")]
    return line if line_cells(line) > 1 else []


def help_lines(place: Place, width: int) -> list[Line]:
    """The keys of one place, for the help screen."""
    lines: list[Line] = [[(" " + PLACES[place], "strong")]]
    for action in at(place):
        keys = "  ".join(key_name(key) for key in action.keys)
        first, *rest = wrap(action.help.replace("`", ""), width - 17)
        lines.append([("   " + keys.ljust(12), "key"), (first, "")])
        lines += [[(" " * 15 + text, "")] for text in rest]
    return lines


def manual() -> str:
    """`docs/reference/keys.md`, whole."""
    parts = [
        "# Keys\n",
        "Made from the table in `app/tui/actions.py` by `python -m tests.support.pictures keys`;",
        "a test fails when they differ. `^d` means Ctrl and d, `⇧tab` Shift and Tab. Keys of your own, by action",
        "and place: [use the screen](../how-to/use-the-screen.md#make-it-yours).\n",
    ]
    for place, title in PLACES.items():
        parts.append(f"## {title} (`{place}`)\n\n| Key | Does | Action | |\n|---|---|---|---|")
        for action in at(place):
            keys = " ".join(f"`{key_name(key)}`" for key in action.keys)
            parts.append(f"| {keys} | {action.label} | `{action.id}` | {action.help} |")
        parts.append("")
    return "\n".join(parts).rstrip() + "\n"
