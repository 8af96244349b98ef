"""Kills between what people and agents ask for and its echo: answers, words, verdicts, the trash and money."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from app.gateway.rehearsal import Rehearsal
from tests.support.home import home_at
from tests.support.invariants import World
from tests.support.kills import acts, careful, configured, survive
from tests.support.long_life import long_life
from tests.support.nursery import Nursery, nursery
from tests.support.postgres import Cluster, PostgresTables, cluster
from tests.support.repos import make_repository, run_git
from tests.support.scripts import ask, edit, tokens
from tests.support.world import paid_at, story

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("kill acts")]

LASTING = ("subjects", "runs", "audit", "words", "workflows")
"""A call that was cut off costs a turn, and that one has a mark, checks and events of its own."""
FILES = ("README.md", "hello/greeting.txt", "hello/answer.txt")


@pytest.fixture(scope="module")
def cradle() -> Iterator[Nursery]:
    with nursery() as cradle:
        yield cradle


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def provider() -> AsyncIterator[Rehearsal]:
    async with Rehearsal() as endpoint:
        yield endpoint


@pytest.fixture(scope="module")
def server() -> Iterator[Cluster]:
    with cluster() as running:
        yield running


def settings(provider: Rehearsal, **more: Any) -> dict[str, Any]:
    answered = [edit("hello/answer.txt", "yes\n")]
    agent = careful("hello", tokens(10, 10, times=2), ask("May I?", tool="fetch", yes=answered))
    # Each call that is cut off costs a turn.
    more["max_turns"] = 8
    return configured(agents={"careful": agent}, gateway=paid_at(provider.url), **more)


def lasting(world: World) -> dict[str, Any]:
    facts = world.facts()
    landed = {name: run_git(world.repo, "show", f"main:{name}") for name in FILES}
    return {name: facts[name] for name in LASTING} | landed


@story
async def undisturbed(
    cradle: Nursery, provider: Rehearsal, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[World]:
    """The world after a task that nobody disturbed."""
    root = tmp_path_factory.mktemp("undisturbed")
    with home_at(root) as home:
        home.configure(settings(provider))
        world = World(home, make_repository(root / "project"))
        yield await survive(cradle, world, life=long_life)


async def test_without_a_kill_every_promise_holds(undisturbed: World) -> None:
    assert undisturbed.broken() == []


async def test_money_answers_words_verdicts_and_the_trash_have_points() -> None:
    assert {"act:hold", "act:charge", "act:charged"} <= set(acts())
    assert {"act:answer", "act:approve", "act:changes", "act:stop", "act:resume"} <= set(acts())
    assert {"act:discard", "act:restore", "act:undo", "act:undone", "act:retry"} <= set(acts())
    assert {"act:tell", "act:comment", "act:pick", "act:merge"} <= set(acts())


async def test_a_task_survives_a_kill_at_each(
    cradle: Nursery, provider: Rehearsal, undisturbed: World, tmp_path: Path
) -> None:
    with home_at(tmp_path) as home:
        home.configure(settings(provider))
        world = World(home, make_repository(tmp_path / "project"))
        await survive(cradle, world, *acts(), life=long_life)
        assert world.broken() == []
        assert lasting(world) == lasting(undisturbed)


@pytest.mark.postgres
async def test_a_task_survives_a_kill_at_each_on_postgresql(
    cradle: Nursery, provider: Rehearsal, undisturbed: World, server: Cluster, tmp_path: Path
) -> None:
    with home_at(tmp_path) as home:
        address = server.database()
        home.configure(settings(provider, database=address))
        world = World(home, make_repository(tmp_path / "project"), PostgresTables(address))
        await survive(cradle, world, *acts(), life=long_life)
        assert world.broken() == []
        assert lasting(world) == lasting(undisturbed)
