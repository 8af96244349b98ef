"""Kills between what people and agents ask for and its echo: answers, words, verdicts, the trash and money."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from app.gateway.rehearsal import Rehearsal
from tests.support.home import home_at
from tests.support.invariants import World
from tests.support.kills import Killed, acts, begin, careful, configured, survive, unwritten
from tests.support.long_life import hard_times, long_life, race
from tests.support.nursery import Nursery, nursery
from tests.support.postgres import Cluster, PostgresTables, cluster
from tests.support.repos import make_repository, run_git
from tests.support.scripts import ask, edit, scripted, tokens, wait_for
from tests.support.world import paid_at, story
from tests.support.writes import places

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("kill acts")]

LASTING = ("subjects", "runs", "audit", "words", "workflows")
"""A call that was cut off costs a turn, and that one has a mark, checks and events of its own."""
FILES = ("README.md", "hello/greeting.txt", "hello/answer.txt")
OTHERS = {
    "below": {
        "race.close_race(_stop)", "race.close_race(_discard)", "handing._hand_on(start_after)",
        "raises.more(_ask)", "raises.more(_not_needed)", "raises._move(tasks.move)",
        "finish._refused(reviews.withdraw)",
    },
    "test_kill_docker.py": {
        "hands.attach(write)", "hands.hand_back(write)", "by_hand.attend(run.id)",
        "by_hand.attend(tasks.update)", "decide._handed_back(tasks.update)",
    },
    "test_kill_takeover.py": {"fleet.look_after(_take_over)", "fleet.look_after(_give_places)"},
    "one write, with nothing beside it that could come apart from it": {
        "afar.add_token(write)", "afar.revoke_token(write)", "image_verbs.approve(_approve)",
        "network.allow(write)", "network.note(network.note)", "pricing.override(audit.record)",
        "pricing.replace(audit.record)", "timers.resume_due(_resume)", "timers._down(rests.later)",
        "router._history(routes.collect)", "routing.report(routes.collect)",
        "places.place_for(tasks.update)", "proposals.refreshed(reviews.replace_review)",
        "fleet.join(hosts.register)", "fleet.join(hosts.beat)", "fleet.beat(hosts.beat)",
        "moved._follow(_write_down)", "sweep._give_up(run.id)",
    },
    "in a step, or beside an agent at work, that is killed after other writes and said again": {
        "asking.close(write)", "box.stop(tasks.update)", "bundles.remind(turns.reword)",
        "overtime._tell(budgets.note_passed)", "overtime._more(raises.ask_time)",
        "overtime._refuse(ledger.refuse)", "raises.rest(rests.put)", "telling.taken(tells.take)",
        "outfitting.fit_out(tasks.update)", "decide.decide(timers.until_it_answers)",
        "decide.settle(settle_at_home)", "homes.come_home(tasks.update)",
        "finish._clean_up(_clear_there)", "trouble.guarded(_fail)", "decide._handed_back(_add)",
    },
}  # fmt: skip
"""Writes that the long life does not come by: where somebody dies after them, or why nobody does."""


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
    agent["model"] = "ended"
    more["retire"] = {"ended": {"ends": "2026-01-01", "use": "scripted"}}
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


async def test_money_and_what_git_does_for_a_person_have_points() -> None:
    assert {"act:called", "act:hold", "act:charge", "act:charged"} <= set(acts())
    assert {"act:restore", "act:undo", "act:gathered"} <= set(acts())


async def test_a_task_survives_a_kill_at_each(
    cradle: Nursery, provider: Rehearsal, undisturbed: World, tmp_path: Path
) -> None:
    with home_at(tmp_path) as home:
        home.configure(settings(provider))
        world = World(home, make_repository(tmp_path / "project"))
        await survive(cradle, world, *acts(), life=long_life, writes=places())
        assert world.broken() == []
        assert lasting(world) == lasting(undisturbed)
        unharmed = {places()[each] for each in unwritten(world)}
        assert unharmed <= set().union(*OTHERS.values())


@pytest.mark.postgres
async def test_a_task_survives_a_kill_at_each_on_postgresql(
    cradle: Nursery, provider: Rehearsal, undisturbed: World, server: Cluster, tmp_path: Path
) -> None:
    with home_at(tmp_path) as home:
        address = server.database()
        home.configure(settings(provider, database=address))
        world = World(home, make_repository(tmp_path / "project"), PostgresTables(address))
        await survive(cradle, world, *acts(), life=long_life, writes=places())
        assert world.broken() == []
        assert lasting(world) == lasting(undisturbed)


@dataclass(frozen=True)
class Story:
    """A life whose supervisors die after the writes of these functions, and at these points."""

    life: Callable[[Killed], Awaitable[None]]
    agents: dict[str, Any]
    functions: tuple[str, ...]
    ends: tuple[str, ...]
    deadly: tuple[str, ...] = ()


RACE = Story(
    race,
    {"ada": careful("a"), "bob": careful("b"), "cid": careful("c", wait_for("/never"))},
    ("race.close_race",),
    ("discarded", "merged", "discarded"),
)
HARD_TIMES = Story(
    hard_times,
    {
        "broken": scripted([begin("broken"), {"crash": {"code": 9}}]),
        "spender": careful("hello", tokens(10_000, 1_000, times=3)),
    },
    ("handing._hand_on", "raises.more", "raises._move", "finish._refused"),
    ("discarded", "merged"),
    ("before:merge",),
)


async def _told(
    cradle: Nursery, root: Path, provider: Rehearsal, story: Story, address: str = ""
) -> None:
    with home_at(root) as home:
        more = {"gateway": paid_at(provider.url), "database": address}
        home.configure(configured(agents=story.agents, max_turns=8, **more))
        tables = PostgresTables(address) if address else None
        world = World(home, make_repository(root / "project"), tables, several=True)
        writes = places(*story.functions)
        await survive(cradle, world, *story.deadly, life=story.life, writes=writes)
        assert world.broken() == []
        runs = world.tables.state("SELECT state FROM run ORDER BY number")
        assert tuple(row["state"] for row in runs) == story.ends
        # Whether somebody still waits for the money when it is given is for chance to say.
        assert {places()[each] for each in unwritten(world)} <= {"raises.more(_not_needed)"}


@pytest.mark.parametrize("story", [RACE, HARD_TIMES], ids=["race", "hard times"])
async def test_several_agents_and_one_landing_through_a_kill_after_each_write(
    cradle: Nursery, provider: Rehearsal, story: Story, tmp_path: Path
) -> None:
    await _told(cradle, tmp_path, provider, story)


@pytest.mark.postgres
@pytest.mark.parametrize("story", [RACE, HARD_TIMES], ids=["race", "hard times"])
async def test_several_agents_and_one_landing_through_a_kill_after_each_write_on_postgresql(
    cradle: Nursery, provider: Rehearsal, server: Cluster, story: Story, tmp_path: Path
) -> None:
    await _told(cradle, tmp_path, provider, story, server.database())
