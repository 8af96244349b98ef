"""An agent asks: the rules answer, or a person does, once."""

import asyncio

import pytest

from app import wire
from app.domain.errors import NotFound, NotNow
from app.domain.events import Answered, Asked, StateChanged
from app.domain.run import RunState
from tests.support.scripts import ask, edit, scripted
from tests.support.world import World, story

pytestmark = pytest.mark.asyncio(loop_scope="module")

YES = [edit("answer.txt", "yes {{note}}\n")]
NO = [edit("answer.txt", "no {{note}}\n")]
SETTINGS = {"approvals": "autonomous"}
AGENTS = {
    "publisher": scripted([ask("Publish?", tool="execute", detail="git push", yes=YES, no=NO)]),
    "editor": scripted([ask("Edit?", tool="edit", paths=["README.md"], yes=YES, no=NO)]),
    "fetcher": scripted([ask("Fetch?", tool="fetch", detail="news", yes=YES, no=NO)]),
    "curious": scripted(
        [ask("One?", tool="fetch", yes=[]), ask("Two?", tool="fetch", yes=YES, no=NO)]
    ),
}


@story
async def waiting(world: World) -> wire.RunDetail:
    """A run that waits for a person."""
    user = world.user(approvals="balanced")
    return await user.until(await user.submit(agent="publisher"), RunState.WAITING)


@story
async def allowed(world: World, waiting: wire.RunDetail) -> wire.RunDetail:
    """The same run, after a yes."""
    user = world.at(waiting)
    assert waiting.row.question
    await user.answer(waiting.row.question, yes=True, note="gently")
    return await user.until(waiting.row.run.id, RunState.IN_REVIEW)


async def test_a_question_is_shown_with_what_is_asked_and_why(waiting: wire.RunDetail) -> None:
    question = waiting.row.question
    assert question
    assert (question.title, question.action, question.detail) == ("Publish?", "execute", "git push")
    assert question.reason == "it would publish or deploy something"


async def test_the_run_that_asks_says_so_in_its_state(waiting: wire.RunDetail) -> None:
    assert waiting.row.run.reason == "Publish?"


async def test_after_a_yes_the_agent_goes_on(world: World, allowed: wire.RunDetail) -> None:
    assert await world.at(allowed).file(allowed.row.run.id, "answer.txt") == "yes gently"


async def test_a_question_and_its_answer_stand_in_the_log_in_order(
    world: World, allowed: wire.RunDetail
) -> None:
    told = [
        getattr(event.body, "state", type(event.body).__name__)
        for event in await world.at(allowed).events(allowed.row.run.id)
        if isinstance(event.body, Asked | Answered | StateChanged)
    ]
    assert told[2:6] == ["Asked", RunState.WAITING, "Answered", RunState.WORKING]


async def test_a_second_answer_is_refused_and_names_the_first(
    world: World, allowed: wire.RunDetail
) -> None:
    question = allowed.approvals[0]
    with pytest.raises(NotNow, match=rf"{question.id} was answered already: yes by ada"):
        await world.at(allowed).answer(question, yes=False)


async def test_who_answered_is_written_down(world: World, allowed: wire.RunDetail) -> None:
    rows = {row.what: row for row in await world.client.audit(allowed.row.run.id)}
    assert rows["question answered yes"].actor == "ada"
    assert rows["question answered yes"].detail["question"] == "Publish?"


async def test_after_a_no_it_is_never_done_and_the_agent_knows_why(world: World) -> None:
    user = world.user(approvals="balanced")
    run = await user.submit(agent="publisher")
    await user.answer(await user.question(run), yes=False, note="not today")
    await user.until(run, RunState.IN_REVIEW)
    assert await user.file(run, "answer.txt") == "no not today"


async def test_two_people_answer_at_once_and_one_of_them_counts(world: World) -> None:
    user = world.user(approvals="balanced")
    run = await user.submit(agent="publisher")
    question = await user.question(run)
    said = [world.client.answer(question.id, wire.Answer(yes=y, by=f"u{y}")) for y in (True, False)]
    came = await asyncio.gather(*said, return_exceptions=True)
    assert sorted(type(each).__name__ for each in came) == ["Approval", "NotNow"]


async def test_a_second_question_waits_for_an_answer_of_its_own(world: World) -> None:
    user = world.user(approvals="balanced")
    run = await user.submit(agent="curious")
    first = await user.question(run)
    await user.answer(first, yes=True)
    while (second := (await user.question(run)).id) == first.id:
        await asyncio.sleep(0.02)
    assert [question.id for question in await world.client.inbox() if question.run == run] == [
        second
    ]
    await user.stop(run)
    await user.until(run, RunState.CANCELLED)
    assert run not in [question.run for question in await world.client.inbox()]


async def test_an_unknown_question_is_refused(world: World) -> None:
    with pytest.raises(NotFound, match=r"there is no question zzzzz\.1-a1"):
        await world.client.answer("zzzzz.1-a1", wire.Answer(yes=True))


async def test_an_autonomous_agent_is_never_held_up(world: World) -> None:
    user = world.user()
    run = await user.submit(agent="publisher")
    shown = await user.until(run, RunState.IN_REVIEW)
    assert shown.approvals == ()
    assert await user.file(run, "answer.txt") == "yes "


async def test_what_balanced_allows_is_not_asked(world: World) -> None:
    user = world.user(approvals="balanced")
    shown = await user.until(await user.submit(agent="editor"), RunState.IN_REVIEW)
    assert shown.approvals == ()


async def test_cautious_asks_before_a_file_is_changed(world: World) -> None:
    user = world.user(approvals="cautious")
    question = await user.question(await user.submit(agent="editor"))
    assert (question.paths, question.reason) == (
        ("README.md",),
        "no rule speaks about this, so a person decides",
    )


async def test_cautious_denies_the_network_without_asking_anybody(world: World) -> None:
    user = world.user(approvals="cautious")
    run = await user.submit(agent="fetcher")
    shown = await user.until(run, RunState.IN_REVIEW)
    assert shown.approvals == ()
    assert (await user.file(run, "answer.txt")).startswith("no the sandbox has no network")
