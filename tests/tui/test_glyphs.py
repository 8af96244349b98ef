"""Terminals that know only ASCII see every sign of the screen's own, each as wide as it was."""

import ast
from collections.abc import Mapping
from pathlib import Path

import pytest
from rich.cells import cell_len

from app import wire
from app.tui.glyphs import IN_ASCII, in_ascii
from app.wire_screen import Signs
from tests.support.fleet import RecordedSwarm, app_over
from tests.support.screens import in_review, seen

TUI = Path(__file__).parents[2] / "app" / "tui"


def drawn_with() -> set[str]:
    """Every sign beyond ASCII in a text of the screen's code; what `safe` lists is never drawn."""
    found: set[str] = set()
    for path in set(TUI.rglob("*.py")) - {TUI / "safe.py"}:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found |= {char for char in node.value if not char.isascii() and char.isprintable()}
    return found


def test_every_sign_of_the_screen_has_one_in_ascii() -> None:
    assert drawn_with() <= IN_ASCII.keys()


@pytest.mark.parametrize("sign", IN_ASCII)
def test_it_is_as_wide(sign: str) -> None:
    assert IN_ASCII[sign].isascii()
    assert cell_len(sign) == len(IN_ASCII[sign]) == 1


@pytest.mark.parametrize(
    ("wanted", "environment", "expected"),
    [
        ("auto", {"LANG": "C"}, True),
        ("auto", {"LANG": "de_DE.UTF-8"}, False),
        ("auto", {"LC_ALL": "POSIX", "LANG": "de_DE.UTF-8"}, True),
        ("auto", {"TERM": "linux", "LANG": "C.UTF-8"}, True),
        ("auto", {}, False),
        ("ascii", {"LANG": "C.UTF-8"}, True),
        ("unicode", {"LANG": "C"}, False),
    ],
)
def test_the_locale_decides_unless_the_person_has(
    wanted: Signs, environment: Mapping[str, str], expected: bool
) -> None:
    assert in_ascii(wanted, environment) is expected


async def test_nothing_but_ascii_is_drawn_when_asked_for(swarm: RecordedSwarm) -> None:
    app = app_over(swarm, look=wire.Look(signs="ascii"))
    async with app.run_test(notifications=True, size=(120, 30)) as pilot:
        await seen(pilot, "needs you first")
        await in_review(pilot)
        written = "".join(
            "".join(segment.text for segment in strip)
            for strip in pilot.app.screen._compositor.render_strips()
        )
    assert written.isascii(), sorted({char for char in written if not char.isascii()})
