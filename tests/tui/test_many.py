"""Many runs at once: marked and acted on together, listed in groups, of one repository or of all."""

import pytest

from app.domain.errors import NotNow
from app.domain.ids import TaskId
from app.domain.money import Micros
from app.domain.run import RunState
from app.tui.model.fleet import GROUPINGS, Fleet, Grouping, grouped
from app.tui.widgets.fleet_table import FleetTable
from app.wire import Act, Board, Resume, Retry, RunRow
from tests.support.fleet import NOW, RecordedSwarm, Recording, app_over, row
from tests.support.screens import seen, settled

ROWS = [
    row("aaaaa", "one", RunState.WORKING, agent="codex"),
    row("bbbbb", "two", RunState.FAILED, agent="claude-code"),
    row("ccccc", "three", RunState.WORKING, agent="claude-code"),
    row("ddddd", "four", RunState.PARKED, agent="codex", spent=2.0, budget=2.0),
]


def ordered() -> list[RunRow]:
    fleet = Fleet()
    fleet.load(Board(rows=tuple(ROWS), seq=0, now=NOW))
    return fleet.ordered()


@pytest.mark.parametrize("by", GROUPINGS)
def test_a_grouping_loses_no_run(by: Grouping) -> None:
    listed = [each for each in grouped(ordered(), by) if not isinstance(each, str)]
    assert {each.run.id for each in listed} == {each.run.id for each in ROWS}


def test_the_group_that_needs_me_most_comes_first() -> None:
    headings = [each for each in grouped(ordered(), "state") if isinstance(each, str)]
    assert headings == ["failed  1", "parked  1", "working  2"]


async def test_s_goes_through_the_groupings_and_the_cursor_keeps_off_the_headings() -> None:
    async with app_over(RecordedSwarm(Recording(rows=list(ROWS)))).run_test(
        notifications=True, size=(80, 30)
    ) as pilot:
        await pilot.press("s")
        await seen(pilot, "by state")
        table = pilot.app.screen.query_one(FleetTable)
        stood = []
        for key in ("g", "j", "j", "j", "j", "G", "k", "k", "k", "k"):
            await pilot.press(key)
            assert table.selected is not None
            stood.append(table.selected.task.id)
    assert stood[:5] == ["bbbbb", "ddddd", "aaaaa", "ccccc", "ccccc"]
    assert stood[5:] == ["ccccc", "aaaaa", "ddddd", "bbbbb", "bbbbb"]


async def test_a_verb_is_for_all_that_are_marked_after_they_were_listed() -> None:
    swarm = RecordedSwarm(Recording(rows=list(ROWS)))
    async with app_over(swarm).run_test(notifications=True, size=(80, 24)) as pilot:
        await pilot.press("asterisk", "x")
        screen = await seen(pilot, "stop 2 runs?")
        assert "ccccc  three" in screen
        assert swarm.asked == []
        await pilot.press("y")
        await seen(pilot, "2 runs: done")
    assert swarm.asked == [("stop", "aaaaa.1", Act(by="ada")), ("stop", "ccccc.1", Act(by="ada"))]


async def test_all_that_work_are_stopped_those_that_race_too() -> None:
    rival = row("aaaaa", "one", RunState.WORKING, number=2)
    swarm = RecordedSwarm(Recording(rows=[*ROWS, rival]))
    async with app_over(swarm).run_test(notifications=True, size=(80, 24)) as pilot:
        await pilot.press("X")
        await seen(pilot, "stop 3 runs?")
        await pilot.press("y")
        await seen(pilot, "3 runs: done")
    assert {about for _verb, about, _body in swarm.asked} == {"aaaaa.1", "aaaaa.2", "ccccc.1"}


async def test_a_run_that_cannot_be_stopped_holds_up_no_other() -> None:
    swarm = RecordedSwarm(Recording(rows=list(ROWS)))
    answered = swarm.stop

    async def stop(run: str, body: Act) -> RunRow:
        if run == "ccccc.1":
            raise NotNow("it lands at this moment")
        return await answered(run, body)

    swarm.stop = stop  # type: ignore[method-assign]
    async with app_over(swarm).run_test(notifications=True, size=(80, 24)) as pilot:
        await pilot.press("X")
        await seen(pilot, "stop 2 runs?")
        await pilot.press("y")
        await seen(pilot, "1 done, 1 refused")
    assert [about for _verb, about, _body in swarm.asked] == ["aaaaa.1"]


