"""The board: what it lists, how it moves, what it asks the supervisor to do."""

import asyncio

import pytest
from textual.app import App

from app.client.client import Link
from app.domain import events as own
from app.domain.errors import NotNow
from app.domain.ids import ApprovalId, RunId
from app.domain.money import Micros
from app.domain.run import RunState
from app.tui.screens.pane import RunPane
from app.tui.widgets.bars import Title
from app.tui.widgets.diff_view import DiffView
from app.tui.widgets.fleet_table import FleetTable, columns, header, row_line
from app.tui.widgets.question_card import QuestionCard
from app.wire import Act, Resume, Retry
from harnesses import events as agent
from tests.support.fleet import NOW, RecordedSwarm, Recording, app_over, row, swap
from tests.support.screens import app_of, seen, settled, text_of


def selected(app: object) -> str:
    table = app_of(app).screen.query_one(FleetTable)  # type: ignore[arg-type]
    assert table.selected is not None
    return table.selected.task.id


async def test_the_first_frame_shows_the_runs_that_were_loaded(swarm: RecordedSwarm) -> None:
    async with app_over(swarm).run_test(notifications=True, size=(80, 24)) as pilot:
        assert "rename Budget" in text_of(pilot.app)


async def test_without_tasks_it_says_what_to_press() -> None:
    async with app_over(RecordedSwarm(Recording())).run_test(
        notifications=True, size=(80, 24)
    ) as pilot:
        await seen(pilot, "No tasks yet.")


async def test_the_columns_are_named_once_the_first_task_is_there() -> None:
    nothing_yet = RecordedSwarm(Recording())
    async with app_over(nothing_yet).run_test(notifications=True, size=(160, 48)) as pilot:
        await seen(pilot, "No tasks yet.")
        nothing_yet.recording.rows.append(row("aaaaa", "a first task", RunState.WORKING))
        await pilot.press("R")
        await seen(pilot, "a first task")
        titles = await seen(pilot, "±LINES")
        assert "COST  AGE" in titles.splitlines()[3]


async def test_outside_a_repository_it_says_where_to_go() -> None:
    app = app_over(RecordedSwarm(Recording()))
    app.desk.repo = ""
    async with app.run_test(notifications=True, size=(100, 30)) as pilot:
        await seen(pilot, "type `swarm` in yours")
        await pilot.press("n")
        await seen(pilot, "a task needs a repository")


async def test_outside_a_repository_every_run_says_which_one_it_is_of(swarm: RecordedSwarm) -> None:
    app = app_over(swarm)
    app.desk.repo = ""
    async with app.run_test(notifications=True, size=(160, 48)) as pilot:
        screen = await seen(pilot, "acme-api: rename Budget")
        assert "all repositories" in screen.splitlines()[0]


async def test_without_tasks_no_key_is_offered_that_needs_one() -> None:
    async with app_over(RecordedSwarm(Recording())).run_test(
        notifications=True, size=(160, 48)
    ) as pilot:
        keys = (await seen(pilot, "No tasks yet.")).splitlines()[-1]
        assert "n new task" in keys
        assert "d diff" not in keys
        assert "space mark" not in keys


async def test_while_nobody_answers_it_says_so_and_then_shows_what_there_is(
    swarm: RecordedSwarm,
) -> None:
    swarm.gone = True
    async with app_over(swarm, loaded=False).run_test(notifications=True, size=(80, 24)) as pilot:
        await seen(pilot, "supervisor gone")
        swarm.gone = False
        await seen(pilot, "rename Budget")
        assert "supervisor gone" not in text_of(pilot.app)


async def test_when_the_supervisor_goes_the_runs_stay(swarm: RecordedSwarm) -> None:
    async with app_over(swarm).run_test(notifications=True, size=(80, 24)) as pilot:
        swarm.hear(Link("down", "it hung up"))
        assert "rename Budget" in await seen(pilot, "supervisor gone")


