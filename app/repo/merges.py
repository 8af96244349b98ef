"""From a vetted snapshot to the target branch: what would land, and landing exactly that.

Landing is a few stages, each safe to repeat: `compose` writes the commit into the hub, `carry` brings
it into the user's repository, `advance` moves the branch by compare-and-swap.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from app.domain.base import Value
from app.domain.errors import RepoError
from app.domain.ids import RunId
from app.domain.policy import SHIPPED, ChangePolicy
from app.domain.review import FileChange, Finding, LeftOut
from app.repo import changes, picking
from app.repo.checkouts import (
    Checkout,
    busy_with,
    checkout_of,
    forward,
    half_moved,
    in_the_way,
    move_branch,
)
from app.repo.errors import TargetDirty, TargetMoved
from app.repo.filenames import shown
from app.repo.git import Git, checked_id, failure
from app.repo.hub import Hub
from app.repo.locks import held
from app.repo.repository import Repository, tip_of
from app.repo.transfer import carry, contains

MOST_PATHS: Final = 20_000


class Proposal(Value, frozen=True, kw_only=True):
    """What would be on the target."""

    tip: str
    """Commit the target is at now."""
    result_tree: str
    """Empty when there are conflicts."""
    conflicts: tuple[str, ...]
    files: tuple[FileChange, ...]
    """How the result differs from the target; from the base, when there are conflicts."""
    findings: tuple[Finding, ...]


class Words(Value, frozen=True, kw_only=True):
    """What a commit says besides its content. Fixed once, so that writing it again gives the same id."""

    message: str
    trailers: tuple[tuple[str, str], ...] = ()
    author: tuple[str, str]
    """Name and address of the user."""
    date: float
    """Unix seconds."""


class Side(Value, frozen=True, kw_only=True):
    """The change on the commit it started from, for the second parent of a merge commit."""

    base: str
    snapshot: str


class Below(Value, frozen=True, kw_only=True):
    """A commit that lands below the last one of a change."""

    tree: str
    words: Words


class Landing(Value, frozen=True, kw_only=True):
    """One approved change, by content: the same landing is always the same commit."""

    target: str
    tip: str
    """Where the target was when the change was approved."""
    result_tree: str
    side: Side | None = None
    """None for one commit on top of what is below it."""
    below: tuple[Below, ...] = ()
    """What lands between the tip and the last commit, oldest first."""
    words: Words


def trailers(run: RunId, *, snapshot: str, review: str) -> tuple[tuple[str, str], ...]:
    """What ties a commit on the target to what swarm knows of it."""
    return (("Swarm-Run", run), ("Swarm-Snapshot", snapshot), ("Swarm-Review", review))


async def propose(
    repo: Repository,
    hub: Hub,
    *,
    target: str,
    base: str,
    snapshot: str,
    policy: ChangePolicy = SHIPPED,
    left_out: Sequence[LeftOut] = (),
) -> Proposal:
    """Merge what the snapshot changed since its base into the target, without a checkout.

    A target that is gone is taken to be at the base: the work can be looked at; landing it says what is missing.
    """
    tip = await tip_of(repo, target) or base
    result, conflicts = await merge_commits(hub, base=base, ours=tip, theirs=snapshot)
    if left_out and not conflicts:
        result = await picking.without(hub, tip, result, left_out)
    old, new = (base, snapshot) if conflicts else (tip, result)
    comparison = await changes.compare(hub.git(), old, new, max_paths=MOST_PATHS, policy=policy)
    return Proposal(
        tip=tip,
        result_tree="" if conflicts else result,
        conflicts=conflicts,
        files=comparison.files,
        findings=comparison.findings,
    )


async def tip_for(repo: Repository, target: str) -> str:
    """Where the target is; `TargetMoved` when it is gone."""
    if tip := await tip_of(repo, target):
        return tip
    raise TargetMoved(
        f"the branch {target!r} is gone from {repo.name}", hint="Make it again, then merge again."
    )


async def merge_commits(
    hub: Hub, *, base: str, ours: str, theirs: str
) -> tuple[str, tuple[str, ...]]:
    """Tree and conflicts of a three-way merge of three commits' trees.

    Both sides are first written as children of the base, so that git takes it for the merge base
    whatever the history looks like. (`--merge-base` came only with git 2.40.)
    """
    sides = [await _child(hub.git(), base, side) for side in (ours, theirs)]
    merge = ("merge-tree", "--write-tree", "--name-only", "--no-messages", "-z", *sides)
    done = await hub.git().ask(*merge)
    if done.code not in (0, 1):
        raise failure(done, merge, hub.git_dir)
    tree, *names = done.stdout.split(b"\0")
    unique = dict.fromkeys(shown(name) for name in names if name)
    if done.code == 1 and not unique:
        raise RepoError(f"git found a conflict in {hub.git_dir} and does not say where")
    return checked_id(tree.decode()), tuple(unique) if done.code else ()


async def _child(git: Git, parent: str, commit: str) -> str:
    tree = await _tree_of(git, commit)
    return await _write(
        git, tree, [parent], "side of a merge\n", _as(("swarm", "merge@swarm.invalid"), 0)
    )


async def _tree_of(git: Git, commit: str) -> str:
    return await git.line("rev-parse", "--verify", f"{checked_id(commit)}^{{tree}}")


async def _write(
    git: Git, tree: str, parents: Sequence[str], message: str, env: dict[str, str]
) -> str:
    as_user = msgspec.structs.replace(git, env=env)
    behind = [word for parent in parents for word in ("-p", checked_id(parent))]
    write = ("commit-tree", checked_id(tree), *behind, "-F", "-")
    return await as_user.line(*write, stdin=message.encode(errors="replace"))


def _as(author: tuple[str, str], date: float) -> dict[str, str]:
    name, address = author
    return {
        f"GIT_{role}_{part}": value
        for role in ("AUTHOR", "COMMITTER")
        for part, value in (("NAME", name), ("EMAIL", address), ("DATE", f"@{int(date)} +0000"))
    }


async def land(repo: Repository, hub: Hub, landing: Landing) -> str:
    """Put the approved tree on the target and give the commit's id; repeated, the same id.

    `TargetMoved` and `TargetDirty` leave everything as it was.
    """
    commit = await compose(hub, landing)
    async with held(hub.locks, "land"):
        if await landed(repo, landing.target, commit):
            return commit
        await refuse_moved(repo, landing)
        bases = [landing.side.base] if landing.side else []
        await carry(hub, repo, commit, known=[landing.tip, *bases])
        await advance(repo, landing, commit)
    return commit


async def compose(hub: Hub, landing: Landing) -> str:
    """Write the commit that shall land into the hub: by the user, on the approved tip, with the approved tree.

    In a merge its second parent is one commit with the change on its base, not the agent's own: of what it had in
    between nobody has seen anything. What lands below it was looked at commit by commit.
    """
    words, git, tip = landing.words, hub.git(), landing.tip
    for each in landing.below:
        tip = await _said(git, each.tree, [tip], each.words)
    parents = [tip]
    if landing.side is not None:
        tree = await _tree_of(git, landing.side.snapshot)
        parents.append(await _said(git, tree, [landing.side.base], words))
    return await _said(git, landing.result_tree, parents, words)


async def _said(git: Git, tree: str, parents: Sequence[str], words: Words) -> str:
    """A commit of the user's, with these words."""
    message = _message(words.message, words.trailers)
    return await _write(git, tree, parents, message, _as(words.author, words.date))


