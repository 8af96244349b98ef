from pathlib import Path

import pytest

from app.domain.errors import RepoError
from app.repo.errors import TimedOut, TooLarge
from app.repo.git import Git, check_version, checked_id, environment, failure, parse_version
from app.repo.process import Bounds, Finished
from tests.support.repos import run_git


@pytest.fixture
def git(user: Path) -> Git:
    return Git(dir=user / ".git")


def test_only_named_variables_reach_git(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_DIR", "/elsewhere")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "secret")
    for home in (True, False):
        env = environment(home=home)
        assert not {"GIT_CONFIG_COUNT", "GIT_DIR", "ANTHROPIC_API_KEY"} & env.keys()


async def test_settings_inherited_by_environment_run_nothing(
    git: Git, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "alias.boom")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", f"!touch {tmp_path}/ran")
    assert (await git.ask("boom")).code != 0
    assert not (tmp_path / "ran").exists()


async def test_the_users_configuration_counts_only_where_it_is_asked_for(
    git: Git, home: Path
) -> None:
    (home / ".gitconfig").write_text("[swarm]\n\ttest = yes\n")
    sealed = await git.ask("config", "swarm.test")
    at_home = await Git(dir=git.dir, home=True).ask("config", "swarm.test")
    assert (sealed.stdout, at_home.stdout) == (b"", b"yes\n")


async def test_settings_on_top_may_have_any_name(git: Git) -> None:
    odd = Git(dir=git.dir, config={"filter.a=b c.clean": "x"})
    assert await odd.line("config", "filter.a=b c.clean") == "x"


async def test_a_failure_says_what_git_said_and_where(git: Git) -> None:
    with pytest.raises(RepoError, match=r"git cat-file failed in .*Not a valid object name"):
        await git.run("cat-file", "-e", "0" * 39)


async def test_a_lock_of_another_git_command_is_explained(git: Git, user: Path) -> None:
    (user / ".git/refs/heads/main.lock").touch()
    with pytest.raises(RepoError) as caught:
        await git.run("update-ref", "-d", "refs/heads/main")
    assert "try again" in caught.value.hint


def test_a_full_disk_is_explained() -> None:
    full = Finished(128, b"", "error: file write error: No space left on device\nfatal: oh no")
    error = failure(full, ("index-pack", "--stdin"), Path("/hub"))
    assert "No space left on device; fatal: oh no" in error.message
    assert error.hint == "Free some disk space, then try again."


async def test_a_slow_command_is_told_as_such(git: Git) -> None:
    with pytest.raises(TimedOut, match="took longer than"):
        await git.run("-c", "alias.slow=!sleep 60", "slow", bounds=Bounds(seconds=0.2))


async def test_a_command_that_prints_too_much_is_told_as_such(git: Git) -> None:
    with pytest.raises(TooLarge, match="more than 10 bytes"):
        await git.run("cat-file", "-p", "HEAD", bounds=Bounds(output=10))


async def test_replaced_objects_are_seen_as_they_are(git: Git, user: Path) -> None:
    head = run_git(user, "rev-parse", "HEAD")
    blob = run_git(user, "rev-parse", "HEAD:README.md")
    other = run_git(user, "rev-parse", "HEAD:src/app.py")
    run_git(user, "replace", blob, other)
    assert run_git(user, "cat-file", "blob", blob).startswith("def add")
    assert await git.run("cat-file", "blob", f"{head}:README.md") == b"# Project\n"


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("git version 2.39.5", (2, 39)),
        ("git version 2.50.1 (Apple Git-155)", (2, 50)),
        ("git version 2.38.0.windows.1", (2, 38)),
        ("something else", (0, 0)),
    ],
)
def test_versions_are_read(text: str, version: tuple[int, int]) -> None:
    assert parse_version(text) == version


@pytest.mark.parametrize(
    ("printed", "said"), [("git version 2.30.2", "git 2.30 is too old"), ("", "git 0.0 is too old")]
)
async def test_an_old_git_is_refused(
    printed: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "git").write_text(f"#!/bin/sh\necho {printed}\n")
    (tmp_path / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(RepoError, match=said):
        await check_version()


async def test_a_machine_without_git_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sh").symlink_to("/bin/sh")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RepoError, match="not installed") as caught:
        await check_version()
    assert "2.38" in caught.value.hint


@pytest.mark.parametrize("text", ["", "HEAD", "-x", "a" * 39, "a" * 41, "g" * 40, "A" * 40])
def test_what_is_no_object_id_is_never_passed_to_git(text: str) -> None:
    with pytest.raises(RepoError, match="not an object id"):
        checked_id(text)
