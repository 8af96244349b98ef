"""Removing a run's worktree without losing anything that is in it, and bringing it back.

Nothing is ever forced: all of the worktree is first saved as a commit under `refs/swarm/trash/`, then
git is told that this commit is what the worktree is at, so that git itself refuses the removal if
anything has changed since.
"""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from app.domain.errors import NotFound, RepoError
from app.domain.ids import RunId
from app.repo import refs
from app.repo.checkouts import Checkout, checkout_of, uncommitted
from app.repo.git import Git, checked_id
from app.repo.hub import Hub
from app.repo.locks import held
from app.repo.process import SLOW
from app.repo.repository import Repository, tip_of
from app.repo.transfer import contains, has
from app.repo.worktrees import (
    LOCK,
    Worktree,
    at,
    drop_record,
    ensure_branch,
    lay_out,
    published,
    sealed,
)

_AS: Final = {
    f"GIT_{role}_{part}": value
    for role in ("AUTHOR", "COMMITTER")
    for part, value in (("NAME", "swarm"), ("EMAIL", "trash@swarm.invalid"))
}


async def remove_worktree(
    repo: Repository, hub: Hub, worktree: Worktree, *, drop_branch: bool = True
) -> str:
    """Save everything in the worktree and on its branch to the trash, remove both; the saved commit's id.

    Empty when there was nothing to save. Safe to repeat.
    """
    path = Path(worktree.path)
    async with held(hub.locks, LOCK):
        where = await at(repo, path)
        if where is not None:
            await _remove(repo, worktree, where)
        elif os.path.lexists(path):
            raise RepoError(
                f"{path} is not a worktree of {repo.name}, so swarm does not remove it",
                hint="Move it away yourself if you do not need it.",
            )
        else:
            await drop_record(repo, path)
            await _save_branch(repo, worktree)
        if drop_branch:
            await _drop_branch(repo, worktree)
        return await trashed(repo, worktree.run)


async def trashed(repo: Repository, run: RunId) -> str:
    """The commit in the trash for that run; empty when there is none."""
    found = await repo.git().ask("rev-parse", "--verify", "--quiet", refs.trash(run))
    return found.stdout.decode().strip() if found.code == 0 else ""


async def _brought_back(repo: Repository, run: RunId) -> str:
    """What was last restored; empty when nothing was."""
    found = await repo.git().ask("rev-parse", "--verify", "--quiet", refs.restored(run))
    return found.stdout.decode().strip() if found.code == 0 else ""


async def _remove(repo: Repository, worktree: Worktree, where: Checkout) -> None:
    git = await sealed(repo, where)
    saved, index = await _save(repo, git, worktree, where)
    await _pretend(git, saved, index)
    done = await repo.git().ask("worktree", "remove", worktree.path, bounds=SLOW)
    if done.code != 0:
        raise RepoError(
            f"git does not remove the worktree {worktree.path}: {done.stderr}",
            hint=f"What was in it is saved as {refs.trash(worktree.run)}. "
            "Close what still writes there, move repositories of your own out, then try again.",
        )


async def _save(
    repo: Repository, git: Git, worktree: Worktree, where: Checkout
) -> tuple[str, Path]:
    """A commit of all that is there, ignored files apart, on top of the commit it was made on."""
    tree, index = await _everything(git)
    before = await trashed(repo, worktree.run)
    head = await _made_on(repo, git, worktree, where, before)
    if before and await _parent(git, before) == head and await _tree(git, before) == tree:
        return before, index
    tip = await tip_of(repo, worktree.branch) or head
    earlier = await _brought_back(repo, worktree.run)
    parents = [head, tip, *(each for each in (before, earlier) if each)]
    saved = await _commit(git, tree, parents, worktree.run)
    await repo.git().run("update-ref", refs.trash(worktree.run), saved)
    return saved, index


async def _made_on(
    repo: Repository, git: Git, worktree: Worktree, where: Checkout, before: str
) -> str:
    """The commit a person sees as the worktree's own."""
    if not where.head.strip("0"):
        return await published(repo, worktree.run)  # its branch was deleted
    if before and where.head == before:
        return await _parent(git, before)  # an earlier removal got as far as `_pretend`
    return where.head


async def _everything(git: Git) -> tuple[str, Path]:
    """The tree of all that is there, and a spare index that describes it."""
    index = git.dir / "index.swarm"
    index.unlink(missing_ok=True)
    (git.dir / "index.swarm.lock").unlink(missing_ok=True)
    # Its time is kept too: it tells git which entries are too young to be trusted.
    shutil.copy2(git.dir / "index", index)
    spare = _with_index(git, index)
    await spare.run("add", "--all", bounds=SLOW)
    return await spare.line("write-tree"), index


def _with_index(git: Git, index: Path) -> Git:
    return msgspec.structs.replace(git, env={**git.env, "GIT_INDEX_FILE": os.fspath(index)})


async def _commit(git: Git, tree: str, parents: Sequence[str], run: RunId) -> str:
    """Dates come from the first parent, so that saving the same again gives the same id."""
    date = await git.line("show", "--no-patch", "--format=%ct", checked_id(parents[0]))
    dates = {f"GIT_{role}_DATE": f"@{date} +0000" for role in ("AUTHOR", "COMMITTER")}
    writer = msgspec.structs.replace(git, env={**git.env, **_AS, **dates})
    behind = [part for parent in dict.fromkeys(parents) for part in ("-p", checked_id(parent))]
    message = f"All of the worktree of run {run}\n".encode()
    return await writer.line("commit-tree", checked_id(tree), *behind, "-F", "-", stdin=message)


