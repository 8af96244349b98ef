"""The user's own rules about agents' tools: `policy.yaml` beside `config.yaml`, added to as a diff shows.

What a person wrote there stays as it is, comments included: a rule is added at the end, or not at all.
"""

import difflib
import hashlib
import os
import re
import tempfile
from pathlib import Path
from typing import Final

import msgspec
import yaml

from app.config.load import read
from app.config.yamltext import NotReadable
from app.config.yamltext import parse as parse_yaml
from app.domain.errors import ConfigError
from policies.rules import BadRule, Rule, parse

FILE: Final = "policy.yaml"
PREFIX: Final = "own"
"""In front of the names of these rules."""
_ITEM: Final = re.compile(r"^( *)- ", re.MULTILINE)
_HEAD: Final = "# Your own rules about what agents may do inside their sandboxes, before those of `approvals`.\n"


class Addition(msgspec.Struct, frozen=True):
    """A rule that could be added: the whole file before and after."""

    path: Path
    before: str
    after: str

    @property
    def diff(self) -> str:
        """As `diff -u` shows it."""
        lines = (self.before.splitlines(keepends=True), self.after.splitlines(keepends=True))
        name = str(self.path)
        return "".join(difflib.unified_diff(*lines, name if self.before else "/dev/null", name))

    @property
    def digest(self) -> str:
        """Names this change of this file; who has seen it, names it."""
        both = "\0".join((str(self.path), self.before, self.after))
        return hashlib.sha256(both.encode()).hexdigest()[:16]


def own_rules(user: Path) -> tuple[Rule, ...]:
    """The rules in the user's configuration directory; none without a file. Raises `ConfigError`."""
    path = user / FILE
    return _rules(path, (read(path) or b"").decode(errors="replace"))


def stamp(user: Path) -> tuple[int, ...]:
    """Another one whenever the file is another; empty without one."""
    try:
        found = (user / FILE).stat()
    except OSError:
        return ()
    return found.st_mtime_ns, found.st_size, found.st_ino


def addition(user: Path, rule: Rule) -> Addition:
    """What adding the rule would make of the file; its name is made unlike those that are there.

    Raises `ConfigError` when the file is not readable, or of a form that cannot be added to line by line.
    """
    path = user / FILE
    before = (read(path) or b"").decode(errors="replace")
    known = _rules(path, before)
    rule = msgspec.structs.replace(rule, name=_unlike(rule.name, {each.name for each in known}))
    after = _added(before, rule)
    if _rules(path, after) != (*known, _named(rule)):
        raise ConfigError(
            f"{path}: cannot be added to by itself: its rules are not written as a list, one below the other",
            hint=f"Add the rule by hand:\n{_written(rule, 2)}",
        )
    return Addition(path, before, after)


def write(wanted: Addition) -> None:
    """Replace the file, at once or not at all. Raises `ConfigError` when it is no longer as it was shown."""
    if (read(wanted.path) or b"").decode(errors="replace") != wanted.before:
        raise ConfigError(f"{wanted.path} has changed since", hint="Look at the change again.")
    path = wanted.path.resolve()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False) as file:
            file.write(wanted.after)
            file.flush()
            os.fsync(file.fileno())
        Path(file.name).replace(path)
    except OSError as error:
        raise ConfigError(f"{wanted.path}: cannot be written: {error.strerror or error}") from error


def _rules(path: Path, text: str) -> tuple[Rule, ...]:
    try:
        found = parse(PREFIX, parse_yaml(text.encode()).data)
    except NotReadable as error:
        raise ConfigError(f"{path}:{error.place.line}: {error.what}") from None
    except BadRule as error:
        raise ConfigError(f"{path}: {str(error).removeprefix(PREFIX + ': ')}") from None
    return found


def _named(rule: Rule) -> Rule:
    return msgspec.structs.replace(rule, name=f"{PREFIX}/{rule.name}")


def _unlike(name: str, taken: set[str]) -> str:
    tried, number = name, 2
    while f"{PREFIX}/{tried}" in taken:
        tried, number = f"{name}-{number}", number + 1
    return tried


def _added(before: str, rule: Rule) -> str:
    if not before.strip():
        return f"{_HEAD}rules:\n{_written(rule, 2)}"
    items = _ITEM.search(before)
    end = "" if before.endswith("\n") else "\n"
    return f"{before}{end}{_written(rule, len(items[1]) if items else 2)}"


def _written(rule: Rule, indent: int) -> str:
    """The rule as an item of the list."""
    said = {key: value for key, value in msgspec.to_builtins(rule).items() if value}
    text = yaml.safe_dump([said], sort_keys=False, allow_unicode=True, width=1000)
    return "".join(" " * indent + line for line in text.splitlines(keepends=True))
