"""What a run reaches besides models, as lines."""

from app.domain.hosts import is_host
from app.domain.network import NetworkRefusal, NetworkRow, size_text
from app.tui.model import show
from app.tui.model.line import Line, clip, fit, one_line, right, wrap
from app.wire import Network


def network_lines(found: Network, width: int) -> list[Line]:
    """What is allowed, and what became of what was asked for; the newest first."""
    lines: list[Line] = []
    for name, value in (
        ("reaches", ", ".join(found.hosts)),
        ("allowed", ", ".join(f"{one.host} (by {one.by or 'somebody'})" for one in found.grants)),
        ("passed", _passed(found)),
    ):
        texts = wrap(value, width - 10) if value else []
        lines += [
            [(f" {name if n == 0 else '':<8}", "label"), (text, "")] for n, text in enumerate(texts)
        ]
    if not found.hosts and not found.grants:
        lines.append([(" It may reach nothing but its model.", "dim")])
    if found.rows:
        lines += [[], _columns("HOST", "TIMES", "PASSED", "", width, "label")]
        lines += [line for row in reversed(found.rows) for line in _row(row, width)]
    if wanted(found):
        lines += [
            [],
            [(" w", "key"), (clip(f"  allows {wanted(found)[0]} for this run", width - 3), "dim")],
        ]
    return lines


def wanted(found: Network) -> list[str]:
    """Hosts that were refused because nobody has allowed them; the newest first."""
    allowed = {*found.hosts, *(one.host for one in found.grants)}
    return [
        row.host
        for row in reversed(found.rows)
        if row.why == NetworkRefusal.NOT_ALLOWED and is_host(row.host) and row.host not in allowed
    ]


def _passed(found: Network) -> str:
    if not found.limit:
        return ""
    return f"{size_text(found.limit - found.left)} of {size_text(found.limit)}"


def _row(row: NetworkRow, width: int) -> list[Line]:
    passed = size_text(row.sent + row.received) if row.allowed else ""
    ink = "" if row.allowed else "bad"
    host = one_line(row.host) or "–"
    first = _columns(host, str(row.times), passed, show.clock(row.last), width, ink)
    why: list[Line] = [[("   " + text, "dim")] for text in wrap(row.why, width - 4)]
    return [first, *why] if row.why else [first]


def _columns(host: str, times: str, passed: str, at: str, width: int, ink: str) -> Line:
    room = min(max(width - 31, 8), 60)
    return [(" " + fit(host, room) + right(times, 8) + right(passed, 11), ink), (f"  {at}", "dim")]
