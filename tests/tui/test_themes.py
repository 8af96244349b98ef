"""The themes: readable, told apart without seeing all colours, and without any."""

import math
import re
import sys
from itertools import pairwise

import pytest

from app import wire
from app.tui.palettes import DARK, PALETTES
from app.wire_screen import ThemeName
from tests.support.fleet import RecordedSwarm, app_over
from tests.support.screens import RawPty, seen

TEXTS = (
    "foreground",
    "dim",
    "label",
    "bright",
    "blue",
    "amber",
    "violet",
    "green",
    "orange",
    "red",
)
GROUNDS = ("background", "band", "cursor", "cursor-off")
COLOURED = [name for name in PALETTES if name != "plain"]
SAFE = ["dark", "light", "contrast"]
# Machado, Oliveira, Fernandes 2009, severity 1, on linear RGB.
BLINDNESS = {
    "protan": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deutan": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "tritan": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
}  # fmt: skip
Colour = tuple[float, ...]


def linear(text: str) -> Colour:
    parts = (int(text[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return tuple(c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)


def contrast(one: str, two: str) -> float:
    """As WCAG 2 counts it."""
    light = [0.2126 * r + 0.7152 * g + 0.0722 * b for r, g, b in (linear(one), linear(two))]
    return (max(light) + 0.05) / (min(light) + 0.05)


def lab(colour: Colour) -> Colour:
    r, g, b = (min(max(part, 0.0), 1.0) for part in colour)
    x = (0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.95047
    y = 0.2126 * r + 0.7152 * g + 0.0722 * b
    z = (0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.08883
    fx, fy, fz = (t ** (1 / 3) if t > 0.008856 else 7.787 * t + 16 / 116 for t in (x, y, z))
    return 116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)


def apart(one: str, two: str, eye: str) -> float:
    """How different two colours are (CIE76) to that eye."""
    rows = BLINDNESS[eye]
    seen_as = [
        tuple(sum(m * c for m, c in zip(row, linear(text), strict=True)) for row in rows)
        for text in (one, two)
    ]
    pairs = zip(lab(seen_as[0]), lab(seen_as[1]), strict=True)
    return math.sqrt(sum((a - b) ** 2 for a, b in pairs))


@pytest.mark.parametrize("name", PALETTES)
def test_every_theme_has_every_colour(name: ThemeName) -> None:
    assert PALETTES[name].keys() == DARK.keys()


@pytest.mark.parametrize("name", COLOURED)
def test_text_is_readable_wherever_it_stands(name: ThemeName) -> None:
    palette, least = PALETTES[name], 7.0 if name == "contrast" else 3.7
    poor = {
        (text, ground): round(contrast(palette[text], palette[ground]), 1)
        for text in TEXTS
        for ground in GROUNDS
        if contrast(palette[text], palette[ground]) < least
    }
    assert poor == {}


@pytest.mark.parametrize("name", COLOURED)
def test_changed_text_is_readable(name: ThemeName) -> None:
    palette, least = PALETTES[name], 7.0 if name == "contrast" else 4.5
    pairs = [("foreground", "added"), ("foreground", "removed"), ("gutter", "added")]
    pairs += [("on-word", "added-word"), ("on-word", "removed-word"), ("on-found", "found")]
    poor = {
        pair: round(contrast(palette[pair[0]], palette[pair[1]]), 1)
        for pair in pairs
        if contrast(palette[pair[0]], palette[pair[1]]) < least
    }
    assert poor == {}


@pytest.mark.parametrize("eye", BLINDNESS)
@pytest.mark.parametrize("name", SAFE)
def test_added_and_removed_stay_apart_for_every_eye(name: ThemeName, eye: str) -> None:
    palette = PALETTES[name]
    assert apart(palette["added"], palette["removed"], eye) > 18
    assert apart(palette["added-word"], palette["removed-word"], eye) > 30


def test_green_and_red_do_not() -> None:
    palette = PALETTES["green-red"]
    assert apart(palette["added"], palette["removed"], "deutan") < 18


@pytest.mark.parametrize("name", PALETTES)
async def test_the_screen_has_the_theme_that_is_configured(
    name: ThemeName, swarm: RecordedSwarm
) -> None:
    app = app_over(swarm, look=wire.Look(theme=name))
    async with app.run_test(size=(80, 24)) as pilot:
        await seen(pilot, "needs you first")
        assert app.theme == name
        assert app.screen.styles.background.hex.lower() == PALETTES[name]["background"]


async def test_a_key_goes_through_the_themes(swarm: RecordedSwarm) -> None:
    async with app_over(swarm).run_test(notifications=True, size=(80, 24)) as pilot:
        for _, after in pairwise([*PALETTES, "dark"]):
            await pilot.press("C")
            await seen(pilot, f"theme: {after}")


def test_without_colours_none_is_sent_and_the_selection_is_still_seen() -> None:
    program = (
        "from tests.support.fleet import RecordedSwarm, app_over; "
        "from tests.support.story import story; app_over(RecordedSwarm(story())).run()"
    )
    env = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "NO_COLOR": "1"}
    with RawPty([sys.executable, "-c", program], size=(80, 24), env=env) as terminal:
        terminal.wait_for(b"needs you first")
        terminal.wait_until_quiet()
    styles = {
        part
        for found in re.findall(rb"\x1b\[([0-9;]*)m", terminal.output)
        for part in found.split(b";")
    }
    assert not styles & {b"38", b"48", *(b"%d" % code for code in (*range(30, 38), *range(40, 48)))}
    assert b"7" in styles
