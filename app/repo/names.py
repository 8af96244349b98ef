"""Names people see, made from words people wrote."""

import re
import unicodedata
from typing import Final

from app.domain.ids import RunId, task_of
from app.repo import refs
from app.repo.repository import Repository

_LONGEST: Final = 40


def slug(text: str) -> str:
    """`[a-z0-9-]`, at most forty characters; `task` when nothing of the text is left."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    words = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
    if len(words) > _LONGEST:
        words = words[: _LONGEST + 1].rpartition("-")[0] or words[:_LONGEST]
    return words.strip("-") or "task"


def branch_name(text: str, run: RunId, *, folder: bool = True) -> str:
    """`swarm/<slug>-<task>`, with the run's number from the second on; `swarm-…` without the folder."""
    task = task_of(run)
    number = run.removeprefix(f"{task}.")
    tail = task if number == "1" else f"{task}-{number}"
    return f"swarm{'/' if folder else '-'}{slug(text)}-{tail}"


async def free_branch_name(repo: Repository, text: str, run: RunId) -> str:
    """The name of the run's branch. A user who owns a branch `swarm` cannot have `swarm/…` beside it."""
    taken = await repo.git().ask("rev-parse", "--verify", "--quiet", refs.branch("swarm"))
    return branch_name(text, run, folder=taken.code != 0)
