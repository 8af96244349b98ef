"""Files git does not keep, that a user wants in every tree: chosen by patterns, packed, and laid into a worktree.

Only ignored files: any other would become a part of the agent's change. What looks private goes along only when
the user's own configuration names it exactly.
"""

import contextlib
import io
import os
import stat
import tarfile
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from app.domain.base import Value
from app.domain.errors import UsageError
from app.repo.filenames import shown
from app.repo.git import failure
from app.repo.hub import Hub
from app.repo.private import looks_private
from app.repo.process import MIB, Bounds
from app.repo.repository import Repository, read_file

INCLUDE: Final = ".worktreeinclude"
MOST_BYTES: Final = 64 * MIB
MOST_FILES: Final = 2_000
_LIMIT: Final = 64 * 1024
_LIST: Final = Bounds(seconds=120.0, output=256 * MIB)


class Copies(Value, frozen=True, kw_only=True):
    """What the patterns found."""

    files: tuple[bytes, ...] = ()
    """Paths below the checkout, sorted."""
    private: tuple[str, ...] = ()
    """Left out: they look private, and nobody named them exactly."""
    untracked: tuple[str, ...] = ()
    """Left out: git does not ignore them, so they would become a part of the change."""


async def find_copies(repo: Repository, hub: Hub, base: str, named: Sequence[str]) -> Copies:
    """What the patterns of `.worktreeinclude`, as it is at the base, and the user's own choose."""
    include = await read_file(repo, base, INCLUDE, _LIMIT) or b""
    patterns = include + b"\n" + "\n".join(named).encode()
    if not patterns.strip():
        return Copies()
    found = await _matching(repo, hub, patterns)
    ignored = await _ignored(repo, found)
    exact = {name.lstrip("/").encode() for name in named}
    open_ = [path for path in found if path in ignored]
    chosen = tuple(path for path in open_ if path in exact or not looks_private(path))
    _refuse_too_much(repo, chosen)
    return Copies(
        files=chosen,
        private=tuple(shown(path) for path in open_ if path not in chosen),
        untracked=tuple(shown(path) for path in found if path not in ignored),
    )


async def _matching(repo: Repository, hub: Hub, patterns: bytes) -> list[bytes]:
    with tempfile.NamedTemporaryFile(dir=hub.scratch, prefix="patterns-") as file:
        file.write(patterns)
        file.flush()
        ask = ("ls-files", "--others", "--ignored", f"--exclude-from={file.name}", "-z")
        listed = await repo.checkout().run(*ask, bounds=_LIST)
    paths = sorted(path for path in listed.split(b"\0") if path and not path.endswith(b"/"))
    return [path for path in paths if _is_file(repo.root, path)]


def _is_file(root: Path, path: bytes) -> bool:
    """An ordinary file, not reached through a link: git itself follows none on the way."""
    with contextlib.suppress(OSError):
        return stat.S_ISREG(os.lstat(os.fsencode(root) + b"/" + path).st_mode)
    return False


async def _ignored(repo: Repository, paths: Sequence[bytes]) -> frozenset[bytes]:
    asked = b"".join(b"./" + path + b"\0" for path in paths)
    # This command knows no literal names; behind `./` there is nothing in them to misread.
    git = msgspec.structs.replace(repo.checkout(), env={"GIT_LITERAL_PATHSPECS": "0"})
    done = await git.ask("check-ignore", "-z", "--stdin", stdin=asked, bounds=_LIST)
    if done.code not in (0, 1):
        raise failure(done, ("check-ignore",), repo.root)
    return frozenset(path.removeprefix(b"./") for path in done.stdout.split(b"\0"))


def _refuse_too_much(repo: Repository, chosen: Sequence[bytes]) -> None:
    size = sum(os.lstat(os.fsencode(repo.root) + b"/" + path).st_size for path in chosen)
    if len(chosen) > MOST_FILES or size > MOST_BYTES:
        raise UsageError(
            f"the patterns of {INCLUDE} and `copies` choose {len(chosen)} files of "
            f"{size // MIB} MiB; at most {MOST_FILES} files of {MOST_BYTES // MIB} MiB are copied",
            hint="Make such files with `setup` commands, or show them with `caches`.",
        )


def pack(root: Path, files: Sequence[bytes]) -> bytes:
    """An archive of those files, whatever they hold by now; one that is gone is left out."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for path in files:
            with contextlib.suppress(OSError):
                content, mode = _read(root, path)
                entry = tarfile.TarInfo(os.fsdecode(path))
                entry.size, entry.mode = len(content), mode
                archive.addfile(entry, io.BytesIO(content))
    return packed.getvalue()


def lay(root: Path, worktree: Path, files: Sequence[bytes]) -> None:
    """The same files in the run's worktree, where nothing of that name is."""
    for path in files:
        place = worktree / os.fsdecode(path)
        with contextlib.suppress(OSError):
            content, mode = _read(root, path)
            place.parent.mkdir(parents=True, exist_ok=True)
            file = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
            with os.fdopen(file, "wb") as out:
                out.write(content)


def _read(root: Path, path: bytes) -> tuple[bytes, int]:
    file = os.open(os.fsencode(root) + b"/" + path, os.O_RDONLY | os.O_NOFOLLOW)
    with os.fdopen(file, "rb") as content:
        mode = stat.S_IMODE(os.fstat(file).st_mode) & 0o755
        return content.read(MOST_BYTES), mode
