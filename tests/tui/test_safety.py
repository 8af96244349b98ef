"""Nothing an agent says reaches the terminal as anything but text."""

import re
import sys
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.segment import Segment
from textual.app import App, ComposeResult
from textual.color import Color
from textual.widget import Widget
from textual.widgets import Label, Static

from app.tui.safe import PrintableOnly, content
from tests.support.hostile import FORBIDDEN, PAYLOADS, hostile
from tests.support.screens import RawPty

WAYS = {
    "board": b"",
    "diff on the board": b"2",
    "files on the board": b"3",
    "cost on the board": b"4",
    "question": b"a",
    "run": b"\r",
    "run, unfolded": b"\rz",
    "filter": b"/evil\r",
    "help": b"?",
    "confirm": b"X",
    "form": b"n",
    "refusal": b"x",
    "review": b"j\r",
    "checks": b"j\ri",
    "approval": b"j\rM",
    "copied": b"y",
}


OURS = re.compile(rb"\x1b\](?:52;c;[A-Za-z0-9+/=]*|22;[a-z-]*)\x07")
"""What the screen itself writes: a copy a person asked for, and the shape of the mouse pointer."""


@pytest.mark.parametrize("cleaning", ["on", "off"])
def test_no_control_sequence_of_an_agent_reaches_the_terminal(cleaning: str) -> None:
    # One program per mode, all screens in turn: every byte it ever wrote is looked at.
    argv = [sys.executable, "-m", "tests.support.hostile", cleaning]
    env = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "EDITOR": "", "VISUAL": ""}
    with RawPty(argv, size=(160, 48), env=env) as terminal:
        terminal.wait_for(b"needs you first")
        for keys in WAYS.values():
            for key in keys:
                terminal.send(bytes([key]))
                terminal.wait_until_quiet(0.15)
            terminal.wait_until_quiet()
            terminal.send(b"\x1b")
            terminal.wait_until_quiet()
            terminal.send(b"\x1b")
            terminal.wait_until_quiet()
        assert terminal.alive, "a text brought the screen down"
        written = terminal.output
    assert b"harmless" in written, "the payloads' texts were not on the screen"
    assert [name for name, raw in FORBIDDEN.items() if raw in written] == []
    assert b"\x07" not in OURS.sub(b"", written)


@pytest.mark.parametrize("name", FORBIDDEN)
def test_the_last_line_leaves_nothing_a_terminal_obeys(name: str) -> None:
    (kept,) = PrintableOnly().apply([Segment(PAYLOADS[name])], Color(0, 0, 0))
    assert FORBIDDEN[name].decode("utf-8", "surrogatepass") not in kept.text


@given(st.text(st.characters(), max_size=40))
def test_the_last_line_keeps_what_is_printable(text: str) -> None:
    (kept,) = PrintableOnly().apply([Segment(text)], Color(0, 0, 0))
    assert [char for char in text if char.isprintable()] == [
        char for char in kept.text if char.isprintable()
    ]


WIDGETS: dict[str, Callable[[str], Widget]] = {
    "Static": lambda text: Static(content(text), markup=False),
    "Label": lambda text: Label(content(text), markup=False),
}


@pytest.mark.parametrize("widget", WIDGETS)
async def test_markup_of_an_agent_is_text(widget: str) -> None:
    class Small(App[None]):
        def compose(self) -> ComposeResult:
            yield WIDGETS[widget]("[bold [@click=app.bell]go[/] [/nope]")

    async with Small().run_test() as pilot:
        await pilot.pause()
        strips = pilot.app.screen._compositor.render_strips()
    assert "[bold [@click=app.bell]go[/] [/nope]" in strips[0].text


def test_the_hostile_fleet_says_every_payload() -> None:
    said = repr(hostile())
    assert all(repr(payload)[1:-1] in said for payload in PAYLOADS.values())
