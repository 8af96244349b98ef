"""A diff so long that a person reads it while it is still indexed."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from textual.app import App, ComposeResult
from textual.pilot import Pilot

from app.tui.syntax import Syntax
from app.tui.theme import VARIABLES
from app.tui.widgets.diff_view import DiffView
from tests.benchmarks.screen_stub import FILE, HUNK, diff_of

LINES = 200_000
ROWS = LINES + LINES // FILE + LINES // HUNK
"""Each file has a heading, and each hunk."""


class Reader(App[None]):
    """An application with nothing but a diff."""

    def compose(self) -> ComposeResult:
        yield DiffView(Syntax())

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return VARIABLES


@pytest.fixture
async def pilot() -> AsyncIterator[Pilot[None]]:
    async with Reader().run_test(size=(80, 24)) as pilot:
        yield pilot


async def read(pilot: Pilot[None], *actions: str) -> DiffView:
    """Do that as soon as the first lines are there, and look again once all are."""
    view = pilot.app.query_one(DiffView)
    showing = asyncio.create_task(view.show(diff_of(LINES)))
    await asyncio.sleep(0)
    assert 0 < view.count < ROWS
    for action in actions:
        view.action_do(action)
    await showing
    assert view.count == ROWS
    return view


async def test_it_begins_at_its_first_line(pilot: Pilot[None]) -> None:
    assert (await read(pilot)).cursor == 0


async def test_who_has_gone_on_meanwhile_is_not_taken_back(pilot: Pilot[None]) -> None:
    assert (await read(pilot, "down", "down")).cursor == 2


async def test_who_went_to_its_end_stands_at_its_end(pilot: Pilot[None]) -> None:
    assert (await read(pilot, "bottom")).cursor == ROWS - 1


async def test_who_has_left_its_end_again_stays_there(pilot: Pilot[None]) -> None:
    assert (await read(pilot, "bottom", "top", "down")).cursor == 1
