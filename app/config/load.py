"""Find, validate file by file, merge, and remember where each value came from.

Later wins: the shipped defaults, the user's `config.yaml`, the repository's `.swarm/config.yaml`, flags.
Every file is validated before it is merged, so that an error can name file, line and key. A repository may
only narrow.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from app.config.budget import wider
from app.config.faults import Fault, faults_of, fields_at, report
from app.config.routing import circles
from app.config.settings import STRICTNESS, NetworkSettings, Settings
from app.config.yamltext import Document, Key, NotReadable, Place, parse
from app.domain.errors import ConfigError

FILE = "config.yaml"
REPOSITORY_FILE = ".swarm/config.yaml"
"""From the top of a repository."""
DEFAULTS = "defaults.yaml"
FLAGS = "command line"

REPOSITORY_KEYS = frozenset(
    {
        *("agent", "target", "checks", "setup", "teardown", "max_turns", "budget", "approvals"),
        *("network", "paths", "image", "needs"),
    }
)
"""What a repository's file may set; everything else could widen what an agent may do on this machine."""


WHOLE = frozenset({("image",)})
"""Mappings that say one thing together: a later file's replaces what was there."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value came from; `line` is 0 where there are no lines."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


@dataclass(frozen=True, slots=True)
class Loaded:
    """The settings, and for each dotted key where its value came from."""

    settings: Settings
    origins: dict[str, Origin]


@dataclass(frozen=True, slots=True)
class _Source:
    """One file (or the flags) before merging."""

    file: str
    document: Document

    def origin(self, key: Key) -> Origin:
        return Origin(self.file, self.document.place(key).line)

    def fault(self, key: Key, what: str) -> Fault:
        place = self.document.place(key)
        return Fault(self.file, place.line, place.column, ".".join(key), what)


def load(
    *,
    user: Path,
    repo_text: bytes | None = None,
    repo_name: str = REPOSITORY_FILE,
    flags: Mapping[str, str] | None = None,
) -> Loaded:
    """The settings in force. Raises `ConfigError` that lists everything wrong with the first bad file.

    `user` is the directory of the user's `config.yaml`, which need not exist; `repo_text` is the content of the
    repository's file as it stands on the base branch, named `repo_name` in errors.
    """
    sources = [_checked(_source(DEFAULTS, _defaults()))]
    path = user / FILE
    if (text := read(path)) is not None:
        sources.append(_checked(_source(str(path), text)))
    if repo_text is not None:
        source = _source(repo_name, repo_text)
        sources.append(_narrowing(_checked(source, _forbidden(source)), sources))
    if flags:
        sources.append(_checked(_from_flags(flags)))
    return _merged(sources)


def _defaults() -> bytes:
    return files("app.config").joinpath(DEFAULTS).read_bytes()


def read(path: Path) -> bytes | None:
    """What the file holds; nothing when there is none."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror or error}") from error


def _source(file: str, text: bytes) -> _Source:
    try:
        return _Source(file, parse(text))
    except NotReadable as error:
        fault = Fault(file, error.place.line, error.place.column, "", error.what)
        raise report([fault]) from None


def _from_flags(flags: Mapping[str, str]) -> _Source:
    data: dict[str, Any] = {}
    places: dict[Key, Place] = {}
    for name, text in flags.items():
        key = tuple(name.split("."))
        _put(data, key, _flag_value(key, text))
        places[key] = Place()
    return _Source(FLAGS, Document(data, places))


def _flag_value(key: Key, text: str) -> Any:
    """Text where the setting is text, else what YAML makes of it."""
    field = fields_at(key[:-1]).get(key[-1])
    if field is None or field.annotation is str:
        return text
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        return text


def _put(data: dict[str, Any], key: Key, value: Any) -> None:
    for part in key[:-1]:
        below = data.setdefault(part, {})
        if not isinstance(below, dict):
            below = data[part] = {}
        data = below
    data[key[-1]] = value


