"""What a run looks like when something goes wrong with it: six patterns in what it was seen to do.

Plain arithmetic over facts that swarm saw itself or the agent claimed; nothing asks a model. The patterns of a
loop are those of OpenHands' stuck detector. A monitor speaks once, and again only when its pattern begins anew.
"""

import re
from collections import deque
from collections.abc import Mapping
from typing import Final, Literal, TypeAlias, get_args

import msgspec

from policies.sights import Acted, Changed, Failed, GoesOn, Paid, Returned, Seen, Spoke, Waits

Monitor: TypeAlias = Literal[
    "stall", "loop", "thrash", "spend_without_change", "cost_spike", "retry_storm"
]
Reaction: TypeAlias = Literal["off", "note", "notify", "pause", "stop"]
"""What follows: nothing; a line in the log; the person is told; it stands still and a person is asked; its end."""
MONITORS: Final[tuple[Monitor, ...]] = get_args(Monitor)


class Thresholds(msgspec.Struct, frozen=True, kw_only=True):
    """When a pattern is one. Seconds, micro-dollars, counts."""

    silence: float = 300.0
    """Without any sign of life."""
    tool_silence: float = 1800.0
    """The same while a tool runs."""
    repeats: int = 4
    """The same action with the same result."""
    failures: int = 3
    """The same action with the same error."""
    alternations: int = 3
    """Two actions in turn with the same results, pairs."""
    monologues: int = 3
    """The same message without any action in between."""
    polls: int = 20
    """The same action with the same result, when the action itself waits."""
    returns: int = 3
    """How often the tree came back to what it had been."""
    idle_micros: int = 500_000
    """Spent without a change of the tree."""
    idle_seconds: float = 15.0
    """And for so long: a change is seen a moment after it was made."""
    spike: float = 4.0
    """How many times what a call used to cost."""
    spike_calls: int = 5
    """Calls before anything is usual."""
    spike_micros: int = 50_000
    """A call below this is never a spike."""
    storm: int = 10
    """Failures of model APIs within `storm_seconds`."""
    storm_seconds: float = 60.0


class Alarm(msgspec.Struct, frozen=True):
    """A monitor's finding."""

    at: float
    """When what made it plain was seen; for a stall, when the silence began."""
    monitor: Monitor
    words: str
    """For a person."""


class Watch:
    """Everything the monitors remember of one turn. Feed it what is seen, in order; ask `due` when nothing is."""

    def __init__(self, thresholds: Thresholds | None = None) -> None:
        self._limits = thresholds or Thresholds()
        self._silence = _Silence(self._limits)
        self._loop = _Loop(self._limits)
        self._thrash = _Thrash(self._limits)
        self._money = _Money(self._limits)
        self._storm = _Storm(self._limits)

    def see(self, seen: Seen) -> tuple[Alarm, ...]:
        """What this makes plain, most often nothing."""
        self._silence.see(seen)
        found = (
            self._loop.see(seen),
            self._thrash.see(seen),
            self._money.see(seen),
            self._storm.see(seen),
        )
        return tuple(alarm for alarm in found if alarm is not None)

    def stalled(self, now: float) -> Alarm | None:
        """Whether it has been silent for too long; said once for each silence."""
        return self._silence.alarm(now)

    def due(self) -> float | None:
        """When to ask whether it has stalled; None while there is no use in it."""
        return self._silence.due()


class _Silence:
    """Stall: no sign of life."""

    def __init__(self, limits: Thresholds) -> None:
        self._limits = limits
        self._last: float | None = None
        self._running: dict[str, str] = {}
        self._said = False
        self._resting = False

    def see(self, seen: Seen) -> None:
        self._last = seen.at
        self._said = False
        match seen:
            case Acted(id=call, action=action):
                self._running[call] = action
                self._resting = False
            case Returned(id=call):
                self._running.pop(call, None)
                self._resting = False
            case Spoke() | GoesOn():
                self._resting = False
            case Waits():
                self._resting = True
            case Changed() | Paid() | Failed():
                # These come late, too: a call is paid for when the question it led to stands already.
                pass

    def due(self) -> float | None:
        if self._last is None or self._said or self._resting:
            return None
        return self._last + (self._limits.tool_silence if self._running else self._limits.silence)

    def alarm(self, now: float) -> Alarm | None:
        due = self.due()
        if due is None or self._last is None or now < due:
            return None
        self._said = True
        doing = f" while {_short(list(self._running.values())[-1])!r} runs" if self._running else ""
        return Alarm(
            self._last, "stall", f"nothing was heard of it for {_span(now - self._last)}{doing}"
        )


class _Step(msgspec.Struct, frozen=True):
    """A use of a tool and what came of it."""

    action: str
    given: str
    output: str
    failed: bool

    @property
    def waits(self) -> bool:
        """Whether it waits by itself: asking again whether something is done is no loop for a good while."""
        return _WAITING.search(f"{self.action} {self.given}") is not None


