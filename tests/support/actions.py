"""What a user can do with swarm, over the real local API, so that tests read as stories."""

import asyncio
import time
from pathlib import Path

from app import wire
from app.client.client import Swarm
from app.domain.events import Event
from app.domain.money import parse_dollars
from app.domain.review import Approval, LandingStyle, Review
from app.domain.run import SETTLED, RunState
from tests.support.patience import PATIENCE
from tests.support.repos import run_git

USER = "ada"
AT_REST = SETTLED | {RunState.PARKED}
"""States that a run leaves only when somebody asks for it."""


class SwarmActions:
    """A user in a repository."""

    def __init__(self, client: Swarm, repo: Path) -> None:
        self.client = client
        self.repo = repo

    async def submit(
        self,
        goal: str = "Write a note",
        *,
        agent: str = "",
        checks: tuple[str, ...] | None = None,
        budget: str = "",
        base: str = "",
        allow_network: tuple[str, ...] = (),
    ) -> str:
        """Give a task; the id of its first run."""
        new = wire.NewTask(
            goal=goal,
            repo=str(self.repo),
            agent=agent,
            base=base,
            checks=checks,
            budget=parse_dollars(budget) if budget else None,
            allow_network=allow_network,
            submitter=USER,
        )
        return (await self.client.submit(new)).run.id

    async def until(self, run: str, *states: RunState, seconds: float = PATIENCE) -> wire.RunDetail:
        """Wait until the run is in one of the states; fails with the run's own reasons when it never is."""
        deadline = time.monotonic() + seconds
        while True:
            detail = await self.client.detail(run)
            if detail.row.run.state in states:
                return detail
            if detail.row.run.state in AT_REST or time.monotonic() > deadline:
                raise AssertionError(f"{run} never became {states}: {await self._story(run)}")
            await asyncio.sleep(0.1)

    async def review(self, run: str) -> Review:
        """The review that is open, once there is one."""
        return (await self.until(run, RunState.IN_REVIEW)).reviews[-1]

    async def approve(
        self,
        run: str,
        *,
        confirmed: tuple[str, ...] = (),
        message: str = "",
        style: LandingStyle = "squash",
    ) -> wire.RunDetail:
        """Approve what is shown, and wait until it has landed or come back."""
        shown = await self.review(run)
        commits = await self.client.commits(run) if style == "rebase" else ()
        body = wire.Approve(
            review=shown.id,
            tree=shown.result_tree,
            confirmed=confirmed,
            message=message,
            style=style,
            commits=tuple(each.tree for each in commits),
            by=USER,
        )
        await self.client.approve(run, body)
        return await self.until(run, RunState.MERGED, RunState.IN_REVIEW)

    async def settled(self, run: str, seconds: float = PATIENCE) -> None:
        """Wait until swarm has cleaned up after the run: its key is worthless and nothing of it runs."""
        state = (await self.client.detail(run)).row.run.state
        deadline = time.monotonic() + seconds
        while not await self._cleaned(run, state):
            if time.monotonic() > deadline:
                raise AssertionError(f"{run} was never cleaned up: {await self._story(run)}")
            await asyncio.sleep(0.05)

    async def wrote(self, run: str, path: str) -> None:
        """Wait until the agent's file shows in the run's worktree, while the agent is still at work."""
        working = await self.until(run, RunState.WORKING)
        deadline = time.monotonic() + PATIENCE
        while not Path(working.row.run.worktree, path).exists():
            if time.monotonic() > deadline:
                raise AssertionError(f"{path} never showed: {await self._story(run)}")
            await asyncio.sleep(0.05)

    async def question(self, run: str) -> Approval:
        """The question the run asks, once it does."""
        while (detail := await self.until(run, RunState.WAITING)).row.question is None:
            await asyncio.sleep(0.02)
        return detail.row.question

    async def answer(self, question: Approval, *, yes: bool, note: str = "") -> Approval:
        return await self.client.answer(question.id, wire.Answer(yes=yes, note=note, by=USER))

    async def stop(self, run: str) -> wire.RunRow:
        return await self.client.stop(run, wire.Act(by=USER))

    async def discard(self, run: str) -> wire.RunRow:
        return await self.client.discard(run, wire.Act(by=USER))

    async def restore(self, run: str) -> wire.RunRow:
        return await self.client.restore(run, wire.Act(by=USER))

    async def changes(self, run: str, note: str = "") -> wire.RunRow:
        return await self.client.changes(run, wire.Changes(note=note, by=USER))

    async def resume(self, run: str, budget: str = "") -> wire.RunRow:
        more = parse_dollars(budget) if budget else None
        return await self.client.resume(run, wire.Resume(budget=more, by=USER))

    async def file(self, run: str, path: str) -> str:
        """What stands in that file on the run's branch."""
        branch = (await self.client.detail(run)).row.run.branch
        return run_git(self.repo, "show", f"{branch}:{path}")

    async def events(self, run: str) -> list[Event]:
        """The run's log so far."""
        stream = self.client.events(run=run, follow=False)
        return [item async for item in stream if isinstance(item, Event)]

    async def told(self, run: str, state: RunState) -> None:
        """Wait until the run's log says that it came into that state, which is a moment after it has."""
        async with asyncio.timeout(PATIENCE):
            async for item in self.client.follow(run=run):
                if isinstance(item, Event) and getattr(item.body, "state", "") == state:
                    return

    async def _cleaned(self, run: str, state: RunState) -> bool:
        """Whether the last thing said of the run, since it came into that state, is that it was cleaned up."""
        said = [event.body for event in await self.events(run)]
        moves = [at for at, body in enumerate(said) if getattr(body, "state", "") == state]
        since = said[moves[-1] :] if moves else []
        return any(getattr(body, "text", "") == "cleaned up" for body in since)

    async def _story(self, run: str) -> str:
        why = await self.client.why(run)
        log = "\n".join(str(event.body)[:300] for event in await self.events(run))
        return f"{why.state}: {why.reason}\n" + "\n".join(why.words) + f"\n{log}"
