"""The written settings of the monitors, each with a sentence below it."""

from decimal import Decimal
from typing import Annotated

from pydantic import BeforeValidator, Field

from app.config.section import Section
from app.config.values import dollars_of, seconds, span_of
from app.domain.money import parse_dollars
from policies.monitors import Monitor, Reaction, Thresholds

Times = Annotated[int, Field(strict=True, ge=2)]


class StallSettings(Section):
    """No sign of life, while nobody is waited for."""

    do: Reaction = "notify"
    """`off`, `note` in the log, `notify` you, `pause` it and ask you, or `stop` it."""
    after: Annotated[str, BeforeValidator(span_of)] = "5m"
    """How long a silence may last."""
    tool: Annotated[str, BeforeValidator(span_of)] = "30m"
    """The same while one of its tools runs."""


class LoopSettings(Section):
    """The same actions with the same results, again and again."""

    do: Reaction = "notify"
    """`off`, `note`, `notify`, `pause` or `stop`."""
    times: Times = 4
    """How often in a row; one less for failures. Actions that wait by themselves may be repeated much longer."""


class ThrashSettings(Section):
    """Changes that are made, taken back and made again."""

    do: Reaction = "note"
    """`off`, `note`, `notify`, `pause` or `stop`."""
    times: Times = 3
    """How often its files come back to what they had been."""


class SpendSettings(Section):
    """Money spent while no file changes."""

    do: Reaction = "notify"
    """`off`, `note`, `notify`, `pause` or `stop`."""
    dollars: Annotated[Decimal, BeforeValidator(dollars_of)] = Decimal("0.50")
    """US dollars since a file last changed, spent over 15 seconds at least."""


class SpikeSettings(Section):
    """A model call that costs far more than those before it."""

    do: Reaction = "note"
    """`off`, `note`, `notify`, `pause` or `stop`."""
    times: Annotated[float, Field(gt=1)] = 4.0
    """How many times what calls used to cost."""


class StormSettings(Section):
    """A model API that fails call after call."""

    do: Reaction = "notify"
    """`off`, `note`, `notify`, `pause` or `stop`."""
    times: Times = 10
    """Failures within a minute."""


class MonitorSettings(Section):
    """What happens when a run looks as if something were wrong with it. Plain code watches; no model is asked."""

    stall: StallSettings = StallSettings()
    """No sign of life, while nobody is waited for."""
    loop: LoopSettings = LoopSettings()
    """The same actions with the same results, again and again."""
    thrash: ThrashSettings = ThrashSettings()
    """Changes that are made, taken back and made again."""
    spend_without_change: SpendSettings = SpendSettings()
    """Money spent while no file changes."""
    cost_spike: SpikeSettings = SpikeSettings()
    """A model call that costs far more than those before it."""
    retry_storm: StormSettings = StormSettings()
    """A model API that fails call after call."""

    @property
    def thresholds(self) -> Thresholds:
        """When each pattern is one."""
        return Thresholds(
            silence=seconds(self.stall.after),
            tool_silence=max(seconds(self.stall.after), seconds(self.stall.tool)),
            repeats=self.loop.times,
            failures=max(2, self.loop.times - 1),
            returns=self.thrash.times,
            idle_micros=parse_dollars(str(self.spend_without_change.dollars)),
            spike=self.cost_spike.times,
            storm=self.retry_storm.times,
        )

    def reaction(self, monitor: Monitor) -> Reaction:
        """What that monitor's finding leads to."""
        found: Reaction = getattr(self, monitor).do
        return found
