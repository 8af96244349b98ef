"""The colours of each theme, by what they mean. Values are told apart by tests, not by eye alone.

Blue and orange for added and removed stay apart for every kind of colour blindness; `green-red` is for those who
want what they are used to. `plain` has no colours at all: what is selected is reversed, changed words are bold.
"""

from typing import Final

from app.wire_screen import ThemeName

DARK: Final = {
    "background": "#10141a",
    "foreground": "#d5dae1",
    "surface": "#161b22",
    "panel": "#1d242d",
    "dim": "#8b93a3",
    "label": "#a9b3c3",
    "bright": "#eef1f5",
    "blue": "#6cb6ff",
    "amber": "#f2c14e",
    "violet": "#bba4ff",
    "green": "#7fce8f",
    "orange": "#f0a35e",
    "red": "#ff8f7d",
    "rule": "#39424f",
    "gutter": "#979fae",
    "cursor": "#26384c",
    "cursor-off": "#1c242e",
    "band": "#1a212b",
    "added": "#10304a",
    "removed": "#46290f",
    "added-sign": "#6cb6ff",
    "removed-sign": "#f0a35e",
    "added-word": "#1c5c8c",
    "removed-word": "#8a4b12",
    "on-word": "#ffffff",
    "found": "#f2c14e",
    "on-found": "#10141a",
    "alarm": "#9c3226",
    "on-alarm": "#ffffff",
    "mark-style": "none",
    "hot-style": "bold",
}
"""Every name a palette has; the last two say how what has a background of its own stands out without colours."""

LIGHT: Final = {
    "background": "#fcfcfa",
    "foreground": "#24292f",
    "surface": "#f3f4f6",
    "panel": "#e9ecf0",
    "dim": "#57606a",
    "label": "#424a53",
    "bright": "#0b0f14",
    "blue": "#0550ae",
    "amber": "#744a00",
    "violet": "#5f35ae",
    "green": "#0f5c27",
    "orange": "#8f3600",
    "red": "#a40e26",
    "rule": "#c3cad3",
    "gutter": "#57606a",
    "cursor": "#d3e4f7",
    "cursor-off": "#e6ebf1",
    "band": "#eceff3",
    "added": "#d2e8fd",
    "removed": "#fde1c4",
    "added-sign": "#0550ae",
    "removed-sign": "#8f3600",
    "added-word": "#93c8f5",
    "removed-word": "#f5b57a",
    "on-word": "#0b0f14",
    "found": "#ffd75e",
    "on-found": "#10141a",
    "alarm": "#a40e26",
}

CONTRAST: Final = {
    "background": "#000000",
    "foreground": "#ffffff",
    "surface": "#101010",
    "panel": "#1c1c1c",
    "dim": "#d4d4d4",
    "label": "#e8e8e8",
    "bright": "#ffffff",
    "blue": "#8ad8ff",
    "amber": "#ffdc5c",
    "violet": "#dccaff",
    "green": "#93ffa5",
    "orange": "#ffc285",
    "red": "#ffbcb2",
    "rule": "#909090",
    "gutter": "#d4d4d4",
    "cursor": "#003a6b",
    "cursor-off": "#202020",
    "band": "#1a1a1a",
    "added": "#00325a",
    "removed": "#552700",
    "added-sign": "#8ad8ff",
    "removed-sign": "#ffc285",
    "added-word": "#005697",
    "removed-word": "#7d3d00",
    "alarm": "#8c1c10",
}

GREEN_RED: Final = {
    "added": "#12331d",
    "removed": "#43191b",
    "added-sign": "#7fce8f",
    "removed-sign": "#ff8f7d",
    "added-word": "#1d6333",
    "removed-word": "#8c2b2b",
}

PALETTES: Final[dict[ThemeName, dict[str, str]]] = {
    "dark": DARK,
    "light": {**DARK, **LIGHT},
    "contrast": {**DARK, **CONTRAST},
    "green-red": {**DARK, **GREEN_RED},
    "plain": {**DARK, "mark-style": "reverse", "hot-style": "reverse"},
}
"""In the order of the key that goes through them."""