@pytest.mark.parametrize(
    ("keys", "there"),
    [
        ((), "rename Budget"),
        (("enter",), "asks    Bash: git grep"),
        (("j", "enter"), "file 1/4"),
        (("I",), "1 question"),
        (("dollar_sign",), "COST"),
        (("T",), "TRASH"),
        (("equals_sign",), "COMPARE"),
        (("H",), "HEALTH"),
        (("comma",), "SETTINGS"),
    ],
)
async def test_every_screen_says_when_the_supervisor_is_gone(
    swarm: RecordedSwarm, keys: tuple[str, ...], there: str
) -> None:
    async with app_over(swarm).run_test(notifications=True, size=(120, 40)) as pilot:
        await pilot.press(*keys)
        await seen(pilot, there)
        swarm.hear(Link("down", "it hung up"))
        assert there in await seen(pilot, "supervisor gone · reconnecting")


async def test_a_supervisor_that_is_gone_is_started_by_a_key(swarm: RecordedSwarm) -> None:
    app = app_over(swarm)

    async def start() -> None:
        swarm.gone = False

    app.desk.start = start
    async with app.run_test(notifications=True, size=(120, 40)) as pilot:
        swarm.gone = True
        swarm.hear(Link("down", "it hung up"))
        await seen(pilot, "reconnecting · R starts it")
        await pilot.press("R")
        await seen(pilot, "supervisor gone", gone=True)


async def test_why_a_supervisor_does_not_start_is_said(swarm: RecordedSwarm) -> None:
    app = app_over(swarm)

    async def start() -> None:
        raise NotNow("the disk is full", hint="Make room.")

    app.desk.start = start
    async with app.run_test(notifications=True, size=(120, 40)) as pilot:
        swarm.gone = True
        swarm.hear(Link("down", "it hung up"))
        await seen(pilot, "R starts it")
        await pilot.press("R")
        await seen(pilot, "the disk is full")


async def test_where_it_is_narrow_what_needs_me_is_still_counted(swarm: RecordedSwarm) -> None:
    async with app_over(swarm).run_test(notifications=True, size=(40, 10)) as pilot:
        assert "1!  1?" in text_of(pilot.app).splitlines()[0]


async def test_after_a_gap_the_board_is_asked_for_again(swarm: RecordedSwarm) -> None:
    async with app_over(swarm).run_test(notifications=True, size=(80, 24)) as pilot:
        swarm.hear(Link("down", "it hung up"))
        await seen(pilot, "supervisor gone")
        swap(swarm.recording, "h7fz4", question=None, state=RunState.PARKED)
        swarm.hear(Link("up"))
        assert "supervisor gone" not in await seen(pilot, "asks you", gone=True)


async def test_an_event_shows_without_asking(swarm: RecordedSwarm) -> None:
    async with app_over(swarm).run_test(notifications=True, size=(80, 24)) as pilot:
        swarm.happens(RunId("m4rc2.1"), agent.ToolCall("t9", "Bash: make docs", "execute"))
        await seen(pilot, "make docs")


async def test_a_thousand_events_cost_a_few_repaints(swarm: RecordedSwarm) -> None:
    app = app_over(swarm)
    async with app.run_test(notifications=True, size=(80, 24)) as pilot:
        await settled(pilot)
        told: list[object] = []
        app.feed.tell = told.append
        for number in range(1000):
            swarm.happens(
                RunId("m4rc2.1"), agent.ToolCall(f"t{number}", f"Bash: {number}", "execute")
            )
        while app.desk.fleet.seq < len(swarm.recording.events):
            await asyncio.sleep(0.01)
    assert len(told) < 20


async def test_the_selection_stays_on_its_task_when_rows_change_place(swarm: RecordedSwarm) -> None:
    async with app_over(swarm).run_test(notifications=True, size=(80, 24)) as pilot:
        await pilot.press("j", "j", "j")
        before = selected(pilot)
        swap(swarm.recording, before, state=RunState.FAILED)
        swarm.happens(RunId(f"{before}.1"), own.StateChanged(RunState.FAILED))
        await seen(pilot, "failed")
        assert selected(pilot) == before


