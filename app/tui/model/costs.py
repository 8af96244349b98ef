"""What a run has cost, as lines."""

from collections.abc import Sequence

from app.domain.events import Spent
from app.domain.money import Micros, dollars
from app.tui.model import show
from app.tui.model.line import Line, fit, one_line, right
from app.tui.model.purse import Pace
from app.tui.model.transcript import Transcript
from app.wire import CostLine, RunRow, Spend


def cost_lines(
    row: RunRow,
    spend: Spend,
    log: Transcript | None,
    width: int,
    lanes: Sequence[CostLine] = (),
) -> list[Line]:
    """Budget, holds, tokens, the models one by one, and the sub-agents where there are any."""
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
    if any(lane.key for lane in lanes):
        lines += [
            [],
            _columns("SUB-AGENT", ("CALLS", "IN", "OUT", "CACHE", "COST"), width, "label"),
        ]
        lines += [_cost_line(lane, lane.key or "the agent itself", width) for lane in lanes]
    return lines


def ledger_lines(costs: Sequence[CostLine] | None, by: str, width: int) -> list[Line]:
    """What was spent, a line each, and the sum; None while it is being asked for."""
    if costs is None:
        return [[(" adding up …", "dim")]]
    if not costs:
        return [[], [("  Nothing was spent.", "strong")]]
    head = _columns(by.upper(), ("CALLS", "IN", "OUT", "CACHE", "COST"), width, "label")
    lines: list[Line] = [head, *(_cost_line(each, each.key or "(none)", width) for each in costs)]
    total = CostLine(
        key="",
        micros=Micros(sum(each.micros for each in costs)),
        calls=sum(each.calls for each in costs),
        input=sum(each.input for each in costs),
        output=sum(each.output for each in costs),
        cached=sum(each.cached for each in costs),
    )
    lines += [[], _cost_line(total, "all together", width)]
    if unsure := sum(each.unsure for each in costs):
        words = f" {dollars(unsure)} of it is an upper bound: the usage of those calls never came."
        lines += [[], [(words, "warn")]]
    return lines


def pace_line(pace: Pace) -> Line:
    """Today's spend against the day's limit, and the rate; nothing as long as nothing was spent."""
    if not pace.today and pace.cap is None:
        return []
    today, cap = dollars(pace.today), pace.cap
    words = f" today {today} of {dollars(cap)}" if cap is not None else f" today {today}"
    ink = "warn" if cap is not None and pace.today * 100 >= cap * 80 else "dim"
    return [(words, ink), (f" · {dollars(pace.hourly)}/h", "dim")]


def _cost_line(cost: CostLine, name: str, width: int) -> Line:
    whole = cost.input + cost.cached
    cached = f"{round(100 * cost.cached / whole)}%" if whole else "–"
    numbers = (
        str(cost.calls),
        show.amount(whole),
        show.amount(cost.output),
        cached,
        dollars(cost.micros),
    )
    return _columns(one_line(name), numbers, width, "")


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
