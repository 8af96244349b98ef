"""First contact: init, doctor, config show, daemon."""

import re
from pathlib import Path

import pytest

from app import wire
from app.config.load import load
from tests.support.canned import Canned
from tests.unit.app.cli.conftest import User


def test_init_writes_a_file_that_changes_nothing(user: User, place: Path, tmp_path: Path) -> None:
    written = Path(user.types("init").out.strip())
    assert written == place / ".swarm" / "config.yaml"
    assert load(user=tmp_path, repo_text=written.read_bytes()) == load(user=tmp_path)


def test_what_init_suggests_is_valid(user: User, place: Path, tmp_path: Path) -> None:
    user.types("init")
    text = (place / ".swarm" / "config.yaml").read_text()
    switched_on = re.sub(r"(?m)^#(?! \S)", "", text)
    settings = load(user=tmp_path, repo_text=switched_on.encode()).settings
    assert (settings.checks, settings.target) == (("make test",), "main")


@pytest.mark.parametrize(
    ("name", "text", "check"),
    [
        ("Makefile", "all:\n\ntest:\n\tpytest\n", "make test"),
        ("package.json", '{"scripts": {"test": "jest"}}', "npm test"),
        ("go.mod", "module x", "go test ./..."),
    ],
)
def test_init_suggests_the_repositorys_own_test(
    name: str, text: str, check: str, user: User, place: Path
) -> None:
    (place / name).write_text(text)
    user.types("init")
    assert f"#  - {check}\n" in (place / ".swarm" / "config.yaml").read_text()


def test_init_leaves_what_is_there(user: User, place: Path) -> None:
    (place / ".swarm").mkdir()
    (place / ".swarm" / "config.yaml").write_text("agent: mine")
    done = user.types("init")
    assert done.code == 2
    assert (place / ".swarm" / "config.yaml").read_text() == "agent: mine"


def test_init_outside_of_a_repository_is_refused(
    user: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = user.types("init")
    assert done.code == 2
    assert "git init" in done.err
    assert not (tmp_path / ".swarm").exists()


def test_init_works_from_a_folder_below(
    user: User, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (place / "src").mkdir()
    monkeypatch.chdir(place / "src")
    user.types("init")
    assert (place / ".swarm" / "config.yaml").is_file()


def line(name: str, *, ok: bool, needed: bool = True) -> wire.DoctorLine:
    return wire.DoctorLine(name=name, ok=ok, found=f"{name} found", fix="do this", needed=needed)


def test_doctor_is_content_when_everything_is_there(user: User, supervisor: Canned) -> None:
    supervisor.on("GET /v1/doctor", (line("git", ok=True),))
    done = user.types("doctor")
    assert done.code == 0
    assert "ok       git         git found" in done.out
    assert "do this" not in done.out


def test_doctor_ends_with_5_when_something_needed_is_missing(
    user: User, supervisor: Canned
) -> None:
    supervisor.on("GET /v1/doctor", (line("git", ok=True), line("docker", ok=False)))
    done = user.types("doctor")
    assert done.code == 5
    assert "MISSING  docker" in done.out
    assert "do this" in done.out


def test_doctor_only_mentions_what_can_be_done_without(user: User, supervisor: Canned) -> None:
    supervisor.on("GET /v1/doctor", (line("image", ok=False, needed=False),))
    assert user.types("doctor").code == 0


def test_doctor_as_json_is_a_list(user: User, supervisor: Canned) -> None:
    supervisor.on("GET /v1/doctor", (line("docker", ok=False),))
    done = user.types("doctor", "--json")
    assert [one["name"] for one in done.json] == ["python", "supervisor", "docker"]
    assert done.code == 5


def test_config_show_tells_where_each_value_is_from(
    user: User, place: Path, tmp_path: Path
) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "config.yaml").write_text("agent: codex\n")
    (place / ".swarm").mkdir()
    (place / ".swarm" / "config.yaml").write_text("\nchecks: [make]\n")
    shown = {one["key"]: one for one in user.types("config", "show", "--json").json}
    assert shown["agent"]["from"] == f"{tmp_path}/config/config.yaml:1"
    assert (shown["checks"]["value"], shown["checks"]["from"][-7:]) == (["make"], ".yaml:2")
    assert shown["max_turns"]["from"].startswith("defaults.yaml:")


def test_config_show_is_a_table(user: User) -> None:
    out = user.types("config", "show").out
    assert out.splitlines()[0].split() == ["SETTING", "VALUE", "FROM"]
    assert "gateway.upstreams.anthropic.key" in out


def test_config_show_hides_a_password(user: User, tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    address = "postgresql+psycopg://ada:hunter2@db/swarm"
    (tmp_path / "config" / "config.yaml").write_text(f"database: {address}\n")
    out = user.types("config", "show").out
    assert "hunter2" not in out
    assert "postgresql+psycopg://ada:***@db/swarm" in out


def test_config_show_tells_a_fault_of_the_repositorys_file(user: User, place: Path) -> None:
    (place / ".swarm").mkdir()
    (place / ".swarm" / "config.yaml").write_text("agnet: x\n")
    done = user.types("config", "show")
    assert done.code == 2
    assert ".swarm/config.yaml:1: agnet is not a setting; did you mean 'agent'?" in done.err


def test_daemon_status_tells_which_supervisor_runs(user: User, supervisor: Canned) -> None:
    out = user.types("daemon", "status").out
    assert "supervisor  swarm 0, process" in out
    assert user.types("daemon", "up").out == out


def test_daemon_down_without_a_supervisor_is_done(user: User) -> None:
    done = user.types("daemon", "down")
    assert (done.code, done.err) == (0, "No supervisor runs here.\n")


def test_config_show_tells_a_file_that_cannot_be_read(user: User, place: Path) -> None:
    (place / ".swarm" / "config.yaml").mkdir(parents=True)
    done = user.types("config", "show")
    assert done.code == 2
    assert "cannot be read: Is a directory" in done.err


def test_an_image_of_an_unknown_agent_is_refused(user: User) -> None:
    done = user.types("image", "build", "claud-code")
    assert done.code == 2
    assert "did you mean 'claude-code'?" in done.err


def test_an_image_without_docker_ends_with_5(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    done = user.types("image", "build", "claude-code")
    assert done.code == 5
    assert "Docker is not running" in done.err


def test_the_way_of_a_webhook_is_not_shown(user: User, tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    hook = "https://hooks.example.com/services/s3cret"
    (tmp_path / "config" / "config.yaml").write_text(f"notify:\n  webhook: {hook}\n")
    shown = user.types("config", "show").out
    assert "https://hooks.example.com/***" in shown
    assert "s3cret" not in shown


def test_notify_test_says_which_way_worked(user: User, supervisor: Canned) -> None:
    supervisor.on("GET /v1/screen", wire.Look(ring="osc9"))
    tried = wire.NotifyLine(way="command", ok=False, found="it ended with 1", fix="Correct it.")
    supervisor.on("POST /v1/notify/test", (tried,))
    done = user.types("notify", "test")
    assert done.code == 1
    assert "ok      terminal  osc9, but this is no terminal" in done.out
    assert "failed  command   it ended with 1" in done.out


def test_notify_test_rings_the_terminal(user: User, supervisor: Canned) -> None:
    supervisor.on("GET /v1/screen", wire.Look(ring="osc9"))
    supervisor.on("POST /v1/notify/test", ())
    done = user.at_a_terminal("notify", "test")
    assert "\a\x1b]9;swarm: test of swarm's notices\x1b\\" in done.err
    assert done.code == 0
