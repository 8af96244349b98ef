"""The one place where git is started: clean environment, hardened settings, bounded resources."""

import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from app.domain.errors import RepoError
from app.repo.errors import TimedOut, TooLarge
from app.repo.process import ORDINARY, Bounds, Finished, finish

NEEDED: Final = (2, 38)
"""`merge-tree --write-tree` came with this version."""

_HARDENED: Final = (
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "gc.auto=0",
    "maintenance.auto=false",
    "submodule.recurse=false",
    "protocol.allow=never",
    "core.protectHFS=true",
    "core.protectNTFS=true",
    "core.quotePath=true",
    "core.packedGitWindowSize=32m",
    "core.packedGitLimit=256m",
    "core.bigFileThreshold=5m",
    "diff.algorithm=histogram",
    "checkout.workers=0",
    "pack.threads=2",
)
_SEALED: Final = (
    "core.attributesFile=/dev/null",
    "core.excludesFile=/dev/null",
    "core.symlinks=false",
)
"""On top, wherever the user's own configuration does not count."""

_PASSED_ON: Final = ("PATH", "TMPDIR")
_HOME: Final = ("HOME", "XDG_CONFIG_HOME", "USER", "LOGNAME")
_FIXED: Final = {
    "LC_ALL": "C",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_LITERAL_PATHSPECS": "1",
    "GIT_MERGE_AUTOEDIT": "no",
    "GIT_EDITOR": "false",
    "GIT_PAGER": "cat",
    "GIT_LFS_SKIP_SMUDGE": "1",
}
_ALONE: Final = {
    "HOME": "/nonexistent",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_ATTR_NOSYSTEM": "1",
}


def environment(*, home: bool) -> dict[str, str]:
    """An allow-list, not a scrub: an inherited `GIT_CONFIG_COUNT` alone could run any program."""
    names = (*_PASSED_ON, *_HOME) if home else _PASSED_ON
    kept = {name: os.environ[name] for name in names if name in os.environ}
    return kept | _FIXED if home else kept | _FIXED | _ALONE


class Git(msgspec.Struct, frozen=True, kw_only=True):
    """A repository as git is told of it; nothing is discovered."""

    dir: Path
    work_tree: Path | None = None
    home: bool = False
    """Whether the user's own git configuration counts: only in what the user checked out."""
    env: Mapping[str, str] = {}
    config: Mapping[str, str] = {}
    """Settings on top, handed over by the environment so that any name is safe."""

    async def ask(self, *args: str, stdin: bytes = b"", bounds: Bounds = ORDINARY) -> Finished:
        """Run it and give back whatever it said; raises only when a bound was broken."""
        place = [f"--git-dir={self.dir}"]
        if self.work_tree is not None:
            place.append(f"--work-tree={self.work_tree}")
        env = environment(home=self.home) | _as_env(self.config) | dict(self.env)
        done = await finish([*command(home=self.home), *place, *args], bounds, env=env, stdin=stdin)
        _within(done, args, self.dir, bounds)
        return done

    async def run(self, *args: str, stdin: bytes = b"", bounds: Bounds = ORDINARY) -> bytes:
        """Run it; anything but success is a `RepoError` with git's own last words."""
        done = await self.ask(*args, stdin=stdin, bounds=bounds)
        if done.code != 0:
            raise failure(done, args, self.dir)
        return done.stdout

    async def line(self, *args: str, stdin: bytes = b"", bounds: Bounds = ORDINARY) -> str:
        """The one line it prints."""
        return (await self.run(*args, stdin=stdin, bounds=bounds)).decode().strip()


def command(*, home: bool) -> list[str]:
    """`git` with every setting that could run a program or read a file of a stranger's choice switched off."""
    settings = _HARDENED if home else (*_HARDENED, *_SEALED)
    return ["git", *(part for setting in settings for part in ("-c", setting))]


def _as_env(config: Mapping[str, str]) -> dict[str, str]:
    env = {"GIT_CONFIG_COUNT": str(len(config))} if config else {}
    for number, (key, value) in enumerate(config.items()):
        env[f"GIT_CONFIG_KEY_{number}"] = key
        env[f"GIT_CONFIG_VALUE_{number}"] = value
    return env


def _within(done: Finished, args: tuple[str, ...], where: Path, bounds: Bounds) -> None:
    if done.timed_out:
        raise TimedOut(
            f"git {args[0]} in {where} took longer than {bounds.seconds:g} seconds",
            hint="The machine may be overloaded, or the change is too large.",
        )
    if done.truncated:
        raise TooLarge(f"git {args[0]} in {where} printed more than {bounds.output} bytes")


def failure(done: Finished, args: tuple[str, ...], where: Path) -> RepoError:
    """What git said, to what, and what to do about it."""
    words = [line for line in done.stderr.splitlines() if line.strip()]
    said = "; ".join(words[-3:]) or f"exit code {done.code}"
    return RepoError(f"git {args[0]} failed in {where}: {said}", hint=_hint(done))


_HINTS: Final = (
    ("No space left on device", "Free some disk space, then try again."),
    ("Disk quota exceeded", "Free some disk space, then try again."),
    ("Out of diskspace", "Free some disk space, then try again."),
    ("Permission denied", "Check who owns the files in that directory."),
    ("Read-only file system", "The disk is mounted read-only; swarm needs to write there."),
    (".lock': File exists", "Another git command is at work here, or one crashed; try again."),
    ("dubious ownership", "Run `git config --global --add safe.directory <that directory>`."),
    ("fsck error", "The repository, or the change, holds an object that git calls broken."),
)
_NO_GIT: Final = "Install git 2.38 or newer and put it on PATH."


_WITHOUT_A_REASON: Final = (
    "couldn't write '",
    "failed to write new configuration file",
    "unable to write new index file",
    "unable to write new_index file",
)


def unwritten(said: str) -> bool:
    """Whether git could not write something, and did not say why: it leaves the reason out for refs and more."""
    return any(words in said for words in _WITHOUT_A_REASON)


def _hint(done: Finished) -> str:
    if done.code == 127:
        return _NO_GIT
    return next((hint for sign, hint in _HINTS if sign in done.stderr), "")


_CHECKED: Final[dict[tuple[str, int], str]] = {}
"""What was found good, by path and time of change: it is asked before everything else."""


async def check_version() -> str:
    """What `git version` says. Refuses a machine without git, or with one too old to merge without a checkout."""
    place = shutil.which("git") or ""
    key = (place, Path(place).stat().st_mtime_ns if place else 0)
    if key in _CHECKED:
        return _CHECKED[key]
    done = await finish(["git", "version"], ORDINARY, env=environment(home=False))
    if done.code != 0:
        raise RepoError("git is not installed, or not on PATH", hint=_NO_GIT)
    found = parse_version(done.stdout.decode(errors="replace"))
    if found < NEEDED:
        raise RepoError(
            f"git {'.'.join(str(part) for part in found)} is too old for swarm",
            hint="Install git 2.38 or newer.",
        )
    return _CHECKED.setdefault(key, done.stdout.decode(errors="replace").strip())


def parse_version(text: str) -> tuple[int, int]:
    """`git version 2.39.5 (Apple Git-154)` → `(2, 39)`; `(0, 0)` for what is not git's."""
    match = re.search(r"git version (\d+)\.(\d+)", text)
    return (int(match[1]), int(match[2])) if match else (0, 0)


_ID: Final = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


def checked_id(text: str) -> str:
    """The text if it is a full object id; only such ids are ever passed to git as arguments."""
    if not _ID.fullmatch(text):
        raise RepoError(f"{text!r} is not an object id")
    return text
