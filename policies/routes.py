"""Rules about who gets a task: what is known of the task, and which rule speaks about it."""

import re
from collections.abc import Iterable
from typing import Final, Literal, TypeAlias, get_args

import msgspec

from policies.globs import matches_command, matches_path

Kind: TypeAlias = Literal["implement", "fix", "review", "refactor", "test", "docs", "chore"]
"""What a task is about, in a word."""
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)

_WORDS: Final[tuple[tuple[Kind, frozenset[str]], ...]] = (
    ("review", frozenset({"review", "audit", "inspect", "assess"})),
    ("docs", frozenset({"document", "docs", "readme", "changelog", "docstring", "docstrings"})),
    ("fix", frozenset({"fix", "mend", "repair", "bug", "broken", "crash", "flaky", "regression"})),
    ("test", frozenset({"test", "tests", "coverage"})),
    ("refactor", frozenset({"refactor", "rename", "simplify", "split", "extract", "migrate"})),
    ("chore", frozenset({"bump", "upgrade", "format", "lint", "pin"})),
)
"""The first line that shares a word with the goal's first sentence says what it is about."""
_PATH: Final = re.compile(r"(?<![\w/.@-])(?:[\w.@-]+/)*[\w@-][\w.@-]*(?:\.[A-Za-z]\w{0,9}|/)(?!\w)")


class Want(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a task before anybody works on it."""

    goal: str
    repo: str = ""
    """Absolute path."""
    kind: Kind = "implement"
    label: str = ""
    flow: str = ""
    paths: tuple[str, ...] = ()
    """Files that the goal names."""


class When(msgspec.Struct, frozen=True, kw_only=True):
    """What a rule is about: everything it names must hold; what is left empty always does."""

    kind: tuple[Kind, ...] = ()
    label: tuple[str, ...] = ()
    goal: tuple[str, ...] = ()
    """Patterns with `*`; one of them fits the goal."""
    paths: tuple[str, ...] = ()
    """Patterns as in .gitignore; every file that the goal names matches one. A goal without files matches none."""
    repo: tuple[str, ...] = ()
    """Patterns of the repository's path."""
    flow: tuple[str, ...] = ()

    def holds(self, want: Want) -> bool:
        """Whether a task is of this sort."""
        return (
            (not self.kind or want.kind in self.kind)
            and (not self.label or _is(want.label, self.label))
            and (not self.goal or _is(want.goal, self.goal))
            and (not self.paths or matches_path(want.paths, self.paths, every=True))
            and (not self.repo or matches_path((want.repo,), self.repo, every=True))
            and (not self.flow or _is(want.flow, self.flow))
        )


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """Who gets tasks of a sort."""

    name: str
    """How a route refers to it: the rule's own name, or its number."""
    why: str = ""
    when: When = When()
    use: tuple[str, ...]
    """Agents, models or names of models, the preferred one first; the others stand in for it."""
    learn: bool = True
    """Whether history may choose among them, where learning is on."""
    explore: float | None = None
    """Share of tasks for trying the others; None: as configured."""
    max_cost: int | None = None
    """Micro-dollars; who has cost more than that a run, on average, is left out."""
    source: str = ""
    """The file it stands in."""


def first(rules: Iterable[Rule], want: Want) -> Rule | None:
    """The first rule that speaks about the task."""
    return next((rule for rule in rules if rule.when.holds(want)), None)


def kind_of(goal: str) -> Kind:
    """What a goal is about, by the words of its first sentence; `implement` when they do not say."""
    sentence = re.split(r"[.!?\n]", goal, maxsplit=1)[0]
    words = set(re.findall(r"[a-z]+", sentence.lower()))
    return next((kind for kind, marks in _WORDS if words & marks), "implement")


def paths_in(goal: str) -> tuple[str, ...]:
    """What looks like files or directories in a goal, in order, each once."""
    return tuple(dict.fromkeys(match.rstrip(".") for match in _PATH.findall(goal)))


def _is(text: str, patterns: tuple[str, ...]) -> bool:
    return matches_command((text,), patterns, every=True)
