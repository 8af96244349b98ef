"""One verb for many runs: asked once with all of them listed, done one by one, and told how it went."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

from app import wire
from app.domain.errors import SwarmError
from app.domain.money import Micros, dollars
from app.domain.run import ACTIVE, RunState
from app.tui.actions import find
from app.tui.keymap import possible
from app.tui.messages import Refresh
from app.tui.model.line import one_line
from app.tui.model.show import name, state_of
from app.tui.screens import verbs
from app.tui.screens.base import SwarmScreen
from app.tui.screens.dialogs import AskText, Confirm
from app.wire import RunRow

LISTED: Final = 10


@dataclass(frozen=True, slots=True)
class Batch:
    """How a verb is asked about, and what it does to one run."""

    title: str
    each: Callable[[SwarmScreen, RunRow, Micros | None], Awaitable[object]]


async def _stop(screen: SwarmScreen, row: RunRow, _cap: Micros | None) -> None:
    await screen.desk.swarm.stop(row.run.id, wire.Act(by=screen.desk.user))


async def _discard(screen: SwarmScreen, row: RunRow, _cap: Micros | None) -> None:
    await screen.desk.swarm.discard(row.run.id, wire.Act(by=screen.desk.user))


async def _again(screen: SwarmScreen, row: RunRow, cap: Micros | None) -> None:
    swarm, by = screen.desk.swarm, screen.desk.user
    if row.run.state is RunState.FAILED:
        await swarm.retry(row.run.id, wire.Retry(by=by))
    else:
        budget = cap if row.run.state is RunState.PARKED else None
        await swarm.resume(row.run.id, wire.Resume(budget=budget, by=by))


BATCHES: Final = {
    "stop": Batch("stop {}?", _stop),
    "again": Batch("{} go on?", _again),
    "discard": Batch("discard {}?", _discard),
}


async def together(screen: SwarmScreen, what: str, marked: Sequence[RunRow]) -> bool:
    """Do it to those of the marked runs that it makes sense for; says whether anything was done."""
    action, batch = find("board", what), BATCHES[what]
    rows = [row for row in marked if possible(action, state_of(row))]
    if not rows:
        screen.say(f"{action.label} is possible for none of the {len(marked)} marked runs")
        return False
    cap = None
    if any(row.run.state is RunState.PARKED for row in rows) and what == "again":
        cap = await _one_cap(screen, rows)
        if cap is None:
            return False
    elif not await screen.app.push_screen_wait(
        Confirm(batch.title.format(_runs(rows)), listing(rows))
    ):
        return False
    await _done_to(screen, batch, rows, cap, discards=what == "discard")
    return True


async def stop_all(screen: SwarmScreen) -> None:
    """Every run that works, those that race for a task too; one that cannot be stopped holds up no other."""
    fleet, stopping = screen.desk.fleet, find("board", "stop")
    known = [*fleet.ordered(), *fleet.rivals.values()]
    rows = [row for row in known if row.run.state in ACTIVE and possible(stopping, row.run.state)]
    if not rows:
        screen.say("nothing works at the moment")
    elif await screen.app.push_screen_wait(Confirm(f"stop {_runs(rows)}?", listing(rows))):
        await _done_to(screen, BATCHES["stop"], rows, None, discards=False)


async def _done_to(
    screen: SwarmScreen, batch: Batch, rows: list[RunRow], cap: Micros | None, *, discards: bool
) -> None:
    done, refused = [], []
    for row in rows:
        try:
            await batch.each(screen, row, cap)
            done.append(row.run.id)
        except SwarmError as error:
            refused.append(f"{name(row)}: {error.message}")
    if discards and done:
        screen.desk.discarded.append(tuple(done))
    if refused:
        told = "\n".join(refused[:3]) + (f"\n… and {len(refused) - 3} more" * (len(refused) > 3))
        screen.say(f"{len(done)} done, {len(refused)} refused", hint=told, bad=True)
    else:
        screen.say(f"{_runs(rows)}: done")
    screen.post_message(Refresh())


async def _one_cap(screen: SwarmScreen, rows: list[RunRow]) -> Micros | None:
    """The new limit of those that are parked, the same for each."""
    parked = [row for row in rows if row.run.state is RunState.PARKED]
    most = max(row.run.budget for row in parked)
    text = listing(rows) + f"\n\n{_runs(parked)} are parked. What may each of them spend at most?"
    typed = await screen.app.push_screen_wait(
        AskText(f"{_runs(rows)} go on", text, value=dollars(most * 2).removeprefix("$"))
    )
    return None if typed is None else verbs.amount(screen, typed)


def listing(rows: Sequence[RunRow]) -> str:
    """A line for each run, as dialogs show them."""
    listed = "\n".join(f"{name(row)}  {one_line(row.task.goal)}" for row in rows[:LISTED])
    return listed + (f"\n… and {len(rows) - LISTED} more" if len(rows) > LISTED else "")


def _runs(rows: Sequence[RunRow]) -> str:
    return "1 run" if len(rows) == 1 else f"{len(rows)} runs"
