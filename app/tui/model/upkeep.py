"""What health, settings and trash look like, as lines."""

from collections.abc import Sequence
from typing import Final

from app.tui.model import show
from app.tui.model.line import Line, clip_line, fit, line_cells, one_line, right, spread, wrap
from app.wire import DoctorLine, HostLine, RunRow, SettingLine

_NAMES = 26
"""Cells that names of what is relied on get at most."""
_LINES: Final = 4
"""Lines of one value that are shown: a whole script is read in its file."""


def health_lines(lines: Sequence[DoctorLine] | None, width: int) -> list[Line]:
    """What swarm relies on, what is wrong first, each with what to do about it; None while it is asked for."""
    if lines is None:
        return [[(" looking at everything …", "dim")]]
    room = min(max((len(line.name) for line in lines), default=0), _NAMES)
    drawn: list[Line] = []
    for line in sorted(lines, key=lambda line: (line.ok, not line.needed)):
        sign, ink = ("✓", "good") if line.ok else ("✗", "bad") if line.needed else ("!", "warn")
        head: Line = [(f" {sign} ", ink), (fit(line.name, room), "" if line.ok else "strong")]
        indent, left = " " * (room + 5), max(width - room - 7, 16)
        found, *more = wrap(one_line(line.found), left)
        drawn.append([*head, ("  " + found, "dim" if line.ok else "")])
        drawn += [[(indent + text, "dim" if line.ok else "")] for text in more]
        if line.fix and not line.ok:
            drawn += [[(indent, ""), (text, "key")] for text in wrap(one_line(line.fix), left)]
    return drawn


def health_words(lines: Sequence[DoctorLine] | None) -> Line:
    """In one phrase."""
    if lines is None:
        return []
    missing = sum(line.needed and not line.ok for line in lines)
    odd = sum(not line.needed and not line.ok for line in lines)
    if missing:
        return [(f" {missing} of what swarm needs is missing", "bad")]
    return [(f" works, with {odd} to look at", "warn")] if odd else [(" all is well", "good")]


_STATES: Final = {"up": ("✓", "good"), "dead": ("✗", "bad")}
"""How a host is; every other state wants a look."""


def host_lines(hosts: Sequence[HostLine], width: int) -> list[Line]:
    """Every host that shares the work, and how much it has to do; nothing where one works alone."""
    if not hosts:
        return []
    room = min(max(len(host.name) for host in hosts) + 1, _NAMES)
    drawn: list[Line] = [[], [(" hosts that share the work", "label")]]
    for host in hosts:
        sign, ink = _STATES.get(host.state, ("!", "warn"))
        facts = [f"{host.busy} of {host.capacity} at work", f"heard of {show.age(host.silent)} ago"]
        facts += [f"its clock is {host.skew:+.0f} s off"] if abs(host.skew) > 1 else []
        facts += [", ".join(host.labels)] if host.labels else []
        facts += ["this one"] if host.here else []
        line: Line = [(f" {sign} ", ink), (fit(one_line(host.name), room), "bright")]
        line += [(f" {host.state:<8}", ink), (f" {one_line(' · '.join(facts))}", "dim")]
        drawn.append(clip_line(line, width))
    return drawn


def setting_lines(
    settings: Sequence[SettingLine] | None, width: int, *, shipped: str = "defaults.yaml"
) -> list[Line]:
    """Key, value and origin, what somebody wrote brighter than what is shipped."""
    if settings is None:
        return [[(" reading the configuration …", "dim")]]
    room = min(max((len(each.key) for each in settings), default=0), max(width // 3, 16))
    drawn: list[Line] = []
    for each in settings:
        own = not each.origin.startswith(shipped)
        value = "(empty)" if each.value == '""' else one_line(each.value)
        left = max(width - room - 4, 12)
        origin = fit(each.origin, min(len(each.origin), left // 2)) if own else ""
        first, *more = wrap(value, max(left - len(origin) - 2, 10))
        key: Line = [(" ", ""), (fit(each.key, room), "strong" if own else "label")]
        text: Line = [("  " + first, "bright" if own else "dim")]
        drawn.append(
            spread([*key, *text], [(origin + " ", "key")], width) if own else [*key, *text]
        )
        if len(more) >= _LINES:
            more = [*more[: _LINES - 2], f"… {len(more) - _LINES + 2} lines more"]
        drawn += [[(" " * (room + 3) + part, "bright" if own else "dim")] for part in more]
    return drawn


def discarded_line(row: RunRow, width: int, now: float) -> Line:
    """One run in the trash."""
    run = row.run
    left: Line = [
        (f"  {fit(show.name(row), 8)}", "bright"),
        (fit(run.agent, 13), "dim"),
        (right(show.age(now - (run.ended or run.created)), 6), "dim"),
        (right(show.changed(run.insertions, run.deletions), 11), ""),
        ("  ", ""),
    ]
    return [*left, (fit(one_line(row.task.goal), max(width - line_cells(left) - 1, 4)), "")]


def discarded_head(width: int) -> Line:
    words = f"  {'RUN':<8}{'AGENT':<13}{'AGE':>6}{'CHANGE':>11}  GOAL"
    return [(fit(words, width), "label")]
