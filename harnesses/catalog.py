"""The catalogue: agents as data. Shipped entries lie in `agents/`, the user's configuration changes and adds."""

import functools
from collections.abc import Hashable, Mapping
from importlib.resources import files
from types import MappingProxyType
from typing import Any

import yaml
from pydantic import Field, model_validator

from harnesses.base import Dialect, StopDialect
from harnesses.errors import BadSettings, UnknownAgent
from harnesses.text import nearest
from harnesses.written import Written, read_form

_NAME = r"^[a-z0-9][a-z0-9-]{0,39}$"


class Agent(Written):
    """Something a task can be given to: a harness, a model, and their settings."""

    name: str = Field(pattern=_NAME)
    title: str = ""
    """For people; the name when left out."""
    harness: str = Field(min_length=1)
    """Name of the driver that speaks its protocol."""
    model: str = Field(min_length=1)
    """Model id to request; the gateway may map it."""
    image: str = ""
    """Short name of the image its sandbox is made of."""
    dockerfile: str = ""
    """Name of the shipped file that image is built from; empty when swarm does not build it."""
    stop_dialect: StopDialect | None = None
    """How the gateway refuses this agent so that it stops at once; as its harness says, when left out."""
    dialect: Dialect | None = None
    """What this agent speaks to its model; as its harness says, when left out."""
    settings: dict[str, Any] = Field(default_factory=dict)
    """What the harness wants to know; the harness checks it."""
    enabled: bool = True

    @model_validator(mode="before")
    @classmethod
    def _titled(cls, value: Any) -> Any:
        if isinstance(value, dict) and not value.get("title") and value.get("name"):
            return {**value, "title": value["name"]}
        return value


class Catalog:
    """All agents, by name."""

    def __init__(self, agents: Mapping[str, Agent]) -> None:
        self._agents = dict(sorted(agents.items()))

    def get(self, name: str) -> Agent:
        """The agent of that name. `UnknownAgent` names the nearest."""
        agent = self._agents.get(name)
        if agent is not None and agent.enabled:
            return agent
        if agent is not None:
            raise UnknownAgent(
                f"the agent `{name}` is disabled",
                hint=f"Remove `enabled: false` from `agents.{name}` in the configuration.",
            )
        known = [agent.name for agent in self.all()]
        meant = nearest(name, known)
        raise UnknownAgent(
            f"no agent is called `{name}`" + (f", did you mean `{meant}`?" if meant else ""),
            hint=f"Known: {', '.join(known) or 'none'}.",
        )

    def names(self) -> tuple[str, ...]:
        """Of every agent, disabled ones too."""
        return tuple(self._agents)

    def entry(self, name: str) -> Agent:
        """The agent of that name, though it be disabled. Raises `KeyError`."""
        return self._agents[name]

    def all(self) -> tuple[Agent, ...]:
        """Every enabled agent, by name."""
        return tuple(agent for agent in self._agents.values() if agent.enabled)


def load(overrides: Mapping[str, Mapping[str, Any]] | None = None) -> Catalog:
    """The shipped agents with the user's changes: keys replace keys, those of `settings` one by one."""
    entries = _shipped()
    agents = {name: read_form(Agent, entry, name) for name, entry in entries.items()}
    for name, changes in (overrides or {}).items():
        where = f"agents.{name}"
        if not isinstance(changes, Mapping):
            raise BadSettings(f"{where}: must be a mapping")
        agents[name] = read_form(Agent, _merged(name, entries.get(name), changes, where), where)
    return Catalog(agents)


def parse_agent(text: str, source: str) -> dict[str, Any]:
    """One catalogue file, checked. `BadSettings` names file and line."""
    try:
        loader = _Strict(text)
        node = loader.get_single_node()
        entry = None if node is None else loader.construct_document(node)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise BadSettings(f"{source}:{line}: {error.problem}") from None
    if node is None or not isinstance(entry, dict):
        raise BadSettings(f"{source}:1: must be a mapping that describes one agent")
    try:
        read_form(Agent, entry, "")
    except BadSettings as error:
        lines = {key.value: key.start_mark.line + 1 for key, _ in node.value}
        told = [f"{source}:{_line(fault, lines)}: {fault}" for fault in str(error).splitlines()]
        raise BadSettings("\n".join(told)) from None
    return entry


@functools.cache
def _shipped() -> Mapping[str, Mapping[str, Any]]:
    # Once a process: reading YAML takes longer than all the rest of a configuration.
    entries = {}
    for file in sorted(files("harnesses").joinpath("agents").iterdir(), key=lambda file: file.name):
        if file.name.endswith(".yaml"):
            entry = parse_agent(file.read_text(encoding="utf-8"), f"agents/{file.name}")
            entries[entry["name"]] = entry
    return MappingProxyType(entries)


def _merged(
    name: str, shipped: Mapping[str, Any] | None, changes: Mapping[str, Any], where: str
) -> dict[str, Any]:
    if changes.get("name", name) != name:
        raise BadSettings(f"{where}.name: must be {name!r}, as the entry itself, or left out")
    merged = {**(shipped or {}), **changes, "name": name}
    old, new = (shipped or {}).get("settings"), changes.get("settings")
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        merged["settings"] = {**old, **new}
    return merged


def _line(fault: str, lines: Mapping[str, int]) -> int:
    """Line of the key a fault is about; the first for a key that is missing."""
    key = fault.partition(":")[0].split(".")[0].split("[")[0]
    return lines.get(key, 1)


class _Strict(yaml.SafeLoader):
    """Refuses a key that stands twice, which YAML would silently let win."""

    def construct_mapping(
        self,
        node: yaml.MappingNode,
        deep: bool = False,  # noqa: FBT001, FBT002 - the base's signature
    ) -> dict[Hashable, Any]:
        seen = set()
        for key, _ in node.value:
            if key.value in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key.value!r} stands twice", key.start_mark
                )
            seen.add(key.value)
        return super().construct_mapping(node, deep)
