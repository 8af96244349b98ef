"""All that a person can do with one task, said again only where it was not heard: for lives full of kills."""

import asyncio
import contextlib
import shutil
from functools import partial
from pathlib import Path
from typing import Any

from app import wire
from app.client.client import Swarm
from app.domain.errors import NotNow, Unreachable
from app.domain.money import Micros
from app.domain.run import RunState
from tests.support.actions import USER
from tests.support.kills import Killed, approved
from tests.support.repos import commit

ACTS, RESUME = wire.Act(by=USER), wire.Resume(by=USER)
CHANGES = wire.Changes(note="Once more", by=USER)
GREETING = "hello/greeting.txt"


async def long_life(user: Killed) -> None:
    """All that a person can do: with stopping, words, changes, the trash, and another run after an undo."""
    run = await user.submit()
    await _interrupted(user, run)
    await _reviewed(user, run)
    await _thrown_away(user, run)
    await _landed(user, run)
    await user.does(run, RunState.MERGED, lambda swarm: swarm.undo(run, ACTS))
    await user.ask(lambda swarm: _retried(swarm, run))
    (again,) = [each.id for each in (await user.until(run, RunState.MERGED)).runs if each.id != run]
    await user.answers(again)
    await user.approve(again)
    await user.idle()


RACERS = ("ada", "bob", "cid")
"""The first two come to an end; the last one never does."""


async def race(user: Killed) -> None:
    """The second of three lands, while the first waits for a person, and the third is at work."""
    quick, best, slow = await _given(user, RACERS, race=True)
    await user.until(quick, RunState.IN_REVIEW)
    await user.until(best, RunState.IN_REVIEW)
    await user.until(slow, RunState.WORKING)
    await user.approve(best)
    for lost in (quick, slow):
        await user.until(lost, RunState.DISCARDED)
    await user.idle()


HEIRS = ("broken", "spender")
"""The first one fails; the other goes on, and needs more money than there is."""


async def hard_times(user: Killed) -> None:
    """Another agent goes on with more money; then the target moves while nobody lives to see it."""
    (failed,) = await _given(user, HEIRS, budget=Micros(50_000))
    heir = failed.replace(".1", ".2")
    await user.until(failed, RunState.FAILED)
    while len((await user.ask(lambda swarm: swarm.detail(failed))).runs) == 1:
        await asyncio.sleep(0.05)
    await _paid(user, heir)
    with contextlib.suppress(Unreachable):  # It dies of it, and the next one is not started yet.
        await approved(user.client, heir)
    await user.dies()
    commit(user.world.repo, {"theirs.txt": "moved\n"})
    await user.until(heir, RunState.IN_REVIEW)
    await user.approve(heir)
    await user.does(failed, RunState.FAILED, lambda swarm: swarm.discard(failed, ACTS))
    await user.until(failed, RunState.DISCARDED)
    await user.idle()


async def _paid(user: Killed, run: str) -> None:
    """Give more each time it is asked for: a call that was cut off is charged in full, and parks the run."""
    while True:
        shown = await user.until(run, RunState.WAITING, RunState.PARKED, RunState.IN_REVIEW)
        if shown.row.run.state == RunState.IN_REVIEW:
            return
        await user.ask(lambda swarm: _answered(swarm, run))


async def _answered(swarm: Swarm, run: str) -> None:
    if question := (await swarm.detail(run)).row.question:
        with contextlib.suppress(NotNow):  # It was heard.
            await swarm.answer(question.id, wire.Answer(yes=True, by=USER))


async def _given(user: Killed, agents: tuple[str, ...], **more: Any) -> list[str]:
    """The runs of a task for these agents, given once."""
    repo = str(user.world.repo)
    new = wire.NewTask(goal="Make it better", repo=repo, agents=agents, submitter=USER, **more)

    async def give(swarm: Swarm) -> list[str]:
        if not (await swarm.board()).rows:
            await swarm.submit(new)
        (first, *_) = (await swarm.board()).rows
        return [each.id for each in (await swarm.detail(first.run.id)).runs]

    return await user.ask(give)


