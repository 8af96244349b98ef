"""A yes for good: the rule is shown first, written as it was shown, and holds for other runs."""

import pytest

from app import wire
from app.domain.errors import NotNow
from app.domain.events import Note
from app.domain.review import Approval, Scope
from app.domain.run import RunState
from tests.support.scripts import Step, ask, edit, scripted
from tests.support.world import World

pytestmark = pytest.mark.asyncio(loop_scope="module")


def push(number: int, command: str = "git push") -> Step:
    done = [edit(f"yes{number}.txt", "{{note}}\n")]
    return ask(f"Push {number}?", tool="execute", detail=command, yes=done)


AGENTS = {
    "twice": scripted([push(1), push(2), push(3, "git push --force")]),
    "once": scripted([push(1)]),
    "forced": scripted([push(1, "git push --force"), edit("note.txt", "n\n")]),
    "hidden": scripted([push(1, "git push $(cat name)")]),
}
SETTINGS = {"approvals": "balanced"}


async def told(world: World, question: Approval, scope: Scope, rule: str = "") -> Approval:
    body = wire.Answer(yes=True, scope=scope, rule=rule, by="ada")
    return await world.client.answer(question.id, body)


async def test_for_good_is_shown_first_written_as_shown_and_holds_for_other_runs(
    world: World,
) -> None:
    user = world.user()
    run = await user.submit(agent="once")
    question = await user.question(run)
    file = world.home.config / "policy.yaml"
    shown = await world.client.rule(question.id)
    assert not file.exists()
    assert "+      - git push\n" in shown.diff or "- git push\n" in shown.diff
    with pytest.raises(NotNow, match="not what would be written"):
        await told(world, question, "always", "another")
    assert not file.exists()
    assert (await user.question(run)).answer is None
    await told(world, question, "always", shown.digest)
    await user.until(run, RunState.IN_REVIEW)
    added = [line[1:] for line in shown.diff.splitlines()[3:]]
    assert file.read_text().splitlines() == added
    (row,) = [row for row in await world.client.audit(run) if "answered" in row.what]
    assert (row.detail["scope"], row.detail["rule"]) == ("always", shown.diff)
    again = await user.until(await user.submit(agent="once"), RunState.IN_REVIEW)
    assert again.approvals == ()
    file.unlink()


async def test_what_is_asked_already_is_answered_by_the_rule_that_a_person_makes(
    world: World,
) -> None:
    user = world.user()
    runs = [await user.submit(agent=agent) for agent in ("once", "once", "hidden")]
    first, _second, other = [await user.question(run) for run in runs]
    shown = await world.client.rule(first.id)
    await told(world, first, "always", shown.digest)
    after = await user.until(runs[1], RunState.IN_REVIEW)
    assert (after.approvals[0].answer, after.approvals[0].by) == ("yes", "ada")
    assert await user.file(runs[1], "yes1.txt") == ""
    (row,) = [row for row in await world.client.audit(runs[1]) if "answered" in row.what]
    assert (row.what, row.actor) == ("question answered yes", "ada")
    assert (row.detail["because_of"], row.detail["rule"]) == (first.id, f"from-{first.id}")
    notes = [e.body.text for e in await user.events(runs[1]) if isinstance(e.body, Note)]
    assert f"answered by the rule that ada made of {first.id}" in notes
    assert (await user.question(runs[2])).id == other.id
    (world.home.config / "policy.yaml").unlink()
    await user.stop(runs[2])


async def test_a_yes_for_the_run_reaches_no_question_of_another_run(world: World) -> None:
    user = world.user()
    runs = [await user.submit(agent="once") for _ in range(2)]
    first, second = [await user.question(run) for run in runs]
    await told(world, first, "run")
    await user.until(runs[0], RunState.IN_REVIEW)
    assert (await user.question(runs[1])).id == second.id
    await user.stop(runs[1])


async def test_a_rule_written_by_hand_answers_what_is_open(world: World) -> None:
    user, file = world.user(), world.home.config / "policy.yaml"
    runs = [await user.submit(agent=agent) for agent in ("once", "forced", "hidden")]
    asked = [await user.question(run) for run in runs]
    allow = (
        "{name: mine, effect: allow, reason: it is mine, actions: [execute], commands: [git push]}"
    )
    deny = "{name: never, effect: deny, reason: history is shared, commands: [git push --force]}"
    file.write_text(f"rules:\n  - {allow}\n  - {deny}\n")
    after = [await user.until(run, RunState.IN_REVIEW) for run in runs[:2]]
    assert [each.approvals[0].answer for each in after] == ["yes", "no"]
    assert after[1].approvals[0].note == "history is shared"
    rows = [row for row in await world.client.audit(runs[1]) if "answered" in row.what]
    assert [(row.actor, row.detail["rule"]) for row in rows] == [("swarm", "own/never")]
    assert (await user.question(runs[2])).id == asked[2].id
    file.unlink()
    await user.stop(runs[2])
