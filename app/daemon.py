"""The supervisor's process: store, gateway, workflows and API, opened in order and closed in reverse.

`python -m app.daemon --state DIR`; the command line starts it, nobody has to.
"""

import argparse
import asyncio
import contextlib
import fcntl
import logging
import os
import resource
import secrets
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

from app.api.app import create_app
from app.api.gate import by_token
from app.api.server import Server, bind, bind_network, own_directory, tls_of
from app.config import paths
from app.config.api import ApiSettings
from app.config.load import Loaded, load
from app.config.settings import Settings
from app.domain.errors import EnvironmentProblem, SwarmError
from app.gateway.egress_way import WayOut
from app.store.database import Database
from app.store.installations import installation, remember
from app.supervisor import fleet
from app.supervisor.broker import Broker
from app.supervisor.deadlines import refuse_late
from app.supervisor.engine import INTAKE, Engine, last_host
from app.supervisor.errors import translated
from app.supervisor.money import make_gateway
from app.supervisor.network import make_egress
from app.supervisor.notifying import tell_people
from app.supervisor.ruling import heed_rules
from app.supervisor.service import Service
from app.supervisor.services import Live, Places, Services
from app.supervisor.sweep import pick_up, sweep
from app.supervisor.timers import wake_rested
from app.supervisor.workflows import workflows
from harnesses import catalog

POLL_ALONE, POLL_SHARED = 5.0, 1.0
"""How often queues are looked at unasked. What this host enqueues rings a bell; another host's does not."""


def main() -> None:
    """Run until told to stop. Exits with 5 and one line that says why when it cannot start."""
    parser = argparse.ArgumentParser(prog="python -m app.daemon", description=__doc__)
    parser.add_argument("--state", type=Path, default=None, help="the state directory")
    worker = "refuse to start where other hosts could not share the work"
    parser.add_argument("--worker", action="store_true", help=worker)
    asked = parser.parse_args()
    state: Path = (asked.state or paths.state_dir()).absolute()
    # A dump of this process's memory would hold the keys of model providers.
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    os.chdir("/")  # so that no directory is kept from being removed or unmounted
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(message)s")
    try:
        if asked.worker:
            fleet.refuse_alone(load(user=paths.config_dir()).settings)
        asyncio.run(supervise(state))
    except SwarmError as error:
        print(f"swarm: {error.in_one_line}", file=sys.stderr)  # noqa: T201
        sys.exit(error.exit_code)
    except OSError as error:
        # A full disk, say, in whatever it was about to make.
        logging.exception("the supervisor ends")
        print(f"swarm: {error}", file=sys.stderr)  # noqa: T201
        sys.exit(EnvironmentProblem.exit_code)


async def supervise(state: Path) -> None:
    """Hold the lock of the state directory, serve, and let go."""
    paths.refuse_closed(state)
    own_directory(state, "SWARM_STATE_DIR")
    with exclusive(state):
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        async with opened(state) as services:
            service = Service(services, stop.set)
            async with serving(service, services.configuration.settings.api, state):
                await stop.wait()
                await services.broker.release()
        paths.api_socket(state).unlink(missing_ok=True)


@contextlib.asynccontextmanager
async def serving(service: Service, api: ApiSettings, state: Path) -> AsyncIterator[None]:
    """Answer on the unix socket and, where it is configured, over the network."""
    tls = tls_of(api) if api.listen else {}
    servers = [Server(create_app(service), bind(paths.api_socket(state)))]
    if api.listen:
        app = create_app(service, by_token(service.afar.holder))
        servers.append(Server(app, bind_network(api), **tls))
    for server in servers:
        server.start()
    try:
        yield
    finally:
        for server in servers:
            await server.close()


