"""Every screen of the program drawn with ten thousand hostile texts, one screen after the other, by itself.

`python -m tests.support.flood` needs a terminal; a tall one shows many at once. What it writes between two of its
`HERE` was drawn by the screen that the first one names. `bare` is the board alone, without any defence.
"""

import asyncio
import os
import re
import sys
from collections.abc import Awaitable, Callable, Iterator
from itertools import cycle
from typing import Any, Final

from msgspec.structs import replace
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widgets import Input, Select, TextArea

from app import wire
from app.domain.errors import NotNow
from app.domain.ids import ReviewId, RunId, TaskId, run_id
from app.domain.network import Grant, NetworkRow
from app.domain.review import FileChange, TurnCommit
from app.domain.run import RunState
from app.tui.app import SwarmApp
from app.tui.safe import PrintableOnly
from app.tui.screens import command
from app.tui.screens.approve import ApproveScreen
from app.tui.screens.command import CommandScreen, OutputScreen
from app.tui.screens.commits import CommitsScreen
from app.tui.screens.cost import CostScreen
from app.tui.screens.dialogs import AskText, Confirm
from app.tui.screens.doctor import DoctorScreen
from app.tui.screens.edit_text import EditText, WriteText
from app.tui.screens.facts import FactsScreen
from app.tui.screens.help import HelpScreen
from app.tui.screens.inbox import InboxScreen
from app.tui.screens.new_task import NewTaskScreen
from app.tui.screens.pane import RunPane
from app.tui.screens.race import RaceScreen
from app.tui.screens.review import ReviewScreen
from app.tui.screens.run import RunScreen
from app.tui.screens.settings import SettingsScreen
from app.tui.screens.trash import TrashScreen
from app.tui.widgets import deaf
from app.tui.widgets.bars import Footer
from app.tui.widgets.line_view import LineView
from tests.support import hostile as evil
from tests.support.fleet import NOW, RecordedSwarm, Recording, app_over, review
from tests.support.hostile_texts import COUNT, mark, texts
from tests.support.screens import settled

MARK: Final = re.compile(mark(0).replace("0000", r"\d{4}"))
"""What tells the texts apart."""
HERE: Final = "\x1b]6;%s\x07"
EACH: Final = int(os.environ.get("SWARM_TEST_TEXTS", "150"))
"""Texts that every list says, each list other ones; the diff of a run says all of them."""
DONE: Final = "done"
"""Stands in place of a screen's name at the end: nothing has brought any of them down."""
MANY: Final = 60
"""Texts at once in a dialog, and candidates of a race."""
FEW: Final = 10
"""Different texts that every screen has drawn at the least."""
TASK: Final = TaskId("evil0")
RUN: Final = RunId("evil0.1")
Walk = Callable[[Pilot[None]], Awaitable[None]]


