"""Hosts that share this database: who is there, who is alive, and the fence around who was given up.

Every time here is the database's own: a host's clock may be wrong.
"""

import msgspec
import sqlalchemy as sa

from app.domain.errors import EnvironmentProblem
from app.domain.host import Host, HostState
from app.domain.ids import RunId
from app.domain.run import ACTIVE, RunState
from app.store.host_tables import HOST
from app.store.route_tables import ROUTE
from app.store.sql import plain, value
from app.store.tables import REST, RUN, TASK, TURN
from policies.placement import Busy, Waiting

WORKING = tuple(str(state) for state in ACTIVE - {RunState.MERGING})
"""States in which a run has a place on its host."""
HOST_LOST = "host lost"
"""How a turn ended whose host is gone."""
_PASS = 7_245_301
"""The advisory lock of whoever gives places away or takes runs over."""
_MOST = 1000
"""Waiting runs that are looked at together."""


class Fenced(Exception):
    """This host was given up by the others, or another process took its name: nothing it says counts any more."""


def now(c: sa.Connection) -> float:
    """The database's clock, unix seconds."""
    return float(c.execute(sa.text("SELECT extract(epoch FROM clock_timestamp())")).scalar_one())


def hosts(c: sa.Connection) -> tuple[Host, ...]:
    """All that were ever there, by name."""
    return tuple(
        value(row, Host) for row in c.execute(sa.select(HOST).order_by(HOST.c.name, HOST.c.id))
    )


def known(c: sa.Connection, host: str) -> Host | None:
    """The host of that id; None where it works alone."""
    row = c.execute(sa.select(HOST).where(HOST.c.id == host)).one_or_none()
    return None if row is None else value(row, Host)


def name_of(c: sa.Connection, host: str) -> str:
    """What people call it; the id itself for one that nobody knows."""
    found: str | None = c.execute(sa.select(HOST.c.name).where(HOST.c.id == host)).scalar()
    return found or host


def living(c: sa.Connection) -> tuple[str, ...]:
    """The names of those that are there now."""
    at = now(c)
    return tuple(host.name for host in hosts(c) if alive(host, at))


def alive(host: Host, at: float) -> bool:
    """Whether it is there, and was heard of lately."""
    return host.state in ("starting", "up") and at - host.beat < host.dead_after


def silent(host: Host, at: float) -> bool:
    """Whether it has to be given up."""
    return host.state != "dead" and at - host.beat >= host.dead_after


def register(c: sa.Connection, mine: Host) -> int:
    """Enter under a new epoch, which fences whoever went by that id. Raises when another one has the name."""
    c.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _PASS})
    at = now(c)
    known = {host.id: host for host in hosts(c)}
    for other in known.values():
        if other.name == mine.name and other.id != mine.id and alive(other, at):
            raise EnvironmentProblem(
                f"another host is called {mine.name!r}, and was heard of {at - other.beat:.0f} s ago",
                hint="Give this one a name of its own: `worker: {name: …}` in its config.yaml.",
            )
    fields = {**plain(mine), "beat": at}
    if mine.id not in known:
        c.execute(sa.insert(HOST).values(**fields | {"epoch": 1}))
        _adopt(c, mine.id)
        return 1
    epoch = known[mine.id].epoch + 1
    c.execute(sa.update(HOST).where(HOST.c.id == mine.id).values(**fields | {"epoch": epoch}))
    return epoch


def _adopt(c: sa.Connection, host: str) -> None:
    """What was there before there were several hosts belongs to the first that starts."""
    c.execute(sa.update(TASK).where(TASK.c.home == "").values(home=host))
    unowned, queued = RUN.c.host == "", RUN.c.state == str(RunState.QUEUED)
    c.execute(sa.update(RUN).where(unowned, ~queued).values(host=host))
    # They get a place anew; what was to give them one finds that it is too late.
    c.execute(sa.update(RUN).where(unowned, queued).values(round=RUN.c.round + 1))


def check(c: sa.Connection, host: str, epoch: int) -> None:
    """Hold the epoch still until this transaction ends. Raises `Fenced` when it is another one by now."""
    query = "SELECT 1 FROM host WHERE id = :id AND epoch = :epoch FOR KEY SHARE"
    if c.execute(sa.text(query), {"id": host, "epoch": epoch}).scalar() is None:
        raise Fenced(f"host {host} was given up by the others (epoch {epoch})")


def beat(c: sa.Connection, host: str, clock: float, state: HostState) -> float:
    """Say that the host is alive; by how many seconds its clock is ahead."""
    at = now(c)
    changes = {"beat": at, "skew": clock - at, "state": str(state)}
    c.execute(sa.update(HOST).where(HOST.c.id == host).values(**changes))
    return clock - at


