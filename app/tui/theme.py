"""The colours. Blue and orange for added and removed: they stay apart for every kind of colour blindness."""

from typing import Final

from textual.theme import Theme

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
    "cursor": "background: $swarm-cursor;",
    "cursor-off": "background: $swarm-cursor-off;",
    "band": "background: $swarm-band;",
    "file": "color: $swarm-bright; background: $swarm-band; text-style: bold;",
    "hunk": "color: $swarm-violet;",
    "gutter": "color: $swarm-gutter;",
    "added": "background: $swarm-added;",
    "removed": "background: $swarm-removed;",
    "added-sign": "color: $swarm-blue; text-style: bold;",
    "removed-sign": "color: $swarm-orange; text-style: bold;",
    "added-word": "color: #ffffff; background: $swarm-added-word; text-style: bold;",
    "removed-word": "color: #ffffff; background: $swarm-removed-word; text-style: bold;",
    "found": "color: #10141a; background: $swarm-amber;",
    "code-keyword": "color: $swarm-violet;",
    "code-string": "color: $swarm-green;",
    "code-comment": "color: $swarm-dim; text-style: italic;",
    "code-number": "color: $swarm-orange;",
    "code-name": "color: $swarm-blue;",
    "code-builtin": "color: $swarm-amber;",
    "hot": "color: #ffffff; background: $swarm-alarm; text-style: bold;",
}
"""What a piece of text can be drawn with. Each is a component class `ink--NAME` of every drawn widget."""

COMPONENTS: Final = {f"ink--{name}" for name in INKS}

VARIABLES: Final = {
    "swarm-dim": "#8b93a3",
    "swarm-label": "#a9b3c3",
    "swarm-bright": "#eef1f5",
    "swarm-blue": "#6cb6ff",
    "swarm-amber": "#f2c14e",
    "swarm-violet": "#bba4ff",
    "swarm-green": "#7fce8f",
    "swarm-orange": "#f0a35e",
    "swarm-red": "#ff8f7d",
    "swarm-rule": "#39424f",
    "swarm-gutter": "#8b93a3",
    "swarm-cursor": "#26384c",
    "swarm-cursor-off": "#1c242e",
    "swarm-band": "#1a212b",
    "swarm-added": "#10304a",
    "swarm-removed": "#46290f",
    "swarm-added-word": "#1c5c8c",
    "swarm-removed-word": "#8a4b12",
    "swarm-alarm": "#9c3226",
}


def theme() -> Theme:
    return Theme(
        name="swarm",
        primary="#6cb6ff",
        secondary="#bba4ff",
        accent="#6cb6ff",
        warning="#f2c14e",
        error="#ff8f7d",
        success="#7fce8f",
        foreground="#d5dae1",
        background="#10141a",
        surface="#161b22",
        panel="#1d242d",
        dark=True,
        variables=VARIABLES,
    )


def inks_css(selector: str) -> str:
    """The rules of all inks for one widget type."""
    return "\n".join(f"{selector} > .ink--{name} {{ {rule} }}" for name, rule in INKS.items())