async def in_hands(user: Killed) -> None:
    """A person takes the run over when the agent has done, looks, and hands it back."""
    run = await user.submit()
    await user.until(run, RunState.IN_REVIEW)
    shell = wire.Attach(what="shell", by=USER)
    await user.does(run, RunState.IN_REVIEW, lambda swarm: swarm.attach(run, shell))
    await user.until(run, RunState.WORKING)
    back = wire.HandBack(by=USER)
    await user.does(run, RunState.WORKING, lambda swarm: swarm.hand_back(run, back))
    await user.approve(run)
    await user.idle()


async def _interrupted(user: Killed, run: str) -> None:
    await user.until(run, RunState.WAITING)
    await user.does(run, RunState.WAITING, lambda swarm: swarm.stop(run, ACTS))
    await user.until(run, RunState.CANCELLED)
    await user.ask(lambda swarm: _told(swarm, run))
    await user.does(run, RunState.CANCELLED, lambda swarm: swarm.resume(run, RESUME))
    await user.answers(run)


async def _reviewed(user: Killed, run: str) -> None:
    """A part is left out and taken back in, a line commented on, a file added by hand, and the run sent back."""
    await user.until(run, RunState.IN_REVIEW)
    for out in ((wire.Part(path=GREETING),), ()):
        await user.ask(partial(_picked, run=run, out=out))
    await user.ask(lambda swarm: _commented(swarm, run))
    shown = await user.ask(lambda swarm: swarm.detail(run))
    (Path(shown.row.run.worktree) / "mine.txt").write_text("by hand\n")
    await user.does(run, RunState.IN_REVIEW, lambda swarm: swarm.changes(run, CHANGES))
    await user.answers(run)


async def _thrown_away(user: Killed, run: str) -> None:
    await user.until(run, RunState.IN_REVIEW)
    await user.does(run, RunState.IN_REVIEW, lambda swarm: swarm.discard(run, ACTS))
    await user.until(run, RunState.DISCARDED)
    await user.idle()
    await user.does(run, RunState.DISCARDED, lambda swarm: swarm.restore(run, ACTS))


async def _landed(user: Killed, run: str) -> None:
    """At the second try: work of the person's own was in the way."""
    await user.until(run, RunState.IN_REVIEW)
    mine = user.world.repo / GREETING
    mine.parent.mkdir()
    mine.write_text("not committed\n")
    await user.ask(lambda swarm: approved(swarm, run))
    await user.idle()
    await user.until(run, RunState.IN_REVIEW)
    shutil.rmtree(mine.parent)
    await user.does(run, RunState.IN_REVIEW, lambda swarm: swarm.merge(run, ACTS))
    await user.until(run, RunState.MERGED)
    await user.idle()


async def _told(swarm: Swarm, run: str) -> None:
    """Once, unless it was heard."""
    if not [row for row in await swarm.audit(run) if row.what == "told"]:
        await swarm.tell(run, wire.Tell(text="Mind the gap", by=USER))


async def _commented(swarm: Swarm, run: str) -> None:
    """Once, unless it was heard."""
    if not (await swarm.detail(run)).comments:
        await swarm.comment(run, wire.NewComment(path=GREETING, line=1, text="Louder", by=USER))


async def _picked(swarm: Swarm, run: str, out: tuple[wire.Part, ...]) -> None:
    """That is left out, or nothing, unless it was heard."""
    shown = (await swarm.detail(run)).reviews[-1]
    if [each.path for each in shown.left_out] != [each.path for each in out]:
        body = wire.Pick(
            review=shown.id, tree=shown.result_tree, leave_out=out, all=not out, by=USER
        )
        await swarm.pick(run, body)


async def _retried(swarm: Swarm, run: str) -> None:
    """Again, unless it was heard."""
    if len((await swarm.detail(run)).runs) == 1:
        await swarm.retry(run, wire.Retry(by=USER))