def _message(text: str, trailers: tuple[tuple[str, str], ...]) -> str:
    plain = "".join(sign for sign in text if sign in "\n\t" or sign.isprintable()).strip()
    lines = (f"{key}: {' '.join(value.split())}\n" for key, value in trailers)
    return f"{plain or 'Change by swarm'}\n\n{''.join(lines)}"


async def landed(repo: Repository, target: str, commit: str) -> bool:
    """Whether the target holds that commit."""
    tip = await tip_of(repo, target)
    return tip is not None and await contains(repo.git(), tip, commit)


async def refuse_moved(repo: Repository, landing: Landing) -> None:
    """Raise when the target is no longer where the approval saw it, or is being rebased."""
    tip = await tip_for(repo, landing.target)
    if tip != landing.tip:
        raise TargetMoved(
            f"{landing.target!r} moved from {landing.tip[:12]} to {tip[:12]} since the approval",
            hint="Look at the new result and approve it again.",
        )
    if place := busy_with(repo, landing.target):
        raise TargetDirty(
            f"{landing.target!r} is being rebased in {place}",
            hint="Finish the rebase, or stop it with `git rebase --abort`, then merge again.",
        )


async def advance(repo: Repository, landing: Landing, commit: str) -> None:
    """Move the target from the approved tip to the commit; where it is checked out, the files too."""
    where = await checkout_of(repo, landing.target)
    if where is not None:
        await _advance_checkout(repo, where, landing, commit)
    elif not await move_branch(repo, landing.target, old=landing.tip, new=commit):
        await refuse_moved(repo, landing)
        raise RepoError(f"git did not move {landing.target!r} and does not say why")


async def _advance_checkout(
    repo: Repository, where: Checkout, landing: Landing, commit: str
) -> None:
    git = where.git()
    blocking = await in_the_way(git, landing.tip, commit)
    if blocking and not await half_moved(git, landing.tip, commit):
        raise dirty(where, landing.target, ", ".join(blocking[:5]))
    done = await forward(git, landing.tip, commit)
    if done.code != 0:
        await refuse_moved(repo, landing)
        raise not_forwarded(where, landing.target, done.stderr)
    if not await landed(repo, landing.target, commit):
        raise TargetMoved(
            f"another branch was switched to in {where.path} while {landing.target!r} was merged",
            hint=f"Look at `git reflog` there, switch back to {landing.target}, then merge again.",
        )


def not_forwarded(where: Checkout, target: str, said: str) -> TargetDirty:
    """Git's own reason why a checkout stays where it is: somebody's work, or a program of theirs that failed."""
    if "overwritten" in said or "merge" in said:
        return dirty(where, target, said)
    return TargetDirty(
        f"git could not lay {target!r} out in {where.path}: {' '.join(said.split())}",
        hint="Mend what git names there, then merge again. The branch was not moved.",
    )


def dirty(where: Checkout, target: str, what: str) -> TargetDirty:
    """What is in the way where the target is checked out."""
    return TargetDirty(
        f"{target!r} is checked out in {where.path}, and uncommitted work is in the way: {what}",
        hint="Commit or stash it there (`git stash`), then merge again. Nothing was changed.",
    )
