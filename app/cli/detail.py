"""A run and its reviews, as text."""

from collections.abc import Iterator, Sequence

from app import wire
from app.cli.render import (
    Cell,
    changes,
    count,
    facts,
    painted,
    short,
    state_cell,
    table,
)
from app.domain.money import dollars
from app.domain.review import CheckResult, FileChange, Finding, Review, TurnCommit
from app.domain.safe import clean, clean_line

SEVERITY = {"block": "red", "confirm": "yellow", "warn": "cyan"}
MARKS = {"added": "A", "modified": "M", "deleted": "D", "type_changed": "T"}


def open_review(detail: wire.RunDetail) -> Review | None:
    """The review that waits for a verdict, if there is one."""
    return next((one for one in reversed(detail.reviews) if one.verdict is None), None)


def detail_text(detail: wire.RunDetail) -> str:
    """Everything about a run, part by part."""
    return "\n\n".join(part for part in _parts(detail) if part)


def _parts(detail: wire.RunDetail) -> Iterator[str]:
    row = detail.row
    yield clean(row.task.goal)
    yield facts(_facts(detail))
    yield _section(
        "Question", [f"{row.question.id}  {clean_line(row.question.title)}"] if row.question else []
    )
    yield _section("Checks", [check_line(check) for check in row.checks])
    yield findings_text(detail.findings)
    yield _section(
        "Comments",
        [f"{clean_line(c.where)}  {clean_line(c.text)}" for c in detail.comments],
    )
    yield _section(
        "Also changed by",
        [
            f"{o.run} ({o.agent}, {o.state})  {clean_line(', '.join(o.paths))}"
            for o in detail.overlaps
        ],
    )
    if review := open_review(detail):
        yield review_text(review)
    elif landed := next((one for one in detail.reviews if one.merged), None):
        yield f"Landed on {clean_line(landed.target)} as {landed.merged}, approved by {clean_line(landed.by)}."


def _facts(detail: wire.RunDetail) -> list[tuple[str, str | Cell]]:
    run, task, spend = detail.row.run, detail.row.task, detail.spend
    held = f", {dollars(spend.held)} held" if spend.held else ""
    refused = f", {spend.refused} refused" if spend.refused else ""
    return [
        ("run", run.id),
        ("state", state_cell(run.state)),
        ("reason", run.reason),
        ("activity", detail.row.activity),
        ("agent", f"{run.agent} ({run.harness}, {run.model})"),
        ("sandbox", f"{run.sandbox} {run.image}".strip()),
        ("repository", task.repo),
        ("target", f"{task.target}, from {short(run.base) or task.base}{_drift(detail.behind)}"),
        ("branch", run.branch),
        ("worktree", run.worktree),
        ("change", f"{count(run.files, 'file')} {changes(run.insertions, run.deletions)}"),
        ("cost", f"{dollars(run.spent)} of {dollars(run.budget)}{held}"),
        ("calls", f"{spend.calls}{refused}" if spend.calls or spend.refused else ""),
        (
            "runs",
            " ".join(f"{r.id}={r.state}" for r in detail.runs) if len(detail.runs) > 1 else "",
        ),
    ]


def _drift(behind: int) -> str:
    return f", {count(behind, 'commit')} behind" if behind else ""


def _section(title: str, lines: Sequence[str]) -> str:
    return "\n".join([painted(title, "bold"), *(f"  {line}" for line in lines)]) if lines else ""


def review_text(review: Review) -> str:
    """What a person is asked to approve: exactly what would land, and what speaks against it."""
    title = f"Review {review.id}: would land on {clean_line(review.target)}"
    left_out = [("left out", review.without)] if review.left_out else []
    head = facts([("tree", review.result_tree), ("on top of", review.tip), *left_out])
    parts = [painted(title, "bold"), head]
    parts += [painted(f"conflict  {clean_line(path)}", "red") for path in review.conflicts]
    parts += [finding_line(finding) for finding in review.findings]
    parts += [check_line(check) for check in review.checks] or [unchecked(review)]
    return "\n".join([*parts, files_text(review.files)])


def commits_text(review: Review, commits: Sequence[TurnCommit]) -> str:
    """The commits of a rebase, each with the turn it is of."""
    lines = [
        f"turn {each.turn}  {each.tree[:10]}  {_size(each.files)}"
        f"  {clean_line(', '.join(file.path for file in each.files[:3]))}"
        f"{' …' if len(each.files) > 3 else ''}"
        for each in commits
    ]
    lines.append(f"look at each: swarm diff {review.run} --turn N")
    return _section(f"As {count(len(commits), 'commit')}, one a turn", lines)


def _size(files: Sequence[FileChange]) -> str:
    total = changes(sum(f.insertions for f in files), sum(f.deletions for f in files))
    return f"{count(len(files), 'file')} {total}".rstrip()


def unchecked(review: Review) -> str:
    return (
        "no check has seen it without what was left out"
        if review.left_out
        else "no checks were run"
    )


def files_text(files: Sequence[FileChange]) -> str:
    """The changed files with their counts."""
    rows = [
        (MARKS[f.status], "binary" if f.binary else changes(f.insertions, f.deletions), f.path)
        for f in files
    ]
    return f"{table(('', 'LINES', 'FILE'), rows)}\n{_size(files)}"


def check_line(check: CheckResult) -> str:
    """`passed  make test  (1.2 s)`."""
    word = Cell("passed", "green") if check.passed else Cell("FAILED", "red")
    code = "" if check.passed else f", exit {'unknown' if check.code is None else check.code}"
    return f"{painted(word.text, word.colour)}  {clean_line(check.command)}  ({check.seconds:.1f} s{code})"


def findings_text(findings: Sequence[Finding]) -> str:
    """What there is to know before a diff is read: how much of what, and each in a line."""
    counts = [(word, sum(one.severity == word for one in findings)) for word in SEVERITY]
    told = ", ".join(f"{number} {word}" for word, number in counts if number)
    return _section(f"Findings: {told}", [finding_line(finding) for finding in findings])


def finding_line(finding: Finding) -> str:
    """`confirm  Makefile  it runs on your machine  [rule]`."""
    word = painted(finding.severity, SEVERITY[finding.severity])
    name = finding.fingerprint or finding.rule
    return f"{word}  {clean_line(finding.path)}  {clean_line(finding.why)}  [{clean_line(name)}]"