def flooded(say: evil.Say) -> Recording:
    """Every list of it as long as it takes to say every text once."""
    reviewed = evil.evil_row(
        say, TASK, RunState.IN_REVIEW, review=ReviewId(f"{RUN}-r1"), checks=tuple(_some(evil.checked, say, 2))
    )  # fmt: skip
    asking = [
        evil.evil_row(say, f"a{n}", RunState.WAITING, question=evil.asked(say, RunId(f"a{n}.1")))
        for n in range(EACH)
    ]
    found = [evil.found(say, level) for n in range(EACH // 6) for level in ("confirm", "warn")]
    return Recording(
        rows=[reviewed, *asking],
        agents=tuple(_some(evil.agent_line, say, 10)),
        hosts=tuple(_some(evil.host_line, say, 2)),
        trash=[evil.evil_row(say, f"t{n}", RunState.DISCARDED) for n in range(EACH)],
        health=tuple(_some(lambda say: wire.DoctorLine(name=say(), ok=False, found=say(), fix=say()), say, 3)),
        settings=tuple(_some(lambda say: wire.SettingLine(key=say(), value=say(), origin=say()), say, 3)),
        costs={by: tuple(_some(evil.cost_line, say, 1)) for by in ("task", "subagent")},
        reviews=[review(RUN, (), findings=tuple(found))],
        comments=[evil.commented(say, RUN, n) for n in range(EACH // 2)],
        diffs={RUN: _diff(iter(texts()).__next__, COUNT) + _files(say)},
        network={RUN: _network(say)},
        commits={RUN: tuple(_some(_commit, say, 4))},
    )  # fmt: skip


def _commit(say: evil.Say) -> TurnCommit:
    file = FileChange(path=say(), status="modified", insertions=1, deletions=1)
    return TurnCommit(turn=1, tree="1" * 40, files=(file,))


def _some(make: Callable[[evil.Say], Any], say: evil.Say, each: int) -> Iterator[Any]:
    """So many that all texts are said, where one says `each` of them."""
    return (make(say) for _ in range(EACH // each + 1))


def _diff(say: evil.Say, count: int) -> bytes:
    """A new file of so many texts."""
    head = b"diff --git a/f b/f\n--- a/f\n+++ b/f\n@@ -0,0 +1,%d @@\n" % count
    return head + b"".join(b"+%s\n" % _bytes(say()) for _ in range(count))


def _files(say: evil.Say) -> bytes:
    """Changed files whose names, headings and lines are texts."""
    made = b""
    for _ in range(EACH // 4):
        name, said, more = _bytes(say()), _bytes(say()), _bytes(say())
        made += b"diff --git a/%s b/%s\n--- a/%s\n+++ b/%s\n" % (name, name, name, name)
        made += b"@@ -1 +1 @@ %s\n-%s\n+%s\n" % (said, said, more)
    return made


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass").replace(b"\n", b"")


def _network(say: evil.Say) -> wire.Network:
    rows = (NetworkRow(host=say(), allowed=False, why=say(), times=1, sent=1, received=1, first=NOW, last=NOW)
            for _ in range(EACH // 2))  # fmt: skip
    grants = (Grant(host=say(), by=say(), at=NOW),)
    return wire.Network(run=RUN, hosts=(say(),), grants=grants, limit=9, left=1, rows=tuple(rows))


class Talkative(RecordedSwarm):
    """Its answers about a run's reasons and rules are hostile too."""

    def __init__(self, say: evil.Say) -> None:
        super().__init__(flooded(say))
        self.say = say
        self.refusal = NotNow(say(), hint=say())
        for turn in range(1, EACH // 20):
            evil.log(self.recording, RUN, say, turn)

    async def diff(
        self, run: str, *, review: bool = False, since: str = "", turn: int = 0
    ) -> bytes:
        if review or turn:
            return _diff(self.say, EACH) + _files(self.say)
        return await super().diff(run)

    async def why(self, run: str) -> wire.Why:
        known = await super().why(run)
        return replace(
            known,
            reason=self.say(),
            evidence=tuple(wire.Fact(what=self.say()) for _ in range(EACH)),
        )

    async def detail(self, run: str) -> wire.RunDetail:
        known = await super().detail(run)
        if not run.startswith("evil0"):
            return known
        runs = [
            replace(known.row.run, id=run_id(TASK, n), number=n, agent=self.say())
            for n in range(1, MANY)
        ]
        row = replace(known.row, run=replace(known.row.run, id=RunId(run)))
        return replace(known, runs=tuple(runs), row=row)

    def _row(self, run: str) -> wire.RunRow:
        return super()._row(RUN if run.startswith("evil0") else run)


def here(pilot: Pilot[None], name: str) -> None:
    """What is written from now on is drawn by this screen."""
    assert pilot.app._driver is not None
    pilot.app._driver.write(HERE % name)


async def drawn(pilot: Pilot[None]) -> None:
    """Write what there is to see to the terminal."""
    await asyncio.sleep(0)
    screen = pilot.app.screen
    while screen._layout_required:
        await asyncio.sleep(0.002)
    # Frames that come by themselves are left out on a busy machine: this one is not, and is the only one.
    pilot.app._display(screen, screen._compositor.render_update(full=True))
    screen._dirty_widgets.clear()


async def paged(pilot: Pilot[None], view: LineView) -> None:
    """Every line of it, page after page, if it is seen at all."""
    if not view.region.area:
        return
    height = max(view.scrollable_content_region.height, 1)
    for top in range(0, view.count, height):
        view.go_to(top)
        await drawn(pilot)


def _whole(pilot: Pilot[None]) -> None:
    """Every line is as wide as the terminal, and the keys at the bottom are ours."""
    app = pilot.app
    lines = app.screen._compositor.render_strips()
    assert {line.cell_length for line in lines} == {app.size.width}
    assert not (app.screen.query(Footer) and MARK.search(lines[-1].text)), lines[-1].text


async def shown(pilot: Pilot[None], screen: Screen[Any]) -> None:
    here(pilot, type(screen).__name__)
    await pilot.app.push_screen(screen)
    await settled(pilot)
    await drawn(pilot)
    _whole(pilot)


async def lists(pilot: Pilot[None]) -> None:
    """The screens that are lists, and every list on them."""
    app = pilot.app
    assert isinstance(app, SwarmApp)
    desk = app.desk
    here(pilot, "Board")
    for view in app.screen.query(LineView):
        await paged(pilot, view)
    for make in (InboxScreen, TrashScreen, CostScreen, DoctorScreen, SettingsScreen):
        await shown(pilot, make(desk))
        for view in app.screen.query(LineView):
            await paged(pilot, view)
        await app.pop_screen()
    await shown(pilot, RaceScreen(desk, RUN))
    for view in app.screen.query(LineView):
        await paged(pilot, view)
    await app.pop_screen()


async def one_run(pilot: Pilot[None]) -> None:
    app = pilot.app
    assert isinstance(app, SwarmApp)
    await shown(pilot, RunScreen(app.desk, TASK))
    pane = app.screen.query_one(RunPane)
    for tab in pane.VIEWS:
        pane.turn_to(tab)
        await settled(pilot)
        await paged(pilot, pane.view)
    await app.pop_screen()


async def one_review(pilot: Pilot[None]) -> None:
    app = pilot.app
    assert isinstance(app, SwarmApp)
    screen = ReviewScreen(app.desk, TASK)
    await shown(pilot, screen)
    for view in screen.query(LineView):
        await paged(pilot, view)
    assert screen.look is not None
    assert screen.review is not None
    await shown(pilot, FactsScreen(screen.look.detail, screen.review, screen.look.followed))
    await paged(pilot, app.screen.query_one(LineView))
    await app.pop_screen()
    findings = screen.review.findings[:MANY]
    asked = replace(screen.review, findings=findings)
    asked_for = ApproveScreen(
        app.desk, asked, title=findings[0].path, unsent=1, message=findings[0].why
    )
    await shown(pilot, asked_for)
    for _ in range(2):
        asked_for.action_do("style")
    await settled(pilot)
    await paged(pilot, app.screen.query_one(LineView))
    await app.pop_screen()
    commits = await app.desk.swarm.commits(RUN)
    await shown(pilot, CommitsScreen(app.desk, RUN, commits, findings[0].why))
    await paged(pilot, app.screen.query_one(LineView))
    await app.pop_screen()
    await app.pop_screen()  # fmt: skip


async def dialogs(pilot: Pilot[None]) -> None:
    """Those that ask something, many texts at a time."""
    app, every = pilot.app, texts()
    for first in range(0, EACH, MANY):
        some = "\n".join(every[first : first + MANY])
        for screen in (
            Confirm(every[first], some),
            AskText(every[first], some, value=every[first + 1], empty=every[first + 2]),
        ):
            await shown(pilot, screen)
            await app.pop_screen()
    await shown(pilot, WriteText(every[0], some, value=some, empty=every[1], done="send"))
    app.screen.query_one(TextArea).styles.height = app.size.height - 9
    app.screen.query_one(TextArea).cursor_blink = False
    await drawn(pilot)
    await app.pop_screen()
    await shown(pilot, EditText(every[0], every[1], value="\n".join(every[:EACH])))
    area = app.screen.query_one(TextArea)
    area.styles.height = app.size.height - 9
    area.cursor_blink = False
    await drawn(pilot)
    await app.pop_screen()


async def written(pilot: Pilot[None]) -> None:
    """What a person writes or pastes, and what a verb says."""
    app, every = pilot.app, texts()
    assert isinstance(app, SwarmApp)
    await shown(pilot, CommandScreen(every))
    for text in every[:20]:
        app.screen.query_one(Input).value = text[:80]
        await drawn(pilot)
    await app.pop_screen()
    command.PROGRAM = (sys.executable, "-m", "tests.support.hostile_texts")  # type: ignore[attr-defined, assignment]
    await shown(pilot, OutputScreen(app.desk, ["evil"]))
    await paged(pilot, app.screen.query_one(LineView))
    await app.pop_screen()
    await shown(pilot, NewTaskScreen(app.desk))
    app.screen.query_one("#goal", TextArea).text = "what would this do?"
    await settled(pilot)
    app.screen.query_one(Select).expanded = True
    await drawn(pilot)
    await app.pop_screen()
    await shown(pilot, HelpScreen("board"))
    await app.pop_screen()


WALKS: Final[tuple[Walk, ...]] = (lists, one_run, one_review, dialogs, written)


def main(words: list[str]) -> None:
    deaf.SECONDS = 0.0  # type: ignore[misc]
    bare = words == ["bare"]
    if bare:
        evil.without_cleaning()
        PrintableOnly.apply = lambda self, segments, background: segments  # type: ignore[method-assign]
    # What cannot be written at all ends a program that is bare of every defence.
    every = [text.encode("utf-8", "replace").decode() if bare else text for text in texts()]
    app = app_over(Talkative(cycle(every).__next__))

    async def walk(pilot: Pilot[Any]) -> None:
        await settled(pilot)
        for one in WALKS[:1] if bare else WALKS:
            await one(pilot)
        here(pilot, DONE)
        app.exit()

    app.run(auto_pilot=walk)


if __name__ == "__main__":
    main(sys.argv[1:])
