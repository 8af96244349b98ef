"""How the checks of a change ended, and why a run stands where it does, as lines."""

from collections.abc import Sequence

from app.domain.review import CheckResult
from app.tui.model.line import Line, one_line, spread, wrap
from app.tui.model.show import age
from app.wire import RunRow, Why

BRIEFLY = 8
"""Lines of a failed check's output where there is little room."""
AT_MOST = 400


def check_lines(checks: Sequence[CheckResult], width: int, *, brief: bool) -> list[Line]:
    """Each check with the end of its output; `brief` leaves out the output of those that passed."""
    lines: list[Line] = []
    for check in checks:
        sign, ink = ("✓", "good") if check.passed else ("✗", "bad")
        left: Line = [(f" {sign} ", ink), (one_line(check.command), "")]
        lines.append(spread(left, [(f"{check.seconds:.1f}s ", "dim")], width))
        said = check.tail.strip()
        if said and not (check.passed and brief):
            tail = wrap(said, width - 5)[-(BRIEFLY if brief else AT_MOST) :]
            lines += [[("   │ ", "rule"), (text, "dim")] for text in tail]
    return lines


def checks_of(row: RunRow, width: int) -> list[Line]:
    """The checks of the newest turn; those that are still to come are named."""
    ended = {check.command for check in row.checks}
    lines = check_lines(row.checks, width, brief=False)
    lines += [
        [(" · ", "dim"), (one_line(command), ""), ("  not run on this change yet", "dim")]
        for command in row.task.checks
        if command not in ended
    ]
    return lines or [[(" no checks were asked for", "dim")]]


def why_lines(why: Why, width: int) -> list[Line]:
    """State and reason, the evidence, and the commands that make sense now."""
    lines: list[Line] = [[(" " + why.state, "strong")]]
    lines += [[(" " + text, "")] for text in wrap(why.reason, width - 2) if why.reason]
    if why.evidence:
        lines += [[], [(" evidence", "label")]]
    for fact in why.evidence:
        lines += _point("·", fact.what, width)
        lines += [[("    " + part, "dim")] for part in wrap(why.origin(fact, age), width - 5)]
    if why.next:
        lines += [[], [(" what can be done", "label")]]
    return lines + [line for text in why.next for line in _point("$", text, width)]


def _point(sign: str, text: str, width: int) -> list[Line]:
    first, *rest = wrap(one_line(text), width - 5)
    return [[(f"  {sign} ", "dim"), (first, "")], *([("    " + more, "")] for more in rest)]
