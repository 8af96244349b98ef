"""Hosts that share this database: who is there, who is alive, and the fence around who was given up.

Every time here is the database's own: a host's clock may be wrong.
"""

import sqlalchemy as sa

from app.domain.errors import EnvironmentProblem
from app.domain.host import Host, HostState
from app.domain.ids import RunId
from app.domain.run import ACTIVE, RunState
from app.store.host_tables import HOST
from app.store.sql import plain, value
from app.store.tables import REST, RUN, TASK, TURN

WORKING = tuple(str(state) for state in ACTIVE - {RunState.MERGING})
"""States in which a run has a place on its host."""
_PASS = 7_245_301
"""The advisory lock of whoever gives places away or takes runs over."""


class Fenced(Exception):
    """This host was given up by the others, or another process took its name: nothing it says counts any more."""


def now(c: sa.Connection) -> float:
    """The database's clock, unix seconds."""
    return float(c.execute(sa.text("SELECT extract(epoch FROM clock_timestamp())")).scalar_one())


def hosts(c: sa.Connection) -> tuple[Host, ...]:
    """All that were ever there, by name."""
    return tuple(value(row, Host) for row in c.execute(sa.select(HOST).order_by(HOST.c.id)))


def alive(host: Host, at: float) -> bool:
    """Whether it is there, and was heard of lately."""
    return host.state in ("starting", "up") and at - host.beat < host.dead_after


def register(c: sa.Connection, mine: Host) -> int:
    """Enter under a new epoch, which fences whoever had the name. Raises when another one lives under it."""
    c.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _PASS})
    at = now(c)
    row = c.execute(sa.select(HOST).where(HOST.c.id == mine.id).with_for_update()).fetchone()
    known = value(row, Host) if row else None
    if known and known.installation != mine.installation and alive(known, at):
        raise EnvironmentProblem(
            f"another host is called {mine.id!r}, and was heard of {at - known.beat:.0f} s ago",
            hint="Give this one a name of its own: `worker: {name: …}` in its config.yaml.",
        )
    epoch = known.epoch + 1 if known else 1
    fields = {**plain(mine), "epoch": epoch, "beat": at}
    if known:
        c.execute(sa.update(HOST).where(HOST.c.id == mine.id).values(**fields))
    else:
        c.execute(sa.insert(HOST).values(**fields))
    return epoch


def check(c: sa.Connection, host: str, epoch: int) -> None:
    """Hold the epoch still until this transaction ends. Raises `Fenced` when it is another one by now."""
    query = "SELECT 1 FROM host WHERE id = :id AND epoch = :epoch FOR KEY SHARE"
    if c.execute(sa.text(query), {"id": host, "epoch": epoch}).scalar() is None:
        raise Fenced(f"host {host} was given up by the others (epoch {epoch})")


def beat(c: sa.Connection, host: str, clock: float) -> float:
    """Say that the host is alive; by how many seconds its clock is ahead."""
    at = now(c)
    changes = {"beat": at, "skew": clock - at}
    c.execute(sa.update(HOST).where(HOST.c.id == host).values(**changes))
    return clock - at


def become(c: sa.Connection, host: str, state: HostState) -> None:
    c.execute(sa.update(HOST).where(HOST.c.id == host).values(state=state))


def adopt(c: sa.Connection, host: str) -> None:
    """What was there before there were several hosts belongs to the first that starts."""
    c.execute(sa.update(TASK).where(TASK.c.home == "").values(home=host))
    c.execute(
        sa.update(RUN)
        .where(RUN.c.host == "", RUN.c.state != str(RunState.QUEUED))
        .values(host=host)
    )


def my_turn(c: sa.Connection) -> bool:
    """Whether this transaction, and no other now, may give places away."""
    query = sa.text("SELECT pg_try_advisory_xact_lock(:key)")
    return bool(c.execute(query, {"key": _PASS}).scalar())


def give_up(c: sa.Connection, host: str) -> bool:
    """Fence a silent host, unless it is not. Its writes under way end first; all later ones are refused."""
    query = sa.select(HOST).where(HOST.c.id == host).with_for_update()
    found = value(c.execute(query).one(), Host)
    if found.state == "dead" or alive(found, now(c)):
        return False
    changes = {"epoch": HOST.c.epoch + 1, "state": "dead"}
    c.execute(sa.update(HOST).where(HOST.c.id == host).values(**changes))
    return True


def take_over(c: sa.Connection, host: str, heir: str, at: float) -> tuple[RunId, ...]:
    """Let go of all that was on a dead host; the runs that were at work there and wait for a place again.

    What an agent remembered is on that host. The turn it was in counts as lost, and the run begins another round.
    """
    there = RUN.c.host == host
    query = sa.select(RUN.c.id).where(there, RUN.c.state.in_(WORKING))
    lost = tuple(RunId(run) for run in c.execute(query.with_for_update()).scalars())
    ended = {"ended": at, "exit_reason": "lost", "error": f"the host {host} was lost"}
    c.execute(sa.update(TURN).where(TURN.c.run.in_(lost), TURN.c.ended.is_(None)).values(**ended))
    again = {"round": RUN.c.round + 1, "state": str(RunState.QUEUED), "wish": ""}
    words = {"reason": f"its host {host} was lost; it goes on elsewhere"}
    c.execute(sa.update(RUN).where(RUN.c.id.in_(lost)).values(**again, **words))
    forgets = {"host": "", "conversation": "", "outfitted": "", "port": 0}
    over = (str(RunState.MERGED), str(RunState.DISCARDED), str(RunState.MERGING))
    c.execute(sa.update(RUN).where(there, RUN.c.state.not_in(over)).values(**forgets))
    c.execute(sa.update(REST).where(REST.c.host == host).values(host=heir))
    return lost
