"""The verb that lands a change: approve. It names exactly what is approved: the review and the tree."""

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.arguments import Id
from app.cli.call import Call, user_name
from app.cli.verbs import examples
from app.domain.errors import NeedsHuman, NotNow, SwarmError, UsageError

if TYPE_CHECKING:
    from app import wire
    from app.client.client import Swarm
    from app.domain.review import LandingStyle, Review, TurnCommit
    from app.domain.run import Run


@examples(
    "swarm approve k3f9x",
    "swarm approve k3f9x --yes --confirm Makefile",
    'swarm approve k3f9x -m "Retry calls that were rate limited"',
    "swarm approve k3f9x --rebase",
    "swarm approve k3f9x --yes --allow-secret github-token:0123456789ab",
    "swarm approve k3f9x --yes --tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904",
)
def approve(  # noqa: PLR0913 - one a flag
    ctx: typer.Context,
    run: Id,
    *,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Do not ask whether you are sure.")
    ] = False,
    confirm: Annotated[
        list[str] | None,
        typer.Option("--confirm", metavar="PATH", help="You have looked at this file; repeatable."),
    ] = None,
    tree: Annotated[
        str, typer.Option("--tree", metavar="TREE", help="Only if exactly this tree would land.")
    ] = "",
    allow_secret: Annotated[
        list[str] | None,
        typer.Option(
            "--allow-secret",
            metavar="FINGERPRINT",
            help="This secret may be known; repeatable. Findings show fingerprints.",
        ),
    ] = None,
    note: Annotated[str, typer.Option("--note", help="Kept with the approval.")] = "",
    message: Annotated[
        str,
        typer.Option("--message", "-m", help="What the commit says, instead of the task's goal."),
    ] = "",
    merge: Annotated[
        bool,
        typer.Option("--merge", help="As a merge commit over the change, instead of one commit."),
    ] = False,
    rebase: Annotated[
        bool,
        typer.Option(
            "--rebase",
            help="As a commit a turn. Refused where a turn holds what the whole does not show.",
        ),
    ] = False,
    wait: Annotated[
        bool, typer.Option("--wait/--no-wait", help="Wait until it has landed.")
    ] = True,
) -> None:
    """Approve exactly what the review shows, and land it.

    Prints the merge commit once it has landed. On a terminal you are asked for a yes, and for one for
    every finding that wants to be confirmed; anywhere else --yes and --confirm say so. With --rebase the
    commits are listed first; `swarm diff --turn` shows what each changes.
    """
    from app import wire

    call, style = Call.of(ctx), _style(merge=merge, rebase=rebase)
    detail = call.ask(lambda swarm: swarm.detail(run))
    allowed = set(allow_secret or ())
    review = _reviewable(detail, tree, allowed)
    commits = call.ask(lambda swarm: swarm.commits(review.run)) if rebase else ()
    confirmed = _consent(call, review, commits, set(confirm or ()), sure=yes)
    body = wire.Approve(
        review=review.id,
        tree=review.result_tree,
        confirmed=tuple(sorted(confirmed)),
        secrets=tuple(sorted(allowed)),
        note=note,
        message=message,
        style=style,
        commits=tuple(each.tree for each in commits),
        by=user_name(),
    )
    if not wait:
        given = call.ask(lambda swarm: swarm.approve(review.run, body))
        call.show(given, lambda: f"{given.id} approved")
        return
    call.ask(lambda swarm: _land(call, swarm, body, review.run))


def _style(*, merge: bool, rebase: bool) -> "LandingStyle":
    if merge and rebase:
        raise UsageError("--merge and --rebase: a change lands in one way only")
    return "merge" if merge else "rebase" if rebase else "squash"


def _reviewable(detail: "wire.RunDetail", tree: str, allowed: Collection[str]) -> "Review":
    """The open review, when it is one that can be approved."""
    from app.cli.detail import open_review

    run = detail.row.run
    review = open_review(detail)
    if review is None:
        raise NotNow(f"{run.id} is {run.state}: there is no open review", hint=_why(run))
    if review.conflicts:
        raise NotNow(
            f"{review.id} conflicts with {review.target} in {', '.join(review.conflicts)}",
            hint=f'Send it back: swarm changes {run.id} "Rebase on {review.target}".',
        )
    _refuse_blocked(review)
    _refuse_unknown(review, allowed)
    if tree and tree != review.result_tree:
        raise NotNow(
            f"{review.id} would land tree {review.result_tree}, not {tree}",
            hint=f"Look again: swarm diff {run.id}",
        )
    return review


