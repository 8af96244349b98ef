"""Leaving the program while the supervisor's answer is on its way."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from app.tui.widgets.bars import Footer
from tests.support.fleet import RecordedSwarm, app_over
from tests.support.screens import settled

WAYS = {
    "diff": "2", "files": "3", "cost": "4", "network": "5", "checks": "6", "why": "7", "run": "enter",
    "review": "j enter", "inbox": "I", "costs": "dollar_sign", "trash": "T", "race": "equals_sign", "health": "H",
    "settings": "comma", "form": "n", "board": "R",
}  # fmt: skip


@pytest.mark.parametrize("keys", WAYS.values(), ids=WAYS.keys())
async def test_the_program_ends_in_peace(
    swarm: RecordedSwarm, monkeypatch: pytest.MonkeyPatch, keys: str
) -> None:
    gone = asyncio.Event()
    async with app_over(swarm).run_test(notifications=True, size=(160, 48)) as pilot:
        await settled(pilot)
        for name, ask in inspect.getmembers(RecordedSwarm, inspect.iscoroutinefunction):
            monkeypatch.setattr(RecordedSwarm, name, _late(ask, gone))
        monkeypatch.setattr(Footer, "on_unmount", lambda _self: gone.set(), raising=False)
        for key in keys.split():
            await pilot.press(key)
        await asyncio.sleep(0.1)  # What is shown asks for itself a moment later.


def _late(ask: Callable[..., Awaitable[Any]], gone: asyncio.Event) -> Callable[..., Awaitable[Any]]:
    """As it is asked, once all is over."""

    async def late(*words: Any, **more: Any) -> Any:
        await gone.wait()
        return await ask(*words, **more)

    return late
