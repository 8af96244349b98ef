"""A person takes a run over: the agent's own screen, or a shell, in its sandbox; and hands it back.

It is a turn like any other: the program is the main process of a box, the gateway counts what it spends, snapshots
are taken, and it outlives this supervisor. Only that nobody reads its lines: a person sits at its terminal.
"""

from typing import Final

import sqlalchemy as sa

from app import wire
from app.domain.errors import NotNow, UsageError
from app.domain.ids import RunId
from app.domain.run import Run, RunState
from app.store import audit, board, tasks, turns
from app.supervisor import consent, homes
from app.supervisor.errors import translated
from app.supervisor.screen import Screen
from app.supervisor.services import Services
from app.supervisor.submit import requeue
from harnesses.base import Attachable, Brief
from harnesses.errors import HarnessError

_S: Final = RunState
FROM: Final = frozenset({_S.IN_REVIEW, _S.PARKED, _S.FAILED, _S.CANCELLED})
"""States in which a person may take a run over: nobody else is at work in it."""


class Hands:
    """The verbs of a person who works in a run."""

    def __init__(self, s: Services) -> None:
        self._s = s

    async def attach(self, run: RunId, body: wire.Attach) -> wire.RunRow:
        """Have the run's next turn be a person's. One that is open already stays as it is."""
        s, now = self._s, self._s.clock()
        _task, found = await s.task_and_run(run)
        await homes.refuse_elsewhere(s, found)
        if await self._open(found):
            return await s.database.read(board.row, run)
        _refuse(s, found, body.what)

        def write(c: sa.Connection) -> None:
            at = tasks.run(c, run)
            if at.state not in FROM:
                raise NotNow(
                    f"run {run} is {at.state}", hint=f"Stop its turn first: `swarm stop {run}`."
                )
            tasks.move(c, run, RunState.QUEUED, reason=f"taken over by {body.by}", at=now)
            requeue(c, s, run, at.round + 1)
            tasks.update(c, run, takeover=body.what, handed="")
            audit.deed(c, run, "taken over", by=body.by, at=now, by_way_of=body.what)

        await s.database.write(write)
        row = await s.database.read(board.row, run)
        await s.announce(run, row.run.state, key=f"taken-over-{now}", reason=row.run.reason)
        return row

    async def hand_back(self, run: RunId, body: wire.HandBack) -> wire.RunRow:
        """End the person's turn: the agent goes on, or what there is comes to review."""
        s, now = self._s, self._s.clock()
        consent.refuse_secrets_in(body.note, "the note", consent.own_policy(s))
        how = f"go on:{body.note.strip()}" if body.go_on else "review"

        def write(c: sa.Connection) -> None:
            known = turns.turns_of(c, run)
            if not known or not known[-1].by_hand or known[-1].ended is not None:
                raise NotNow(f"nobody works in run {run}; there is nothing to hand back")
            if tasks.column(c, run, "handed") == how:
                return  # It was said before, and is about to be done.
            tasks.update(c, run, handed=how)
            audit.deed(c, run, "handed back", by=body.by, at=now, how=how)

        await s.database.write(write)
        s.live.wake(run)
        return await s.database.read(board.row, run)

    async def press(self, run: RunId, body: wire.Keys) -> None:
        await self.screen(run).press(body.data)

    async def resize(self, run: RunId, body: wire.Size) -> None:
        await self.screen(run).resize(min(body.rows, 1000), min(body.columns, 1000))

    def screen(self, run: RunId) -> Screen:
        """The screen of a run somebody works in. Raises `NotNow` when there is none here."""
        found = self._s.live.screens.get(run)
        if found is None:
            raise NotNow(
                f"there is no open screen of run {run} on this host",
                hint=f"`swarm attach {run}` opens it.",
            )
        return found

    async def _open(self, run: Run) -> bool:
        """Whether a person works in it, or is about to."""
        if await self._s.database.read(tasks.column, run.id, "takeover"):
            return True
        known = await self._s.database.read(turns.turns_of, run.id)
        return bool(known) and bool(known[-1].by_hand) and known[-1].ended is None


def _refuse(s: Services, run: Run, what: wire.Takeover) -> None:
    """Before anything is begun: what could not work, and what to do instead."""
    shell = f"A shell in its sandbox works: `swarm attach {run.id} --shell`."
    if run.state not in FROM:
        return  # The transaction says it better.
    with translated():
        if not s.driver(run.sandbox).terminals:
            raise UsageError(
                f"the sandbox of {run.id} ({run.sandbox}) has no terminals",
                hint="`sandbox: {driver: docker}` in your config.yaml has them.",
            )
        if what == "shell":
            return
        harness = s.harness(run.harness)
        if not isinstance(harness, Attachable):
            raise UsageError(f"{run.agent} has no screen of its own", hint=shell)
        if not run.conversation:
            raise NotNow(f"{run.agent} has not begun a conversation in {run.id} yet", hint=shell)
        trial = Brief(
            run=run.id, turn=1, prompt="", model=run.model, conversation=run.conversation,
            settings=s.catalog.get(run.agent).settings,
        )  # fmt: skip
        try:
            harness.attach(trial)
        except HarnessError as error:
            raise UsageError(str(error), hint=shell) from error
