"""What a run reaches besides models: look at it, and allow one more host."""

import time
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.arguments import Id
from app.cli.call import Call, user_name
from app.cli.verbs import examples

if TYPE_CHECKING:
    from app import wire


@examples("swarm allow k3f9x registry.npmjs.org")
def allow(
    ctx: typer.Context,
    run: Id,
    host: Annotated[str, typer.Argument(metavar="HOST", help="Its full name.")],
) -> None:
    """Let one run reach one more host, at once.

    `swarm why ID --network` shows what it asked for. Over TLS, at port 443. For this run only:
    `network.allow` in your config.yaml is for all.
    """
    from app import wire

    call = Call.of(ctx)
    body = wire.AllowHost(host=host, by=user_name())
    answer = call.ask(lambda swarm: swarm.allow(run, body))
    call.show(answer, lambda: f"{answer.run} may reach {host}")


def network_text(answer: "wire.Network") -> str:
    """What the run may reach, and what became of its connections."""
    from app.cli.render import Cell, facts, table
    from app.domain.network import size_text

    later = ", ".join(f"{one.host} (by {one.by or 'somebody'})" for one in answer.grants)
    used = answer.limit - answer.left
    told = facts(
        [
            ("may reach", ", ".join(answer.hosts) or ("" if later else "nothing")),
            ("allowed since", later),
            ("passed", f"{size_text(used)} of {size_text(answer.limit)}" if answer.limit else ""),
        ]
    )
    rows: list[list[str | Cell]] = [
        [
            time.strftime("%H:%M:%S", time.localtime(row.last)),
            row.host or "-",
            Cell("allowed", "green") if row.allowed else Cell("refused", "red"),
            str(row.times),
            size_text(row.sent) if row.allowed else "",
            size_text(row.received) if row.allowed else "",
            row.why,
        ]
        for row in answer.rows
    ]
    heads = ("LAST", "HOST", "", "TIMES", "SENT", "RECEIVED", "WHY")
    shown = table(heads, rows, right=frozenset({3, 4, 5})) or "It has asked for nothing."
    return f"{told}\n\n{shown}\n"
