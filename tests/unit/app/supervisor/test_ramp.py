"""Runs start a few at a time."""

import asyncio

from app.domain.ids import RunId
from app.supervisor.ramp import Ramp

A, B, C = RunId("aaaaa.1"), RunId("bbbbb.1"), RunId("ccccc.1")


async def entered(ramp: Ramp, run: RunId) -> "asyncio.Task[None]":
    """The run at the door: inside when done."""
    entering = asyncio.create_task(ramp.enter(run))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return entering


async def test_who_comes_when_all_places_are_taken_waits_for_the_first_to_leave() -> None:
    ramp = Ramp(places=2)
    await ramp.enter(A)
    await ramp.enter(B)
    third = await entered(ramp, C)
    assert not third.done()
    ramp.leave(A)
    await third


async def test_a_run_has_one_place_however_often_it_enters() -> None:
    ramp = Ramp(places=2)
    await ramp.enter(A)
    await ramp.enter(A)
    await ramp.enter(B)
    third = await entered(ramp, C)
    assert not third.done()
    ramp.leave(A)
    await third


async def test_leaving_twice_makes_no_second_place() -> None:
    ramp = Ramp(places=1)
    await ramp.enter(A)
    ramp.leave(A)
    ramp.leave(A)
    await ramp.enter(B)
    third = await entered(ramp, C)
    assert not third.done()
    ramp.leave(B)
    await third


async def test_an_agent_that_says_nothing_holds_nobody_up_for_long() -> None:
    ramp = Ramp(places=1, silence=0.01)
    await ramp.enter(A)
    await ramp.enter(B)


async def test_who_gives_up_waiting_takes_no_place() -> None:
    ramp = Ramp(places=1)
    await ramp.enter(A)
    second = await entered(ramp, B)
    second.cancel()
    await asyncio.gather(second, return_exceptions=True)
    ramp.leave(A)
    await ramp.enter(C)
