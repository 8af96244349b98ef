"""This host among others: it says that it lives, gives places to runs, and takes over from hosts that died.

All of them do the same, one at a time, in one transaction each. What is delivered then is delivered by the queues
of the engine: `host-<id>` for a run's turns, `desk-<id>` for what has to be done where its repository is.
"""

import asyncio
import logging
import os
import socket
import sys
import time
from collections.abc import Callable
from importlib import metadata
from typing import Final

import sqlalchemy as sa

from app.config.settings import Settings
from app.config.values import seconds
from app.domain.errors import ConfigError, EnvironmentProblem
from app.domain.events import Note
from app.domain.host import Host
from app.domain.ids import RunId
from app.store import hosts, tasks
from app.store.database import Database
from app.supervisor.engine import desk_queue, host_queue
from app.supervisor.faults import fault
from app.supervisor.names import ATTEMPT, attempt_id, home_id
from app.supervisor.patrol import every
from app.supervisor.services import Services
from policies.placement import Caps, HostFacts, Plan, plan

LOOK_SECONDS: Final = 1.0
"""How often to look for runs that wait and for hosts that are silent."""
BEATS: Final = 6
"""So often a host says that it lives, in the time after which it is given up."""
TOLERATED: Final = 1.0
"""Seconds a host's clock may differ from the database's until it is corrected."""

_log = logging.getLogger(__name__)


class Clock:
    """This host's clock, put right by the database's."""

    def __init__(self, own: Callable[[], float]) -> None:
        self.own = own
        self._ahead = 0.0

    def __call__(self) -> float:
        return self.own() - self._ahead

    def correct(self, ahead: float) -> None:
        """The host's clock is so many seconds ahead of everybody's."""
        if abs(ahead - self._ahead) > TOLERATED:
            if abs(ahead) > TOLERATED:
                _log.warning("the clock of this host is %.0f s off; the database's counts", ahead)
            self._ahead = ahead if abs(ahead) > TOLERATED else 0.0


