"""Verbs about runs there are: tell, stop, resume, retry."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.arguments import Id
from app.cli.call import Call, json_text, user_name
from app.cli.verbs import examples
from app.cli.work import Budget, money
from app.domain.errors import SwarmError, UsageError

if TYPE_CHECKING:
    from app import wire
    from app.client.client import Swarm
    from app.domain.run import RunState

MaybeId = Annotated[
    str | None, typer.Argument(metavar="ID", help="A task or run, or the beginning of its id.")
]
Everything = Annotated[
    bool, typer.Option("--all", help="Every run it is for, in every repository.")
]


@dataclass(frozen=True)
class Chosen:
    """One run, or every run in one of these states."""

    run: str | None
    everything: bool
    states: "frozenset[RunState]"

    def act(
        self, call: Call, verb: str, do: "Callable[[Swarm, str], Awaitable[wire.RunRow]]"
    ) -> None:
        """Do it to each, and print where they are then; what is refused keeps none of the others from it."""
        if (self.run is None) is not self.everything:
            raise UsageError(f"say what to {verb}: an ID, or --all", hint="`swarm ps` lists them.")
        if self.run is not None:
            one = self.run
            told(call, call.ask(lambda swarm: do(swarm, one)))
            return
        done, refused = call.ask(lambda swarm: self._each(call, swarm, do))
        if call.json:
            call.out(json_text(done))
        for row in () if call.json else done:
            call.out(_where(row))
        for run, error in refused:
            call.say(f"{run}: {error.in_one_line}")
        if refused:
            raise typer.Exit(refused[0][1].exit_code)
        if not done and not call.json:
            call.say(f"There is nothing to {verb}.")

    async def _each(
        self, call: Call, swarm: "Swarm", do: "Callable[[Swarm, str], Awaitable[wire.RunRow]]"
    ) -> "tuple[list[wire.RunRow], list[tuple[str, SwarmError]]]":
        board = await swarm.board(str(call.root()) if call.repo else "")
        done: list[wire.RunRow] = []
        refused: list[tuple[str, SwarmError]] = []
        for row in board.rows:
            if row.run.state not in self.states:
                continue
            try:
                done.append(await do(swarm, row.run.id))
            except SwarmError as error:
                refused.append((row.run.id, error))
        return done, refused


@examples('swarm tell k3f9x "Leave the public names as they are"')
def tell(
    ctx: typer.Context,
    run: Id,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What the agent should know.")],
) -> None:
    """Say something to an agent at work, without stopping it.

    It hears it between two steps of its turn; when it cannot, its next turn begins with it.
    """
    from app import wire

    call = Call.of(ctx)
    body = wire.Tell(text=text, by=user_name())
    told(call, call.ask(lambda swarm: swarm.tell(run, body)))


@examples("swarm stop k3f9x", "swarm stop --all")
def stop(ctx: typer.Context, run: MaybeId = None, *, everything: Everything = False) -> None:
    """Stop a run; what it has done so far is kept.

    With --all every run at work, in every repository.
    """
    from app import wire
    from app.domain.run import ACTIVE, RunState

    body = wire.Act(by=user_name())
    chosen = Chosen(run, everything, ACTIVE - {RunState.MERGING})
    chosen.act(Call.of(ctx), "stop", lambda swarm, each: swarm.stop(each, body))


@examples("swarm resume k3f9x", "swarm resume k3f9x --budget 3.00", "swarm resume --all")
def resume(
    ctx: typer.Context,
    run: MaybeId = None,
    *,
    everything: Everything = False,
    budget: Budget = None,
) -> None:
    """Let a parked, failed or stopped run go on where it stopped.

    With --all every run that is parked or has failed, in every repository: after an outage, say.
    """
    from app import wire
    from app.domain.run import RunState

    body = wire.Resume(budget=money(budget), by=user_name())
    chosen = Chosen(run, everything, frozenset({RunState.PARKED, RunState.FAILED}))
    chosen.act(Call.of(ctx), "resume", lambda swarm, each: swarm.resume(each, body))


@examples("swarm retry k3f9x", "swarm retry k3f9x --agent codex")
def retry(
    ctx: typer.Context,
    run: Id,
    *,
    agent: Annotated[
        str,
        typer.Option("--agent", metavar="NAME", help="Another agent, or a name of `swarm models`."),
    ] = "",
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Tell it nothing of what was tried before.")
    ] = False,
) -> None:
    """Start the task again from its base, as a new run.

    It is told what the ones before it left.

    It gets their diff, what failed, review comments and decisions: `swarm bundle ID` shows them.
    """
    from app import wire

    call = Call.of(ctx)
    body = wire.Retry(agent=agent, fresh=fresh, by=user_name())
    told(call, call.ask(lambda swarm: swarm.retry(run, body)))


def told(call: Call, row: "wire.RunRow") -> None:
    """Print where the run is now."""
    call.show(row, lambda: _where(row))


def _where(row: "wire.RunRow") -> str:
    return f"{row.run.id} {row.run.state}"
