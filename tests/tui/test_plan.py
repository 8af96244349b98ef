"""What an agent means to do, beside its log."""

from app.domain.ids import RunId
from app.tui.model.line import line_cells
from app.tui.model.transcript import plan_lines, plan_words
from harnesses.events import PlanEntry, PlanUpdated
from tests.support.fleet import RecordedSwarm, app_over
from tests.support.screens import seen, settled

STEPS = tuple(
    PlanEntry(
        f"step {number}", "completed" if number < 9 else "in_progress" if number == 9 else "pending"
    )
    for number in range(20)
)


def drawn(plan: tuple[PlanEntry, ...], most: int) -> list[str]:
    return ["".join(text for text, _ink in line) for line in plan_lines(plan, 40, most=most)]


def test_a_short_plan_is_shown_whole() -> None:
    assert drawn(STEPS[8:11], 12) == [" ✓ step 8", " ▸ step 9", " · step 10"]


def test_a_long_plan_is_shown_from_the_last_step_that_is_done() -> None:
    lines = drawn(STEPS, 6)
    assert lines[0] == " … 8 before"
    assert lines[1:3] == [" ✓ step 8", " ▸ step 9"]
    assert len(lines) == 6


def test_the_end_of_a_plan_fills_the_room() -> None:
    done = tuple(PlanEntry(f"step {number}", "completed") for number in range(20))
    assert drawn(done, 6)[-1] == " ✓ step 19"
    assert len(drawn(done, 6)) == 6


def test_a_step_is_one_line_however_long_it_is() -> None:
    lines = plan_lines((PlanEntry("do\n" * 400),), 40, most=12)
    assert [line_cells(line) <= 40 for line in lines] == [True]


async def test_the_plan_stands_beside_the_log_and_follows(swarm: RecordedSwarm) -> None:
    run = RunId("h7fz4.1")
    async with app_over(swarm).run_test(notifications=True, size=(160, 48)) as pilot:
        await pilot.press("enter")
        await settled(pilot)
        swarm.happens(
            run, PlanUpdated((PlanEntry("find the limit", "completed"), PlanEntry("test it")))
        )
        screen = await seen(pilot, "✓ find the limit")
        assert plan_words(STEPS[8:10]) == "1 of 2 steps"
        assert "1 of 2 steps" in screen
        swarm.happens(
            run,
            PlanUpdated(
                (PlanEntry("find the limit", "completed"), PlanEntry("test it", "completed"))
            ),
        )
        await seen(pilot, "✓ test it")
