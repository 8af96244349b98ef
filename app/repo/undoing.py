"""Taking a landed change back: the branch goes back where nothing has followed, else the reverse lands on top."""

import re
from typing import Final, Literal

import msgspec

from app.domain.base import Value
from app.domain.errors import UsageError
from app.domain.ids import RunId
from app.repo import refs
from app.repo.checkouts import backward, checkout_of, half_moved, in_the_way, move_branch
from app.repo.errors import Conflicts
from app.repo.git import checked_id
from app.repo.hub import Hub
from app.repo.locks import held
from app.repo.merges import Landing, Words, dirty, land, merge_commits, not_forwarded, tip_for
from app.repo.repository import Repository
from app.repo.transfer import contains

_UNDOES: Final = "Swarm-Undoes"
_LOOK_BACK: Final = 2_000


class Undone(Value, frozen=True, kw_only=True):
    """How a landed change was taken back."""

    how: Literal["moved back", "reverted"]
    commit: str
    """Where the target is now: the commit before the change, or the one that reverses it."""


async def undo(
    repo: Repository,
    hub: Hub,
    commit: str,
    *,
    run: RunId,
    target: str,
    words: Words,
    before: str = "",
) -> Undone:
    """Take off the target what landed as that commit. Undoing twice undoes once; refuses as `land` does.

    Where a change landed as several, `before` is what the target was at; else it is the commit's parent.

    The branch itself goes back when the commit is still its tip and nothing else has it: no other branch, tag,
    remote or run. It stays reachable below `refs/swarm/undone/`, so that nothing is lost.
    """
    tip = await tip_for(repo, target)
    if not await contains(repo.git(), tip, commit):
        if await _kept(repo, run) == commit:
            return Undone(how="moved back", commit=before or await _parent(repo, commit))
        raise UsageError(f"{commit[:12]} is not on {target!r}, so it cannot be undone there")
    before = before or await _parent(repo, commit)
    first = await _first(repo, before, commit)
    if tip == commit and not await _elsewhere(repo, first, run, target):
        async with held(hub.locks, "land"):
            await repo.git().run("update-ref", refs.undone(run), checked_id(commit))
            if await _moved_back(repo, target, commit, before):
                return Undone(how="moved back", commit=before)
    reverse = await _revert(repo, hub, commit, before=before, target=target, words=words)
    return Undone(how="reverted", commit=reverse)


async def _parent(repo: Repository, commit: str) -> str:
    return await repo.git().line("rev-parse", "--verify", f"{checked_id(commit)}^1")


async def _first(repo: Repository, before: str, commit: str) -> str:
    """The oldest of what landed: who has that has a part of it."""
    span = f"{checked_id(before)}..{checked_id(commit)}"
    walk = await repo.git().run("rev-list", "--first-parent", "--reverse", span)
    return checked_id(walk.decode().split()[0])


async def _kept(repo: Repository, run: RunId) -> str:
    found = await repo.git().ask("rev-parse", "--verify", "--quiet", refs.undone(run))
    return found.stdout.decode().strip()


async def _elsewhere(repo: Repository, commit: str, run: RunId, target: str) -> bool:
    """Whether anything but the target and what swarm keeps of this run has the commit."""
    listed = await repo.git().run(
        "for-each-ref", f"--contains={checked_id(commit)}", "--format=%(refname)"
    )
    ours = {
        refs.branch(target),
        refs.undone(run),
        refs.base(run),
        refs.published(run),
        refs.trash(run),
    }
    return bool(set(listed.decode(errors="replace").split()) - ours)


async def _moved_back(repo: Repository, target: str, commit: str, parent: str) -> bool:
    """Whether the branch went back to where it was; False when somebody moved it in between."""
    where = await checkout_of(repo, target)
    if where is None:
        return await move_branch(repo, target, old=commit, new=parent)
    git = where.git()
    blocking = await in_the_way(git, commit, parent)
    if blocking and not await half_moved(git, commit, parent):
        raise dirty(where, target, ", ".join(blocking[:5]))
    done = await backward(git, commit, parent)
    if done.code != 0:
        raise not_forwarded(where, target, done.stderr)
    return True


async def _revert(
    repo: Repository, hub: Hub, commit: str, *, before: str, target: str, words: Words
) -> str:
    tip = await tip_for(repo, target)
    result, conflicts = await merge_commits(hub, base=commit, ours=tip, theirs=before)
    if conflicts:
        which = commit[:12]
        if await _first(repo, before, commit) != commit:
            which = f"{before[:12]}..{which}"
        raise Conflicts(
            f"{commit[:12]} cannot be undone by itself: later commits changed {', '.join(conflicts)}",
            hint=f"Undo it by hand with `git revert {which}`.",
        )
    if result == await repo.git().line("rev-parse", "--verify", f"{tip}^{{tree}}"):
        return await _reverted(repo, commit, tip)
    said = msgspec.structs.replace(words, trailers=(*words.trailers, (_UNDOES, commit)))
    return await land(repo, hub, Landing(target=target, tip=tip, result_tree=result, words=said))


async def _reverted(repo: Repository, commit: str, tip: str) -> str:
    form = f"--format=%H %(trailers:key={_UNDOES},valueonly,separator=%x20)"
    walk = ("log", "--first-parent", f"--max-count={_LOOK_BACK}", form)
    lines = (await repo.git().run(*walk, f"{commit}..{tip}")).decode(errors="replace").splitlines()
    for line in lines:
        found, _, undone = line.partition(" ")
        if commit in re.split(r"\s+", undone):
            return found
    raise UsageError(f"there is nothing left of {commit[:12]} to undo")