def _refuse_blocked(review: "Review") -> None:
    """What nobody can take upon themselves. Of secrets the supervisor decides: it knows which are allowed."""
    blocked = [f for f in review.findings if f.severity == "block" and not f.fingerprint]
    if blocked:
        raise NotNow(
            f"nobody may approve {review.id}: {'; '.join(f'{f.path} ({f.why})' for f in blocked)}",
            hint=f"Send it back with `swarm changes {review.run}`.",
        )


def _refuse_unknown(review: "Review", named: Collection[str]) -> None:
    from difflib import get_close_matches

    known = [finding.fingerprint for finding in review.findings if finding.fingerprint]
    for one in sorted(set(named) - set(known)):
        near = get_close_matches(one, known, n=1)
        meant = f"; did you mean {near[0]}?" if near else ""
        raise UsageError(f"--allow-secret {one}: {review.id} holds no such secret{meant}")


def _why(run: "Run") -> str:
    return f"See `swarm why {run.id}`."


def _consent(
    call: Call,
    review: "Review",
    commits: "Sequence[TurnCommit]",
    named: Collection[str],
    *,
    sure: bool,
) -> set[str]:
    """The paths whose findings the person has acknowledged, once they have agreed to everything."""
    from app.cli.detail import commits_text, review_text

    wanted = {f.path: f.why for f in review.findings if f.severity == "confirm"}
    if unknown := sorted(set(named) - set(wanted)):
        raise UsageError(
            f"--confirm {unknown[0]}: this review asks for no confirmation of that file"
        )
    if not call.json:
        call.say(review_text(review))
        if commits:
            call.say(commits_text(review, commits))
    open_paths = [path for path in wanted if path not in named]
    if not call.interactive:
        _refuse_unconfirmed(review, open_paths, sure=sure)
        return set(wanted)
    for path in open_paths:
        _insist(call, f"{path}: {wanted[path]}. Have you looked at it?")
    if not sure:
        how = f" in {len(commits)} commits" if len(commits) > 1 else ""
        _insist(call, f"Land tree {review.result_tree[:10]} on {review.target}{how}?")
    return set(wanted)


def _refuse_unconfirmed(review: "Review", paths: list[str], *, sure: bool) -> None:
    import shlex

    flags = " ".join(["--yes", *(f"--confirm {shlex.quote(path)}" for path in paths)])
    hint = f"When you have looked: swarm approve {review.run} {flags}"
    if paths:
        files = ", ".join(paths)
        raise NeedsHuman(
            f"{review.id} changes files that need a look of their own: {files}", hint=hint
        )
    if not sure:
        raise NeedsHuman(f"nobody is here to say yes to {review.id}", hint=hint)


def _insist(call: Call, question: str) -> None:
    from app.domain.safe import clean_line

    if not call.confirm(clean_line(question)):
        raise SwarmError("not approved; nothing was changed")


async def _land(call: Call, swarm: "Swarm", body: "wire.Approve", run: str) -> None:
    """Approve, and wait for the merge."""
    from app.cli.detail import open_review
    from app.cli.waiting import verdict_on, watch
    from app.domain.run import RunState

    since = (await swarm.board()).seq
    await swarm.approve(run, body)
    finished = await watch(call, swarm, run, since=since)
    detail = await swarm.detail(run)
    landed = next((one for one in detail.reviews if one.id == body.review), None)
    if finished.state is RunState.MERGED and landed:
        call.show(landed, lambda: landed.merged)
        return
    again = open_review(detail)
    hint = f"Look again: swarm diff {run}" if again else ""
    error = verdict_on(finished)
    reason = finished.reason or (error.message if error else "")
    raise NotNow(f"it did not land: {reason}", hint=hint)
