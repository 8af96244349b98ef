"""One line changes what a name of models stands for: every task goes there, and nothing else changes."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from app import wire
from app.domain.events import TurnStarted
from app.domain.ids import TaskId
from app.domain.run import RunState
from app.domain.task import Task
from tests.support.actions import USER, SwarmActions
from tests.support.home import supervised
from tests.support.repos import make_repository
from tests.support.world import story, world_at

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.xdist_group("test_swapping"),
]

DATA = Path(__file__).parents[1] / "data" / "misbehaving"
SILENT = str(DATA / "silent.sh")
"""Stands for each program: it ends at once."""
HARNESSES = {"claude-code": "claude-code", "codex": "codex", "opencode": "acp"}
"""What each agent is driven by."""
AGENTS: dict[str, Any] = {
    "claude-code": {"settings": {"command": SILENT}},
    "codex": {"settings": {"command": SILENT}},
    "opencode": {"settings": {"command": [SILENT]}},
}
NOBODY = {"url": "http://127.0.0.1:9", "key": f"file:{DATA / 'key'}"}
SETTINGS: dict[str, Any] = {
    "agent": "strong",
    "max_turns": 1,
    "sandbox": {"driver": "local"},
    "gateway": {"upstreams": {"anthropic": dict(NOBODY), "openai": dict(NOBODY)}},
    "routing": {"fallback": {"hops": 0}, "breaker": {"failures": 100}},
}
RULES = "rules: [{name: careful, when: {label: security}, use: strong}]\n"
FILES = {"README.md": "A project.\n", ".swarm/routes.yaml": RULES}
WAYS: dict[str, dict[str, str]] = {
    "named": {"agent": "strong"},
    "by a rule": {"label": "security"},
    "by default": {},
}
"""How a task comes to the name."""
each_way = pytest.mark.parametrize("way", WAYS)


class Given:
    """A task as it was given to an agent, with its end."""

    def __init__(self, detail: wire.RunDetail, prompt: str) -> None:
        self.run = detail.row.run
        self.task = detail.row.task
        self.prompt = prompt


Told = dict[tuple[str, str], Given]
"""By agent and way."""


@story
async def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    """The same tasks in the same repository, each time after the line was changed and swarm started again."""
    root = tmp_path_factory.mktemp("swapping")
    found: Told = {}
    with world_at(root, agents=AGENTS, settings=SETTINGS) as home:
        repo = make_repository(root / "project", FILES)
        for agent in HARNESSES:
            home.configure({**SETTINGS, "agents": AGENTS, "models": {"strong": [agent]}})
            async with supervised(home) as client:
                user = SwarmActions(client, repo)
                given = await asyncio.gather(*(_given(user, way) for way in WAYS))
                found |= {(agent, way): each for way, each in zip(WAYS, given, strict=True)}
    return found


async def _given(user: SwarmActions, way: str) -> Given:
    new = wire.NewTask(goal="Write a note", repo=str(user.repo), submitter=USER, **WAYS[way])  # type: ignore[arg-type]
    run = (await user.client.submit(new)).run.id
    detail = await user.until(run, RunState.FAILED)
    prompts = [e.body.prompt for e in await user.events(run) if isinstance(e.body, TurnStarted)]
    return Given(detail, prompts[0])


def plain(task: Task, agent: str) -> Task:
    """Without what makes it a task of its own, and without the agent."""
    assert task.agent == agent
    return replace(task, id=TaskId(""), created=0, agent="")


@each_way
async def test_every_task_goes_where_the_name_leads_now(told: Told, way: str) -> None:
    went = {agent: told[agent, way].run for agent in HARNESSES}
    assert {agent: run.agent for agent, run in went.items()} == {a: a for a in HARNESSES}
    assert {agent: run.harness for agent, run in went.items()} == HARNESSES
    assert len({run.model for run in went.values()}) >= 2


@each_way
async def test_nothing_else_of_the_task_changes(told: Told, way: str) -> None:
    first, *others = (plain(told[agent, way].task, agent) for agent in HARNESSES)
    assert all(other == first for other in others)


@each_way
async def test_each_is_told_the_same(told: Told, way: str) -> None:
    assert {told[agent, way].prompt for agent in HARNESSES} == {"Write a note"}


@each_way
async def test_base_budget_and_sandbox_stay(told: Told, way: str) -> None:
    runs = [told[agent, way].run for agent in HARNESSES]
    assert len({(run.base, run.budget, run.sandbox) for run in runs}) == 1
