"""Another agent goes on: after a failure by itself, or when a person says so; with all that the first one left."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from app import wire
from app.domain.bundle import TITLES
from app.domain.errors import NotNow
from app.domain.money import Micros
from app.domain.run import RunState
from app.gateway.rehearsal import Rehearsal
from tests.support.actions import USER, SwarmActions
from tests.support.model_endpoint import http
from tests.support.providers import provider
from tests.support.scripts import edit, scripted, tokens
from tests.support.world import Settings, World, story

pytestmark = pytest.mark.asyncio(loop_scope="module")

SECRET = "ghp_" + "A1b2C3d4E5f6G7h8I9j0" + "K1l2M3n4O5p6Q7r8"
LATE = http("429 Too Many Requests", b"{}", content_type="application/json", retry_after="9000")
WROTE_PROMPT = edit("asked.md", "{{prompt}}\n")
AGENTS = {
    "sloppy": scripted(
        [edit("a.txt", "half\n"), edit("key.txt", f"{SECRET}\n"), {"say": "I took the short way."}]
    ),
    "lost": scripted([edit("a.txt", "begun\n"), tokens(10_000, 1_000), {"crash": {"code": 9}}]),
    "idle": scripted([{"say": "Nothing to do."}]),
    "late": {**scripted([edit("a.txt", "x\n"), tokens(5, 9)]), "model": "slow-model"},
    "careful": scripted([edit("a.txt", "whole\n"), WROTE_PROMPT, tokens(5, 9)]),
    "third": scripted([edit("a.txt", "whole\n"), WROTE_PROMPT]),
}
CHECK = "grep -q whole a.txt || { echo 'a.txt: not whole'; exit 3; }"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def settings(endpoint: Rehearsal) -> AsyncIterator[Settings]:
    async with provider(LATE) as (slow, _):
        yield {
            "max_turns": 1,
            "budget": {"on_limit": "stop"},
            "routing": {"breaker": {"failures": 99}},
            "gateway": {
                "park_after": "1s",
                "upstreams": {
                    "anthropic": _upstream(endpoint.url),
                    "slow": {**_upstream(slow), "models": ["slow-*"]},
                },
                "prices": {"scripted": {"input": "1", "output": "10"}},
            },
        }


def _upstream(url: str) -> dict[str, object]:
    return {"url": url, "key": "", "dialects": ["anthropic"], "unknown_model": "assume"}


async def given(
    user: SwarmActions, *agents: str, checks: tuple[str, ...] = (), budget: int = 1_000_000
) -> str:
    new = wire.NewTask(
        goal="Make a.txt whole", repo=str(user.repo), agents=agents, checks=checks,
        budget=Micros(budget), submitter=USER,
    )  # fmt: skip
    return (await user.client.submit(new)).run.id


def second(run: str) -> str:
    return run.replace(".1", ".2")


async def went_on(user: SwarmActions, run: str, *states: RunState) -> wire.RunDetail:
    """The run after it, once there is one and it is in one of these states."""
    while not (await user.client.detail(run)).runs[1:]:
        await asyncio.sleep(0.1)
    return await user.until(second(run), *states)


@story
async def handed(world: World) -> wire.RunDetail:
    """Its change failed the checks, so the next agent went on, and is in review."""
    user = world.user({"a.txt": "old\n"})
    run = await given(user, "sloppy", "careful", checks=(CHECK,))
    await user.until(run, RunState.IN_REVIEW)
    return await went_on(user, run, RunState.IN_REVIEW)


async def test_the_next_agent_of_the_list_goes_on(world: World, handed: wire.RunDetail) -> None:
    assert [run.agent for run in handed.runs] == ["sloppy", "careful"]
    route = await world.client.route(handed.row.run.id)
    assert (route.asked, route.before) == ("handed on", handed.runs[0].id)
    assert route.options[0].dropped == "it has worked on this task already"


async def test_its_prompt_holds_goal_diff_failure_and_what_was_tried(
    world: World, handed: wire.RunDetail
) -> None:
    prompt = await world.at(handed).file(handed.row.run.id, "asked.md")
    assert prompt.startswith("Make a.txt whole\n")
    for title in ("TRIED.md", "CHECK.txt", "DIFF.patch"):
        assert f"## {TITLES[title]}" in prompt
    assert "-old\n+half" in prompt
    assert "a.txt: not whole\n[ended with 3" in prompt
    assert f"Run {handed.runs[0].id}, by sloppy" in prompt
    assert "> I took the short way." in prompt


async def test_a_secret_of_the_first_agent_does_not_reach_the_second(
    world: World, handed: wire.RunDetail
) -> None:
    prompt = await world.at(handed).file(handed.row.run.id, "asked.md")
    assert SECRET not in prompt
    assert "key.txt" in prompt


async def test_its_files_begin_at_the_base(world: World, handed: wire.RunDetail) -> None:
    assert "-old\n+whole" in (await world.client.diff(handed.row.run.id)).decode()


async def test_the_bundle_can_be_read(world: World, handed: wire.RunDetail) -> None:
    parts = {part.name: part.body.decode() for part in await world.client.bundle(handed.row.run.id)}
    assert parts["BRIEF.md"].startswith("Make a.txt whole")
    assert CHECK in parts["BRIEF.md"]
    assert set(parts) == {"BRIEF.md", "TRIED.md", "CHECK.txt", "DIFF.patch"}


@story
async def crashed(world: World) -> wire.RunDetail:
    """The first agent was lost after a call that cost two cents."""
    user = world.user({"a.txt": "old\n"})
    run = await given(user, "lost", "careful", budget=100_000)
    await user.until(run, RunState.FAILED)
    return await went_on(user, run, RunState.IN_REVIEW)


async def test_both_together_spend_no_more_than_was_given(crashed: wire.RunDetail) -> None:
    assert crashed.runs[0].spent == 20_000
    assert crashed.row.run.budget == 80_000


async def test_an_agent_that_changes_nothing_is_replaced_at_most_twice(world: World) -> None:
    user = world.user({"a.txt": "old\n"})
    run = await given(user, "idle", "third")
    await user.until(run, RunState.FAILED)
    done = await went_on(user, run, RunState.IN_REVIEW)
    assert done.row.run.agent == "third"


async def test_a_provider_that_asks_to_wait_for_long_is_not_waited_for(world: World) -> None:
    user = world.user({"a.txt": "old\n"})
    run = await given(user, "late", "third")
    await user.until(run, RunState.PARKED)
    await went_on(user, run, RunState.IN_REVIEW)


@story
async def retried(world: World) -> wire.RunDetail:
    """A person sent the work back, and then had another agent try."""
    user = world.user({"a.txt": "old\n"})
    run = await given(user, "third")
    await user.until(run, RunState.IN_REVIEW)
    comment = wire.NewComment(path="a.txt", line=1, text="Say it twice", by=USER)
    await world.client.comment(run, comment)
    row = await world.client.retry(run, wire.Retry(agent="careful", by=USER))
    return await user.until(row.run.id, RunState.IN_REVIEW)


async def test_by_hand_the_review_is_handed_on(world: World, retried: wire.RunDetail) -> None:
    prompt = await world.at(retried).file(retried.row.run.id, "asked.md")
    assert "- a.txt:1: Say it twice (ada)" in prompt
    assert "-old\n+whole" in prompt


async def test_a_fresh_try_is_told_nothing(world: World, retried: wire.RunDetail) -> None:
    user = world.at(retried)
    row = await world.client.retry(retried.row.run.id, wire.Retry(fresh=True, by=USER))
    done = await user.until(row.run.id, RunState.IN_REVIEW)
    assert done.row.run.agent == "careful"
    assert await user.file(row.run.id, "asked.md") == "Make a.txt whole"
    assert await world.client.bundle(row.run.id) == ()


async def test_a_task_at_work_is_not_tried_again(world: World, retried: wire.RunDetail) -> None:
    row = await world.client.retry(retried.row.run.id, wire.Retry(by=USER))
    with pytest.raises(NotNow, match=r"^run "):
        await world.client.retry(retried.row.run.id, wire.Retry(by=USER))
    await world.at(retried).until(row.run.id, RunState.IN_REVIEW)