async def test_a_run_that_comes_first_does_not_take_the_selection_of_another(
    swarm: RecordedSwarm,
) -> None:
    async with app_over(swarm).run_test(notifications=True, size=(80, 24)) as pilot:
        swap(swarm.recording, "h7fz4", question=None, state=RunState.WORKING)
        swarm.happens(RunId("h7fz4.1"), own.Answered(ApprovalId("h7fz4.1-a1"), "yes", "bob"))
        await seen(pilot, "asks you", gone=True)
        assert selected(pilot) == "h7fz4"


async def test_a_new_task_appears_by_itself(swarm: RecordedSwarm) -> None:
    async with app_over(swarm).run_test(notifications=True, size=(80, 24)) as pilot:
        swarm.recording.rows.append(row("zzzzz", "brand new", RunState.IN_REVIEW))
        swarm.happens(RunId("zzzzz.1"), own.StateChanged(RunState.QUEUED))
        await seen(pilot, "brand new")


@pytest.mark.parametrize(
    ("keys", "expected"), [("jj", "t2xq7"), ("G", "c5hj6"), ("Gg", "h7fz4"), ("jk", "h7fz4")]
)
async def test_the_usual_keys_move(swarm: RecordedSwarm, keys: str, expected: str) -> None:
    async with app_over(swarm).run_test(notifications=True, size=(160, 48)) as pilot:
        await pilot.press(*keys)
        assert selected(pilot) == expected


async def test_the_exclamation_mark_goes_through_what_needs_me(swarm: RecordedSwarm) -> None:
    async with app_over(swarm).run_test(notifications=True, size=(80, 24)) as pilot:
        await pilot.press("!")
        await pilot.pause()
        assert selected(pilot) == "k3f9m"


async def test_the_filter_keeps_what_contains_the_words(swarm: RecordedSwarm) -> None:
    async with app_over(swarm).run_test(notifications=True, size=(80, 24)) as pilot:
        await pilot.press("slash", *"flaky", "enter")
        screen = await seen(pilot, "1 of 9")
        assert "rename Budget" not in screen


async def test_a_filter_that_nothing_passes_says_the_way_back(swarm: RecordedSwarm) -> None:
    async with app_over(swarm).run_test(notifications=True, size=(160, 48)) as pilot:
        await pilot.press("slash", *"zzz", "enter")
        await seen(pilot, "no run contains all of these words; esc shows all")
        await pilot.press("escape")
        await seen(pilot, "rename Budget")


def lit(app: App[None]) -> list[str]:
    return [title.title for title in app.screen.query(Title) if title.lit]


async def test_escape_takes_the_filter_away(swarm: RecordedSwarm) -> None:
    async with app_over(swarm).run_test(notifications=True, size=(80, 24)) as pilot:
        await pilot.press("slash", *"flaky", "enter", "escape")
        await seen(pilot, "rename Budget")


async def test_below_the_name_of_its_repository_no_row_says_it_again(swarm: RecordedSwarm) -> None:
    async with app_over(swarm).run_test(notifications=True, size=(160, 48)) as pilot:
        await pilot.press("0")
        await seen(pilot, "acme-api: rename Budget")
        await pilot.press("s", "s", "s")
        await seen(pilot, "by repository")
        assert "acme-api: " not in text_of(pilot.app)


async def test_the_title_of_the_list_that_hears_the_keys_is_lit(swarm: RecordedSwarm) -> None:
    async with app_over(swarm).run_test(notifications=True, size=(160, 48)) as pilot:
        await settled(pilot)
        assert lit(pilot.app) == ["runs"]
        await pilot.press("tab")
        await settled(pilot)
        assert lit(pilot.app) == ["h7fz4 · claude-code"]


