"""A machine on which something is missing: the command line says what, and what to do."""

import os
import shutil
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.home import Home
from tests.support.patience import PATIENCE
from tests.support.repos import run_git

USAGE, ENVIRONMENT = 2, 5


@pytest.fixture
def docker_home(home: Home) -> Home:
    """A user who wants Docker sandboxes."""
    home.configure({"agent": "scripted", "sandbox": {"driver": "docker", "image": "any"}})
    return home


@pytest.fixture
def closed_socket(home: Home) -> Iterator[Path]:
    """An engine's socket that belongs to others."""
    path = home.runtime / "docker.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        path.chmod(0)
        if os.getuid() == 0:
            os.chown(path, 65534, 65534)
        yield path


def untouched(repo: Path) -> bool:
    refs = run_git(repo, "for-each-ref", "--format=%(refname)")
    return refs == "refs/heads/main" and run_git(repo, "worktree", "list").count("\n") == 0


def test_without_docker_a_run_is_refused_with_the_way_out(docker_home: Home, repo: Path) -> None:
    dead = f"unix://{docker_home.runtime}/none.sock"
    done = docker_home.swarm("run", "Do it", cwd=repo, DOCKER_HOST=dead)
    assert done.returncode == ENVIRONMENT
    assert "Docker" in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) >= 2
    assert untouched(repo)


