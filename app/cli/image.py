"""The verbs about the images agents run in: image build, image approve."""

from collections.abc import Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.call import Call
from app.cli.verbs import examples
from app.domain.errors import EnvironmentProblem, NeedsHuman, UsageError

if TYPE_CHECKING:
    from app import wire


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


@examples("swarm image approve", "swarm image approve codex")
def approve(
    ctx: typer.Context,
    agents: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="AGENT…", help="Whose images to build; the default agent's if none."
        ),
    ] = None,
    base: Annotated[
        str, typer.Option(metavar="REF", help="Read them there; where you are if left out.")
    ] = "",
    digest: Annotated[
        str,
        typer.Option(metavar="DIGEST", help="Approve what has this digest, without a question."),
    ] = "",
) -> None:
    """Look at the image a repository names, approve it, and build agents' images on it.

    What you approve is its content: when that changes, you are asked again.
    """
    call = Call.of(ctx)
    root = call.root()
    if root is None:
        raise UsageError(f"{call.where} is not in a git repository")
    wish = call.ask(lambda swarm: swarm.image(str(root), base))
    call.say(_shown(wish))
    if not wish.approved_by:
        _decide(call, wish, base, digest)
    tags = _build_on(call, wish, agents or [wish.agent])
    call.show({"digest": wish.digest, "tags": tags}, lambda: "\n".join(tags))


def _decide(call: Call, wish: "wire.ImageWish", base: str, digest: str) -> None:
    """A person's yes, to exactly what was shown."""
    from app import wire
    from app.cli.call import user_name

    if digest and digest != wish.digest:
        raise NeedsHuman(
            f"what is there now has another digest: {wish.digest}",
            hint="Look at what is shown above, and approve that.",
        )
    if not digest and not (call.interactive and call.confirm("Build it and run agents in it?")):
        raise NeedsHuman(
            "nothing was approved",
            hint=f"With this very content: `swarm image approve --digest {wish.digest}`.",
        )
    body = wire.ApproveImage(repo=wish.repo, digest=wish.digest, by=user_name(), base=base)
    call.ask(lambda swarm: swarm.approve_image(body))


def _build_on(call: Call, wish: "wire.ImageWish", agents: Sequence[str]) -> list[str]:
    """Build from what was shown, not from what the files hold by now."""
    import asyncio

    from sandboxes import images
    from sandboxes.errors import SandboxError

    for agent in agents:
        _check(agent, (images.BASE, *images.agents()))
    files = {file.path: file.content for file in wish.image.files}

    def say(line: str) -> None:
        _say(call, line)

    async def built() -> list[str]:
        if files:
            await images.build_own(wish.base, files, say=say)
        return await images.build(agents, base=wish.base, say=say, mark_current=False)

    try:
        return asyncio.run(built())
    except SandboxError as error:
        raise EnvironmentProblem(str(error), hint=error.hint) from error


def _shown(wish: "wire.ImageWish") -> str:
    """Everything that is approved, made safe to look at."""
    from app.domain.safe import clean, clean_line

    lines = [f"{clean_line(wish.image.name)} of {clean_line(wish.repo)} at {wish.commit[:12]}"]
    if wish.image.image:
        lines.append(f"image on this machine: {clean_line(wish.image.image)}")
    for file in wish.image.files:
        text = file.content.decode(errors="replace")
        lines += [f"--- {clean_line(file.path)}", clean(text).rstrip()]
    lines += [f"note: {clean_line(note)}" for note in wish.image.notes]
    if not wish.used:
        lines.append("note: runs do not use it: `sandbox` in your config.yaml says otherwise")
    state = f"approved by {clean_line(wish.approved_by)}" if wish.approved_by else "not approved"
    return "\n".join([*lines, f"digest {wish.digest}: {state}"])


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
