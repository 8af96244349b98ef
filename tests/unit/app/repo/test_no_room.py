"""What the real git says on a disk that is really full: each is known for what it is."""

import os
import subprocess

import pytest

from app.domain.errors import RepoError
from app.repo.git import environment, unwritten
from app.supervisor.trouble import passes

FULL = """
mount -t tmpfs -o size=400k,mode=700 tmpfs {place}; cd {place}
git init --quiet . ; git commit --quiet --allow-empty -m first; commit=$(git rev-parse HEAD)
{ cat /dev/zero > all || true; } 2> /dev/null
"""
"""A repository on a disk that has no room left, seen only by what follows."""
WRITES = (
    "update-ref refs/swarm/base/a.1 $commit",
    "symbolic-ref refs/heads/other refs/heads/main",
    "hash-object -w --stdin < /etc/passwd",
    "commit-tree -m second HEAD^{tree}",
    "worktree add --detach /tmp/none",
    "read-tree HEAD",
    "config user.name ada",
    "pack-refs --all",
    "repack -a -d",
    "bundle create x.bundle HEAD",
)


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The words of git, by what it was asked to write."""
    place = tmp_path_factory.mktemp("small")
    tries = "".join(f"git {write} > /dev/null 2>> $words/{n}\n" for n, write in enumerate(WRITES))
    script = f"set +e; {FULL.replace('{place}', str(place))}\n{tries}"
    as_root = () if os.getuid() == 0 else ("--map-root-user",)
    words = tmp_path_factory.mktemp("words")
    who = {
        f"GIT_{role}_{what}": "ada"
        for role in ("AUTHOR", "COMMITTER")
        for what in ("NAME", "EMAIL")
    }
    done = subprocess.run(
        ["unshare", "--mount", *as_root, "sh", "-c", script],
        env={**environment(home=False), **who, "words": str(words)},
        capture_output=True,
        text=True,
        check=False,
    )
    if "unshare" in done.stderr or "mount:" in done.stderr:
        missing = f"no disk can be mounted here: {done.stderr.strip()}"
        assert "netns" not in os.environ.get("SWARM_REQUIRE", ""), missing
        pytest.skip(missing)
    return {write: (words / str(n)).read_text() for n, write in enumerate(WRITES)}


@pytest.mark.parametrize("write", WRITES)
def test_it_is_known_that_there_was_no_room(said: dict[str, str], write: str) -> None:
    words = said[write]
    assert passes(RepoError(words)) or unwritten(words), words
