"""What a piece of text can be drawn with, and the themes that say which colours those are."""

import re
from collections.abc import Mapping
from functools import cache
from typing import Final

from rich.style import Style
from textual.theme import Theme

from app.tui.palettes import DARK, PALETTES
from app.wire_screen import ThemeName

INKS: Final[dict[str, str]] = {
    "dim": "$dim",
    "label": "$label",
    "strong": "bold $bright",
    "bright": "$bright",
    "key": "$blue",
    "rule": "$rule",
    "title": "bold $label",
    "brand": "bold $blue",
    "work": "$blue",
    "ask": "bold $amber",
    "review": "bold $violet",
    "good": "$green",
    "warn": "$amber",
    "bad": "bold $red",
    "thought": "italic $dim",
    "bar": "$blue",
    "trough": "$rule",
    "cursor": "$mark-style on $cursor",
    "cursor-off": "on $cursor-off",
    "band": "on $band",
    "file": "bold $bright on $band",
    "hunk": "$violet",
    "gutter": "$gutter",
    "added": "on $added",
    "removed": "on $removed",
    "added-sign": "bold $added-sign",
    "removed-sign": "bold $removed-sign",
    "added-word": "bold $on-word on $added-word",
    "removed-word": "bold $on-word on $removed-word",
    "found": "$mark-style $on-found on $found",
    "code-keyword": "$violet",
    "code-string": "$green",
    "code-comment": "italic $dim",
    "code-number": "$orange",
    "code-name": "$blue",
    "code-builtin": "$amber",
    "hot": "$hot-style $on-alarm on $alarm",
}
"""What a piece of text can be drawn with, as Rich writes styles; `$NAME` is what the palette says of that name."""

_NAMES: Final = re.compile(r"\$([a-z-]+)")


@cache
def inks(name: str) -> Mapping[str, Style]:
    """All inks of that theme. A theme that is not ours has those of the shipped one."""
    palette = next((found for each, found in PALETTES.items() if each == name), DARK)

    def style(words: str) -> Style:
        named = _NAMES.sub(lambda found: palette[found[1]], words)
        return Style.parse(" ".join(word for word in named.split() if word != "none"))

    return {ink: style(words) for ink, words in INKS.items()}


VARIABLES: Final = {f"swarm-{name}": value for name, value in DARK.items()}
"""What style sheets may name, with the values of the theme that is shipped."""


def theme(name: ThemeName) -> Theme:
    """That theme, as Textual wants it."""
    colours = PALETTES[name]
    return Theme(
        name=name,
        primary=colours["blue"],
        secondary=colours["violet"],
        accent=colours["blue"],
        warning=colours["amber"],
        error=colours["red"],
        success=colours["green"],
        foreground=colours["foreground"],
        background=colours["background"],
        surface=colours["surface"],
        panel=colours["panel"],
        dark=name != "light",
        variables={f"swarm-{key}": value for key, value in colours.items()},
    )
