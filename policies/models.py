"""Names for models: what a name stands for now, in which order, and what has come in place of a retired model."""

from collections.abc import Collection, Mapping
from datetime import date, timedelta
from typing import Final

import msgspec

WARNING: Final = timedelta(days=30)
"""How long before its end a model is spoken of."""


class Target(msgspec.Struct, frozen=True):
    """Who does the work, and with which model."""

    agent: str
    model: str = ""
    """Empty for the agent's own."""

    def __str__(self) -> str:
        return f"{self.agent}/{self.model}" if self.model else self.agent


class Retirement(msgspec.Struct, frozen=True):
    """The end of a model."""

    ends: date
    """The first day on which it is not called any more."""
    use: str = ""
    """The model that comes in its place, if one does."""


class BadName(ValueError):
    """A name that stands for nothing, or for itself."""


def expand(
    name: str, names: Mapping[str, tuple[str, ...]], agents: Collection[str] | None
) -> tuple[Target, ...]:
    """All that a name stands for, in order, each once: `agent`, `agent/model`, or what `names` says.

    Raises `BadName` for a name that nobody knows, and for one that stands for itself. Without `agents`, whoever
    is named is one.
    """
    found: dict[Target, None] = {}
    _expand(name, names, agents, (), found)
    return tuple(found)


def _expand(
    name: str,
    names: Mapping[str, tuple[str, ...]],
    agents: Collection[str] | None,
    above: tuple[str, ...],
    found: dict[Target, None],
) -> None:
    if name in above:
        raise BadName(f"stands for itself: {' → '.join([*above[above.index(name) :], name])}")
    if name in names:
        for each in names[name]:
            _expand(each, names, agents, (*above, name), found)
        return
    agent, _, model = name.partition("/")
    if agents is not None and agent not in agents:
        via = f" (through {' → '.join(above)})" if above else ""
        raise BadName(f"{agent!r} is neither an agent nor one of `models`{via}")
    found.setdefault(Target(agent, model))


def successor(model: str, retired: Mapping[str, Retirement], today: date) -> str | None:
    """The model to call on that day: itself, or what comes in its place; None when nothing does."""
    seen = {model}
    while (end := retired.get(model)) and end.ends <= today:
        if not end.use or end.use in seen:
            return None
        model = end.use
        seen.add(model)
    return model


def ending(models: Collection[str], retired: Mapping[str, Retirement], today: date) -> list[str]:
    """Those of the models whose end is near or past, the nearest first."""
    near = [name for name in models if name in retired and retired[name].ends <= today + WARNING]
    return sorted(near, key=lambda name: (retired[name].ends, name))
