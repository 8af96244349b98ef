"""Somebody asks from another machine: over TLS with a token and its role, or through a forwarded socket."""

import asyncio
import contextlib
import json
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import trustme

from app import wire
from app.api.app import routes
from app.api.handlers import Handlers
from app.client.client import Swarm
from app.client.way import Remote
from app.domain.errors import NotAllowed, Unreachable, UsageError
from app.domain.ids import ReviewId
from app.domain.role import Role
from app.domain.run import RunState
from tests.support.actions import USER, SwarmActions
from tests.support.home import Home, supervised
from tests.support.screens import Terminal, need_tmux
from tests.support.scripts import edit, scripted
from tests.support.world import World, story, world_at

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("afar")]

WRITER = scripted([edit("note.txt", "hello\n")])
LEAST = {
    "GET /v1/agents": "viewer",
    "GET /v1/approvals": "viewer",
    "GET /v1/approvals/{approval}/rule": "viewer",
    "GET /v1/audit": "viewer",
    "GET /v1/costs": "viewer",
    "GET /v1/disk": "viewer",
    "GET /v1/doctor": "viewer",
    "GET /v1/events": "viewer",
    "GET /v1/hello": "viewer",
    "GET /v1/hosts": "viewer",
    "GET /v1/image": "viewer",
    "GET /v1/models": "viewer",
    "GET /v1/prices": "viewer",
    "GET /v1/routes": "viewer",
    "GET /v1/runs": "viewer",
    "GET /v1/runs/{run}": "viewer",
    "GET /v1/runs/{run}/bundle": "viewer",
    "GET /v1/runs/{run}/commits": "viewer",
    "GET /v1/runs/{run}/diff": "viewer",
    "GET /v1/runs/{run}/network": "viewer",
    "GET /v1/runs/{run}/reprice": "viewer",
    "GET /v1/runs/{run}/route": "viewer",
    "GET /v1/runs/{run}/screen": "viewer",
    "GET /v1/runs/{run}/why": "viewer",
    "GET /v1/screen": "viewer",
    "GET /v1/settings": "admin",
    "GET /v1/tokens": "admin",
    "GET /v1/trash": "viewer",
    "POST /v1/approvals/{approval}": "approver",
    "POST /v1/image": "admin",
    "POST /v1/notify/test": "admin",
    "POST /v1/prices": "admin",
    "POST /v1/prices/override": "admin",
    "POST /v1/runs/{run}/{verb}": "operator",
    "POST /v1/shutdown": "admin",
    "POST /v1/sweep": "admin",
    "POST /v1/tasks": "operator",
    "POST /v1/tasks/preview": "operator",
    "POST /v1/tokens": "admin",
    "POST /v1/tokens/{token}/revoke": "admin",
}
"""What each route of the API needs at least. A new one has to be thought about, and written down here."""
LEAST_OF_VERBS = {
    "allow": "approver",
    "approve": "approver",
    "attach": "admin",
    "changes": "operator",
    "comments": "operator",
    "discard": "operator",
    "hand-back": "admin",
    "keys": "admin",
    "merge": "approver",
    "pick": "operator",
    "restore": "operator",
    "resume": "operator",
    "retry": "operator",
    "size": "admin",
    "stop": "operator",
    "tell": "operator",
    "undo": "approver",
}


@dataclass
class Afar:
    """A supervisor that also listens on the network."""

    world: World
    home: Home
    port: int
    ca: str
    tokens: dict[str, str] = field(default_factory=dict)

    def asking(self, token: str) -> Swarm:
        return Swarm(Remote("localhost", self.port, token, self.ca))

    def as_(self, role: Role) -> Swarm:
        """Somebody with a token of that role."""
        return self.asking(self.tokens[role])


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        return int(probe.getsockname()[1])


@story
async def afar(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Afar]:
    root = tmp_path_factory.mktemp("afar")
    authority, port = trustme.CA(), free_port()
    issued = authority.issue_cert("localhost")
    files = {name: str(root / f"{name}.pem") for name in ("certificate", "key", "ca")}
    issued.cert_chain_pems[0].write_to_path(files["certificate"])
    issued.private_key_pem.write_to_path(files["key"])
    authority.cert_pem.write_to_path(files["ca"])
    api = {"listen": f"localhost:{port}", "certificate": files["certificate"], "key": files["key"]}
    settings = {"agent": "writer", "api": api}
    with world_at(root, agents={"writer": WRITER}, settings=settings) as home:
        async with supervised(home) as client:
            found = Afar(World(home, client), home, port, files["ca"])
            for role in Role:
                body = wire.NewToken(name=f"a-{role}", role=role, by=USER)
                found.tokens[role] = (await client.add_token(body)).token
            yield found


def handlers() -> Handlers:
    """As the supervisor makes them; nobody is asked."""

    class Anything:
        def __getattr__(self, _name: str) -> "Anything":
            return self

    return Handlers(Anything())  # type: ignore[arg-type]


async def test_every_route_has_the_role_that_is_written_down() -> None:
    found = {f"{verb} {path}": str(least) for verb, path, _, least in routes(handlers())}
    assert found == LEAST