class Sight:
    """Whether this host has looked long enough to call others silent.

    While the database is away nobody can say that it lives; back again, it would look as if all had died.
    """

    def __init__(self, patience: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._patience = patience
        self._clock = clock
        self._since = self._last = clock()

    def look(self) -> bool:
        """Said at every look: whether there was no gap in them for as long as silence has to last."""
        now = self._clock()
        if now - self._last > self._patience / 3:
            self._since = now
        self._last = now
        return now - self._since >= self._patience


def refuse_alone(settings: Settings) -> None:
    """Raises `ConfigError` for a worker that nobody could share work with."""
    lacks = [
        name
        for name, value in (
            ("`database`, one PostgreSQL for all hosts", settings.database),
            (
                "`worker.repository`, a bare repository that all hosts reach",
                settings.worker.repository,
            ),
        )
        if not value
    ]
    if lacks:
        raise ConfigError(
            f"a worker shares its work with other hosts, and config.yaml lacks {' and '.join(lacks)}",
            hint="Set it, the same on every host; `swarm daemon up` is for one host alone.",
        )


def fence(host: str, epoch: int) -> Callable[[sa.Connection], None]:
    """A check for every write: once the others have given this host up it ends at once, as if it was killed.

    All is built to survive that, and whatever else it would do, others do by now.
    """

    def check(c: sa.Connection) -> None:
        try:
            hosts.check(c, host, epoch)
        except hosts.Fenced as error:
            print(f"swarm: {error}; this process ends", file=sys.stderr, flush=True)  # noqa: T201
            os._exit(EnvironmentProblem.exit_code)

    return check


async def refuse_stranger(database: Database) -> None:
    """Raises `ConfigError` where hosts share the database and this one is none: it would mistake their runs."""
    others = await database.read(hosts.living)
    if others:
        raise ConfigError(
            f"this database is shared by other hosts ({', '.join(others)}), and this one takes no part",
            hint="Set `worker.repository` as they do, or `database` to another one.",
        )


async def join(
    database: Database, host: str, settings: Settings, own: Callable[[], float]
) -> Clock:
    """Enter among the hosts; every write is refused once another one has taken over. The clock that counts."""
    worker, clock = settings.worker, Clock(own)
    mine = Host(
        id=host,
        name=worker.name or socket.gethostname(),
        epoch=0,
        state="starting",
        beat=0.0,
        dead_after=seconds(worker.dead_after),
        capacity=settings.concurrency,
        labels=worker.labels,
        version=metadata.version("swarm-agents"),
    )
    epoch = await database.write(hosts.register, mine)
    clock.correct(await database.write(hosts.beat, host, own(), "starting"))
    database.fence = fence(host, epoch)
    return clock


async def forget_stale(s: Services) -> None:
    """Before the engine goes on with what it has: not with turns that another host took over."""

    async def stale(workflow: str) -> bool:
        run, _, round_ = workflow.partition(f"/{ATTEMPT}/")
        found = await s.database.read(tasks.run, RunId(run))
        return found.host != s.engine.host or str(found.round) != round_

    await s.engine.forget(ATTEMPT, stale)


async def take_part(s: Services) -> None:
    """For ever: say that this host lives, and look after what waits."""
    await asyncio.gather(_beat(s), _look_after(s))


async def _beat(s: Services) -> None:
    host, pause = s.engine.host, seconds(s.configuration.settings.worker.dead_after) / BEATS
    clock = s.clock
    assert isinstance(clock, Clock)

    async def beat() -> None:
        clock.correct(await s.database.write(hosts.beat, host, clock.own(), "up"))

    await every(pause, "this host could not say that it lives", beat)


async def _look_after(s: Services) -> None:
    sight = Sight(seconds(s.configuration.settings.worker.dead_after))
    await every(LOOK_SECONDS, "nobody was given a place", lambda: look_after(s, sight))


async def look_after(s: Services, sight: Sight) -> None:
    """Take over from the dead, then give places away; what was done stands in the runs' logs."""
    notes = await s.database.write(_take_over, s, sight)
    if notes:
        fault("hosts:taken")
    places = await s.database.write(_give_places, s)
    if places:
        fault("hosts:placed")
    notes += places
    for run, key, note in notes:
        await s.broker.record(run, key, note)
    if notes:
        s.engine.ring()


_Notes = list[tuple[RunId, str, Note]]


def _take_over(c: sa.Connection, s: Services, sight: Sight) -> _Notes:
    if not sight.look() or not hosts.my_turn(c):
        return []
    at, notes = hosts.now(c), _Notes()
    for dead in hosts.hosts(c):
        if not (hosts.silent(dead, at) and hosts.give_up(c, dead.id)):
            continue
        fault("hosts:given_up")
        silence = f"its host {dead.name} was not heard of for {at - dead.beat:.0f} s"
        estate = hosts.take_over(c, dead, s.engine.host, s.clock(), silence)
        for run in estate.again:
            words = f"{silence}; it goes on elsewhere from its last snapshot"
            notes.append((run, lost_key(tasks.run(c, run).round), Note(words, "warning")))
        for run in estate.decided:
            settle_at_home(c, s, run)
        fault("hosts:inherited")
    return notes


def lost_key(round_: int) -> str:
    """Under which a run's log says, once, why it began that round on another host."""
    return f"round-{round_}/lost"


def settle_at_home(c: sa.Connection, s: Services, run_id: RunId) -> None:
    """Have a run whose end is decided brought to rest where its repository is."""
    run = tasks.run(c, run_id)
    home = desk_queue(tasks.task(c, run.task).home)
    identity = home_id(run_id, run.round)
    s.engine.enqueue(c, ATTEMPT, identity, run_id, run.round, queue=home)


def _give_places(c: sa.Connection, s: Services) -> _Notes:
    if not hosts.my_turn(c):
        return []
    at, everybody = hosts.now(c), hosts.hosts(c)
    busy = hosts.busy(c)
    facts = tuple(_facts(h, busy) for h in everybody if h.state == "up" and hosts.alive(h, at))
    if facts and not any(host.capacity > host.busy for host in facts):
        return []  # With a thousand waiting, nobody need look at them before a place is free.
    waiting = hosts.waiting(c)
    settings = s.configuration.settings
    caps = Caps(total=settings.worker.concurrency, named=settings.routing.concurrency)
    found = plan([one for one, _ in waiting], [one for _, one in busy], facts, caps)
    _write_reasons(c, found, {one.run: reason for one, reason in waiting})
    return [_begin(c, s, RunId(one.run), one.host, one.reason) for one in found.placed]


def _facts(host: Host, busy: "tuple[tuple[str, object], ...]") -> HostFacts:
    count = sum(1 for there, _ in busy if there == host.id)
    labels = frozenset(host.labels)
    return HostFacts(id=host.id, name=host.name, capacity=host.capacity, busy=count, labels=labels)


def _begin(
    c: sa.Connection, s: Services, run: RunId, host: str, why: str
) -> tuple[RunId, str, Note]:
    round_ = hosts.put(c, run, host)
    fault("hosts:place")
    queue = host_queue(host)
    s.engine.enqueue(c, ATTEMPT, attempt_id(run, round_), run, round_, queue=queue)
    return run, f"place/{round_}", Note(f"it has a place: {why}")


def _write_reasons(c: sa.Connection, found: Plan, known: dict[str, str]) -> None:
    for one in found.waits:
        words = f"it waits: {one.reason}"
        if known[one.run] != words:
            tasks.update(c, RunId(one.run), reason=words)
