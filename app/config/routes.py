"""The file of rules about who gets a task: the user's own, and after it the repository's."""

from pathlib import Path
from typing import Annotated, TypeAlias

from pydantic import BeforeValidator, Field, ValidationError

from app.config.faults import Fault, faults_of, report
from app.config.load import read
from app.config.section import Section
from app.config.settings import Dollars, Name, Pattern
from app.config.values import as_list
from app.config.yamltext import Document, Key, NotReadable, parse
from app.domain.money import parse_dollars
from policies.routes import Kind, Rule, When

FILE = "routes.yaml"
_Word: TypeAlias = Annotated[str, Field(min_length=1)]
_Words: TypeAlias = Annotated[tuple[_Word, ...], BeforeValidator(as_list)]


class WhenSettings(Section):
    """What a rule is about; all that is named must hold."""

    kind: Annotated[tuple[Kind, ...], BeforeValidator(as_list)] = ()
    """What the task is: `implement` `fix` `review` `refactor` `test` `docs` `chore`."""
    label: _Words = ()
    """The task's label."""
    goal: _Words = ()
    """Patterns with `*` that fit the goal."""
    paths: Annotated[tuple[Pattern, ...], BeforeValidator(as_list)] = ()
    """Patterns as in .gitignore that every file fits which the goal names."""
    repo: Annotated[tuple[Pattern, ...], BeforeValidator(as_list)] = ()
    """Patterns of the repository's path."""
    flow: _Words = ()
    """The flow that made the task."""


class RuleSettings(Section):
    """Who gets tasks of a sort."""

    name: Name = "rule"
    """How a route refers to it."""
    why: str = ""
    """For people."""
    when: WhenSettings = WhenSettings()
    """What it is about."""
    use: Annotated[tuple[_Word, ...], BeforeValidator(as_list), Field(min_length=1)]
    """Agents, `agent/model`, or names of `models`; the first is preferred, the others stand in for it."""
    learn: Annotated[bool, Field(strict=True)] = True
    """Whether history may choose among them."""
    explore: Annotated[float, Field(ge=0, le=1)] | None = None
    """Share of tasks for trying another one."""
    max_cost: Dollars | None = None
    """Who has cost more than that, on average, is left out."""


class RoutesFile(Section):
    """The whole file."""

    rules: tuple[RuleSettings, ...] = ()
    """The first that holds is followed."""


def load_rules(user: Path, repo_text: bytes | None, repo_name: str) -> tuple[Rule, ...]:
    """The rules in force, the user's own first. Raises `ConfigError` that lists all that is wrong with a file."""
    path = user / FILE
    text = read(path)
    own = () if text is None else rules_in(str(path), text)
    theirs = () if repo_text is None else rules_in(repo_name, repo_text)
    return (*own, *theirs)


def rules_in(file: str, text: bytes) -> tuple[Rule, ...]:
    """The rules a file holds. Raises `ConfigError`."""
    try:
        document = parse(text)
    except NotReadable as error:
        raise report([Fault(file, error.place.line, error.place.column, "", error.what)]) from None
    try:
        written = RoutesFile.model_validate(document.data)
    except ValidationError as error:
        faults = [_fault(file, document, k, w) for k, w, _ in faults_of(error, RoutesFile)]
        raise report(faults) from None
    rules = tuple(_rule(file, n, each) for n, each in enumerate(written.rules))
    _unique(file, document, rules)
    return rules


def _rule(file: str, number: int, written: RuleSettings) -> Rule:
    cost = written.max_cost
    named = "name" in written.model_fields_set
    return Rule(
        name=written.name if named else f"rule {number + 1}",
        why=written.why,
        when=When(**written.when.model_dump()),
        use=written.use,
        learn=written.learn,
        explore=written.explore,
        max_cost=None if cost is None else parse_dollars(str(cost)),
        source=file,
    )


def _unique(file: str, document: Document, rules: tuple[Rule, ...]) -> None:
    names = [rule.name for rule in rules]
    found = [
        _fault(file, document, ("rules", str(n), "name"), f"{name!r} is the name of another rule")
        for n, name in enumerate(names)
        if name in names[:n]
    ]
    if found:
        raise report(found)


def _fault(file: str, document: Document, key: Key, what: str) -> Fault:
    place = document.place(key)
    return Fault(file, place.line, place.column, ".".join(key), what)
