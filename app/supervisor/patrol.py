"""What is looked at again and again while a supervisor lives."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

import sqlalchemy as sa

_log = logging.getLogger(__name__)


async def every(pause: float, failed: str, look: Callable[[], Awaitable[None]]) -> None:
    """For ever: look, and rest for so many seconds. What the database refuses is left for the next look.

    `failed` says in the log what was not done then.
    """
    while True:
        try:
            await look()
        except sa.exc.SQLAlchemyError as error:
            # A full disk, a stopped server, a lost connection: the rows are still there afterwards.
            _log.warning("%s: %s; looking again", failed, _words(error))
        await asyncio.sleep(pause)


def _words(error: sa.exc.SQLAlchemyError) -> str:
    return str(getattr(error, "orig", error)).strip()
