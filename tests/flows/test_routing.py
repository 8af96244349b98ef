"""Who gets a task: names of models, rules, breakers, places; and why, as `swarm route explain` tells it."""

import asyncio

import pytest

from app import wire
from app.cli.routes import explained
from app.domain.errors import ConfigError, EnvironmentProblem, NotFound, SwarmError
from app.domain.money import Micros
from app.domain.run import RunState
from tests.support.actions import USER, SwarmActions
from tests.support.scripts import edit, scripted, wait_for
from tests.support.world import World

pytestmark = pytest.mark.asyncio(loop_scope="module")

FLAKY = {"failures": 1, "within": "10m", "pause": "1h"}
AGENTS = {
    "neat": scripted([edit("a.txt", "neat\n")]),
    "quick": scripted([edit("a.txt", "quick\n")]),
    "gone": {**scripted([edit("a.txt", "x\n")]), "enabled": False},
    "broken": scripted([{"crash": {"code": 7}}]),
    "busy": scripted([wait_for("{{tree}}/never"), edit("a.txt", "x\n")]),
}
SETTINGS = {
    "models": {
        "strong": ["gone", "neat"],
        "fast": ["quick", "neat"],
        "dated": ["quick/old-model"],
        "over": ["quick/ancient", "neat"],
        "shaky": ["broken", "neat"],
    },
    "retire": {
        "old-model": {"ends": "2026-01-01", "use": "new-model"},
        "ancient": {"ends": "2026-01-01"},
    },
    "routing": {"breaker": FLAKY, "fallback": {"hops": 0}, "concurrency": {"busy": 1}},
}
RULES = """
rules:
  - name: papers
    when: {paths: "docs/**"}
    use: fast
  - name: careful
    when: {label: security}
    use: strong
    explore: 0
"""


async def submitted(user: SwarmActions, goal: str = "Write a note", **more: object) -> wire.RunRow:
    new = wire.NewTask(goal=goal, repo=str(user.repo), submitter=USER, **more)  # type: ignore[arg-type]
    return await user.client.submit(new)


async def told(world: World, run: str) -> str:
    return explained(await world.client.route(run)).replace(run, "RUN")


async def test_a_name_stands_for_the_first_agent_that_can(world: World) -> None:
    row = await submitted(world.user(), agent="strong")
    assert (row.run.agent, row.task.agent) == ("neat", "neat")
    assert await told(world, row.run.id) == (
        "RUN went to neat\n"
        "  asked    you named strong\n"
        "  task     implement\n"
        "  why      it is the first that can take the task\n"
        "  history  too little to say anything\n"
        "\n"
        "CANDIDATE  CAN\n"
        "gone       no   it is disabled in your config.yaml\n"
        "neat       yes"
    )


async def test_what_a_task_would_do_is_told_and_nothing_is_begun(world: World) -> None:
    user = world.user({"a.txt": "1\n", ".swarm/routes.yaml": RULES})
    (user.repo / "b.txt").write_text("not committed\n")
    new = wire.NewTask(
        goal="Mend docs/index.md",
        repo=str(user.repo),
        checks=("make test",),
        budget=Micros(500_000),
        submitter=USER,
    )
    found = await world.client.preview(new)
    assert (await world.client.board(str(user.repo))).rows == ()
    assert (found.refused, found.base, found.target, found.checks) == (
        "",
        "main",
        "main",
        ("make test",),
    )
    assert found.budget == Micros(500_000)
    assert "b.txt" in found.notes[-1]
    (route,) = found.routes
    given = await world.client.submit(new)
    told_then = await world.client.route(given.run.id)
    assert (route.target, route.why, route.rule) == (
        told_then.target,
        told_then.why,
        told_then.rule,
    )


async def test_a_task_that_would_be_refused_says_why_beforehand(world: World) -> None:
    user = world.user()
    new = wire.NewTask(goal="Write a note", repo=str(user.repo), agent="gone", submitter=USER)
    found = await world.client.preview(new)
    with pytest.raises(SwarmError) as refused:
        await world.client.submit(new)
    assert refused.value.message in found.refused


