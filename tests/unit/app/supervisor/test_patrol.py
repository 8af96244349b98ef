"""What is looked at for ever goes on whatever one look met."""

import asyncio
import contextlib

import pytest
import sqlalchemy as sa

from app.domain.errors import NotNow
from app.supervisor.patrol import every


@pytest.mark.parametrize(
    "refusal",
    [
        sa.exc.OperationalError("SELECT", None, Exception("the disk is full")),
        sa.exc.InterfaceError("SELECT", None, Exception("the connection is lost")),
        sa.exc.TimeoutError("no connection is free"),
        NotNow("run k3f9x.1 was moved by somebody else just now"),
        KeyError("what nobody thought of"),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_it_looks_again_after_whatever_was_refused(
    refusal: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    looks = 0
    again = asyncio.Event()

    async def look() -> None:
        nonlocal looks
        looks += 1
        if looks == 1:
            raise refusal
        again.set()

    patrol = asyncio.create_task(every(0.0, "nothing was seen", look))
    await again.wait()
    patrol.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await patrol
    assert caplog.messages[0].startswith("nothing was seen")
