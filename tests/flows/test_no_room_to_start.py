"""A disk without any room: the supervisor cannot even say why it does not start, so the verb does."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.domain.errors import EnvironmentProblem
from tests.support.home import Home

DISK = "mount -t tmpfs -o size=4k,mode=700 tmpfs {place} && { cat /dev/zero > {place}/all || true; } 2> /dev/null"
"""A disk of one page that is full, seen only by what follows."""


def _in_own_mounts(script: str, home: Home, place: Path) -> "subprocess.CompletedProcess[str]":
    as_root = () if os.getuid() == 0 else ("--map-root-user",)
    return subprocess.run(
        ["unshare", "--mount", *as_root, "sh", "-ec", script],
        env={**home.env, "SWARM_STATE_DIR": str(place)},
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
    )


@pytest.fixture
def place(home: Home, tmp_path: Path) -> Path:
    """Where the disk is mounted; skipped, or refused in CI, where nobody may."""
    place = tmp_path / "small"
    place.mkdir()
    tried = _in_own_mounts(DISK.replace("{place}", str(place)), home, place)
    if tried.returncode:
        missing = f"no disk can be mounted here (unshare): {tried.stderr.strip()}"
        assert "netns" not in os.environ.get("SWARM_REQUIRE", ""), missing
        pytest.skip(missing)
    return place


def test_that_the_disk_is_full_is_said(home: Home, place: Path) -> None:
    script = f"{DISK.replace('{place}', str(place))}; exec {sys.executable} -m app ps"
    done = _in_own_mounts(script, home, place)
    assert done.returncode == EnvironmentProblem.exit_code
    assert f"the disk of {place} is full" in done.stderr