async def test_the_repositorys_rules_are_read_from_its_base(world: World) -> None:
    user = world.user({"a.txt": "1\n", ".swarm/routes.yaml": RULES})
    row = await submitted(user, "Mend docs/index.md")
    assert row.run.agent == "quick"
    assert await told(world, row.run.id) == (
        "RUN went to quick\n"
        f"  asked    papers ({user.repo}/.swarm/routes.yaml) says fast\n"
        "  task     docs, names docs/index.md\n"
        "  why      it is named first\n"
        "  history  too little to say anything\n"
        "\n"
        "CANDIDATE  CAN\n"
        "quick      yes\n"
        "neat       yes"
    )
    assert (await submitted(user, "Anything", label="security")).run.agent == "neat"


async def test_without_a_rule_the_configured_agent_does_it(world: World) -> None:
    row = await submitted(world.user(agent="quick"), "Anything")
    assert (await told(world, row.run.id)).splitlines()[1:4] == [
        "  asked    your configuration says quick",
        "  task     implement",
        "  why      it is the only one named",
    ]


async def test_a_model_that_has_ended_is_replaced_and_said_so(world: World) -> None:
    row = await submitted(world.user(), agent="dated")
    assert row.run.model == "new-model"
    note = "old-model has ended on 2026-01-01: new-model comes in its place"
    assert f"  note     {note}" in await told(world, row.run.id)
    [audited] = [r for r in await world.client.audit() if r.what == "model replaced"]
    assert audited.detail["why"] == note


async def test_a_model_that_nothing_replaces_leaves_its_agent_out(world: World) -> None:
    row = await submitted(world.user(), agent="over")
    assert row.run.agent == "neat"
    assert "its model ancient has ended on 2026-01-01" in await told(world, row.run.id)


async def test_when_nobody_can_every_reason_is_told(world: World) -> None:
    with pytest.raises(EnvironmentProblem) as refused:
        await submitted(world.user(), agents=("gone", "quick/ancient"))
    assert refused.value.message == (
        "nobody who may do this can do it now: gone: it is disabled in your config.yaml; "
        "quick/ancient: its model ancient has ended on 2026-01-01"
    )


async def test_a_name_that_nobody_has_is_told_with_the_nearest(world: World) -> None:
    with pytest.raises(NotFound, match="no agent is called `strng`, did you mean `strong`"):
        await submitted(world.user(), agent="strng")


async def test_a_bad_file_of_rules_is_refused_with_its_place(world: World) -> None:
    user = world.user({"a.txt": "1\n", ".swarm/routes.yaml": "rules:\n  - {used: fast}\n"})
    with pytest.raises(ConfigError, match=r"routes\.yaml:2: rules\.0\.used is not a setting"):
        await submitted(user)


async def test_an_agent_that_fails_gets_no_more_tasks_for_a_while(world: World) -> None:
    user = world.user()
    first = (await submitted(user, agent="shaky")).run
    assert first.agent == "broken"
    await user.until(first.id, RunState.FAILED)
    second = (await submitted(user, agent="shaky")).run
    assert second.agent == "neat"
    assert "it gets no task for" in await told(world, second.id)
    assert "its last 1 runs failed (crash)" in await told(world, second.id)


async def test_of_an_agent_with_one_place_only_one_run_is_at_work(world: World) -> None:
    user = world.user()
    first = (await submitted(user, agent="busy")).run.id
    await user.until(first, RunState.WORKING)
    second = (await submitted(user, agent="busy")).run.id
    while not (row := (await world.client.detail(second)).row).run.reason:
        await asyncio.sleep(0.05)
    assert (row.run.state, row.run.reason) == (RunState.QUEUED, "busy has 1 of 1 runs at work")
    await user.stop(first)
    await user.until(second, RunState.WORKING)
    await user.stop(second)
    await user.until(second, RunState.CANCELLED)


async def test_another_name_goes_where_there_is_a_place(world: World) -> None:
    user = world.user()
    first = (await submitted(user, agent="busy")).run.id
    row = await submitted(user, agents=("busy", "neat"))
    assert row.run.agent == "neat"
    assert "busy has 1 of 1 runs at work" in await told(world, row.run.id)
    await user.stop(first)


async def test_names_are_listed_with_what_they_stand_for(world: World) -> None:
    lines = {(line.name, line.target): line for line in await world.client.models()}
    assert lines["dated", "quick/old-model"].model == "new-model"
    assert lines["over", "quick/ancient"].why == "its model ancient has ended on 2026-01-01"
    assert lines["fast", "quick"].usable
