"""Which waiting run goes to which host: by priority, fair between repositories, within every limit."""

from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence

import msgspec


class HostFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A host that takes runs."""

    id: str
    name: str
    """What people call it."""
    capacity: int
    """Runs that may be at work there at the same time."""
    busy: int = 0
    """Runs that are at work there."""
    labels: frozenset[str] = frozenset()


class Busy(msgspec.Struct, frozen=True):
    """A run at work on any host: whom it counts for."""

    repository: str
    agent: str
    account: str = ""


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """A run that no host has taken yet."""

    run: str
    repository: str
    agent: str
    account: str = ""
    needs: frozenset[str] = frozenset()
    """Labels that its host must have."""
    only: str = ""
    """The one host that can do it; empty when any can."""
    home: str = ""
    """The host that has its repository, preferred among equals."""
    priority: int = 0
    """More goes first."""
    since: float = 0.0
    """Who waits longer goes first, among equals."""


class Caps(msgspec.Struct, frozen=True, kw_only=True):
    """How many runs may be at work on all hosts together."""

    total: int | None = None
    named: Mapping[str, int] = {}
    """By agent or by account."""


class Placed(msgspec.Struct, frozen=True):
    """A run and its host."""

    run: str
    host: str
    reason: str


class Waits(msgspec.Struct, frozen=True):
    """A run that stays where it is, and why."""

    run: str
    reason: str


class Plan(msgspec.Struct, frozen=True):
    """What follows from the facts; `placed` in the order in which places were given away."""

    placed: tuple[Placed, ...]
    waits: tuple[Waits, ...]


def plan(
    waiting: Iterable[Waiting], busy: Iterable[Busy], hosts: Sequence[HostFacts], caps: Caps
) -> Plan:
    """Give away every place that somebody waiting may have."""
    board = _Board(busy, hosts, caps)
    lines = _lines(waiting)
    placed: list[Placed] = []
    while fit := [line for line in lines if board.host_for(line[0])] if board.open else []:
        chosen = min(
            fit, key=lambda line: (-line[0].priority, board.share(line[0]), *_age(line[0]))
        )
        placed.append(board.take(chosen.popleft()))
        lines = [line for line in lines if line]
    left = sorted(
        (one for line in lines for one in line), key=lambda one: (-one.priority, *_age(one))
    )
    return Plan(tuple(placed), tuple(Waits(one.run, board.why(one)) for one in left))


def _lines(waiting: Iterable[Waiting]) -> list[deque[Waiting]]:
    """Those that differ in nothing but age, the oldest first: only the first of each can be next."""
    lines: dict[Waiting, deque[Waiting]] = defaultdict(deque)
    for one in sorted(waiting, key=_age):
        lines[msgspec.structs.replace(one, run="", since=0.0)].append(one)
    return list(lines.values())


def _age(one: Waiting) -> tuple[float, str]:
    return one.since, one.run


class _Board:
    """Who has what while places are given away."""

    def __init__(self, busy: Iterable[Busy], hosts: Sequence[HostFacts], caps: Caps) -> None:
        known = tuple(busy)
        self._hosts = {host.id: host for host in hosts}
        self._free = {host.id: host.capacity - host.busy for host in hosts}
        self._caps = caps
        self._total = len(known)
        self._of = Counter(one.repository for one in known)
        self._named = Counter(name for one in known for name in {one.agent, one.account})

    @property
    def open(self) -> bool:
        """Whether anybody at all can be placed."""
        return not self._all_full() and any(free > 0 for free in self._free.values())

    def share(self, one: Waiting) -> int:
        """What its repository has already."""
        return self._of[one.repository]

    def host_for(self, one: Waiting) -> str:
        """The host with most room of those that can do it; empty when there is none."""
        if self._all_full() or self._full_name(one):
            return ""
        fit = [host for host in self._able(one) if self._free[host.id] > 0]
        if not fit:
            return ""

        def order(host: HostFacts) -> tuple[float, bool, str]:
            return (-self._free[host.id] / host.capacity, host.id != one.home, host.id)

        return min(fit, key=order).id

    def take(self, one: Waiting) -> Placed:
        host = self._hosts[self.host_for(one)]
        free = self._free[host.id]
        self._free[host.id] -= 1
        self._total += 1
        self._of[one.repository] += 1
        self._named.update({one.agent, one.account})
        words = f"{host.name} had {free} of {host.capacity} places free"
        return Placed(one.run, host.id, words)

    def why(self, one: Waiting) -> str:
        """Why it waits, in words for a person."""
        if not self._hosts:
            return "no host is up"
        if not self._able(one):
            return f"{_wanted(one)} is not up"
        if self._all_full():
            return f"all hosts together have {self._total} of {self._caps.total} runs at work"
        if name := self._full_name(one):
            return f"{name} has {self._named[name]} of {self._caps.named[name]} runs at work"
        return "every host that can do it is full"

    def _able(self, one: Waiting) -> list[HostFacts]:
        return [
            host
            for host in self._hosts.values()
            if one.needs <= host.labels and one.only in ("", host.id)
        ]

    def _all_full(self) -> bool:
        return self._caps.total is not None and self._total >= self._caps.total

    def _full_name(self, one: Waiting) -> str:
        names = (name for name in (one.agent, one.account) if name)
        return next((n for n in names if self._named[n] >= self._caps.named.get(n, 1 << 62)), "")


def _wanted(one: Waiting) -> str:
    if one.only:
        return "the host that has its repository"
    return f"a host with {', '.join(sorted(one.needs))}"
