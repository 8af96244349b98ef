"""Carrying vetted commits from the hub into the user's repository, checked once more on arrival."""

from collections.abc import Sequence
from typing import Final

from app.repo.git import Git, checked_id
from app.repo.hub import Hub
from app.repo.process import MIB, Bounds
from app.repo.repository import Repository

_CARRY: Final = Bounds(seconds=300.0, output=1024 * MIB)


async def carry(hub: Hub, repo: Repository, commit: str, *, known: Sequence[str]) -> None:
    """Bring the commit, with all that the `known` commits of the user's repository lack. Safe to repeat."""
    if await has(repo.git(), commit):
        return
    present = [one for one in known if await has(repo.git(), one)]
    wanted = "".join([f"{checked_id(commit)}\n", *(f"^{checked_id(one)}\n" for one in present)])
    pack = await hub.git().run(
        "pack-objects", "--revs", "--stdout", "-q", stdin=wanted.encode(), bounds=_CARRY
    )
    await repo.git().run("index-pack", "--stdin", "--strict", stdin=pack, bounds=_CARRY)


async def has(git: Git, commit: str) -> bool:
    """Whether that repository holds the commit."""
    return (await git.ask("cat-file", "-e", f"{checked_id(commit)}^{{commit}}")).code == 0


async def contains(git: Git, tip: str, commit: str) -> bool:
    """Whether the commit is the tip, or lies behind it."""
    if not await has(git, commit):
        return False
    asked = ("merge-base", "--is-ancestor", checked_id(commit), checked_id(tip))
    return (await git.ask(*asked)).code == 0
