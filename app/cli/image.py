"""The verb that makes the images agents run in: image build."""

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Annotated

import typer

from app.cli.call import Call
from app.cli.verbs import examples
from app.domain.errors import EnvironmentProblem, UsageError


@examples("swarm image build", "swarm image build claude-code")
def build(
    ctx: typer.Context,
    agents: Annotated[
        list[str] | None, typer.Argument(metavar="AGENT…", help="Whose images; all if none.")
    ] = None,
) -> None:
    """Build the images that agents run in.

    Works without a supervisor; the first time takes a minute or two.
    """
    import asyncio

    from sandboxes import images
    from sandboxes.errors import SandboxError

    call = Call.of(ctx)
    wanted = agents or list(images.agents())
    for agent in wanted:
        _check(agent, (images.BASE, *images.agents()))
    try:
        tags = asyncio.run(images.build(wanted, say=lambda line: _say(call, line)))
    except SandboxError as error:
        raise EnvironmentProblem(str(error), hint=error.hint) from error
    call.show(tags, lambda: "\n".join(tags))


def _check(agent: str, known: Sequence[str]) -> None:
    if agent not in known:
        near = get_close_matches(agent, known, n=1)
        meant = f"; did you mean {near[0]!r}?" if near else ""
        raise UsageError(
            f"there is no image for {agent!r}{meant}", hint=f"There are: {', '.join(known)}."
        )


def _say(call: Call, line: str) -> None:
    from app.domain.safe import clean

    if text := clean(line).rstrip():
        call.say(text)
