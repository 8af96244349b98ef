"""The verb that answers an agent's question: answer."""

from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.call import Call, user_name
from app.cli.verbs import examples
from app.domain.errors import NotFound, UsageError

if TYPE_CHECKING:
    from app.client.client import Swarm
    from app.domain.review import Approval


class YesNo(StrEnum):
    """An answer."""

    YES = "yes"
    NO = "no"


@examples(
    "swarm answer k3f9x.1-a1 yes",
    'swarm answer k3f9x no --note "Use the existing helper"',
    "swarm answer k3f9x yes --amount 2.00",
)
def answer(
    ctx: typer.Context,
    question: Annotated[
        str, typer.Argument(metavar="ID", help="The question, or the run that has one open.")
    ],
    reply: Annotated[YesNo, typer.Argument(metavar="yes|no", help="Whether the agent may.")],
    *,
    note: Annotated[str, typer.Option("--note", help="Said to the agent with the answer.")] = "",
    amount: Annotated[
        str | None,
        typer.Option(
            "--amount",
            metavar="USD",
            help="Raise the budget by that much instead of what is asked.",
        ),
    ] = None,
) -> None:
    """Answer an agent's question. The first answer counts."""
    from app import wire
    from app.cli.work import money

    call = Call.of(ctx)
    body = wire.Answer(
        yes=reply is YesNo.YES, note=note, amount=money(amount, "--amount"), by=user_name()
    )

    async def send(swarm: "Swarm") -> "Approval":
        return await swarm.answer(which(await swarm.inbox(), question), body)

    given = call.ask(send)
    call.show(given, lambda: f"{given.id} {given.answer}")


def which(open_questions: "Sequence[Approval]", wanted: str) -> str:
    """The id of the question that is meant; one that is not open is left for the supervisor to judge."""
    if "-a" in wanted:
        return wanted
    found = [q.id for q in open_questions if q.run == wanted or q.run.startswith(wanted)]
    if len(found) > 1:
        raise UsageError(f"{wanted} could be {', '.join(found)}", hint="Name one of them.")
    if not found:
        raise NotFound(f"{wanted} has no open question", hint="`swarm inbox` lists what is open.")
    return found[0]