async def test_every_verb_has_the_role_that_is_written_down() -> None:
    found = {name: str(least) for name, (least, _, _) in handlers().verbs.items()}
    assert found == LEAST_OF_VERBS


@pytest.mark.parametrize("role", list(Role))
async def test_everybody_with_a_token_may_look(afar: Afar, role: Role) -> None:
    assert (await afar.as_(role).hello()).protocol == wire.PROTOCOL


async def test_without_a_token_nobody_is_told_anything(afar: Afar) -> None:
    with pytest.raises(NotAllowed, match="a token is needed"):
        await afar.asking("").hello()


async def test_a_made_up_token_counts_for_nothing(afar: Afar) -> None:
    with pytest.raises(NotAllowed, match="does not count"):
        await afar.asking("swarm_x").hello()


async def test_a_certificate_of_a_stranger_is_refused(afar: Afar) -> None:
    with pytest.raises(Unreachable, match="certificate"):
        await Swarm(Remote("localhost", afar.port, afar.tokens[Role.VIEWER])).hello()


async def test_nothing_is_served_in_the_clear(afar: Afar) -> None:
    reader, writer = await asyncio.open_connection("localhost", afar.port)
    writer.write(b"GET /v1/hello HTTP/1.1\r\nhost: x\r\n\r\n")
    with contextlib.suppress(ConnectionError):
        assert b"200" not in await reader.read()
    writer.close()


async def test_a_viewer_gives_no_work(afar: Afar) -> None:
    user = afar.world.user()
    with pytest.raises(NotAllowed, match="needs the role operator, and a-viewer is viewer"):
        await SwarmActions(afar.as_(Role.VIEWER), user.repo).submit()


async def test_an_operator_approves_nothing(afar: Afar) -> None:
    body = wire.Approve(review=ReviewId("r"), tree="t")
    user = SwarmActions(afar.as_(Role.OPERATOR), afar.world.user().repo)
    run = await user.submit()
    with pytest.raises(NotAllowed, match="needs the role approver"):
        await user.client.approve(run, body)


async def test_an_operator_gives_nobody_more_money(afar: Afar) -> None:
    user = SwarmActions(afar.as_(Role.OPERATOR), afar.world.user().repo)
    with pytest.raises(NotAllowed, match="needs the role approver"):
        await user.submit(budget="50")


async def test_an_operator_opens_no_network(afar: Afar) -> None:
    user = SwarmActions(afar.as_(Role.OPERATOR), afar.world.user().repo)
    with pytest.raises(NotAllowed, match="needs the role approver"):
        await user.submit(allow_network=("pypi",))


async def test_an_approver_writes_no_rule(afar: Afar) -> None:
    answer = wire.Answer(yes=True, scope="always")
    with pytest.raises(NotAllowed, match="needs the role admin"):
        await afar.as_(Role.APPROVER).answer("x.1-a1", answer)


async def test_the_audit_names_the_token_whatever_the_request_says(afar: Afar) -> None:
    user = SwarmActions(afar.as_(Role.APPROVER), afar.world.user().repo)
    run = await user.submit()
    detail = await user.approve(run)
    assert detail.row.run.state == RunState.MERGED
    rows = {row.what: row.actor for row in await user.client.audit(run)}
    assert rows == dict.fromkeys(("task submitted", "approve", "merged"), "a-approver")


async def test_what_happens_is_followed_from_afar(afar: Afar) -> None:
    user = SwarmActions(afar.as_(Role.OPERATOR), afar.world.user().repo)
    run = await user.submit()
    await user.told(run, RunState.IN_REVIEW)


async def test_what_is_no_number_of_an_event_is_refused(afar: Afar) -> None:
    with pytest.raises(UsageError, match="since=-1"):
        async for _event in afar.as_(Role.VIEWER).events(since=-1, follow=False):
            pass


async def test_a_token_that_was_taken_back_counts_for_nothing(afar: Afar) -> None:
    body = wire.NewToken(name="gone", role=Role.ADMIN)
    made = await afar.as_(Role.ADMIN).add_token(body)
    await afar.as_(Role.ADMIN).revoke_token("gone", wire.Act())
    with pytest.raises(NotAllowed, match="does not count"):
        await afar.asking(made.token).hello()


async def test_tokens_are_kept_nowhere(afar: Afar) -> None:
    kept = [file for file in afar.home.state.rglob("*") if file.is_file()]
    secret = afar.tokens[Role.ADMIN].encode()
    assert [file for file in kept if secret in file.read_bytes()] == []


async def _swarm(home: Home, *args: str, **env: Any) -> "subprocess.CompletedProcess[str]":
    return await asyncio.to_thread(lambda: home.swarm(*args, cwd=Path("/"), **env))


async def test_the_command_line_asks_over_tls(afar: Afar) -> None:
    env = {
        "SWARM_TOKEN": afar.tokens[Role.VIEWER],
        "SWARM_CA": afar.ca,
        "SWARM_STATE_DIR": "/nowhere",
    }
    done = await _swarm(afar.home, "ps", "--json", "--url", f"https://localhost:{afar.port}", **env)
    assert done.returncode == 0, done.stderr
    assert "rows" in json.loads(done.stdout)