@contextlib.contextmanager
def exclusive(state: Path) -> Iterator[None]:
    """One supervisor a state directory: a second would run every step twice."""
    with (state / "supervisor.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise EnvironmentProblem(
                f"another supervisor (process {lock.read().strip() or '?'}) has {state}",
                hint="Use it, stop it with `swarm daemon down`, or set SWARM_STATE_DIR.",
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


@contextlib.asynccontextmanager
async def opened(state: Path, *, way_out: WayOut | None = None) -> AsyncIterator[Services]:
    """Everything a supervisor needs, closed in reverse. `way_out` leads tests to an internet of their own."""
    configuration = load(user=paths.config_dir())
    async with contextlib.AsyncExitStack() as stack:
        services = await _compose(state, configuration, stack, way_out)
        await sweep(services)
        if services.member:
            await fleet.forget_stale(services)
        await services.engine.launch(workflows(services))
        stack.push_async_callback(services.engine.close)
        await pick_up(services)
        beside = [
            asyncio.create_task(wake_rested(services), name="parked runs"),
            asyncio.create_task(tell_people(services), name="notices"),
            asyncio.create_task(refuse_late(services), name="late questions"),
            asyncio.create_task(heed_rules(services), name="rules"),
        ]
        if services.member:
            beside.append(asyncio.create_task(fleet.take_part(services), name="other hosts"))
        try:
            yield services
        finally:
            for each in beside:
                each.cancel()
            await asyncio.gather(*beside, return_exceptions=True)


async def _compose(
    state: Path, configuration: Loaded, stack: contextlib.AsyncExitStack, way_out: WayOut | None
) -> Services:
    settings = configuration.settings
    runtime = paths.runtime_dir(state)
    own_directory(runtime)
    database = Database.open(state, settings.database)
    stack.callback(database.close)
    member = bool(settings.worker.repository)
    host = await _host(state / "host", database, alone=not member)
    clock = await fleet.join(database, host, settings, time.time) if member else time.time
    if settings.database and not member:
        await fleet.refuse_stranger(database)
    broker = Broker(database, clock, shared=member)
    broker.start()
    stack.push_async_callback(broker.close)
    live = Live()
    gateway = make_gateway(
        settings, database, broker, live, clock=clock, host=host, lists=state / "prices"
    )
    stack.push_async_callback(gateway.aclose)
    egress = make_egress(database, broker, clock, way_out)
    stack.push_async_callback(egress.aclose)
    with translated():
        agents = catalog.load(settings.agents)
    services = Services(
        places=Places(state=state, config=paths.config_dir(), runtime=runtime),
        owner=await _owner(state / "installation", database, host),
        configuration=configuration,
        database=database,
        broker=broker,
        engine=_engine(database, host, settings),
        gateway=gateway,
        egress=egress,
        catalog=agents,
        clock=clock,
        live=live,
        member=member,
    )
    stack.push_async_callback(services.close)
    return services


def _engine(database: Database, host: str, settings: Settings) -> Engine:
    """Where there are other hosts, runs get their places from all of them together, not from a queue."""
    return Engine(
        database.state,
        host,
        concurrency=settings.concurrency,
        poll=POLL_SHARED if settings.database else POLL_ALONE,
        shared=() if settings.worker.repository else (INTAKE,),
    )


async def _host(file: Path, database: Database, *, alone: bool) -> str:
    """The id of this host. One that is lost is found again in the tables: its work goes by that."""
    known = await database.read(last_host) if alone and not _written(file) else ""
    return _kept(file, lambda: known or f"h{secrets.token_hex(4)}")


async def _owner(file: Path, database: Database, host: str) -> str:
    """What containers and volumes are labelled with. A lost file is written again: else they were orphans."""
    known = await database.read(installation, host)
    kept = _kept(file, lambda: known or secrets.token_hex(6))
    if kept != known:
        await database.write(remember, host, kept)
    return kept


def _written(file: Path) -> str:
    return file.read_text().strip() if file.exists() else ""


def _kept(file: Path, mint: Callable[[], str]) -> str:
    """A name minted once and kept in the state directory, on the disk before anything goes by it."""
    if kept := _written(file):
        return kept
    new = file.with_suffix(".new")
    with new.open("w") as draft:
        draft.write(mint())
        draft.flush()
        os.fsync(draft.fileno())
    new.replace(file)
    return _written(file)


if __name__ == "__main__":
    main()