async def test_letters_typed_into_the_filter_do_nothing_else(swarm: RecordedSwarm) -> None:
    async with app_over(swarm).run_test(notifications=True, size=(80, 24)) as pilot:
        await pilot.press("slash", *"xXnrq")
        assert pilot.app.is_running
    assert swarm.asked == []


async def test_x_stops_the_selected_run(swarm: RecordedSwarm) -> None:
    async with app_over(swarm).run_test(notifications=True, size=(80, 24)) as pilot:
        await pilot.press("x")
        await seen(pilot, "is stopping")
    assert swarm.asked == [("stop", "h7fz4.1", Act(by="ada"))]


async def test_stop_all_asks_first_and_then_stops_everything_that_works(
    swarm: RecordedSwarm,
) -> None:
    async with app_over(swarm).run_test(notifications=True, size=(80, 24)) as pilot:
        await pilot.press("X")
        await seen(pilot, "stop 4 runs?")
        assert swarm.asked == []
        await pilot.press("y")
        await pilot.pause()
    assert {about for _verb, about, _body in swarm.asked} == {
        "h7fz4.1",
        "p6tw8.1",
        "m4rc2.1",
        "b8vn5.1",
    }


@pytest.mark.usefixtures("deaf_ears")
async def test_a_dialog_does_not_hear_what_was_typed_before_it_appeared(
    swarm: RecordedSwarm,
) -> None:
    async with app_over(swarm).run_test(notifications=True, size=(80, 24)) as pilot:
        await pilot.press("X")
        await seen(pilot, "stop 4 runs?")
        await pilot.press("y")
        await seen(pilot, "stop 4 runs?")
    assert swarm.asked == []


async def test_discard_asks_first(swarm: RecordedSwarm) -> None:
    async with app_over(swarm).run_test(notifications=True, size=(80, 24)) as pilot:
        await pilot.press("j", "ctrl+d")
        await seen(pilot, "discard k3f9m?")
        await pilot.press("escape")
        await pilot.pause()
    assert swarm.asked == []


async def test_discard_discards_when_confirmed(swarm: RecordedSwarm) -> None:
    async with app_over(swarm).run_test(notifications=True, size=(80, 24)) as pilot:
        await pilot.press("j", "ctrl+d")
        await seen(pilot, "discard k3f9m?")
        await pilot.press("y")
        await pilot.pause()
    assert swarm.asked == [("discard", "k3f9m.1", Act(by="ada"))]


async def test_what_was_discarded_comes_back_by_a_key(swarm: RecordedSwarm) -> None:
    async with app_over(swarm).run_test(notifications=True, size=(80, 24)) as pilot:
        await pilot.press("U")
        await seen(pilot, "nothing was discarded here")
        await pilot.press("j", "ctrl+d")
        await seen(pilot, "discard k3f9m?")
        await pilot.press("y")
        await pilot.pause()
        await pilot.press("U")
        await seen(pilot, "k3f9m is back")
    assert swarm.asked[-1] == ("restore", "k3f9m.1", Act(by="ada"))


async def test_a_merge_is_taken_back_by_a_key_after_asking() -> None:
    landed = row("aaaaa", "one", RunState.MERGED, lines=(1, 0, 1))
    swarm = RecordedSwarm(Recording(rows=[landed]))
    async with app_over(swarm).run_test(notifications=True, size=(80, 24)) as pilot:
        await pilot.press("Z")
        await seen(pilot, "undo the merge of aaaaa?")
        await pilot.press("escape", "Z")
        await seen(pilot, "undo the merge of aaaaa?")
        await pilot.press("y")
        await seen(pilot, "the merge of aaaaa is undone")
    assert swarm.asked == [("undo", "aaaaa.1", Act(by="ada"))]


