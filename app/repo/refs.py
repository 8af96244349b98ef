"""The refs swarm writes. Ids of runs come from swarm's own mint, and are checked all the same."""

import re
from typing import Final

from app.domain.errors import RepoError
from app.domain.ids import RunId

_RUN: Final = re.compile(r"[a-z0-9]+(?:[.-][a-z0-9]+)*")


def checked_run(run: RunId) -> str:
    """The id, if it can be part of a ref and of a path."""
    if not _RUN.fullmatch(run) or run.endswith(".lock"):
        raise RepoError(f"{run!r} is not the id of a run")
    return run


OURS: Final = "refs/swarm/"
"""In the user's repository: all that is ours, as `refs/swarm/<kind>/<run>`."""
BASES: Final = "refs/swarm/base/"


def base(run: RunId) -> str:
    """In the user's repository: keeps the commit the run started from when the user's git cleans up."""
    return f"{BASES}{checked_run(run)}"


def made(run: RunId, commit: str) -> str:
    """In the repository that hosts share, and in the hub of one that fetched it: a snapshot."""
    return f"refs/swarm/made/{checked_run(run)}/{commit}"


def published(run: RunId) -> str:
    """In the user's repository: the last commit swarm put on the run's branch."""
    return f"refs/swarm/published/{checked_run(run)}"


def trash(run: RunId) -> str:
    """In the user's repository: what the run's worktree held when it was removed."""
    return f"refs/swarm/trash/{checked_run(run)}"


def restored(run: RunId) -> str:
    """In the user's repository: what was brought back from the trash, uncommitted work included."""
    return f"refs/swarm/restored/{checked_run(run)}"


def agents(run: RunId) -> str:
    """In the user's repository: what the agent did, while it cannot be joined with what a person did."""
    return f"refs/swarm/agent/{checked_run(run)}"


def undone(run: RunId) -> str:
    """In the user's repository: the merge that was taken back."""
    return f"refs/swarm/undone/{checked_run(run)}"


def snapshot(run: RunId) -> str:
    """In the hub: the newest snapshot."""
    return f"refs/runs/{checked_run(run)}/snap"


def clean(run: RunId) -> str:
    """In the hub: the newest snapshot that holds nothing blocked; the next one builds on it."""
    return f"refs/runs/{checked_run(run)}/clean"


def joined(run: RunId, commit: str) -> str:
    """In the hub: keeps a commit that joins the agent's work with a person's."""
    return f"refs/runs/{checked_run(run)}/joined/{commit}"


def kept(run: RunId, commit: str) -> str:
    """In the hub: keeps a snapshot on which no newer one builds."""
    return f"refs/runs/{checked_run(run)}/kept/{commit}"


def branch(name: str) -> str:
    """The full name of a branch."""
    return f"refs/heads/{name}"
