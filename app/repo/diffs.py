"""Diffs, read from the hub only: nothing in a tree can hide, transform or run anything there."""

from collections.abc import Collection
from typing import Final

from app.domain.errors import RepoError
from app.repo.errors import TimedOut, TooLarge
from app.repo.git import checked_id
from app.repo.hub import Hub
from app.repo.process import MIB, Bounds

_UNIFIED: Final = ("diff-tree", "-r", "-p", "--no-ext-diff", "--no-textconv", "--no-color")
_PLAIN: Final = ("--no-renames", "--full-index", "--no-commit-id")
LARGEST: Final = 128 * MIB
"""A million lines of ordinary length, twice."""
SLOWEST: Final = 60.0
MOST_NAMED: Final = 500
"""Files that a diff can be narrowed to; a command line has an end."""
_WAY_OUT: Final = "Look at the files one by one in the run's worktree, or have the agent split it."


async def diff(
    hub: Hub,
    old: str,
    new: str,
    *,
    paths: Collection[str] = (),
    limit_bytes: int = LARGEST,
    timeout: float = SLOWEST,
) -> bytes:
    """The unified diff between two commits or trees of the hub; of these files only, if any are named."""
    only = paths if len(paths) <= MOST_NAMED else ()
    bounds = Bounds(seconds=timeout, output=limit_bytes)
    try:
        return await hub.git().run(
            *_UNIFIED, *_PLAIN, checked_id(old), checked_id(new), "--", *only, bounds=bounds
        )
    except TimedOut as slow:
        message = f"the change is too large to diff: git gave up after {timeout:g} seconds"
        raise TooLarge(message, hint=_WAY_OUT) from slow
    except TooLarge as large:
        message = f"the change is too large to diff: more than {limit_bytes} bytes"
        raise TooLarge(message, hint=_WAY_OUT) from large
    except RepoError as error:
        gone = [one for one in (old, new) if not await holds(hub, one)]
        if not gone:
            raise
        raise RepoError(
            f"{gone[0][:12]} is not in the repository any more, so nothing can be compared with it: its history "
            "was rewritten and cleaned up",
            hint=f"What the agent made is kept: `git --git-dir {hub.git_dir} ls-tree -r {new}` lists it.",
        ) from error


async def holds(hub: Hub, tree: str) -> bool:
    """Whether the hub has that tree."""
    found = await hub.git().ask("cat-file", "-e", f"{checked_id(tree)}^{{tree}}")
    return found.code == 0
