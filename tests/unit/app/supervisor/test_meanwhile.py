"""Work beside a block of other work."""

import asyncio

import pytest

from app.supervisor.meanwhile import meanwhile


async def test_both_go_on_at_the_same_time() -> None:
    heard = asyncio.Event()

    async def work() -> None:
        heard.set()

    async with meanwhile(work()):
        await heard.wait()


async def test_the_end_of_the_block_waits_for_the_work() -> None:
    done = []

    async def work() -> None:
        await asyncio.sleep(0)
        done.append(True)

    async with meanwhile(work()):
        pass
    assert done


async def test_what_the_work_raises_is_raised() -> None:
    async def work() -> None:
        raise LookupError

    with pytest.raises(LookupError):
        async with meanwhile(work()):
            await asyncio.sleep(0)


async def test_a_block_that_fails_ends_the_work() -> None:
    ended = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(True)

    async def fails() -> None:
        await asyncio.sleep(0)
        raise LookupError

    with pytest.raises(LookupError):
        async with meanwhile(work()):
            await fails()
    assert ended
