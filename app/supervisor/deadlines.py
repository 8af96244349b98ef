"""Questions that nobody answers in time are answered with no, and that is written down like any answer."""

import asyncio
import contextlib
import logging
from typing import Final

import sqlalchemy as sa

from app import wire
from app.domain.errors import NotNow
from app.store import reviews
from app.supervisor.acts import Acts
from app.supervisor.services import Services

LOOK_SECONDS: Final = 2.0
_BY: Final = "swarm"
_log = logging.getLogger(__name__)


async def refuse_late(s: Services) -> None:
    """For ever. The times are rows: they outlive this supervisor."""
    acts = Acts(s)
    while True:
        try:
            await _refuse_due(s, acts)
        except sa.exc.OperationalError as error:
            # A full disk or a stopped server is a pause; the questions are still there afterwards.
            _log.warning("late questions: %s; looking again", error.orig)
        await asyncio.sleep(LOOK_SECONDS)


async def _refuse_due(s: Services, acts: Acts) -> None:
    for late in await s.database.read(reviews.late, s.clock()):
        answer = wire.Answer(yes=False, note="nobody answered in time", by=_BY)
        with contextlib.suppress(NotNow):  # Somebody just did.
            await acts.answer(late, answer)
