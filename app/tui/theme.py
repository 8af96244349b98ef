"""What a piece of text can be drawn with, and the themes that say which colours those are."""

from typing import Final

from textual.theme import Theme

from app.tui.palettes import DARK, PALETTES
from app.wire_screen import ThemeName

INKS: Final[dict[str, str]] = {
    "dim": "color: $swarm-dim;",
    "label": "color: $swarm-label;",
    "strong": "color: $swarm-bright; text-style: bold;",
    "bright": "color: $swarm-bright;",
    "key": "color: $swarm-blue;",
    "rule": "color: $swarm-rule;",
    "title": "color: $swarm-label; text-style: bold;",
    "brand": "color: $swarm-blue; text-style: bold;",
    "work": "color: $swarm-blue;",
    "ask": "color: $swarm-amber; text-style: bold;",
    "review": "color: $swarm-violet; text-style: bold;",
    "good": "color: $swarm-green;",
    "warn": "color: $swarm-amber;",
    "bad": "color: $swarm-red; text-style: bold;",
    "thought": "color: $swarm-dim; text-style: italic;",
    "bar": "color: $swarm-blue;",
    "trough": "color: $swarm-rule;",
    "cursor": "background: $swarm-cursor; text-style: $swarm-mark-style;",
    "cursor-off": "background: $swarm-cursor-off;",
    "band": "background: $swarm-band;",
    "file": "color: $swarm-bright; background: $swarm-band; text-style: bold;",
    "hunk": "color: $swarm-violet;",
    "gutter": "color: $swarm-gutter;",
    "added": "background: $swarm-added;",
    "removed": "background: $swarm-removed;",
    "added-sign": "color: $swarm-added-sign; text-style: bold;",
    "removed-sign": "color: $swarm-removed-sign; text-style: bold;",
    "added-word": "color: $swarm-on-word; background: $swarm-added-word; text-style: bold;",
    "removed-word": "color: $swarm-on-word; background: $swarm-removed-word; text-style: bold;",
    "found": "color: $swarm-on-found; background: $swarm-found; text-style: $swarm-mark-style;",
    "code-keyword": "color: $swarm-violet;",
    "code-string": "color: $swarm-green;",
    "code-comment": "color: $swarm-dim; text-style: italic;",
    "code-number": "color: $swarm-orange;",
    "code-name": "color: $swarm-blue;",
    "code-builtin": "color: $swarm-amber;",
    "hot": "color: $swarm-on-alarm; background: $swarm-alarm; text-style: $swarm-hot-style;",
}
"""What a piece of text can be drawn with. Each is a component class `ink--NAME` of every drawn widget."""

COMPONENTS: Final = {f"ink--{name}" for name in INKS}

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


def inks_css(selector: str) -> str:
    """The rules of all inks for one widget type."""
    return "\n".join(f"{selector} > .ink--{name} {{ {rule} }}" for name, rule in INKS.items())