def test_docker_that_may_not_be_used_is_told_apart(
    docker_home: Home, repo: Path, closed_socket: Path
) -> None:
    # Root may open any socket; without that right it is as any user.
    drop = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-all"]
    done = subprocess.run(
        [*(drop if os.getuid() == 0 else []), sys.executable, "-m", "app", "run", "Do it"],
        cwd=repo,
        env={**docker_home.env, "DOCKER_HOST": f"unix://{closed_socket}"},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == ENVIRONMENT
    assert "Docker runs, but you may not use its socket (permission denied)" in done.stderr
    assert untouched(repo)


def test_malformed_settings_of_the_user_are_told_with_file_and_line(home: Home, repo: Path) -> None:
    (home.config / "config.yaml").write_text("agent: scripted\nsandbox:\n  driver: [memory\n")
    done = home.swarm("run", "Do it", cwd=repo)
    assert done.returncode == USAGE
    assert f"{home.config}/config.yaml:4" in done.stderr
    assert home.supervisor_pid() is None
    assert untouched(repo)


def test_a_setting_that_is_not_known_names_the_nearest(home: Home, repo: Path) -> None:
    (home.config / "config.yaml").write_text("agnet: scripted\n")
    done = home.swarm("run", "Do it", cwd=repo)
    assert done.returncode == USAGE
    assert f"{home.config}/config.yaml:1" in done.stderr
    assert "agent" in done.stderr


def test_a_state_directory_of_a_newer_version_is_left_alone(home: Home, repo: Path) -> None:
    assert home.swarm("daemon", "up", cwd=repo).returncode == 0
    assert home.swarm("daemon", "down", cwd=repo).returncode == 0
    with sqlite3.connect(home.state / "state.db") as database:
        database.execute("update swarm_schema set version = 999")
    database.close()
    before = (home.state / "state.db").read_bytes()
    done = home.swarm("run", "Do it", cwd=repo)
    assert done.returncode == ENVIRONMENT
    assert "was written by a newer swarm (schema 999" in done.stderr
    assert (home.state / "state.db").read_bytes() == before
    assert untouched(repo)


@pytest.mark.parametrize("name", ["state", "events"])
def test_a_damaged_database_is_named_and_left_as_it_is(home: Home, repo: Path, name: str) -> None:
    assert home.swarm("daemon", "up", cwd=repo).returncode == 0
    assert home.swarm("daemon", "down", cwd=repo).returncode == 0
    file = home.state / f"{name}.db"
    damaged = b"\0" * 4096 + file.read_bytes()[4096:]
    file.write_bytes(damaged)
    done = home.swarm("ps", cwd=repo)
    assert done.returncode == ENVIRONMENT
    assert f"{file} is damaged: file is not a database" in done.stderr
    assert file.read_bytes() == damaged


def test_without_the_damaged_log_the_runs_are_still_there(home: Home, repo: Path) -> None:
    home.configure({"agent": "scripted", "sandbox": {"driver": "memory"}})
    assert home.swarm("run", "Do it", cwd=repo).returncode == 0
    assert home.swarm("daemon", "down", cwd=repo).returncode == 0
    for file in home.state.glob("events.db*"):
        file.unlink()
    done = home.swarm("ps", "--all", cwd=repo)
    assert done.returncode == 0, done.stderr
    assert "Do it" in done.stdout


def test_a_database_of_another_kind_is_told_with_file_and_line(home: Home, repo: Path) -> None:
    home.configure({"database": "mysql://ada:hidden@localhost/swarm"})
    done = home.swarm("ps", cwd=repo)
    assert done.returncode == USAGE
    assert f"{home.config}/config.yaml:1" in done.stderr
    assert "should be like postgresql+psycopg://" in done.stderr
    assert "hidden" not in done.stderr


def test_a_database_that_does_not_answer_is_named_without_its_password(
    home: Home, repo: Path
) -> None:
    home.configure({"database": "postgresql+psycopg://ada:hidden@127.0.0.1:1/swarm"})
    done = home.swarm("ps", cwd=repo)
    assert done.returncode == ENVIRONMENT
    assert "postgresql+psycopg://ada:***@127.0.0.1:1/swarm cannot be used" in done.stderr
    assert "`database` in your config.yaml" in done.stderr
    assert "hidden" not in done.stderr


def test_a_state_directory_that_cannot_be_made_is_told(home: Home, repo: Path) -> None:
    shutil.rmtree(home.state, ignore_errors=True)
    home.state.write_text("a file")
    done = home.swarm("ps", cwd=repo)
    assert done.returncode == ENVIRONMENT
    assert str(home.state) in done.stderr
    assert "bug" not in done.stderr


@pytest.fixture
def locked(home: Home) -> Iterator[Path]:
    """A state directory in which nobody may write."""
    home.state.mkdir()
    if os.getuid() != 0:
        home.state.chmod(0o500)
        yield home.state
        home.state.chmod(0o700)
        return
    # Root may write wherever the disk lets it.
    subprocess.run(["mount", "-t", "tmpfs", "-o", "ro", "none", str(home.state)], check=True)
    yield home.state
    subprocess.run(["umount", str(home.state)], check=True)


def test_a_state_directory_that_cannot_be_written_is_told(
    home: Home, repo: Path, locked: Path
) -> None:
    done = home.swarm("ps", cwd=repo)
    assert done.returncode == ENVIRONMENT
    assert f"the state directory {locked} cannot be written" in done.stderr
    assert "SWARM_STATE_DIR" in done.stderr
    assert "bug" not in done.stderr


def test_a_supervisor_says_so_too(home: Home, locked: Path) -> None:
    done = home.daemon()
    assert done.returncode == ENVIRONMENT
    assert f"the state directory {locked} cannot be written" in done.stderr
    assert "Traceback" not in done.stderr


def test_code_of_the_repository_is_never_taken_for_swarm(home: Home, repo: Path) -> None:
    for package in ("app", "harnesses", "sandboxes", "policies", "dbos", "yaml"):
        (repo / package).mkdir()
        (repo / package / "__init__.py").write_text(f"open({str(repo / 'ran')!r}, 'w')\n")
    command = [str(Path(sys.executable).with_name("swarm"))]
    for verb in (["ps"], ["daemon", "down"]):
        done = subprocess.run(
            [*command, *verb],
            cwd=repo,
            env=home.env,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    assert not (repo / "ran").exists()


@pytest.mark.parametrize(
    ("agent", "fix"),
    [
        ({"harness": "codex", "model": "anthropic/gpt-5.5"}, "speaks Anthropic Messages"),
        ({"harness": "codex", "model": "gpt-none"}, "the price of model 'gpt-none' is not known"),
        ({"harness": "codex", "model": "gpt-5.5"}, "holds the login of a subscription"),
    ],
)
def test_an_agent_that_no_provider_can_serve_is_refused_when_the_task_is_given(
    agent: dict[str, str], fix: str, home: Home, repo: Path
) -> None:
    login = "sk-ant-oat01-login" if agent["model"] == "gpt-5.5" else "sk-key"
    upstreams = {name: {"key": "env:SOME_KEY"} for name in ("anthropic", "openai")}
    home.configure(
        {
            "agent": "mine",
            "agents": {"mine": {"title": "Mine", **agent}},
            "sandbox": {"driver": "local"},
            "gateway": {"upstreams": upstreams},
        }
    )
    done = home.swarm("run", "Do it", cwd=repo, SOME_KEY=login)
    assert done.returncode == ENVIRONMENT
    assert fix in done.stderr
    assert login not in done.stderr
    assert untouched(repo)
