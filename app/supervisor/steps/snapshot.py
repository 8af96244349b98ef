"""After a turn: what the agent's tree holds now, vetted and published."""

from app.domain.events import Note
from app.domain.ids import RunId
from app.repo.shared import Unshared
from app.store import turns
from app.supervisor.errors import told
from app.supervisor.services import Services
from app.supervisor.snapshots import take_snapshot
from app.supervisor.trouble import TROUBLE, fails_the_run


@fails_the_run("")
async def snapshot(s: Services, run: RunId, turn: int) -> str:
    """The commit of the snapshot; empty, with the reason in the log, when there can be none."""
    try:
        made = await take_snapshot(s, run)
    except Unshared:
        raise
    except TROUBLE as error:
        await s.broker.record(run, f"turn-{turn}/no-snapshot", Note(told(error), "error"))
        raise
    if made.commit != made.base:
        await s.database.write(turns.left, run, turn, made.commit)
    return made.commit
