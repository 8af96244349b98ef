"""One run with all the room: log, diff, cost, and the way back."""

import asyncio

import pytest
from textual import events

from app import wire
from app.domain import events as own
from app.domain.ids import RunId
from app.tui.desk import Desk
from app.tui.model.transcript import Transcript
from app.tui.widgets.log_view import LogView
from harnesses import events as agent
from tests.support.fleet import RecordedSwarm, app_over
from tests.support.screens import seen

RUN = RunId("h7fz4.1")


async def test_enter_opens_the_run_with_its_log(swarm: RecordedSwarm) -> None:
    async with app_over(swarm).run_test(notifications=True, size=(160, 48)) as pilot:
        await pilot.press("enter")
        assert "I'll look at every use of the field first." in await seen(
            pilot, "the agent's last words"
        )


async def test_what_happens_now_is_appended(swarm: RecordedSwarm) -> None:
    async with app_over(swarm).run_test(notifications=True, size=(80, 24)) as pilot:
        await pilot.press("enter")
        await seen(pilot, "asks    Bash: git grep")
        swarm.happens(
            RUN, agent.MessageChunk("Now I know ", "m9"), agent.MessageChunk("what to do.", "m9")
        )
        await seen(pilot, "Now I know what to do.")


async def test_z_unfolds_what_tools_gave_back(swarm: RecordedSwarm) -> None:
    async with app_over(swarm).run_test(notifications=True, size=(160, 48)) as pilot:
        await pilot.press("enter")
        await seen(pilot, "asks    Bash: git grep")
        await pilot.press("z")
        await seen(pilot, "src/api/budget.py:41")
        await pilot.press("z")
        await seen(pilot, "src/api/budget.py:41", gone=True)


async def test_what_it_changes_stands_beside_the_log_where_there_is_room(
    swarm: RecordedSwarm,
) -> None:
    async with app_over(swarm).run_test(notifications=True, size=(160, 48)) as pilot:
        await pilot.press("enter")
        await seen(pilot, "asks    Bash: git grep")
        screen = await seen(pilot, "files touched")
        assert '"""Money a run may spend."""' in screen
        assert "budget.py" in screen


async def test_beside_the_log_a_new_snapshot_shows_by_itself(swarm: RecordedSwarm) -> None:
    async with app_over(swarm).run_test(notifications=True, size=(160, 48)) as pilot:
        await pilot.press("enter")
        await seen(pilot, '"""Money a run may spend."""')
        swarm.recording.diffs[RUN] += (
            b"diff --git a/news.py b/news.py\nnew file mode 100644\n"
            b"--- /dev/null\n+++ b/news.py\n@@ -0,0 +1 @@\n+pass\n"
        )
        swarm.happens(RUN, own.Snapshotted("6" * 40, 4, 19, 4))
        await seen(pilot, "news.py")


async def test_the_change_is_not_shown_twice(swarm: RecordedSwarm) -> None:
    async with app_over(swarm).run_test(notifications=True, size=(160, 48)) as pilot:
        await pilot.press("enter")
        await seen(pilot, "files touched")
        await pilot.press("d")
        await seen(pilot, "files touched", gone=True)
        assert (await seen(pilot, '"""Money a run may spend."""')).count("Money a run") == 1
        await pilot.press("1")
        await seen(pilot, "files touched")


async def test_the_diff_of_a_run_is_a_key_away(swarm: RecordedSwarm) -> None:
    async with app_over(swarm).run_test(notifications=True, size=(80, 24)) as pilot:
        await pilot.press("enter")
        await seen(pilot, "asks    Bash: git grep")
        await pilot.press("d")
        await seen(pilot, '"""Money a run may spend."""')


async def test_the_next_one_that_needs_me_takes_its_place(swarm: RecordedSwarm) -> None:
    async with app_over(swarm).run_test(notifications=True, size=(80, 24)) as pilot:
        await pilot.press("enter")
        await seen(pilot, "asks    Bash: git grep")
        await pilot.press("!")
        await seen(pilot, "REVIEW k3f9m")
        await pilot.press("escape")
        await seen(pilot, "needs you first")


async def test_an_event_seen_while_the_log_was_read_is_in_it_once(swarm: RecordedSwarm) -> None:
    app = app_over(swarm)
    async with app.run_test(notifications=True, size=(80, 24)) as pilot:
        await seen(pilot, "asks    Bash: git grep")
        swarm.happens(RUN, own.Note("said once"))
        await seen(pilot, "said once")
        transcript = app.desk.transcript(RUN)
        assert transcript is not None
        assert [entry.text for entry in transcript.entries].count("said once") == 1


async def test_a_message_to_the_agent_is_written_and_sent(swarm: RecordedSwarm) -> None:
    async with app_over(swarm).run_test(notifications=True, size=(80, 24)) as pilot:
        await pilot.press("enter")
        await seen(pilot, "asks    Bash: git grep")
        await pilot.press("m")
        await seen(pilot, "to the agent of h7fz4")
        await pilot.press(*"mind it", "enter")
        await seen(pilot, "h7fz4 is told")
        assert swarm.asked == [("tell", RUN, wire.Tell(text="mind it", by="ada"))]


async def test_what_is_pasted_to_the_agent_keeps_its_lines(swarm: RecordedSwarm) -> None:
    async with app_over(swarm).run_test(notifications=True, size=(80, 24)) as pilot:
        await pilot.press("enter", "m")
        await seen(pilot, "to the agent of h7fz4")
        pilot.app.post_message(events.Paste("it fails:\n  line 1\n"))
        await seen(pilot, "line 1")
        await pilot.press(*"and", "ctrl+j", *"so", "enter")
        await seen(pilot, "h7fz4 is told")
    assert swarm.asked == [("tell", RUN, wire.Tell(text="it fails:\n  line 1\nand\nso", by="ada"))]


async def test_a_log_that_comes_while_the_program_ends_does_no_harm(
    swarm: RecordedSwarm, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone, told = asyncio.Event(), asyncio.Event()
    read = Desk.read

    async def late(desk: Desk, run: RunId) -> Transcript:
        told.set()
        await gone.wait()
        return await read(desk, run)

    monkeypatch.setattr(Desk, "read", late)
    monkeypatch.setattr(LogView, "on_unmount", lambda _self: gone.set(), raising=False)
    async with app_over(swarm).run_test(notifications=True, size=(80, 24)):
        await told.wait()
