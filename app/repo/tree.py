"""Laying down: the script that makes an ordinary private repository in a sandbox's tree.

It borrows the user's objects, mounted read-only, so it costs no copy of the history; it holds nothing
else of the user's `.git`: no configuration, hooks, refs of other branches or remotes with tokens.
"""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from shlex import quote as sh
from typing import Final

import msgspec

from app.domain.ids import RunId
from app.repo import alternates, refs
from app.repo.git import checked_id
from app.repo.hub import Hub
from app.repo.process import MIB, Bounds
from app.repo.repository import Repository
from sandboxes.spec import Mount

TREE_IN_USE: Final = 66
"""Exit code of the script when the tree holds what it did not lay down; it touches nothing then."""
_CARRY: Final = Bounds(seconds=300.0, output=1024 * MIB)


class Layout(msgspec.Struct, frozen=True, kw_only=True):
    """What the private repository in the tree shall look like."""

    tree: str
    """Where the tree is, as the sandbox sees it."""
    commit: str
    """What to check out."""
    branch: str
    """Branch it is on."""
    objects: tuple[str, ...]
    """Object directories to borrow from, as the sandbox sees them."""
    target: str = ""
    """A second branch at `base`, so that `git diff main` works; empty makes none."""
    base: str = ""
    object_format: str = "sha1"
    shallow: tuple[str, ...] = ()


def layout(
    repo: Repository, *, tree: str, commit: str, branch: str, objects: Sequence[str]
) -> Layout:
    """The layout for a commit of that repository."""
    return Layout(
        tree=tree,
        commit=commit,
        branch=branch,
        objects=tuple(objects),
        object_format=repo.object_format,
        shallow=repo.shallow,
    )


def mounts(directories: Sequence[Path], *, isolated: bool = True) -> tuple[Mount, ...]:
    """How a sandbox sees object directories: mounted read-only, or at their own place where nothing is mounted."""
    return tuple(
        Mount(
            source=directory,
            target=f"/swarm/objects-{number}" if isolated else os.fspath(directory),
        )
        for number, directory in enumerate(directories)
    )


def targets(mounted: Sequence[Mount]) -> tuple[str, ...]:
    """Where those directories are, as the sandbox sees them."""
    return tuple(mount.target for mount in mounted)


CLEAN_GIT: Final = """\
g() {
  env -i PATH="$PATH" HOME=/nonexistent LC_ALL=C GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null \\
    GIT_ATTR_NOSYSTEM=1 GIT_NO_REPLACE_OBJECTS=1 GIT_NO_LAZY_FETCH=1 GIT_ALLOW_PROTOCOL=none \\
    GIT_TERMINAL_PROMPT=0 GIT_LFS_SKIP_SMUDGE=1 GIT_INDEX_FILE="${index:-$gd/index}" \\
    git --git-dir="$gd" --work-tree="$tree" -c core.bare=false -c core.hooksPath=/dev/null \\
    -c core.fsmonitor=false -c core.attributesFile=/dev/null -c core.excludesFile=/dev/null \\
    -c core.bigFileThreshold=5m -c core.looseCompression=1 -c pack.threads=2 -c checkout.workers=0 -c gc.auto=0 \\
    -c advice.addEmbeddedRepo=false "$@"
}
"""
"""A shell function: git that obeys nothing but its arguments. Needs `$gd`, `$tree`, perhaps `$index`."""

_PREPARE: Final = """\
set -eu
{variables}
{clean_git}
want={want}
if [ -f "$gd/swarm-prepared" ] && [ "$(cat "$gd/swarm-prepared")" = "$want" ]; then exit 0; fi
mkdir -p "$tree"
cd "$tree"
if [ ! -f "$gd/swarm-preparing" ] && [ -n "$(ls -A | grep -v '^lost+found$')" ]; then
  echo "$tree holds something already, and it is not what was asked for" >&2
  exit {in_use}
fi
mkdir -p "$gd"
: > "$gd/swarm-preparing"
rm -f "$gd/index.lock"
g init --quiet --template= --object-format={object_format}
g config --unset core.worktree || :
mkdir -p "$gd/objects/info" "$gd/info"
printf %s {alternates} > "$gd/objects/info/alternates"
{shallow}
g update-ref {branch} {commit}
{target}
g symbolic-ref HEAD {branch}
g config core.checkStat minimal
g config user.name "swarm agent"
g config user.email agent@swarm.invalid
g reset --quiet --hard {commit}
g clean --quiet -ffdx -e /lost+found
printf %s "$want" > "$gd/swarm-prepared"
rm "$gd/swarm-preparing"
"""


def prepare_script(wanted: Layout) -> str:
    """`sh` for `Sandbox.prepare`. Safe to repeat: a tree that was laid down once is never touched again."""
    place = f"tree={sh(wanted.tree)}\ngd=$tree/.git"
    shallow = "".join(f"{checked_id(commit)}\n" for commit in wanted.shallow)
    target = ""
    if wanted.target:
        target = f"g update-ref {sh(refs.branch(wanted.target))} {checked_id(wanted.base)}"
    return _PREPARE.format(
        variables=place,
        clean_git=CLEAN_GIT,
        want=sh(f"{wanted.commit} {wanted.branch}"),
        object_format=sh(wanted.object_format),
        alternates=sh(alternates.lines(wanted.objects)),
        in_use=TREE_IN_USE,
        shallow=f'printf %s {sh(shallow)} > "$gd/shallow"' if shallow else "",
        branch=sh(refs.branch(wanted.branch)),
        commit=checked_id(wanted.commit),
        target=target,
    )


async def export(hub: Hub, run: RunId, *, commit: str, base: str) -> Path:
    """An object directory with what one snapshot adds to its base.

    A check sandbox is shown this instead of the hub, which holds the work of all other runs too.
    """
    place = hub.exports / refs.checked_run(run) / checked_id(commit)
    if (place / "done").exists():
        return place
    shutil.rmtree(place, ignore_errors=True)
    (place / "pack").mkdir(parents=True)
    await unpack(hub, place, commit=commit, base=base)
    place.chmod(0o755)
    (place / "pack").chmod(0o755)
    (place / "done").touch()
    return place


async def unpack(hub: Hub, place: Path, *, commit: str, base: str) -> None:
    """Put what one snapshot adds to its base into an object directory, for everybody to read."""
    wanted = f"{commit}\n^{checked_id(base)}\n".encode()
    pack = await hub.git().run(
        "pack-objects", "--revs", "--stdout", "-q", stdin=wanted, bounds=_CARRY
    )
    env = {"GIT_OBJECT_DIRECTORY": os.fspath(place)}
    borrowed = alternates.as_variable([os.fspath(hub.objects)])
    git = msgspec.structs.replace(
        hub.git(), env=env | {"GIT_ALTERNATE_OBJECT_DIRECTORIES": borrowed}
    )
    await git.run("index-pack", "--stdin", stdin=pack, bounds=_CARRY)
    for file in (place / "pack").iterdir():
        file.chmod(0o444)


def drop_exports(hub: Hub, run: RunId) -> None:
    """Remove what was shown to the run's check sandboxes. Safe to repeat."""
    shutil.rmtree(hub.exports / refs.checked_run(run), ignore_errors=True)
