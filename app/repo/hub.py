"""The hub: swarm's own bare repository per user repository, where snapshots are kept, compared and merged.

It borrows the user's objects and holds nothing of the user's configuration. Its attributes outrank
those in any tree, so that nothing an agent writes can hide or transform a change.
"""

import hashlib
import os
import secrets
from pathlib import Path
from typing import Final

import msgspec

from app.repo import alternates
from app.repo.git import Git
from app.repo.locks import held
from app.repo.repository import Repository

_ATTRIBUTES: Final = (
    "* !diff !filter !merge !text !eol !crlf !ident !working-tree-encoding !export-subst\n"
)


class Hub(msgspec.Struct, frozen=True, kw_only=True):
    """Where everything of one user repository lies under the state directory."""

    root: Path
    object_format: str

    @property
    def git_dir(self) -> Path:
        return self.root / "hub.git"

    @property
    def objects(self) -> Path:
        return self.git_dir / "objects"

    @property
    def locks(self) -> Path:
        return self.root / "locks"

    @property
    def exports(self) -> Path:
        """Object directories of single snapshots, to be shown to check sandboxes."""
        return self.root / "exports"

    @property
    def mirrors(self) -> Path:
        """Object directories with the history of one commit each, named after it."""
        return self.root / "mirrors"

    @property
    def scratch(self) -> Path:
        """Short-lived files: packs on their way in, spare indexes."""
        return self.root / "scratch"

    def git(self) -> Git:
        return Git(dir=self.git_dir)


def hub_of(repo: Repository, root: Path) -> Hub:
    """Where the hub of that repository is below `root`, made or not."""
    return Hub(root=root / _key(repo.git_dir), object_format=repo.object_format)


def _key(git_dir: Path) -> str:
    return hashlib.sha256(os.fsencode(git_dir)).hexdigest()[:16]


def move_hub(repo: Repository, root: Path, old: Path) -> bool:
    """Give the hub of the repository that was at `old` to this one, which is the same; whether that was possible.

    A link stays in the old place, for paths that sandboxes without mounts have kept. Safe to repeat.
    """
    here = hub_of(repo, root).root
    known = [each for each in root.glob("*/repository") if not each.parent.is_symlink()]
    there = next((each.parent for each in known if _was_at(each, old)), None)
    if there is None or there == here:
        return there == here or here.is_dir()
    if here.is_symlink():
        here.unlink()
    if here.exists():
        return False
    there.rename(here)
    there.symlink_to(here.name)
    return True


def _was_at(kept: Path, root: Path) -> bool:
    """Whether a hub says that it is of the repository whose files were at `root`."""
    git_dir = os.fsdecode(kept.read_bytes()).rstrip("\n")
    return git_dir in (os.fspath(root / ".git"), os.fspath(root))


async def ensure_hub(repo: Repository, root: Path) -> Hub:
    """The hub of that repository below `root`, made when missing, brought up to date when not."""
    hub = hub_of(repo, root)
    if hub.root.is_symlink():
        hub.root.unlink()  # What was here has moved; this is another repository.
    for directory in (root, hub.root, hub.scratch, hub.exports):
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    async with held(hub.locks, "hub"):
        if not (hub.git_dir / "HEAD").exists():
            form = f"--object-format={hub.object_format}"
            await hub.git().run("init", "--quiet", "--bare", "--template=", form)
            hub.git_dir.chmod(0o700)
        write(hub.root / "repository", f"{repo.git_dir}\n")
        borrowed = (os.fspath(directory) for directory in repo.objects)
        write(hub.objects / "info" / "alternates", alternates.lines(borrowed))
        write(hub.git_dir / "info" / "attributes", _ATTRIBUTES)
        write(hub.git_dir / "shallow", "".join(f"{commit}\n" for commit in repo.shallow))
    return hub


def write(path: Path, text: str) -> None:
    """Make the file hold the text, whole or not at all; an empty text means no file."""
    content = os.fsencode(text)
    if not content:
        path.unlink(missing_ok=True)
        return
    if path.exists() and path.read_bytes() == content:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    spare = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    spare.write_bytes(content)
    spare.replace(path)
