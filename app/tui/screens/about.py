"""What a run is, in a few lines."""

from app.domain.money import dollars
from app.tui.model import show
from app.tui.model.line import Line, one_line, wrap
from app.wire import RunRow


def about_lines(row: RunRow, width: int, *, most: int = 5) -> list[Line]:
    """Goal, state with its reason, agent, place and checks."""
    run = row.run
    sign, word, ink = show.WORDS[show.state_of(row)]
    goal = wrap(row.task.goal, width - 2)
    lines: list[Line] = [[(" " + text, "bright")] for text in goal[:most]]
    if len(goal) > most:
        lines[-1] = [(lines[-1][0][0] + " …", "bright")]
    lines.append([])
    state: Line = [_name("state"), (f"{sign} {word}", ink)]
    lines.append(state)
    lines += [[_name(""), (text, "dim")] for text in _reason(row, width)]
    agent = " · ".join(filter(None, (run.agent, run.model, run.sandbox)))
    lines += _wrapped("agent", agent, width)
    if run.branch:
        lines += _wrapped("branch", f"{run.branch} → {row.task.target}", width)
    counted = show.changed(run.insertions, run.deletions)
    files = f" in {run.files} file" + ("s" if run.files != 1 else "") if run.files else ""
    lines.append([_name("change"), (counted, ""), (files, "dim")])
    lines.append([_name("cost"), (dollars(run.spent), ""), (f" of {dollars(run.budget)}", "dim")])
    done = {check.command: check for check in row.checks}
    for command in dict.fromkeys((*row.task.checks, *done)):
        lines.append(_check(command, done[command].passed if command in done else None))
    return lines


def _wrapped(name: str, text: str, width: int) -> list[Line]:
    first, *rest = wrap(one_line(text), width - 10)
    return [[_name(name), (first, "")], *([_name(""), (text, "")] for text in rest)]


def _reason(row: RunRow, width: int) -> list[str]:
    return wrap(one_line(row.run.reason), width - 10)[:3] if row.run.reason else []


def _check(command: str, passed: bool | None) -> Line:  # noqa: FBT001 - three answers: yes, no, not yet
    sign, ink = {None: ("·", "dim"), True: ("✓", "good"), False: ("✗", "bad")}[passed]
    return [_name("check"), (f"{sign} ", ink), (one_line(command), "")]


def _name(text: str) -> tuple[str, str]:
    return f" {text:<7} ", "label"