async def test_marks_stay_on_their_runs_when_rows_change_place() -> None:
    swarm = RecordedSwarm(Recording(rows=list(ROWS)))
    async with app_over(swarm).run_test(notifications=True, size=(80, 24)) as pilot:
        await pilot.press("j", "space")
        await seen(pilot, "1 marked")
        await pilot.press("s")
        await settled(pilot)
        chosen = pilot.app.screen.query_one(FleetTable).chosen()
    assert [each.task.id for each in chosen] == ["ddddd"]


async def test_a_verb_that_fits_none_of_the_marked_says_so() -> None:
    swarm = RecordedSwarm(Recording(rows=list(ROWS)))
    async with app_over(swarm).run_test(notifications=True, size=(80, 24)) as pilot:
        await pilot.press("space", "x")
        await seen(pilot, "possible for none of the 1 marked runs")
    assert swarm.asked == []


async def test_those_that_are_parked_go_on_with_one_new_limit() -> None:
    swarm = RecordedSwarm(Recording(rows=list(ROWS)))
    async with app_over(swarm).run_test(notifications=True, size=(80, 24)) as pilot:
        await pilot.press("asterisk", "r")
        await seen(pilot, "What may each of them spend at most?")
        await pilot.press(*["backspace"] * 4, *"3.50", "enter")
        await seen(pilot, "2 runs: done")
    assert swarm.asked == [
        ("retry", "bbbbb.1", Retry(by="ada")),
        ("resume", "ddddd.1", Resume(budget=Micros(3_500_000), by="ada")),
    ]


async def test_what_was_discarded_together_comes_back_together() -> None:
    swarm = RecordedSwarm(Recording(rows=list(ROWS)))
    async with app_over(swarm).run_test(notifications=True, size=(80, 24)) as pilot:
        await pilot.press("space", "space", "ctrl+d")
        await seen(pilot, "discard 2 runs?")
        await pilot.press("y")
        await seen(pilot, "2 runs: done")
        await pilot.press("U")
        await seen(pilot, "bbbbb, ddddd are back")
    assert [verb for verb, _run, _body in swarm.asked] == ["discard"] * 2 + ["restore"] * 2


async def test_what_is_refused_in_a_batch_is_told_run_by_run() -> None:
    swarm = RecordedSwarm(Recording(rows=list(ROWS)))
    async with app_over(swarm).run_test(notifications=True, size=(80, 24)) as pilot:
        await pilot.press("asterisk", "x")
        await seen(pilot, "stop 2 runs?")
        swarm.refusal = NotNow("it is merging")
        await pilot.press("y")
        assert "aaaaa: it is merging" in await seen(pilot, "0 done, 2 refused")


class TwoRepositories(RecordedSwarm):
    """Lists another repository's task when all are asked for."""

    async def board(self, repo: str = "", past: int | None = None) -> Board:
        board = await super().board(repo)
        rows = [each for each in board.rows if not repo or each.task.id != TaskId("ccccc")]
        return Board(rows=tuple(rows), seq=board.seq, now=board.now)


async def test_0_lists_all_repositories_and_this_one_again() -> None:
    swarm = TwoRepositories(Recording(rows=list(ROWS)))
    async with app_over(swarm, loaded=False).run_test(notifications=True, size=(110, 24)) as pilot:
        assert "three" not in await seen(pilot, "one")
        await pilot.press("0")
        assert "acme-api: three" in await seen(pilot, "all repositories")
        await pilot.press("0")
        await seen(pilot, "three", gone=True)


async def test_the_checks_of_a_run_are_a_tab_of_it(swarm: RecordedSwarm) -> None:
    async with app_over(swarm).run_test(notifications=True, size=(160, 48)) as pilot:
        await pilot.press("j", "6")
        screen = await seen(pilot, "214 passed in 38.9s")
        assert "✓ make check" in screen


async def test_why_a_run_is_where_it_is_is_a_tab_of_it(swarm: RecordedSwarm) -> None:
    async with app_over(swarm).run_test(notifications=True, size=(160, 48)) as pilot:
        await pilot.press("7")
        assert "swarm stop h7fz4.1" in await seen(pilot, "evidence")


@pytest.mark.parametrize("size", [(80, 24), (100, 60), (80, 14), (160, 48), (120, 24)])
async def test_the_selected_run_is_in_sight_however_many_there_are(size: tuple[int, int]) -> None:
    rows = [row(f"k{n:04}", f"task number {n}", RunState.WORKING) for n in range(60)]
    async with app_over(RecordedSwarm(Recording(rows=rows))).run_test(size=size) as pilot:
        await pilot.press("G")
        await seen(pilot, "▌▸ k0059")
        await pilot.press("g")
        await seen(pilot, "▌▸ k0000")
