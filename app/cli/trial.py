"""The verb `agents test`: one small task for real, and step by step how far the agent came with it."""

from typing import TYPE_CHECKING, Annotated, Final

import typer

from app.cli.call import Call
from app.cli.verbs import examples

if TYPE_CHECKING:
    from app.cli.render import Cell
    from app.cli.trial_run import Trial
    from app.cli.trial_steps import Step

BUDGET: Final = "1.00"
"""Dollars. The task takes a few cents; but a call is let through only when its worst case is in the budget."""
SECONDS: Final = 60


@examples("swarm agents test claude-code", "swarm agents test local --budget 0.10 --seconds 300")
def try_out(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="An agent, or a name of models.")],
    *,
    budget: Annotated[
        str, typer.Option("--budget", metavar="USD", help="Dollars it may spend at most.")
    ] = BUDGET,
    seconds: Annotated[
        int, typer.Option("--seconds", min=1, help="How long it may take at most.")
    ] = SECONDS,
) -> None:
    """Try an agent with one small task, and say step by step what worked.

    It works for real, with your configuration, in a repository that swarm makes for this. Asked for a tool, swarm
    says yes. Afterwards the run lies in the trash.
    """
    from app.cli.trial_run import tried
    from app.cli.work import money

    call = Call.of(ctx)
    amount = money(budget)
    assert amount is not None
    call.say(f"{name} gets one small task, and may spend ${budget} and {seconds} seconds on it.")
    trial = call.ask(lambda swarm: tried(call, swarm, name, amount, seconds))
    call.show(trial, lambda: _text(trial))
    if not trial.ok:
        raise typer.Exit(1)


def _text(trial: "Trial") -> str:
    from app.cli.render import table
    from app.domain.money import Micros, dollars
    from app.domain.safe import clean_line

    rows = [(step.name, _word(step), step.found) for step in trial.steps]
    fixes = [clean_line(step.fix) for step in trial.steps if step.ok is False]
    took = f"{trial.seconds:.0f} s, {dollars(Micros(trial.micros))}"
    ends = f"{trial.agent} works: {took}." if trial.ok else f"{trial.agent} does not work."
    return "\n".join([table(("STEP", "", ""), rows), ends, *fixes])


def _word(step: "Step") -> "Cell":
    from app.cli.render import Cell

    match step.ok:
        case True:
            return Cell("works", "green")
        case False:
            return Cell("fails", "red")
        case None:
            return Cell("-", "dim")
