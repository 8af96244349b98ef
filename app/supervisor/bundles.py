"""What one run hands to the next: gathered from what swarm itself knows, with what agents said marked as said."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

import msgspec

from app.domain.bundle import Part, reminder
from app.domain.events import Event
from app.domain.money import dollars
from app.domain.review import Approval, CheckResult, Comment, Review
from app.domain.run import Run
from app.domain.task import Task
from app.repo import diffs
from app.store import event_log, reviews, tasks, turns
from app.store.turns import Turn
from app.supervisor.errors import told
from app.supervisor.services import Ground, Services
from app.supervisor.trouble import TROUBLE
from harnesses.events import MessageChunk
from policies.secrets import masked

DIFF_LIMIT: Final = 1024 * 1024
"""Bytes of a diff that are handed on; more of it stays on its branch."""
_SAID: Final = 1500
"""Characters of an agent's last words."""


class _Worked(msgspec.Struct, frozen=True):
    """A run of the task with all that a person would want to know of it."""

    run: Run
    turns: tuple[Turn, ...]
    checks: tuple[CheckResult, ...]
    approvals: tuple[Approval, ...]
    reviews: tuple[Review, ...]
    comments: tuple[Comment, ...]
    last_words: str


async def gather(s: Services, task: Task, before: Run) -> tuple[Part, ...]:
    """The bundle of a task's runs up to `before`: brief, what was tried, decisions, failures, review, diff.

    Secrets are masked: what was an agent's is shown to another provider.
    """
    runs = [
        run for run in await s.database.read(tasks.runs_of, task.id) if run.number <= before.number
    ]
    worked = [await _worked(s, run) for run in runs]
    latest = worked[-1]
    patch, left_out = await _patch(s, task, before)
    texts = {
        "BRIEF.md": _brief(task),
        "TRIED.md": "\n\n".join(_tried(each) for each in worked),
        "DECISIONS.md": "\n".join(_numbered(_decisions(worked))),
        "CHECK.txt": "\n\n".join(_failed(check) for check in latest.checks if not check.passed),
        "REVIEW.md": "\n".join(_reviewed(latest)),
        "DIFF.patch": patch,
    }
    allowed = task.policy.secrets
    return tuple(
        Part(
            name=name,
            body=masked(text, allowed=allowed).encode(errors="surrogateescape"),
            left_out=left_out if name == "DIFF.patch" else 0,
        )
        for name, text in texts.items()
        if text.strip()
    )


async def remind(s: Services, at: Ground, turn: Turn) -> Turn:
    """The turn, told what is known of the run's work if it begins another conversation in the midst of it."""
    if turn.number == 1 or turn.resumes or turn.by_hand:
        return turn
    limit = s.configuration.settings.routing.bundle_bytes
    parts = await gather(s, at.task, at.run)
    told_all = reminder(turn.prompt, at.task.goal, parts, limit)
    return await s.database.write(turns.reword, at.run.id, turn.number, told_all)


async def _worked(s: Services, run: Run) -> _Worked:
    read = s.database.read
    return _Worked(
        run=run,
        turns=await read(turns.turns_of, run.id),
        checks=await read(turns.checks_of, run.id),
        approvals=await read(reviews.approvals_of, run.id),
        reviews=await read(reviews.reviews_of, run.id),
        comments=await read(reviews.comments_of, run.id),
        last_words=_last_words(await s.database.read_log(event_log.of_type, run.id, "message")),
    )


def _last_words(events: Iterable[Event]) -> str:
    """The last thing the agent said, not its sub-agents."""
    said = [e.body for e in events if isinstance(e.body, MessageChunk) and not e.body.parent]
    last = [chunk.text for chunk in said if chunk.message == said[-1].message]
    return "".join(last).strip()[-_SAID:]


async def _patch(s: Services, task: Task, run: Run) -> tuple[str, int]:
    """What the run changed, and how many bytes of that are too many: a patch that is cut cannot be applied."""
    if not run.snapshot:
        return "", 0
    try:
        _repo, hub = await s.repository(task)
        patch = await diffs.diff(hub, run.base, run.snapshot)
    except TROUBLE as error:
        return f"# The diff could not be made: {told(error)}\n", 0
    if len(patch) <= DIFF_LIMIT:
        return patch.decode(errors="surrogateescape"), 0
    kept = patch[:DIFF_LIMIT].rpartition(b"\ndiff --git ")[0]
    return kept.decode(errors="surrogateescape") + "\n", len(patch) - len(kept)


def _brief(task: Task) -> str:
    checks = "".join(f"\n- `{command}` succeeds" for command in task.checks)
    when = f"\n\nIt is done when:\n{checks}" if checks else ""
    return f"{task.goal}\n\nIt starts from {task.base} and is to land on {task.target}.{when}\n"


def _tried(worked: _Worked) -> str:
    run = worked.run
    lines = [
        f"Run {run.id}, by {run.agent} with {run.model}: {run.state}"
        + (f", because {run.reason}" if run.reason else ""),
        f"- {_count(len(worked.turns), 'turn')}, {dollars(run.spent)}, {_count(run.files, 'file')} "
        f"changed (+{run.insertions} -{run.deletions})",
    ]
    lines += [f"- turn {turn.number}: {turn.error}" for turn in worked.turns if turn.error]
    if worked.last_words:
        quoted = worked.last_words.replace("\n", "\n> ")
        lines.append(f"- its last words, which nobody has checked:\n> {quoted}")
    return "\n".join(lines)


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _decisions(worked: Iterable[_Worked]) -> Iterable[tuple[float, str]]:
    """What people said yes or no to, and why."""
    for each in worked:
        for asked in each.approvals:
            if asked.answer and asked.by not in ("", "swarm"):
                why = f": {asked.note}" if asked.note else ""
                yield (
                    asked.answered or asked.opened,
                    f"{asked.title} - {asked.answer}, {asked.by}{why}",
                )
        for review in each.reviews:
            if review.verdict and review.note:
                yield (
                    review.decided or review.opened,
                    f"{review.verdict}, {review.by}: {review.note}",
                )


def _numbered(found: Iterable[tuple[float, str]]) -> Iterable[str]:
    for number, (at, text) in enumerate(sorted(found), start=1):
        day = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M UTC")
        yield f"{number}. {text} ({day})"


def _failed(check: CheckResult) -> str:
    how = "was stopped" if check.code is None else f"ended with {check.code}"
    return f"$ {check.command}\n{check.tail.strip()}\n[{how} after {check.seconds:.1f} s]"


def _reviewed(worked: _Worked) -> Iterable[str]:
    if worked.reviews and worked.reviews[-1].verdict == "changes" and worked.reviews[-1].note:
        yield worked.reviews[-1].note
    for comment in worked.comments:
        yield f"- {comment.where}: {comment.text} ({comment.by})"
