"""What a run has cost, as lines."""

from app.domain.events import Spent
from app.domain.money import dollars
from app.tui.model import show
from app.tui.model.line import Line, fit, one_line, right
from app.tui.model.transcript import Transcript
from app.wire import RunRow, Spend


def cost_lines(row: RunRow, spend: Spend, log: Transcript | None, width: int) -> list[Line]:
    """Budget, holds, tokens, and the models one by one."""
    budget = row.run.budget
    full, empty = show.bar(spend.micros, budget, min(30, max(width - 44, 8)))
    share = f"{round(100 * spend.micros / budget)}%" if budget else ""
    meter: Line = [(full, "bar"), (empty, "trough"), (f" {share}", "dim")]
    tokens = f"in {show.amount(spend.input)}   out {show.amount(spend.output)}"
    cache = f"read {show.amount(spend.cache_read)}   written {show.amount(spend.cache_write)}"
    lines: list[Line] = [
        [*_fact("spent", f"{dollars(spend.micros)} of {dollars(budget)}  "), *meter],
        _fact("held", f"{dollars(spend.held)}" + ("  for calls under way" if spend.held else "")),
        _fact("calls", f"{spend.calls}" + (f", {spend.refused} refused" if spend.refused else "")),
        _fact("tokens", tokens),
        _fact("cache", cache),
    ]  # fmt: skip
    if log is not None and log.spending:
        lines += [[], _columns("MODEL", ("CALLS", "IN", "OUT", "CACHE", "COST"), width, "label")]
        for model, spent in sorted(log.spending.items(), key=lambda item: -item[1].micros):
            lines.append(_model_line(model, log.calls[model], spent, width))
    return lines


def _model_line(model: str, calls: int, spent: Spent, width: int) -> Line:
    whole = spent.input + spent.cache_read + spent.cache_write
    cached = f"{round(100 * spent.cache_read / whole)}%" if whole else "–"
    numbers = (
        str(calls),
        show.amount(whole),
        show.amount(spent.output),
        cached,
        dollars(spent.micros),
    )
    return _columns(one_line(model), numbers, width, "")


def _columns(first: str, rest: tuple[str, ...], width: int, ink: str) -> Line:
    room = min(max(width - 44, 8), 34)
    return [(" " + fit(first, room) + "".join(right(text, 8) for text in rest), ink)]


def _fact(name: str, value: str) -> Line:
    return [(f" {name:<8}", "label"), (value, "")]
