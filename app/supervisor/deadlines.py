"""Questions that nobody answers in time are answered with no, and that is written down like any answer."""

import contextlib
from typing import Final

from app import wire
from app.domain.errors import NotNow
from app.store import reviews
from app.supervisor.acts import Acts
from app.supervisor.asking import BY
from app.supervisor.patrol import every
from app.supervisor.services import Services

LOOK_SECONDS: Final = 2.0


async def refuse_late(s: Services) -> None:
    """For ever. The times are rows: they outlive this supervisor."""
    acts = Acts(s)
    await every(LOOK_SECONDS, "late questions were not looked at", lambda: _refuse_due(s, acts))


async def _refuse_due(s: Services, acts: Acts) -> None:
    for late in await s.database.read(reviews.late, s.clock()):
        answer = wire.Answer(yes=False, note="nobody answered in time", by=BY)
        with contextlib.suppress(NotNow):  # Somebody just did.
            await acts.answer(late, answer)
