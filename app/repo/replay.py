"""A change turn by turn: a commit each, and only where none of them holds what the whole does not show."""

from collections.abc import Sequence

from app.domain.base import Value
from app.domain.policy import ChangePolicy
from app.domain.review import FileChange, Finding, Review, TurnCommit
from app.repo import changes
from app.repo.errors import Unreplayable
from app.repo.hub import Hub
from app.repo.merges import MOST_PATHS, merge_commits


class Left(Value, frozen=True, kw_only=True):
    """What a turn left in the tree."""

    turn: int
    snapshot: str


async def replay(
    hub: Hub, whole: Review, left: Sequence[Left], policy: ChangePolicy
) -> tuple[TurnCommit, ...]:
    """What would land commit by commit, the last with the tree of the review; a turn without a change has none.

    Each turn is merged into the target as the review itself was, so that its commit is what landing the work at
    that moment would have given. `Unreplayable` names the turn that conflicts, or that would land for good what is
    gone from the whole: a secret, a file, or what a person has to confirm.
    """
    before, commits = whole.tip, list[TurnCommit]()
    for each in _without_repeats(whole, left):
        tree, conflicts = await merge_commits(
            hub, base=whole.base, ours=whole.tip, theirs=each.snapshot
        )
        if conflicts:
            raise _conflict(whole, each.turn, conflicts)
        made = await changes.compare(hub.git(), before, tree, max_paths=MOST_PATHS, policy=policy)
        if not made.files:
            continue
        refuse_hidden(whole, each.turn, made.files, made.findings)
        commits.append(TurnCommit(turn=each.turn, tree=tree, files=made.files))
        before = tree
    return tuple(commits)


def _without_repeats(whole: Review, left: Sequence[Left]) -> list[Left]:
    """One for each snapshot that differs from the one before; what the review is of is the last turn's."""
    last = Left(turn=left[-1].turn if left else 1, snapshot=whole.snapshot)
    kept = list[Left]()
    for each in (*left[:-1], last):
        if not kept or kept[-1].snapshot != each.snapshot:
            kept.append(each)
    return kept


def refuse_hidden(
    whole: Review, turn: int, files: Sequence[FileChange], findings: Sequence[Finding]
) -> None:
    """Raise for what a turn would land that the change as a whole does not show. Pure."""
    shown = {_key(finding) for finding in whole.findings}
    for finding in findings:
        if _counts(finding) and _key(finding) not in shown:
            raise _hidden(turn, finding.path, finding.why)
    paths = {file.path for file in whole.files}
    for file in files:
        if file.path not in paths:
            raise _hidden(
                turn, file.path, f"it is {_DONE[file.status]} there, and as before in the end"
            )


_DONE = {"added": "added", "modified": "changed", "deleted": "deleted", "type_changed": "changed"}


def _key(finding: Finding) -> tuple[str, ...]:
    return finding.severity, finding.path, finding.rule, finding.fingerprint


def _counts(finding: Finding) -> bool:
    """Whether it is more than a word about a path, of which the whole says what is left of it."""
    return finding.severity != "warn" or not finding.rule.startswith("paths/")


def _hidden(turn: int, path: str, why: str) -> Unreplayable:
    where = "" if path == "." else f" in {path}"
    return Unreplayable(
        f"turn {turn} held{where} what the whole change does not show: {why}. A rebase would land it for good",
        hint="Land it as one commit, or as a merge commit: in both there is only what you have looked at.",
    )


def _conflict(whole: Review, turn: int, files: Sequence[str]) -> Unreplayable:
    named = ", ".join(files[:5]) + (" and more" if len(files) > 5 else "")
    return Unreplayable(
        f"what turn {turn} left conflicts with {whole.target} in {named}; only the change as a whole fits",
        hint="Land it as one commit, or as a merge commit.",
    )
