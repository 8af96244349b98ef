"""The verb of the audit trail: audit export."""

from typing import Annotated

import typer

from app.cli.call import Call, json_line, json_text
from app.cli.verbs import examples


@examples("swarm audit export > audit.jsonl", "swarm audit export --run k3f9x --json")
def export(
    ctx: typer.Context,
    *,
    run: Annotated[
        str, typer.Option("--run", metavar="ID", help="Only what happened to this run or task.")
    ] = "",
) -> None:
    """Print who did what, when, to which exact content.

    A line of JSON each, oldest first.
    """
    call = Call.of(ctx)
    rows = call.ask(lambda swarm: swarm.audit(run))
    if call.json:
        call.out(json_text(rows))
        return
    for row in rows:
        call.out(json_line(row))
