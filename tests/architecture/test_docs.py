"""What the documentation names is there: links, pictures, verbs, files, routes, events, errors."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import msgspec
import pytest

from app.cli.verbs import VERBS
from app.domain import errors, events
from app.domain.errors import SwarmError
from app.domain.run import MOVES, RunState

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(
    [
        *ROOT.glob("*.md"),
        *DOCS.rglob("*.md"),
        *(p for p in ROOT.glob("*/README.md") if p.parent != DOCS),
    ]
)
ROOTS = ("app", "harnesses", "sandboxes", "policies", "tests", "docs")
PEOPLE = frozenset({"agent", "ada"})
"""Users that are nobody: the one in the box, and the one in examples."""

_FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_SPAN = re.compile(r"`([^`\n]+)`")
_VERB = re.compile(r"^(?:\$ )?swarm ([a-z]+)(?: ([a-z]+))?")


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


every_page = pytest.mark.parametrize("page", PAGES, ids=name_of)


def prose(page: Path) -> str:
    """The page without its fenced blocks."""
    return _FENCE.sub("", page.read_text(encoding="utf-8"))


def links(page: Path) -> Iterator[str]:
    for target in _LINK.findall(prose(page)):
        if "://" not in target and not target.startswith(("#", "mailto:")):
            yield target.partition("#")[0]


def commands(page: Path) -> Iterator[str]:
    """Everything that is written as code: spans, and lines of fenced blocks."""
    text = page.read_text(encoding="utf-8")
    yield from _SPAN.findall(_FENCE.sub("", text))
    for block in _FENCE.findall(text):
        yield from (line.strip() for line in block.splitlines()[1:-1])


def paths(page: Path) -> Iterator[str]:
    """Everything in the prose that is written like a file of this repository."""
    for span in _SPAN.findall(prose(page)):
        head, slash, _ = span.partition("/")
        if slash and head in ROOTS and not set(span) & set("<… "):
            yield span.partition("::")[0]


def files() -> list[str]:
    listed = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "-z"], capture_output=True, text=True, check=True
    )
    return [name for name in listed.stdout.split("\0") if (ROOT / name).is_file()]


@every_page
def test_every_link_and_picture_leads_somewhere(page: Path) -> None:
    assert [link for link in links(page) if not (page.parent / link).exists()] == []


@every_page
def test_every_verb_that_is_named_exists(page: Path) -> None:
    unknown = []
    for command in commands(page):
        if found := _VERB.match(command):
            entry = VERBS.get(found[1])
            if entry is None or (isinstance(entry, dict) and found[2] not in {None, *entry}):
                unknown.append(command)
    assert unknown == []


@every_page
def test_every_file_that_is_named_exists(page: Path) -> None:
    assert [path for path in paths(page) if not list(ROOT.glob(path.rstrip("/")))] == []


def test_the_table_of_what_to_touch_names_files_in_every_line() -> None:
    text = (DOCS / "contributing.md").read_text(encoding="utf-8")
    table = text.partition("## To change X")[2].partition("\n## ")[0]
    lines = [line for line in table.splitlines() if line.startswith("| ")][1:]
    assert len(lines) > 10
    assert [line for line in lines if not any(f"`{root}/" in line for root in ROOTS)] == []


@pytest.mark.parametrize("package", ROOTS[:4])
def test_a_packages_own_page_is_a_quick_look(package: str) -> None:
    assert (ROOT / package / "README.md").read_text(encoding="utf-8").count("\n") <= 15


def test_every_page_can_be_reached_from_the_first() -> None:
    seen = {ROOT / "README.md"}
    pending = list(seen)
    while pending:
        page = pending.pop()
        found = {(page.parent / link).resolve() for link in links(page) if link.endswith(".md")}
        pending += found - seen
        seen |= found
    assert [name_of(page) for page in PAGES if DOCS in page.parents and page not in seen] == []


def test_decisions_are_numbered_without_a_gap() -> None:
    records = sorted((DOCS / "decisions").glob("*.md"))
    titles = [record.read_text(encoding="utf-8").splitlines()[0] for record in records]
    for number, (record, title) in enumerate(zip(records, titles, strict=True), start=1):
        assert re.fullmatch(rf"{number:04}-[a-z0-9-]+\.md", record.name)
        assert title.startswith(f"# {number}. ")


def test_every_decision_says_context_decision_and_consequence() -> None:
    for record in (DOCS / "decisions").glob("*.md"):
        parts = re.findall(r"^\*\*(\w+)\.\*\*", record.read_text(encoding="utf-8"), re.MULTILINE)
        assert parts == ["Context", "Decision", "Consequence"], record.name


def rows(page: str) -> dict[str, str]:
    """The table lines of a reference page, by what stands first in them."""
    text = (DOCS / page).read_text(encoding="utf-8")
    tables = re.sub(r"^\|.*\n(?=\|---)", "", text, flags=re.MULTILINE)
    lines = [line for line in tables.splitlines() if line.startswith("| `")]
    return {_SPAN.findall(line)[0]: line for line in lines}


def test_the_page_of_events_names_each_with_all_its_fields() -> None:
    told = rows("reference/events.md")
    for body in get_args(events.Body):
        info = msgspec.inspect.type_info(body)
        assert isinstance(info, msgspec.inspect.StructType)
        named = set(_SPAN.findall(told[str(info.tag)]))
        assert {field.name for field in info.fields} <= named, info.tag


def test_the_page_of_events_names_no_other() -> None:
    tags = {str(body.__struct_config__.tag) for body in get_args(events.Body)}
    envelope = {"seq", "run", "at", "body"}
    assert set(rows("reference/events.md")) - envelope == tags


def test_the_page_of_errors_names_every_kind_with_its_exit_code() -> None:
    pending: list[type[SwarmError]] = [SwarmError]
    kinds = {}
    while pending:
        cls = pending.pop()
        pending += cls.__subclasses__()
        if cls.__module__ == errors.__name__:
            kinds[cls.kind] = (cls.__name__, cls.exit_code)
    told = {
        kind: (_SPAN.findall(line)[1], int(line.split("|")[3]))
        for kind, line in rows("reference/errors.md").items()
    }
    assert told == kinds


def test_the_page_of_the_api_names_exactly_the_routes_there_are() -> None:
    source = (ROOT / "app/api/app.py").read_text(encoding="utf-8")
    served = {
        f"{verb} {path}" for verb, path in re.findall(r'\("(GET|POST)", "(/v1/[^"]+)"', source)
    }
    told = {route for route in rows("reference/api.md") if " /v1/" in route}
    assert told == served


def test_the_vocabulary_tells_every_state_and_its_moves() -> None:
    told = rows("explanation/vocabulary.md")
    for state in RunState:
        moves = told[state].split("|")[3]
        assert set(_SPAN.findall(moves)) == {str(move) for move in MOVES[state]}, state


def test_no_file_names_a_directory_of_somebodys_machine() -> None:
    own = re.compile(r"(?<![\w.~])/(?:home|Users)/(\w[\w.-]*)")
    here = str(ROOT) if len(ROOT.parts) > 2 else None
    found = []
    for name in files():
        text = (ROOT / name).read_text(encoding="utf-8", errors="ignore")
        if set(own.findall(text)) - PEOPLE or (here and here in text):
            found.append(name)
    assert found == []