def my_turn(c: sa.Connection) -> bool:
    """Whether this transaction, and no other now, may give places away."""
    query = sa.text("SELECT pg_try_advisory_xact_lock(:key)")
    return bool(c.execute(query, {"key": _PASS}).scalar())


def give_up(c: sa.Connection, host: str) -> bool:
    """Fence a silent host; whether that was possible. All its later writes are refused.

    While one of them is under way, as when the host stood still in the midst of it, the next look tries again.
    """
    query = sa.select(HOST).where(HOST.c.id == host).with_for_update(skip_locked=True)
    row = c.execute(query).fetchone()
    if row is None or not silent(value(row, Host), now(c)):
        return False
    changes = {"epoch": HOST.c.epoch + 1, "state": "dead"}
    c.execute(sa.update(HOST).where(HOST.c.id == host).values(**changes))
    return True


class Estate(msgspec.Struct, frozen=True):
    """What a dead host leaves to the others."""

    again: tuple[RunId, ...]
    """Runs that were at work there, and wait for a place again."""
    decided: tuple[RunId, ...]
    """Runs that were about to rest: nothing is left to do on a host."""


def take_over(c: sa.Connection, dead: Host, heir: str, at: float, why: str) -> Estate:
    """Let go of all that was on a dead host; `why` says in words how it was lost.

    What an agent remembered is on that host. The turn it was in counts as lost, and the run begins another round.
    """
    there = RUN.c.host == dead.id
    rows = c.execute(
        sa.select(RUN.c.id, RUN.c.wish).where(there, RUN.c.state.in_(WORKING)).with_for_update()
    ).fetchall()
    again = tuple(RunId(row.id) for row in rows if not row.wish)
    decided = tuple(RunId(row.id) for row in rows if row.wish)
    ended = {"ended": at, "exit_reason": HOST_LOST, "error": why}
    c.execute(sa.update(TURN).where(TURN.c.run.in_(again), TURN.c.ended.is_(None)).values(**ended))
    back = {"round": RUN.c.round + 1, "state": str(RunState.QUEUED), "reason": why}
    c.execute(sa.update(RUN).where(RUN.c.id.in_(again)).values(**back))
    over = (str(RunState.MERGED), str(RunState.DISCARDED), str(RunState.MERGING))
    forgets = {"host": "", "conversation": "", "outfitted": "", "port": 0}
    c.execute(sa.update(RUN).where(there, RUN.c.state.not_in(over)).values(**forgets))
    c.execute(sa.update(REST).where(REST.c.host == dead.id).values(host=heir))
    return Estate(again, decided)


def busy(c: sa.Connection) -> tuple[tuple[str, Busy], ...]:
    """Every run that has a place, with its host."""
    query = (
        sa.select(RUN.c.host, RUN.c.agent, TASK.c.home, TASK.c.repo, ROUTE.c.account)
        .join(TASK, TASK.c.id == RUN.c.task)
        .outerjoin(ROUTE, ROUTE.c.run == RUN.c.id)
        .where(RUN.c.state.in_(WORKING), RUN.c.host != "")
    )
    return tuple(
        (row.host, Busy(f"{row.home}:{row.repo}", row.agent, row.account or ""))
        for row in c.execute(query)
    )


def waiting(c: sa.Connection) -> tuple[tuple[Waiting, str], ...]:
    """The runs that wait for a place, each with the reason that is written down; the most urgent of very many."""
    query = (
        sa.select(RUN, TASK, ROUTE.c.account)
        .join(TASK, TASK.c.id == RUN.c.task)
        .outerjoin(ROUTE, ROUTE.c.run == RUN.c.id)
        .where(RUN.c.state == str(RunState.QUEUED), RUN.c.host == "", TASK.c.home != "")
        .order_by(TASK.c.priority.desc(), RUN.c.created)
        .limit(_MOST)
    )
    return tuple((_waiting(row._mapping), row._mapping[RUN.c.reason]) for row in c.execute(query))  # noqa: SLF001


def _waiting(row: sa.RowMapping) -> Waiting:
    # What lies beside the commits, and a recording, are on the user's own host.
    bound = bool(row[TASK.c.outfit].get("copies")) or any(row[TASK.c.cassette].values())
    home = row[TASK.c.home]
    return Waiting(
        run=row[RUN.c.id],
        repository=f"{home}:{row[TASK.c.repo]}",
        agent=row[RUN.c.agent],
        account=row[ROUTE.c.account] or "",
        needs=frozenset(row[TASK.c.needs]),
        only=home if bound else "",
        home=home,
        priority=row[TASK.c.priority],
        since=row[RUN.c.created],
    )


def put(c: sa.Connection, run: RunId, host: str) -> int:
    """Give the run to the host; its round, which names the work that follows."""
    here = sa.update(RUN).where(RUN.c.id == run).values(host=host, reason="")
    return int(c.execute(here.returning(RUN.c.round)).scalar_one())
