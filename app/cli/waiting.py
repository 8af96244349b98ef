"""Waiting for a run: its events as they happen, until nothing more happens by itself."""

from collections.abc import AsyncIterator, Collection

from app.cli.call import Call
from app.cli.narrate import Narrator
from app.client.client import CaughtUp, Link, Swarm
from app.client.launch import find_or_start
from app.domain.errors import BudgetSpent, EnvironmentProblem, NeedsHuman, SwarmError
from app.domain.events import Event, StateChanged
from app.domain.run import ACTIVE, Run, RunState

RESTING = frozenset(set(RunState) - ACTIVE)
"""States in which swarm has nothing more to do by itself."""
STRIKES = 3


async def events_until(
    call: Call, swarm: Swarm, run: str, *, ends: Collection[RunState], since: int = 0
) -> AsyncIterator[Event]:
    """The run's events after `since`, until the newest state is one of `ends`; survives a lost connection."""
    state: RunState | None = None
    link = _Link(call)
    async for item in swarm.follow(since=since, run=run):
        if isinstance(item, Event):
            since = item.seq
            if isinstance(item.body, StateChanged):
                state = item.body.state
            yield item
        else:
            await link.hear(item)
        if link.caught_up and state in ends:
            break
    async for rest in swarm.events(since=since, run=run, follow=False):
        if isinstance(rest, Event):
            yield rest


class _Link:
    """The connection while something is waited for: told once when it is lost, mended by a new supervisor."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._lost = 0
        self.caught_up = False

    async def hear(self, news: CaughtUp | Link) -> None:
        """Take news of the connection. Raises when three supervisors in a row could not be started."""
        if isinstance(news, CaughtUp):
            self.caught_up, self._lost = True, 0
        elif news.state == "down":
            await self._mend(news.why)

    async def _mend(self, why: str) -> None:
        self._lost += 1
        if self._lost == 1:
            self._call.say(f"{why}; going on when a supervisor is back")
        try:
            await find_or_start(self._call.state)
        except EnvironmentProblem:
            # The old one may still be on its way out.
            if self._lost >= STRIKES:
                raise


async def watch(call: Call, swarm: Swarm, run: str, *, since: int = 0) -> Run:
    """Narrate what happens to the run until it rests; the run as it is then."""
    narrator = Narrator()
    async for event in events_until(call, swarm, run, ends=RESTING, since=since):
        for line in narrator.lines(event):
            call.say(line)
    for line in narrator.rest():
        call.say(line)
    return (await swarm.detail(run)).row.run


def verdict_on(run: Run) -> SwarmError | None:
    """What a command that waited has to report; nothing when the change has landed."""
    what = f"{run.id} is {run.state}" + (f": {run.reason}" if run.reason else "")
    match run.state:
        case RunState.MERGED:
            return None
        case RunState.IN_REVIEW:
            look = f"Look with `swarm diff {run.id}`, then `swarm approve {run.id}`."
            return NeedsHuman(what, hint=look)
        case RunState.PARKED:
            return BudgetSpent(what, hint=f"Go on with `swarm resume {run.id} --budget USD`.")
        case _:
            return SwarmError(what, hint=f"See `swarm why {run.id}` and `swarm logs {run.id}`.")
