"""The verb that prints what happened in a run: logs."""

from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.arguments import Id
from app.cli.call import Call, json_line
from app.cli.verbs import examples

if TYPE_CHECKING:
    from app.client.client import Swarm


@examples("swarm logs k3f9x", "swarm logs k3f9x -f", "swarm logs k3f9x --json | jq .body.type")
def logs(
    ctx: typer.Context,
    run: Id,
    *,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on until the run has come to its end.")
    ] = False,
) -> None:
    """Print what an agent said and did, and what swarm did."""
    call = Call.of(ctx)
    call.ask(lambda swarm: _print(call, swarm, run, follow=follow))


async def _print(call: Call, swarm: "Swarm", run: str, *, follow: bool) -> None:
    from app.cli.narrate import Narrator
    from app.cli.waiting import events_until
    from app.client.client import CaughtUp
    from app.domain.run import SETTLED

    run = (await swarm.detail(run)).row.run.id
    narrator = Narrator()
    stream = (
        events_until(call, swarm, run, ends=SETTLED)
        if follow
        else swarm.events(run=run, follow=False)
    )
    async for event in stream:
        if isinstance(event, CaughtUp):
            break
        for line in [json_line(event)] if call.json else narrator.lines(event):
            call.out(line)
    for line in narrator.rest():
        call.out(line)
