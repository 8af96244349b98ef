"""However a call ends, its exit code and its words say how."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from app.client.client import Swarm
from app.domain import errors
from app.domain.errors import SwarmError
from tests.support.canned import Canned
from tests.unit.app.cli.conftest import User

CODES = [
    (errors.SwarmError, 1),
    (errors.UsageError, 2),
    (errors.ConfigError, 2),
    (errors.NotFound, 2),
    (errors.NotNow, 1),
    (errors.NeedsHuman, 3),
    (errors.BudgetSpent, 4),
    (errors.EnvironmentProblem, 5),
    (errors.RepoError, 5),
    (errors.Unreachable, 5),
]


@pytest.mark.parametrize(("kind", "code"), CODES)
def test_an_error_of_the_supervisor_has_its_exit_code(
    kind: type[SwarmError], code: int, user: User, supervisor: Canned
) -> None:
    supervisor.on("GET /v1/trash", kind("it is so", hint="do that"))
    done = user.types("trash")
    assert done.code == code
    assert done.err == "swarm: it is so\n       do that\n"
    assert done.out == ""


def test_an_error_is_a_document_with_json(user: User, supervisor: Canned) -> None:
    supervisor.on("GET /v1/trash", errors.NotNow("it is so", hint="do that"))
    assert user.types("trash", "--json").json == {
        "error": {"kind": "not_now", "message": "it is so", "hint": "do that", "exit_code": 1}
    }


def test_an_error_cannot_act_on_the_terminal(user: User, supervisor: Canned) -> None:
    supervisor.on("GET /v1/trash", SwarmError("bad \x1b]0;x\x07 name", hint="\x9b2J"))
    assert re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", user.types("trash").err) is None


def test_every_line_of_an_error_is_told(user: User, supervisor: Canned) -> None:
    supervisor.on("GET /v1/trash", errors.ConfigError("one\ntwo"))
    assert user.types("trash").err == "swarm: one\n       two\n"


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        (["rnu"], "no such command 'rnu'. Did you mean 'run'?"),
        (["ps", "--al"], "no such option: --al"),
        (["run"], "missing argument 'GOAL'"),
        (["answer", "x", "maybe"], "'maybe' is not one of 'yes', 'no'"),
        (["cost", "--by", "week"], "'week' is not one of"),
        (["run", " "], "the goal is empty"),
        (["run", "x", "--budget", "much"], "--budget: 'much' is not an amount in dollars"),
        (["resume", "x", "--budget", "-1"], "of zero or more"),
        (["stop"], "say what to stop: an ID, or --all"),
        (["stop", "x", "--all"], "say what to stop: an ID, or --all"),
        (["comment", "x", "a.py", "t"], "'a.py' is not a place such as src/io.py:42"),
        (["comment", "x", "a.py:0", "t"], "is not a place"),
        (["comment", "x", ":3", "t"], "is not a place"),
        (["daemon"], "needs one of the verbs below it"),
        (["daemon", "upp"], "no such command 'upp'. Did you mean 'up'?"),
        (["ps", "--repo", "/"], "/ is not in a git repository"),
    ],
)
def test_what_cannot_be_meant_ends_with_2(typed: list[str], says: str, user: User) -> None:
    done = user.types(*typed)
    assert done.code == 2
    assert says in done.err


def test_a_missing_supervisor_ends_with_5(user: User) -> None:
    done = user.types("daemon", "status")
    assert done.code == 5
    assert "swarm daemon up" in done.err


def test_an_interrupt_ends_with_130(
    user: User, supervisor: Canned, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted() -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr("app.cli.work.user_name", interrupted)
    assert user.types("discard", "x").code != 130
    monkeypatch.setattr("app.cli.trash.user_name", interrupted)
    assert user.types("discard", "x").code == 130


def test_an_answer_of_another_version_says_what_to_do(user: User, supervisor: Canned) -> None:
    supervisor.on("GET /v1/trash", b"not what was agreed")
    done = user.types("trash")
    assert done.code == 5
    assert "in a form this program does not know" in done.err
    assert "`swarm upgrade`" in done.err


@pytest.fixture
def bug(supervisor: Canned, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mistake of ours amid a call."""

    def mistaken(_: Swarm) -> None:
        raise ValueError("what should never be")

    monkeypatch.setattr(Swarm, "trash", mistaken)


@pytest.mark.usefixtures("bug")
def test_a_bug_is_told_in_one_line(user: User) -> None:
    done = user.types("trash")
    assert done.code == 1
    assert done.err.startswith("swarm: this is a bug in swarm: ")


@pytest.mark.usefixtures("bug")
def test_a_bug_shows_where_when_asked(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWARM_DEBUG", "1")
    with pytest.raises(ValueError, match="what should never be"):
        user.types("trash")


def test_a_reader_who_has_seen_enough_is_no_failure(place: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "app", "config", "show"]
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[4])}
    done = subprocess.run(
        command, stdout=writing, stderr=subprocess.PIPE, text=True, env=env, check=False
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, "")


def test_output_that_the_terminal_cannot_encode_is_no_failure(place: Path) -> None:
    command = [sys.executable, "-m", "app", "config", "show"]
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[4]), "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(command, capture_output=True, env=env, check=False)
    assert done.returncode == 0
