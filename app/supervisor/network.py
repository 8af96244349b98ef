"""What runs reach besides models: the way out put together, its book in the store, what people may ask of it."""

import time
from collections.abc import Callable

import sqlalchemy as sa

from app import wire
from app.config.networks import hosts_of
from app.domain.errors import NotNow, UsageError
from app.domain.events import Note
from app.domain.hosts import check_host
from app.domain.ids import RunId
from app.domain.network import Knock
from app.domain.run import SETTLED, Run
from app.gateway.egress import Egress
from app.gateway.egress_way import WayOut
from app.store import audit, network, tasks
from app.store.database import Database
from app.supervisor.broker import Broker
from app.supervisor.services import Services
from sandboxes.base import Sandbox

_NEVER_PROXIED = "localhost,127.0.0.1,::1"


class StoreBook:
    """Meets `app.gateway.egress_book.Book`; the first refusal of each kind becomes an event of the run, too."""

    def __init__(
        self, database: Database, broker: Broker, clock: Callable[[], float] = time.time
    ) -> None:
        self._database = database
        self._broker = broker
        self._clock = clock

    async def allowed(self, run: RunId) -> frozenset[str]:
        return await self._database.read(network.allowed, run)

    async def left(self, run: RunId) -> int:
        return await self._database.read(network.left, run)

    async def note(self, run: RunId, knock: Knock) -> None:
        first = await self._database.write(network.note, run, knock, now=self._clock())
        if first and knock.refused:
            words = f"network: {knock.host or 'a connection'} refused, {knock.refused}"
            key = f"network/{knock.host}/{knock.refused.name}"
            self._broker.post(run, key, Note(words, "warning"))


def make_egress(
    database: Database, broker: Broker, clock: Callable[[], float], way: WayOut | None = None
) -> Egress:
    """The way out, over the book in the store."""
    return Egress(StoreBook(database, broker, clock), way or WayOut())


async def proxied(s: Services, run: Run, sandbox: Sandbox) -> dict[str, str]:
    """The environment that sends programs to the way out; nothing for a run that may reach nothing."""
    address = sandbox.places.egress
    if not address or not await s.database.read(network.allowed, run.id):
        return {}
    # Some programs know only one of the two spellings. Plain HTTP has no proxy: it would be refused.
    return {
        "HTTPS_PROXY": address,
        "https_proxy": address,
        "NO_PROXY": _NEVER_PROXIED,
        "no_proxy": _NEVER_PROXIED,
    }


def asked_for(new: wire.NewTask) -> tuple[str, ...]:
    """The hosts that are allowed for this one task. Raises `UsageError`."""
    try:
        return hosts_of(new.allow_network)
    except ValueError as error:
        raise UsageError(f"--allow-network {error}") from None


async def allow(s: Services, run: RunId, body: wire.AllowHost) -> wire.Network:
    """Let the run reach one more host, from its next connection on."""
    try:
        host = check_host(body.host)
    except ValueError as error:
        raise UsageError(f"the host {error}") from None
    now = s.clock()

    def write(c: sa.Connection) -> bool:
        found = tasks.run(c, run)
        if found.state in SETTLED:
            raise NotNow(f"run {run} is {found.state}: it will not reach anything any more")
        if host in network.allowed(c, run):
            return False
        network.grant(c, run, host, by=body.by, at=now)
        audit.record(
            c,
            key=f"{run}/network/{host}",
            what="network allowed",
            actor=body.by,
            at=now,
            run=run,
            host=host,
        )
        return True

    if await s.database.write(write):
        words = f"network: {host} allowed for this run by {body.by or 'somebody'}"
        await s.broker.record(run, f"network/{host}/allowed", Note(words))
    return await report(s, run)


async def report(s: Services, run: RunId) -> wire.Network:
    """What the run may reach, and what it asked for."""

    def read(c: sa.Connection) -> wire.Network:
        rules = network.rules(c, run)
        return wire.Network(
            run=run,
            hosts=rules.hosts,
            grants=network.grants(c, run),
            limit=rules.bytes,
            left=max(0, network.left(c, run)),
            rows=network.rows(c, run),
        )

    return await s.database.read(read)