def _checked(source: _Source, known: Iterable[Fault] = ()) -> _Source:
    """The source, when what it says can be meant; what it leaves out comes from elsewhere."""
    found = list(known)
    try:
        Settings.model_validate(source.document.data)
    except ValidationError as error:
        found += [source.fault(key, what) for key, what, missing in faults_of(error) if not missing]
    _refuse(found)
    return source


def _forbidden(source: _Source) -> Iterable[Fault]:
    known = Settings.model_fields.keys() - REPOSITORY_KEYS
    may = ", ".join(sorted(REPOSITORY_KEYS))
    for name in source.document.data:
        if name in known:
            what = f"is not a repository's to say: only your own config may set {name}; here may stand {may}"
            yield source.fault((name,), what)


def _narrowing(source: _Source, before: list[_Source]) -> _Source:
    """The repository's source, when it lowers and tightens what the user has, and nothing else."""
    own = _merged(before).settings
    wanted = _merged([*before, source]).settings
    found = [source.fault(key, what) for key, what in wider(own.budget, wanted.budget)]
    if STRICTNESS.index(wanted.approvals) < STRICTNESS.index(own.approvals):
        what = f"may only be stricter than your own, {own.approvals!r}"
        found.append(source.fault(("approvals",), what))
    found += _wider_network(source, own.network, wanted.network)
    if wanted.paths.allow != own.paths.allow:
        what = "is not a repository's to say; it may add to block, confirm and warn"
        found.append(source.fault(("paths", "allow"), what))
    _refuse(found, hint=f"Only your own {FILE} (`swarm config show` names it) may loosen these.")
    return source


def _wider_network(source: _Source, own: NetworkSettings, wanted: NetworkSettings) -> list[Fault]:
    found = []
    if more := sorted(set(wanted.hosts) - set(own.hosts)):
        yours = ", ".join(own.allow) or "nothing"
        what = f"may only leave out hosts of your own list ({yours}), not add {', '.join(more)}"
        found.append(source.fault(("network", "allow"), what))
    if wanted.limit > own.limit:
        what = f"may only be lower than your own, {own.bytes}"
        found.append(source.fault(("network", "bytes"), what))
    return found


def _merged(sources: list[_Source]) -> Loaded:
    data: dict[str, Any] = {}
    origins: dict[Key, Origin] = {}
    for source in sources:
        _overlay(data, source.document.data, (), source, origins)
    try:
        settings = Settings.model_validate(data)
    except ValidationError as error:
        raise report(_missing(error, origins)) from None
    _refuse(_circle(name, what, origins) for name, what in circles(settings.models))
    return Loaded(settings, {".".join(key): origin for key, origin in origins.items()})


def _overlay(
    data: dict[str, Any],
    over: Mapping[str, Any],
    at: Key,
    source: _Source,
    origins: dict[Key, Origin],
) -> None:
    """Mappings are merged key by key; rules about paths add up; anything else replaces what was there."""
    for name, value in over.items():
        key = (*at, name)
        if at == ("paths",):
            value = [*data.get(name, ()), *value]  # noqa: PLW2901 - the same setting, with what it adds to
        if key in WHOLE:
            data.pop(name, None)
        if isinstance(value, Mapping) and value:
            below = data.get(name)
            data[name] = dict(below) if isinstance(below, Mapping) else {}
            _overlay(data[name], value, key, source, origins)
        elif not (isinstance(value, Mapping) and isinstance(data.get(name), Mapping)):
            data[name] = value
            origins[key] = source.origin(key)


def _missing(error: ValidationError, origins: Mapping[Key, Origin]) -> list[Fault]:
    found = []
    for key, what, _missing in faults_of(error):
        near = [o for k, o in origins.items() if k[: len(key) - 1] == key[:-1]]
        origin = near[0] if near else Origin(FILE, 0)
        found.append(Fault(origin.file, origin.line, 0, ".".join(key), what))
    return found


def _circle(name: str, what: str, origins: Mapping[Key, Origin]) -> Fault:
    origin = origins.get(("models", name), Origin(FILE, 0))
    return Fault(origin.file, origin.line, 0, f"models.{name}", what)


def _refuse(found: Iterable[Fault], hint: str = "") -> None:
    if faults := list(found):
        raise report(faults, hint)