async def test_a_run_parked_by_its_budget_goes_on_with_a_new_cap(swarm: RecordedSwarm) -> None:
    async with app_over(swarm).run_test(notifications=True, size=(80, 24)) as pilot:
        await pilot.press("j", "j", "r")
        await seen(pilot, "It has spent $2.00 of $2.00")
        await pilot.press(*["backspace"] * 4, *"3.50", "enter")
        await pilot.pause()
    assert swarm.asked == [("resume", "t2xq7.1", Resume(budget=Micros(3_500_000), by="ada"))]


async def test_a_cap_that_is_no_amount_is_refused_in_words(swarm: RecordedSwarm) -> None:
    async with app_over(swarm).run_test(notifications=True, size=(80, 24)) as pilot:
        await pilot.press("j", "j", "r")
        await seen(pilot, "It has spent")
        await pilot.press(*"much", "enter")
        await seen(pilot, "not an amount")
    assert swarm.asked == []


async def test_a_failed_run_starts_afresh() -> None:
    swarm = RecordedSwarm(Recording(rows=[row("aaaaa", "work", RunState.FAILED)]))
    async with app_over(swarm).run_test(notifications=True, size=(80, 24)) as pilot:
        await pilot.press("r")
        await pilot.pause()
    assert swarm.asked == [("retry", "aaaaa.1", Retry(by="ada"))]


async def test_what_the_supervisor_refuses_is_said_with_the_way_out(swarm: RecordedSwarm) -> None:
    swarm.refusal = NotNow("the run is merging", hint="Wait a moment.")
    async with app_over(swarm).run_test(notifications=True, size=(80, 24)) as pilot:
        await pilot.press("x")
        assert "Wait a moment." in await seen(pilot, "the run is merging")


async def test_d_shows_the_diff(swarm: RecordedSwarm) -> None:
    async with app_over(swarm).run_test(notifications=True, size=(160, 48)) as pilot:
        await pilot.press("d")
        await seen(pilot, "def left(self)")
        assert isinstance(pilot.app.focused, DiffView)


async def test_a_new_snapshot_renews_the_diff_and_keeps_the_place(swarm: RecordedSwarm) -> None:
    async with app_over(swarm).run_test(notifications=True, size=(160, 48)) as pilot:
        await pilot.press("d")
        await seen(pilot, "def left(self)")
        await pilot.press(*"jjjjjjjj")
        view = pilot.app.screen.query_one("#diff", DiffView)
        place = view.place()
        old = swarm.recording.diffs[RunId("h7fz4.1")]
        swarm.recording.diffs[RunId("h7fz4.1")] = (
            b"diff --git a/A b/A\n--- a/A\n+++ b/A\n@@ -1 +1 @@\n-x\n+y\n" + old
        )
        swarm.happens(RunId("h7fz4.1"), own.Snapshotted("6" * 40, 4, 19, 5))
        await seen(pilot, "+19 -5")
        await settled(pilot)
        assert (view.place(), view.diff.files[0].path) == (place, "A")


async def test_the_files_tab_leads_to_the_file(swarm: RecordedSwarm) -> None:
    async with app_over(swarm).run_test(notifications=True, size=(160, 48)) as pilot:
        await pilot.press("3")
        await seen(pilot, "src/api/cli.py")
        pane = pilot.app.screen.query_one(RunPane)
        pane.view.focus()
        await pilot.press("j", "enter")
        await seen(pilot, "[2 Diff]")
        assert pilot.app.screen.query_one("#diff", DiffView).place() == ("src/api/cli.py", 1)


async def test_the_cost_tab_says_what_was_spent_by_which_model(swarm: RecordedSwarm) -> None:
    async with app_over(swarm).run_test(notifications=True, size=(160, 48)) as pilot:
        await pilot.press("4")
        screen = await seen(pilot, "MODEL")
        assert "$0.31 of $2.00" in screen


async def test_peek_gives_the_detail_all_the_room(swarm: RecordedSwarm) -> None:
    async with app_over(swarm).run_test(notifications=True, size=(80, 24)) as pilot:
        await pilot.press("p")
        await seen(pilot, "needs you first", gone=True)
        await pilot.press("p")
        await seen(pilot, "needs you first")


