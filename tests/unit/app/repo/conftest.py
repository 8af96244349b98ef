"""A user's repository, its hub, and a run at work in it."""

from pathlib import Path

import pytest

from app.repo.hub import Hub, ensure_hub
from app.repo.repository import Repository, open_repository, resolve
from app.repo.worktrees import Worktree
from tests.support.repos import BRANCH, RUN, AgentAtWork, HostSandbox, make_repository


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home, so that the developer's own git configuration plays no part."""
    place = tmp_path / "home"
    place.mkdir()
    monkeypatch.setenv("HOME", str(place))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    return place


@pytest.fixture
def user(tmp_path: Path) -> Path:
    return make_repository(tmp_path / "user" / "project")


@pytest.fixture
async def repo(user: Path) -> Repository:
    return await open_repository(user)


@pytest.fixture
async def hub(repo: Repository, tmp_path: Path) -> Hub:
    return await ensure_hub(repo, tmp_path / "state" / "hubs")


@pytest.fixture
async def agent(repo: Repository, hub: Hub, tmp_path: Path) -> AgentAtWork:
    base = await resolve(repo, "main")
    at_work = AgentAtWork(repo, hub, HostSandbox(tmp_path / "sandbox"), base)
    await at_work.prepare()
    return at_work


@pytest.fixture
def worktree(tmp_path: Path) -> Worktree:
    return Worktree(run=RUN, branch=BRANCH, path=str(tmp_path / "state" / "worktrees" / RUN))
