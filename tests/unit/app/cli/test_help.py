"""Every verb explains itself, with examples that are themselves valid."""

import re
import shlex
from typing import Any

import pytest

from app.cli import verbs
from app.cli.main import command
from tests.unit.app.cli.conftest import User

LEAVES = [words for words, _ in verbs.leaves()]


@pytest.mark.parametrize("words", LEAVES, ids=" ".join)
def test_a_verbs_help_has_examples_and_the_shared_options(
    words: tuple[str, ...], user: User
) -> None:
    done = user.types(*words, "--help")
    assert done.code == 0
    assert f"Examples:\n    swarm {' '.join(words)}" in done.out
    assert "--json" in done.out
    assert "--repo" in done.out


@pytest.mark.parametrize("words", LEAVES, ids=" ".join)
def test_every_example_can_be_parsed(words: tuple[str, ...], user: User) -> None:
    function = verbs.function_of(dict(verbs.leaves())[words])
    for line in function.__dict__["examples"]:
        typed = shlex.split(re.split(r" [|<>] ", line)[0])
        assert typed[: len(words) + 1] == ["swarm", *words]
        found: Any = command()
        for word in words:
            found = found.get_command(None, word)
        with found.make_context(" ".join(words), typed[len(words) + 1 :]) as context:
            assert context.args == []


def test_the_help_lists_every_verb_in_one_uncut_line(user: User) -> None:
    out = user.types("--help").out
    listed = re.findall(r"^  (\w+)  ", out.partition("Commands:")[2], re.MULTILINE)
    assert listed == list(verbs.VERBS)
    assert "..." not in out.partition("Commands:")[2]


def test_the_help_fits_80_columns(user: User) -> None:
    out = user.types("--help").out.partition("Commands:")[2].partition("Examples:")[0]
    assert max(len(line) for line in out.splitlines()) <= 80


def test_the_help_tells_the_exit_codes(user: User) -> None:
    assert "3 needs a human" in user.types("-h").out


def test_the_version_is_printed(user: User) -> None:
    assert re.fullmatch(r"swarm \d+\.\d+\.\d+\n", user.types("--version").out)


def test_every_group_is_described() -> None:
    groups = {name for name, entry in verbs.VERBS.items() if isinstance(entry, dict)}
    assert groups == set(verbs.GROUPS)