class _Loop:
    """Loop: the same again and again, with nothing coming of it."""

    def __init__(self, limits: Thresholds) -> None:
        self._limits = limits
        self._open: dict[str, Acted] = {}
        self._steps: deque[_Step] = deque(maxlen=2 * limits.polls + 2)
        self._speech: deque[str] = deque(maxlen=limits.monologues)
        self._speaking = ""
        self._said = False

    def see(self, seen: Seen) -> Alarm | None:
        match seen:
            case Acted(id=call):
                self._open[call] = seen
                self._speech.clear()
                self._speaking = ""
            case Returned(id=call, output=output, failed=failed):
                if used := self._open.pop(call, None):
                    return self._step(seen.at, _Step(used.action, used.given, output, failed))
            case Changed():
                self._steps.clear()
                self._said = False
            case Spoke(text=text, message=message):
                return self._speak(seen.at, text, message)
            case _:
                pass
        return None

    def _step(self, at: float, step: "_Step") -> Alarm | None:
        if self._steps and step != self._steps[-1] and step not in list(self._steps)[-3:]:
            self._said = False
        self._steps.append(step)
        if self._said:
            return None
        words = self._repeated() or self._alternated()
        self._said = words is not None
        return None if words is None else Alarm(at, "loop", words)

    def _repeated(self) -> str | None:
        last = self._steps[-1]
        times = 0
        for step in reversed(self._steps):
            if step != last:
                break
            times += 1
        limit = self._limits.failures if last.failed else self._limits.repeats
        if last.waits:
            limit = self._limits.polls
        if times < limit:
            return None
        how = "failed in the same way" if last.failed else "gave the same result"
        return f"{_short(last.action)!r} {how} {times} times in a row"

    def _alternated(self) -> str | None:
        """Two steps in turn, each the same every time."""
        wanted = 2 * self._limits.alternations
        last = list(self._steps)[-wanted:]
        if len(last) < wanted or last[0] == last[1] or last != last[:2] * self._limits.alternations:
            return None
        if any(step.waits for step in last[:2]):
            return None
        first, second = _short(last[0].action), _short(last[1].action)
        return f"{first!r} and {second!r} in turn, {self._limits.alternations} times with the same results"

    def _speak(self, at: float, text: str, message: str) -> Alarm | None:
        if message and message == self._speaking and self._speech:
            self._speech[-1] += text
        else:
            self._speech.append(text)
            self._speaking = message
        whole = len(self._speech) == self._limits.monologues and len(set(self._speech)) == 1
        if not whole or not self._speech[-1].strip():
            return None
        self._speech.clear()
        words = f"it said {_short(text)!r} {self._limits.monologues} times and did nothing"
        return Alarm(at, "loop", words)


class _Thrash:
    """Thrash: changes that are made, taken back and made again."""

    def __init__(self, limits: Thresholds) -> None:
        self._limits = limits
        self._before: set[str] = set()
        self._now = ""
        self._returns = 0

    def see(self, seen: Seen) -> Alarm | None:
        if not isinstance(seen, Changed) or seen.tree == self._now:
            return None
        if seen.tree in self._before:
            self._returns += 1
        self._before.add(seen.tree)
        self._now = seen.tree
        if self._returns < self._limits.returns:
            return None
        self._returns = 0
        words = f"its files came back to what they had been {self._limits.returns} times"
        return Alarm(seen.at, "thrash", words)


class _Money:
    """Spend without change, and calls that cost far more than they used to."""

    def __init__(self, limits: Thresholds) -> None:
        self._limits = limits
        self._since = 0
        self._began = 0.0
        self._told = False
        self._usual = 0.0
        self._calls = 0

    def see(self, seen: Seen) -> Alarm | None:
        match seen:
            case Changed():
                self._since, self._told = 0, False
            case Paid(micros=micros):
                if not self._since:
                    self._began = seen.at
                return self._spike(seen.at, micros) or self._idle(seen.at, micros)
            case _:
                pass
        return None

    def _idle(self, at: float, micros: int) -> Alarm | None:
        self._since += micros
        early = at - self._began < self._limits.idle_seconds
        if self._told or early or self._since < self._limits.idle_micros:
            return None
        self._told = True
        words = f"{_dollars(self._since)} spent without a change of any file"
        return Alarm(at, "spend_without_change", words)

    def _spike(self, at: float, micros: int) -> Alarm | None:
        usual, self._calls = self._usual, self._calls + 1
        self._usual = micros if self._calls == 1 else 0.7 * usual + 0.3 * micros
        known = self._calls > self._limits.spike_calls
        if not known or micros < max(self._limits.spike_micros, self._limits.spike * usual):
            return None
        self._since += micros
        words = f"a call cost {_dollars(micros)}, and {_dollars(round(usual))} used to be usual"
        return Alarm(at, "cost_spike", words)


class _Storm:
    """Retry storm: model APIs that refuse call after call."""

    def __init__(self, limits: Thresholds) -> None:
        self._limits = limits
        self._failures: deque[float] = deque()

    def see(self, seen: Seen) -> Alarm | None:
        if not isinstance(seen, Failed):
            return None
        self._failures.append(seen.at)
        while self._failures[0] < seen.at - self._limits.storm_seconds:
            self._failures.popleft()
        if len(self._failures) <= self._limits.storm:
            return None
        count = len(self._failures)
        self._failures.clear()
        words = f"its model API failed {count} times within {_span(self._limits.storm_seconds)}"
        return Alarm(seen.at, "retry_storm", words)


_WAITING: Final = re.compile(r"\b(sleep|wait|watch|poll|tail -f|--follow)\b")


def describe(monitor: Monitor) -> str:
    """What a monitor watches for, in a sentence."""
    return _DESCRIPTIONS[monitor]


_DESCRIPTIONS: Final[Mapping[Monitor, str]] = {
    "stall": "no sign of life, for longer while a tool runs",
    "loop": "the same actions with the same results, or the same words, again and again",
    "thrash": "changes that are made, taken back and made again",
    "spend_without_change": "money spent while no file changes",
    "cost_spike": "a model call that costs far more than those before it",
    "retry_storm": "a model API that fails call after call",
}


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 80 else line[:79] + "…"


def _span(seconds: float) -> str:
    return f"{seconds / 60:.0f} minutes" if seconds >= 120 else f"{seconds:.0f} seconds"


def _dollars(micros: int) -> str:
    return f"${micros / 1_000_000:.2f}"
