"""A question that nobody answers in time is answered with no."""

import pytest

from app import wire
from app.domain.run import RunState
from tests.support.scripts import ask, edit, scripted
from tests.support.world import World, story

pytestmark = pytest.mark.asyncio(loop_scope="module")

SETTINGS = {"answer_within": "1s"}
AGENTS = {
    "patient": scripted(
        [
            ask(
                "Publish?",
                tool="execute",
                detail="git push",
                yes=[],
                no=[edit("answer.txt", "no: {{note}}\n")],
            )
        ]
    )
}


@story
async def late(world: World) -> wire.RunDetail:
    """Nobody is there."""
    user = world.user()
    run = await user.submit(agent="patient")
    return await user.until(run, RunState.IN_REVIEW)


async def test_the_agent_hears_a_no_and_why(world: World, late: wire.RunDetail) -> None:
    told = await world.at(late).file(late.row.run.id, "answer.txt")
    assert told == "no: nobody answered in time"


async def test_it_is_written_down_as_the_answer_it_is(late: wire.RunDetail) -> None:
    (question,) = late.approvals
    assert (question.answer, question.by) == ("no", "swarm")
    assert question.deadline is not None
    assert question.answered is not None
    assert question.opened < question.deadline <= question.answered
