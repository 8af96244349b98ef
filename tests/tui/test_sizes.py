"""Every screen draws at every size, and a few look exactly as they did."""

from pathlib import Path

import pytest

from app.domain.ids import RunId
from app.tui.screens.board import Board
from tests.support.fleet import RecordedSwarm, Recording, app_over
from tests.support.pictures import SCENES
from tests.support.screens import settled, text_of

SNAPSHOTS = Path(__file__).parent / "snapshots"
WAYS: dict[str, tuple[str, ...]] = {
    "run": ("enter",),
    "review": ("j", "enter"),
    "approval": ("j", "enter", "M"),
    "checks": ("j", "enter", "i"),
    "help": ("question_mark",),
    "form": ("n",),
    "confirm": ("X",),
    "palette": ("ctrl+p",),
    "command line": ("colon",),
    "cost": ("4",),
    "checks of a run": ("6",),
    "why": ("7",),
    "inbox": ("I",),
}


@pytest.mark.parametrize("size", [(40, 10), (60, 15), (80, 24), (110, 30), (160, 48)])
async def test_every_screen_draws_at_this_size(swarm: RecordedSwarm, size: tuple[int, int]) -> None:
    async with app_over(swarm).run_test(notifications=True, size=size) as pilot:
        await settled(pilot)
        for keys in WAYS.values():
            for key in keys:
                await pilot.press(key)
                await settled(pilot)
            assert 0 < len(text_of(pilot.app).splitlines()) <= size[1]
            while not isinstance(pilot.app.screen, Board):
                await pilot.press("escape")
            await pilot.press("escape", "g")


async def test_a_screen_that_changes_its_size_goes_on(swarm: RecordedSwarm) -> None:
    async with app_over(swarm).run_test(notifications=True, size=(160, 48)) as pilot:
        for size in ((80, 24), (40, 10), (20, 5), (200, 60), (80, 24)):
            await pilot.resize_terminal(*size)
            await settled(pilot)
        assert "rename Budget" in text_of(pilot.app)


async def test_an_empty_board_draws_at_the_smallest_size() -> None:
    async with app_over(RecordedSwarm(Recording())).run_test(
        notifications=True, size=(20, 5)
    ) as pilot:
        await settled(pilot)
        assert "No tasks yet" in text_of(pilot.app)


async def test_a_diff_of_a_hundred_thousand_lines_is_there_to_its_end(swarm: RecordedSwarm) -> None:
    lines = b"".join(b"+line %d\n" % number for number in range(1, 100_001))
    heading = b"diff --git a/big b/big\nnew file mode 100644\n--- /dev/null\n+++ b/big\n@@ -0,0 +1,100000 @@\n"
    swarm.recording.diffs[RunId("h7fz4.1")] = heading + lines
    async with app_over(swarm).run_test(notifications=True, size=(80, 24)) as pilot:
        await pilot.press("d")
        await settled(pilot)
        await pilot.press("G")
        await settled(pilot)
        assert "line 100000" in text_of(pilot.app)


@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
@pytest.mark.parametrize("scene", SCENES)
async def test_it_looks_as_it_did(swarm: RecordedSwarm, scene: str, size: tuple[int, int]) -> None:
    async with app_over(swarm).run_test(notifications=True, size=size) as pilot:
        await settled(pilot)
        for key in SCENES[scene]:
            await pilot.press(key)
            await settled(pilot)
        seen = text_of(pilot.app)
    target = SNAPSHOTS / f"{scene}-{size[0]}x{size[1]}.txt"
    assert seen == target.read_text(encoding="utf-8"), (
        "if it is meant: python -m tests.support.pictures snapshots"
    )
