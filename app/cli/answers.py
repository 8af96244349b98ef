"""The verb that answers an agent's question: answer."""

from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.call import Call, user_name
from app.cli.verbs import examples
from app.domain.errors import NeedsHuman, NotFound, SwarmError, UsageError

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
    "swarm answer k3f9x yes --run",
    "swarm answer k3f9x yes --always",
    "swarm answer k3f9x yes --amount 2.00",
)
def answer(  # noqa: PLR0913 - one a flag
    ctx: typer.Context,
    question: Annotated[
        str, typer.Argument(metavar="ID", help="The question, or the run that has one open.")
    ],
    reply: Annotated[YesNo, typer.Argument(metavar="yes|no", help="Whether the agent may.")],
    *,
    note: Annotated[str, typer.Option("--note", help="Said to the agent with the answer.")] = "",
    run: Annotated[
        bool, typer.Option("--run", help="Allow the same for as long as this run lasts.")
    ] = False,
    always: Annotated[
        bool,
        typer.Option(
            "--always",
            help="Allow the same for good: shows the rule as a change of your policy.yaml, and writes it.",
        ),
    ] = False,
    sure: Annotated[
        bool,
        typer.Option("--yes", "-y", help="With --always: do not ask whether to write the rule."),
    ] = False,
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
    if run and always:
        raise UsageError("--run and --always: name one of them")
    id_ = call.ask(lambda swarm: _found(swarm, question))
    body = wire.Answer(
        yes=reply is YesNo.YES,
        note=note,
        amount=money(amount, "--amount"),
        scope="always" if always else "run" if run else "once",
        rule=_seen(call, id_, sure=sure) if always and reply is YesNo.YES else "",
        by=user_name(),
    )
    given = call.ask(lambda swarm: swarm.answer(id_, body))
    call.show(given, lambda: f"{given.id} {given.answer}")


async def _found(swarm: "Swarm", question: str) -> str:
    return which(await swarm.inbox(), question)


def _seen(call: Call, question: str, *, sure: bool) -> str:
    """The digest of the rule, once the person has seen what would be written."""
    from app.domain.safe import clean

    wanted = call.ask(lambda swarm: swarm.rule(question))
    call.say(clean(wanted.diff).rstrip())
    if sure:
        return wanted.digest
    if not call.interactive:
        raise NeedsHuman(
            f"nobody is here to say yes to this change of {wanted.path}",
            hint=f"When you have looked: swarm answer {question} yes --always --yes",
        )
    if not call.confirm(f"Write it to {wanted.path}?"):
        raise SwarmError("nothing was answered, and nothing was written")
    return wanted.digest


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
