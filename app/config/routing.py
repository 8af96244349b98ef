"""The written settings of who gets a task: names of models, their ends, and how a choice is made."""

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Annotated, Final, TypeAlias

from pydantic import BeforeValidator, Field

from app.config.section import Section
from app.config.values import bytes_of, check_name, dollars_of, seconds, size_of, span_of
from app.config.yamltext import parse
from app.domain.money import parse_dollars
from policies.breaker import BreakerRule, EndCause
from policies.fallback import DEFAULT, FallbackRule
from policies.learning import Lesson
from policies.models import BadName, Retirement, expand
from policies.routing import Learning

Span: TypeAlias = Annotated[str, BeforeValidator(span_of)]
Share: TypeAlias = Annotated[float, Field(ge=0, le=1)]
Count: TypeAlias = Annotated[int, Field(strict=True, ge=1)]
Name: TypeAlias = Annotated[str, BeforeValidator(check_name)]


def _switch(value: object) -> object:
    """YAML takes a bare `on` or `off` for a truth."""
    return {True: "on", False: "off"}[value] if isinstance(value, bool) else value


class RetireSettings(Section):
    """The end of a model."""

    ends: date
    """The first day on which it is not called any more, such as 2026-12-31."""
    use: str = ""
    """The model that is called from then on; without one, agents that want it get no tasks."""


class FallbackSettings(Section):
    """When another agent goes on with a task, with all that the one before it has left."""

    after: tuple[EndCause, ...] = DEFAULT
    """Ends of a run: `crash` `error` `outage` `rate_limit` `stuck` `checks`; `budget` needs `budget.task`."""
    hops: Annotated[int, Field(strict=True, ge=0)] = 2
    """How often for one task; 0 for never."""


class BreakerSettings(Section):
    """When an agent that fails gets no more tasks for a while."""

    failures: Count = 3
    """Runs in a row that failed by no fault of their task."""
    within: Span = "5m"
    """The time into which they fall."""
    pause: Span = "1m"
    """How long it gets none; then it gets one, as a try."""


class LearningSettings(Section):
    """What your own history says: cost per change that you accepted."""

    mode: Annotated[Learning, BeforeValidator(_switch)] = "shadow"
    """`off`; `shadow`: told beside the choice; `on`: it chooses among the agents that a rule or a name allows."""
    outcomes: Count = 20
    """How many there must be before it says anything."""
    half_life: Span = "45d"
    """The time in which an outcome loses half of its weight."""
    review: Annotated[Decimal, BeforeValidator(dollars_of)] = Decimal(1)
    """US dollars that your look at a change is worth when nothing comes of it."""
    explore: Share = 0.05
    """Share of tasks that go to another agent than the best one, so that what has changed is noticed."""


class RoutingSettings(Section):
    """Who gets a task. The rules stand in `routes.yaml`."""

    fallback: FallbackSettings = FallbackSettings()
    """When another agent goes on with a task, with all that the one before it has left."""
    breaker: BreakerSettings = BreakerSettings()
    """When an agent that fails gets no more tasks for a while."""
    learning: LearningSettings = LearningSettings()
    """What your own history says: cost per change that you accepted."""
    concurrency: Mapping[Name, Count] = Field(default_factory=dict)
    """Runs that one agent, or one model provider, may have at work, by its name; further ones go to others."""
    bundle: Annotated[str, BeforeValidator(size_of)] = "48k"
    """How much of what a run has left stands in the prompt of the next; all of it lies beside it as files."""

    @property
    def hand_on(self) -> FallbackRule:
        return FallbackRule(after=self.fallback.after, hops=self.fallback.hops)

    @property
    def trips(self) -> BreakerRule:
        own = self.breaker
        return BreakerRule(
            failures=own.failures, window=seconds(own.within), pause=seconds(own.pause)
        )

    @property
    def lesson(self) -> Lesson:
        own = self.learning
        return Lesson(
            needed=own.outcomes,
            half_life=seconds(own.half_life),
            review_micros=parse_dollars(str(own.review)),
        )

    @property
    def bundle_bytes(self) -> int:
        """`bundle` as a number."""
        return bytes_of(self.bundle)


SHIPPED_MODELS: Final[Mapping[str, tuple[str, ...]]] = {
    "strong": ("claude-code/claude-opus-5-5", "codex/gpt-6.1-sol"),
    "fast": ("claude-code/claude-sonnet-5-5", "codex/gpt-6.1-terra"),
    "local": ("opencode/local",),
}


@cache
def _shipped() -> Mapping[str, RetireSettings]:
    text = files("app.config").joinpath("retired.yaml").read_bytes()
    return {model: RetireSettings(**end) for model, end in parse(text).data.items()}


def retirements(written: Mapping[str, RetireSettings]) -> dict[str, Retirement]:
    """The ends of models: those that are known, and above them those that the user wrote."""
    known = {**_shipped(), **written}
    return {model: Retirement(end.ends, end.use) for model, end in known.items()}


def circles(models: Mapping[str, tuple[str, ...]]) -> Iterator[tuple[str, str]]:
    """Names of models that stand for themselves, and by which way."""
    for name in models:
        try:
            expand(name, models, None)
        except BadName as error:
            yield name, str(error)
