"""Verbs that look at one run: show, diff, why."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.arguments import Id
from app.cli.call import Call
from app.cli.verbs import examples
from app.domain.errors import UsageError

if TYPE_CHECKING:
    from app import wire
    from app.client.client import Swarm
    from app.domain.review import Review


@examples("swarm show k3f9x", "swarm show k3f9x.2 --json")
def show(ctx: typer.Context, run: Id) -> None:
    """Show a run: state, cost, checks, findings, reviews."""
    call = Call.of(ctx)
    detail = call.ask(lambda swarm: swarm.detail(run))
    from app.cli.detail import detail_text

    call.show(detail, lambda: detail_text(detail))


@examples(
    "swarm diff k3f9x",
    "swarm diff k3f9x --work",
    "swarm diff k3f9x --turn 2",
    "swarm diff k3f9x | delta",
)
def diff(
    ctx: typer.Context,
    run: Id,
    *,
    work: Annotated[
        bool,
        typer.Option("--work", help="The agent's work since its base, even with an open review."),
    ] = False,
    turn: Annotated[
        int | None,
        typer.Option(
            "--turn", metavar="N", min=1, help="What the commit of that turn changes in a rebase."
        ),
    ] = None,
) -> None:
    """Print what would land, or the agent's work so far.

    With an open review this is its exact result on the target; else the work since the base. What there is to
    know of it before reading stands above it, on stderr.
    """
    call = Call.of(ctx)
    if work and turn:
        raise UsageError("--work and --turn: one is not part of a review, the other is")

    async def fetch(swarm: "Swarm") -> "tuple[wire.RunDetail, Review | None, bytes]":
        detail = await swarm.detail(run)
        review = None if work else _landing(detail)
        of_review = review is not None
        return detail, review, await swarm.diff(detail.row.run.id, review=of_review, turn=turn or 0)

    detail, review, data = call.ask(fetch)
    from app.cli.detail import findings_text
    from app.cli.diffs import diff_text, heading

    if call.json:
        text = data.decode(errors="replace")
        call.show({"run": detail.row.run.id, "review": review, "diff": text}, str)
        return
    call.say(heading(detail, review, turn or 0))
    if found := findings_text(review.findings if review else detail.findings):
        call.say(found)
    if sys.stdout.isatty():
        call.out(diff_text(data))
    else:
        call.raw(data)


def _landing(detail: "wire.RunDetail") -> "Review | None":
    from app.cli.detail import open_review

    review = open_review(detail)
    return review if review and not review.conflicts else None


@examples("swarm why k3f9x", "swarm why k3f9x --json", "swarm why k3f9x --network")
def why(
    ctx: typer.Context,
    run: Id,
    *,
    network: Annotated[
        bool,
        typer.Option("--network", help="Which hosts it asked for; allowed or refused, and why."),
    ] = False,
) -> None:
    """Say why a run is in its state, and what can be done."""
    call = Call.of(ctx)
    if network:
        from app.cli.network import network_text

        reach = call.ask(lambda swarm: swarm.network(run))
        call.show(reach, lambda: network_text(reach))
        return
    answer = call.ask(lambda swarm: swarm.why(run))
    call.show(answer, lambda: _why_text(answer))


def _why_text(answer: "wire.Why") -> str:
    from app.cli.render import age, painted, state_cell
    from app.domain.safe import clean_line

    cell = state_cell(answer.state)
    because = f": {clean_line(answer.reason)}" if answer.reason else ""
    lines = [f"{answer.run} is {painted(cell.text, cell.colour)}{because}"]
    for fact in answer.evidence:
        origin = painted(f"({answer.origin(fact, age)})", "dim")
        lines.append(f"  - {clean_line(fact.what)} {origin}")
    if answer.next:
        lines += ["Next:", *(f"  {clean_line(line)}" for line in answer.next)]
    return "\n".join(lines)
