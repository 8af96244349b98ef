"""The verb that tells what happens, a line each, to ears and to eyes: watch."""

import time
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.call import Call, json_line
from app.cli.verbs import examples

if TYPE_CHECKING:
    from app.client.client import Swarm
    from app.domain.events import Event
    from app.domain.ids import RunId


@examples("swarm watch", "swarm watch --all", "swarm watch --json")
def watch(
    ctx: typer.Context,
    *,
    everywhere: Annotated[
        bool, typer.Option("--all", help="Of all repositories, not only of this one.")
    ] = False,
) -> None:
    """Tell what happens in all runs, a plain line each.

    For screen readers, pipes and slow lines: nothing is drawn over. `!` stands before what needs you.

    What an agent says and does is in `swarm logs ID -f`; what keys do on the screen, verbs do here.
    """
    call = Call.of(ctx)
    root = "" if everywhere else str(call.root() or "")
    call.ask(lambda swarm: _tell(call, swarm, root))


async def _tell(call: Call, swarm: "Swarm", repo: str) -> None:
    from app.cli.lists import board_text
    from app.client.client import CaughtUp, Link

    board = await swarm.board(repo)
    if not call.json:
        call.out(board_text(board))
    listed = {row.run.id: True for row in board.rows}
    async for item in swarm.follow(since=board.seq):
        if isinstance(item, Link):
            if item.state == "down":
                call.say(f"The supervisor is gone: {item.why}. It is asked again.")
        elif not isinstance(item, CaughtUp) and await _ours(swarm, item.run, repo, listed):
            _say(call, item)


async def _ours(swarm: "Swarm", run: "RunId", repo: str, known: "dict[RunId, bool]") -> bool:
    """Whether the run is of that repository; asked once for each."""
    if run not in known:
        known[run] = not repo or (await swarm.detail(run)).row.task.repo == repo
    return known[run]


def _say(call: Call, event: "Event") -> None:
    from app.domain.ids import run_name
    from app.domain.notices import notice_of

    if call.json:
        call.out(json_line(event))
    elif sentence := _sentence(event):
        urgent = "! " if notice_of(event) else "  "
        clock = time.strftime("%H:%M:%S", time.localtime(event.at))
        call.out(f"{clock} {urgent}{run_name(event.run)} {sentence}")


def _sentence(event: "Event") -> str:
    """What happened, in words; empty for what only belongs into the run's own log."""
    from app.domain import events as own
    from app.domain.safe import clean_line

    match event.body:
        case own.StateChanged(state=state, reason=reason):
            text = f"is {state.replace('_', ' ')}" + (f": {reason}" if reason else "")
        case own.Asked(title=title, approval=approval):
            text = f"asks: {title} (swarm answer {approval} yes|no)"
        case own.Answered(answer=answer, by=by):
            text = f"was told {answer} by {by or 'somebody'}"
        case own.Checked(result=result):
            text = f"check {'passed' if result.passed else 'FAILED'}: {result.command}"
        case own.Flagged() | own.Warned() | own.UpstreamFailed():
            text = event.body.words()
        case own.Merged(commit=commit, target=target):
            text = f"is commit {commit[:10]} on {target}"
        case own.Note(text=text):
            pass
        case _:
            return ""
    return clean_line(text, 300)