async def _parent(git: Git, commit: str) -> str:
    found = await git.ask("rev-parse", "--verify", "--quiet", f"{checked_id(commit)}^1")
    return found.stdout.decode().strip()


async def _tree(git: Git, commit: str) -> str:
    return await git.line("rev-parse", "--verify", f"{checked_id(commit)}^{{tree}}")


async def _pretend(git: Git, saved: str, index: Path) -> None:
    """Detach the worktree at what was saved, so that it counts as unchanged until somebody changes it."""
    await git.run("update-ref", "--no-deref", "HEAD", saved)
    index.replace(git.dir / "index")


async def _save_branch(repo: Repository, worktree: Worktree) -> None:
    tip = await tip_of(repo, worktree.branch)
    before = await trashed(repo, worktree.run)
    if tip is None or (before and await contains(repo.git(), before, tip)):
        return
    tree = await _tree(repo.git(), tip)
    earlier = await _brought_back(repo, worktree.run)
    parents = [tip, *(each for each in (before, earlier) if each)]
    saved = await _commit(repo.git(), tree, parents, worktree.run)
    await repo.git().run("update-ref", refs.trash(worktree.run), saved)


async def _drop_branch(repo: Repository, worktree: Worktree) -> None:
    """Delete the branch if the trash holds all of it, and nobody has it checked out."""
    if await checkout_of(repo, worktree.branch) is not None:
        return
    tip = await tip_of(repo, worktree.branch)
    saved = await trashed(repo, worktree.run)
    if tip and saved and await contains(repo.git(), saved, tip):
        await repo.git().run("update-ref", "-d", refs.branch(worktree.branch), tip)


async def restore(repo: Repository, hub: Hub, worktree: Worktree) -> None:
    """Bring branch and worktree back as they were, uncommitted work included. Safe to repeat."""
    saved = await trashed(repo, worktree.run)
    async with held(hub.locks, LOCK):
        where = await at(repo, Path(worktree.path))
        if not saved and where is None:
            raise NotFound(f"run {worktree.run} has nothing in the trash")
        if not saved:
            return
        tip = await _parent(repo.git(), saved)
        if await tip_of(repo, worktree.branch) is None:
            await repo.git().run("update-ref", refs.branch(worktree.branch), tip)
        await ensure_branch(repo, worktree, tip)
        await lay_out(repo, worktree)
        await _put_back(repo, worktree, saved)
        # What is uncommitted now is a person's to throw away; what it was stays reachable.
        await repo.git().run("update-ref", refs.restored(worktree.run), saved)
        await repo.git().run("update-ref", "-d", refs.trash(worktree.run), saved)


async def _put_back(repo: Repository, worktree: Worktree, saved: str) -> None:
    """Lay the saved files over the fresh checkout, as uncommitted work."""
    where = await at(repo, Path(worktree.path))
    if where is None:
        raise RepoError(
            f"{worktree.branch} is checked out elsewhere, so {worktree.path} cannot be made again",
            hint=f"Switch to another branch there. `git show {refs.trash(worktree.run)}` has all of it.",
        )
    git = await sealed(repo, where)
    wanted = await _tree(git, saved)
    present, spare = await _everything(git)
    spare.unlink(missing_ok=True)
    if present == wanted:
        return
    if await uncommitted(git):
        raise RepoError(
            f"{worktree.path} holds uncommitted work, so nothing is laid over it",
            hint=f"Commit it, then look at `git diff HEAD {refs.trash(worktree.run)}`.",
        )
    await git.run("read-tree", "-m", "-u", "HEAD", saved, bounds=SLOW)
    await git.run("reset", "--quiet", "--mixed", "HEAD", bounds=SLOW)


async def trash(repo: Repository) -> tuple[RunId, ...]:
    """The runs that have something in the trash."""
    prefix = "refs/swarm/trash/"
    listed = await repo.git().run("for-each-ref", "--format=%(refname)", prefix)
    return tuple(RunId(name.removeprefix(prefix)) for name in listed.decode().split())


async def forget(repo: Repository, run: RunId) -> None:
    """Let go of everything the user's repository keeps for a run, the trash included. Safe to repeat."""
    kinds = (refs.base, refs.published, refs.trash, refs.restored, refs.agents)
    for kind in kinds:
        await repo.git().run("update-ref", "-d", kind(run))


async def forget_landed(repo: Repository, run: RunId, snapshot: str) -> bool:
    """Let go of all that is kept for a merged run, unless a person's own work is in it; whether it went.

    All that was ever saved counts: each saving stands on the ones before it.
    """
    kept = [each for each in (await trashed(repo, run), await _brought_back(repo, run)) if each]
    if kept and not await _holds_all(repo, snapshot, kept):
        return False
    await forget(repo, run)
    return True


async def _holds_all(repo: Repository, snapshot: str, kept: Sequence[str]) -> bool:
    """Whether every file of those commits is in the history of the snapshot, too."""
    if not await has(repo.git(), snapshot):
        return False
    wanted = [checked_id(each) for each in kept]
    listed = ("rev-list", "--objects", *wanted, f"^{checked_id(snapshot)}")
    # Commits stand alone in their line; trees and files have a name behind them, if an empty one.
    return b" " not in await repo.git().run(*listed, bounds=SLOW)
