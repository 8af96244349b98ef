"""A route: who got a task, who else could have, and why it was so."""

from typing import Literal, TypeAlias

from app.domain.base import Value
from app.domain.ids import RunId
from app.domain.money import Micros
from policies.breaker import EndCause
from policies.learning import Worth
from policies.routes import Kind
from policies.routing import Way

Asked: TypeAlias = Literal["named", "rule", "default", "handed on", "again", "race"]
"""Who said who may do it: the person; a rule; the configuration; the run before it; a retry; a race."""


class Option(Value, frozen=True, kw_only=True):
    """A candidate, with what was known of it."""

    target: str
    """`agent` or `agent/model`, as it was written."""
    agent: str
    model: str
    account: str = ""
    """The model provider that serves it."""
    dropped: str = ""
    """Why it could not take the task; empty when it could."""
    outcomes: int = 0
    accepted: float = 0.0
    rejected: float = 0.0
    micros: Micros = Micros(0)
    """Mean cost of its runs, weighed."""
    drawn: Micros | None = None
    """Cost of an accepted change that history was asked with; the lowest is recommended."""


class Route(Value, frozen=True, kw_only=True):
    """The choice for one run. Told as it was, whatever has changed since."""

    run: RunId
    at: float
    asked: Asked
    names: tuple[str, ...]
    """What was named, before it was looked up."""
    rule: str = ""
    """The rule, and the file it stands in."""
    kind: Kind
    paths: tuple[str, ...] = ()
    """Files that the goal names."""
    options: tuple[Option, ...]
    target: str
    way: Way
    why: str
    shadow: str = ""
    """What history would have chosen; empty when it has too little to say."""
    seed: int = 0
    notes: tuple[str, ...] = ()
    """What a person should know besides, for example of a model that has ended."""
    before: RunId | None = None
    """The run that handed the task on."""

    @property
    def chosen(self) -> Option:
        """The candidate that got it."""
        return next(option for option in self.options if option.target == self.target)


class Ended(Value, frozen=True, kw_only=True):
    """A run that was routed to a target, and how its newest round ended, if it has."""

    run: RunId
    target: str
    account: str
    began: float
    ended: float | None = None
    cause: EndCause | None = None


class Outcome(Value, frozen=True, kw_only=True):
    """What became of one run in the end, by what people made of it."""

    run: RunId
    target: str
    repo: str
    kind: Kind
    worth: Worth
    micros: Micros
    seconds: float
    """From its start to its end."""
    at: float


class ModelLine(Value, frozen=True, kw_only=True):
    """What one name of `models` stands for now: a line of `GET /v1/models`."""

    name: str
    target: str
    model: str
    """The model that is called, after what has ended was replaced."""
    usable: bool
    why: str = ""
    """Why it is not usable, and what to do."""
    ends: str = ""
    """The day on which the model ends, where that is known."""


class Record(Value, frozen=True, kw_only=True):
    """What history says of one target: a line of `GET /v1/routes`."""

    target: str
    runs: int
    """Routed to it, whatever became of them."""
    accepted: int
    reworked: int
    rejected: int
    micros: Micros
    """All that these runs have cost."""
    per_accepted: Micros | None
    """Cost of an accepted change, with everything that was not; None before the first."""
    seconds: float | None
    """Half of its runs took less."""


class Shadow(Value, frozen=True, kw_only=True):
    """A run for which history would have chosen somebody else."""

    run: RunId
    target: str
    shadow: str


class Report(Value, frozen=True, kw_only=True):
    """`GET /v1/routes`: how the choices turned out."""

    records: tuple[Record, ...]
    shadows: tuple[Shadow, ...]
    """The newest first."""
    asked: int
    """Of so many choices history had an opinion."""
