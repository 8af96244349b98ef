"""What is looked at again and again while a supervisor lives."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

import sqlalchemy as sa

from app.domain.errors import SwarmError

_log = logging.getLogger(__name__)


async def every(pause: float, failed: str, look: Callable[[], Awaitable[None]]) -> None:
    """For ever: look, and rest for so many seconds. What one look could not do is left for the next.

    `failed` says in the log what was not done then.
    """
    while True:
        try:
            await look()
        except (sa.exc.SQLAlchemyError, SwarmError) as error:
            # A full disk, a stopped server, a person who was quicker: the rows are still there afterwards.
            _log.warning("%s: %s; looking again", failed, _words(error))
        except Exception:  # noqa: BLE001 - it would end unseen, and nothing be looked at ever again
            _log.exception("%s; looking again", failed)
        await asyncio.sleep(pause)


def _words(error: Exception) -> str:
    return str(getattr(error, "orig", error)).strip()
