"""Whoever waits for a wake-up call can always be called off, also in the moment in which the call comes."""

import asyncio

import pytest

from app.domain.ids import RunId
from app.supervisor.services import Live


@pytest.mark.parametrize("ticks", range(6))
async def test_a_cancellation_is_heard_however_close_it_is_to_a_wake_up_call(ticks: int) -> None:
    live, run = Live(), RunId("abcde.1")

    async def tend() -> None:
        while True:
            await live.wait(run, 60.0)

    tending = asyncio.create_task(tend())
    for _ in range(3):
        await asyncio.sleep(0)
    live.wake(run)
    for _ in range(ticks):
        await asyncio.sleep(0)
    tending.cancel()
    await asyncio.wait({tending}, timeout=1.0)
    heard = tending.done()
    tending.cancel()
    assert heard