async def test_the_command_line_says_what_is_not_allowed(afar: Afar) -> None:
    env = {"SWARM_TOKEN": afar.tokens[Role.VIEWER], "SWARM_CA": afar.ca}
    url = ("--url", f"https://localhost:{afar.port}", "--repo", "/somewhere")
    done = await _swarm(afar.home, "run", "Write", *url, **env)
    assert (done.returncode, done.stderr.splitlines()[0]) == (
        5,
        "swarm: this needs the role operator, and a-viewer is viewer",
    )


@dataclass
class Line:
    """A slow line to a port: every piece comes late, and nothing passes while it is held."""

    delay: float
    free: asyncio.Event = field(default_factory=asyncio.Event)

    async def pass_on(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        """Late, not slow: as much as is sent is under way at the same time."""
        under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
        arrivals = asyncio.create_task(self._arrive(under_way, target))
        now = asyncio.get_running_loop().time
        with contextlib.suppress(ConnectionError):
            while said := await source.read(65536):
                under_way.put_nowait((now() + self.delay, said))
        under_way.put_nowait((now() + self.delay, b""))
        await arrivals

    async def _arrive(
        self, under_way: "asyncio.Queue[tuple[float, bytes]]", target: asyncio.StreamWriter
    ) -> None:
        now = asyncio.get_running_loop().time
        with contextlib.suppress(ConnectionError):
            while (piece := await under_way.get())[1]:
                await asyncio.sleep(max(0.0, piece[0] - now()))
                await self.free.wait()
                target.write(piece[1])
                await target.drain()
        target.close()


@contextlib.asynccontextmanager
async def far_away(port: int, delay: float) -> AsyncIterator[tuple[int, Line]]:
    """A port here that leads to that one over such a line."""
    line = Line(delay)
    line.free.set()
    served: list[asyncio.Future[Any]] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        back, forth = await asyncio.open_connection("localhost", port)
        served.append(asyncio.gather(line.pass_on(reader, forth), line.pass_on(back, writer)))
        await served[-1]
        await asyncio.gather(forth.wait_closed(), writer.wait_closed(), return_exceptions=True)

    server = await asyncio.start_server(serve, "127.0.0.1")
    try:
        yield server.sockets[0].getsockname()[1], line
    finally:
        line.free.set()
        server.close()
        await asyncio.gather(*served)


@pytest.mark.tmux
async def test_a_viewer_far_away_reviews_on_the_screen_and_approves_nothing(afar: Afar) -> None:
    need_tmux()
    user = afar.world.user()
    run = await user.submit("Write a note")
    await user.told(run, RunState.IN_REVIEW)
    env = {**afar.home.env, "SWARM_TOKEN": afar.tokens[Role.VIEWER], "SWARM_CA": afar.ca}
    async with far_away(afar.port, delay=0.15) as (port, line):
        argv = [sys.executable, "-m", "app", "--url", f"https://localhost:{port}"]
        with Terminal(argv, env=env, cwd=user.repo) as screen:

            def look(*keys: str, see: str) -> str:
                screen.press(*keys)
                return screen.wait_for(see)

            await asyncio.to_thread(look, see="Write a note")
            line.free.clear()
            # Nothing comes from the other end now: help, list and what was loaded are here all the same.
            await asyncio.to_thread(look, "?", see="On the board")
            screen.press("Escape")
            left = await asyncio.to_thread(screen.wait_for, "On the board", gone=True)
            assert "Write a note" in left
            line.free.set()
            assert "note.txt" in await asyncio.to_thread(look, "Enter", see="file 1/1")
            await asyncio.to_thread(look, "M", see="lands on")
            await asyncio.to_thread(screen.press_until, "M", "and a-viewer is viewer")
            assert "REVIEW" in await asyncio.to_thread(screen.text)
    assert (await user.client.detail(run)).row.run.state == RunState.IN_REVIEW


@contextlib.asynccontextmanager
async def forwarded(there: Path, here: Path) -> AsyncIterator[None]:
    """What `ssh -L here:there` does with a unix socket."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        back, forth = await asyncio.open_unix_connection(there)
        await asyncio.gather(_pass_on(reader, forth), _pass_on(back, writer))

    server = await asyncio.start_unix_server(serve, here)
    yield
    server.close()


async def _pass_on(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while said := await source.read(65536):
            target.write(said)
            await target.drain()
    target.close()


async def test_a_forwarded_socket_is_as_good_as_the_real_one(afar: Afar) -> None:
    here = afar.home.runtime / "forwarded"
    there = afar.world.client.way
    assert isinstance(there, Path)
    async with forwarded(there, here):
        done = await _swarm(
            afar.home, "ps", "--json", "--url", f"unix:{here}", SWARM_STATE_DIR="/nowhere"
        )
    assert done.returncode == 0, done.stderr
    assert "rows" in json.loads(done.stdout)