async def test_what_the_run_did_before_is_in_the_log(swarm: RecordedSwarm) -> None:
    async with app_over(swarm).run_test(notifications=True, size=(160, 48)) as pilot:
        await seen(pilot, "I'll look at every use of the field first.")


async def test_the_log_follows_its_end_until_one_scrolls_up(swarm: RecordedSwarm) -> None:
    run = RunId("h7fz4.1")
    async with app_over(swarm).run_test(notifications=True, size=(80, 24)) as pilot:
        await seen(pilot, "asks    Bash: git grep")
        await pilot.press("b")
        swarm.happens(run, *(own.Note(f"remark {number}") for number in range(5)))
        screen = await seen(pilot, "▾ 5 new")
        assert "remark 4" not in screen


@pytest.mark.parametrize(
    ("isolation", "banner"), [("none", "NO SANDBOX"), ("namespaces", "NO CONTAINER")]
)
async def test_a_banner_stays_while_agents_are_not_in_containers(
    swarm: RecordedSwarm, isolation: str, banner: str
) -> None:
    app = app_over(swarm, isolation=isolation)
    async with app.run_test(notifications=True, size=(80, 24)) as pilot:
        await seen(pilot, banner)


async def test_the_editor_is_named_when_none_is_set(
    swarm: RecordedSwarm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.delenv("EDITOR", raising=False)
    async with app_over(swarm).run_test(notifications=True, size=(80, 24)) as pilot:
        await pilot.press("e")
        await seen(pilot, "no editor is set")


async def test_the_branch_is_copied(swarm: RecordedSwarm) -> None:
    app = app_over(swarm)
    async with app.run_test(notifications=True, size=(80, 24)) as pilot:
        await pilot.press("y")
        await pilot.pause()
    assert app.clipboard == "swarm/rename-budget.total-to-budget.limit"


async def test_the_card_is_gone_when_another_run_is_selected(swarm: RecordedSwarm) -> None:
    async with app_over(swarm).run_test(notifications=True, size=(80, 24)) as pilot:
        await pilot.press("j")
        await seen(pilot, "the agent asks", gone=True)
        assert pilot.app.screen.query_one(QuestionCard).question is None


@pytest.mark.parametrize("width", [30, 49, 50, 71, 72, 89, 90, 95, 96, 160])
def test_a_row_and_its_titles_have_the_width_of_the_list(width: int) -> None:
    line = row_line(
        row("aaaaa", "a goal that is long enough for any list " * 5, RunState.WORKING), width, NOW
    )
    of_row = len("".join(text for text, _ink in line))
    of_titles = len("".join(text for text, _ink in header(width)))
    assert (of_row, of_titles) == (width, width)


def test_a_row_shows_its_cost_against_its_budget_as_a_bar() -> None:
    half = row("aaaaa", "a goal", RunState.WORKING, spent=1.0, budget=2.0)
    bars = {text: ink for text, ink in row_line(half, 100, NOW) if "█" in text or "░" in text}
    assert bars == {"██": "bar", "░░": "trough"}


@pytest.mark.parametrize("state", [RunState.IN_REVIEW, RunState.PARKED])
def test_of_a_run_that_waits_for_me_the_age_says_since_when(state: RunState) -> None:
    waits = row("aaaaa", "a goal", state, minutes=90, activity_at=NOW - 120)
    assert row_line(waits, 100, NOW)[-1][0].strip() == "2m"


def test_a_bar_that_is_nearly_full_is_told_by_its_colour_too() -> None:
    nearly = row("aaaaa", "a goal", RunState.WORKING, spent=1.9, budget=2.0)
    assert ("████", "warn") in row_line(nearly, 100, NOW)


def test_a_narrow_list_still_has_room_for_the_goal() -> None:
    assert columns(40).goal >= 12
