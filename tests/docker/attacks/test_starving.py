"""A whole run that takes what it can: a real box that writes flat out, and one that eats all its memory."""

import contextlib
from collections.abc import AsyncIterator, Iterator

import pytest
from docker import APIClient
from docker.utils import kwargs_from_env

from app import wire
from app.domain.events import Note
from app.domain.review import Approval
from app.domain.run import RunState
from sandboxes import registry
from tests.support.actions import SwarmActions
from tests.support.attacks import attack
from tests.support.home import Home, supervised
from tests.support.images import require_docker, test_image
from tests.support.repos import make_repository
from tests.support.scripts import edit, scripted
from tests.support.world import story, world_at

pytestmark = [pytest.mark.docker, pytest.mark.asyncio(loop_scope="module")]

FLOOD = "n=0; while :; do n=$((n+1)); head -c 20000000 /dev/zero > .git/flood$n; done"
AGENTS = {
    "flooding": scripted([edit("kept.txt", "kept\n"), {"run": FLOOD}]),
    "hungry": scripted(
        [
            edit("kept.txt", "kept\n"),
            {"run": "python3 -c 'bytearray(10**9)' || true"},
        ]
    ),
}


@pytest.fixture(scope="module")
def engine() -> Iterator[APIClient]:
    require_docker()
    with contextlib.closing(APIClient(version="auto", **kwargs_from_env())) as api:
        yield api


@story
async def home(engine: APIClient, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Home]:
    """A user with little memory and little disk for each box; all their sandboxes are removed at the end."""
    sandbox = {"driver": "docker", "image": test_image(), "memory": "256m"}
    sandbox |= {"disk": "150m", "free_disk": "1m"}
    root = tmp_path_factory.mktemp("starving")
    with world_at(root, agents=AGENTS, settings={"sandbox": sandbox}) as home:
        make_repository(home.root / "project")
        yield home
        driver = registry.load("docker", root)
        owner = (home.state / "installation").read_text().strip()
        for name in await driver.names(owner):
            await driver.remove(name, owner)
        await driver.close()


def box_of(engine: APIClient, run: str) -> str:
    """The engine's word for the state of the run's box."""
    return str(engine.inspect_container(f"swarm-{run}-turn-1")["State"]["Status"])


class Flooded:
    """What was seen of a run whose box wrote until it was halted, over two supervisors."""

    before: Approval
    after: Approval
    states: list[str]
    ended: wire.RunDetail
    kept: str


@story
async def flooded(home: Home, engine: APIClient) -> Flooded:
    seen = Flooded()
    async with supervised(home) as client:
        user = SwarmActions(client, home.root / "project")
        run = await user.submit(agent="flooding")
        seen.before = await user.question(run)
        seen.states = [box_of(engine, run)]
    seen.states.append(box_of(engine, run))
    async with supervised(home) as client:
        user = SwarmActions(client, home.root / "project")
        seen.after = await user.question(run)
        seen.states.append(box_of(engine, run))
        await user.answer(seen.after, yes=False)
        seen.ended = await user.until(run, RunState.CANCELLED)
        seen.kept = await user.file(run, "kept.txt")
    return seen


@attack("C08")
async def test_a_box_that_fills_its_volume_is_halted(flooded: Flooded) -> None:
    # That it went past its limit shows that nothing but the watch would have stopped it.
    assert "150 MiB is allowed (`sandbox.disk`)" in flooded.before.reason
    assert flooded.states == ["paused", "paused", "paused"]


async def test_it_stays_halted_with_the_same_question_under_the_next_supervisor(
    flooded: Flooded,
) -> None:
    assert flooded.after == flooded.before


async def test_after_a_no_the_run_has_ended_and_its_work_is_kept(flooded: Flooded) -> None:
    assert flooded.ended.row.run.reason.startswith("stopped by ada: it takes")
    assert flooded.kept == "kept"


async def test_a_child_killed_for_want_of_memory_is_told_in_words(home: Home) -> None:
    async with supervised(home) as client:
        user = SwarmActions(client, home.root / "project")
        run = await user.submit(agent="hungry")
        await user.until(run, RunState.IN_REVIEW)
        notes = [e.body.text for e in await user.events(run) if isinstance(e.body, Note)]
    assert [n for n in notes if n.startswith("out of memory: its sandbox may use 256m")] != []
