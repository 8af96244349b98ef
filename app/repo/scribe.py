"""The scribe: takes a snapshot of an agent's tree from beside it, without ever reading the agent's own `.git`.

Its git directory, index and configuration lie in the sandbox's scratch place, where the agent cannot
reach them. What comes out is a tree id, a pack of what is new, and the names of what was left out.
"""

from collections.abc import Sequence
from shlex import quote as sh
from typing import Final, Protocol

import msgspec

from app.domain.errors import RepoError
from app.domain.safe import clean_line
from app.repo import alternates
from app.repo.errors import SnapshotRefused, TimedOut
from app.repo.filenames import shown
from app.repo.git import checked_id
from app.repo.process import MIB
from app.repo.tree import CLEAN_GIT
from sandboxes.spec import Completed, Places

LARGEST_FILE: Final = 20 * MIB
LARGEST_PACK: Final = 50 * MIB
_NAMES: Final = 256 * 1024
"""Bytes of names of each kind that are told; nobody reads more."""
_TOO_LARGE: Final = 65
_PIPE: Final = 67
_READ_BY_GIT: Final = (".gitignore", ".gitattributes", ".gitmodules", "HEAD", "commondir")
"""Files that git opens while it adds others; as pipes they would keep it waiting for ever."""
_MARK: Final = "swarm-pack"


class Beside(Protocol):
    """A sandbox as far as the scribe needs it: a place beside the agent where trusted scripts run."""

    places: Places

    async def aside(
        self, script: str, *, stdin: bytes = b"", timeout: float = 120.0, limit: int = ...
    ) -> Completed:
        """As `sandboxes.base.Sandbox.aside`."""
        ...


class Pack(msgspec.Struct, frozen=True, kw_only=True):
    """What the scribe saw."""

    tree: str
    data: bytes
    """A pack of what neither the base nor the previous snapshot has."""
    left_out: tuple[str, ...] = ()
    """In the agent's tree, not in the snapshot: too large, unreadable, or no ordinary file."""
    ignored: int = 0
    """Files and directories that the tree's own ignore rules keep out."""


_PLACE: Final = """\
set -eu
umask 077
tree={tree}
q={scratch}
gd=$q/git
base={base}
"""

_SETUP: Final = """\
if [ ! -f "$q/ready" ]; then
  rm -rf "$gd"
  mkdir -p "$gd"
  (cd "$q" && g init --quiet --template= --object-format={object_format})
  mkdir -p "$gd/objects/info"
  printf %s {alternates} > "$gd/objects/info/alternates"
  {index}
  : > "$q/ready"
fi
"""

# An index's own time tells git which of its entries are too young to be trusted, so copies keep it.
_FROM_TREE: Final = """\
if [ -f "$tree/.git/index" ] && [ ! -L "$tree/.git/index" ] && [ ! -L "$tree/.git" ]; then
    cp -p "$tree/.git/index" "$gd/index"
  else
    g read-tree "$base"
  fi"""
_FROM_BASE: Final = 'g read-tree "$base"'

# Git takes an empty directory for the submodule it knows there, whatever commit that was at. So each look starts
# from the base's submodules: what an agent once made of one is forgotten when it puts it back.
_TAKE: Final = """\
cd "$tree"
find "$q" -maxdepth 1 -name 'take.*' -mmin +60 -exec rm -rf {{}} +
work=$(mktemp -d "$q/take.XXXXXX")
trap 'rm -rf "$work"' EXIT
index=$work/index
cp -p "$gd/index" "$index"
big="-path ./.git -prune -o -type f -size +{largest_file}c -print0"
odd="-path ./.git -prune -o ! -type f ! -type d ! -type l -print0"
blocks="-path ./.git -prune -o -type p ( -path */.git/* {read_by_git} ) -print -quit"
pipe="$(set -f; find . $blocks 2> /dev/null || :)"
if [ -n "$pipe" ]; then
  printf %s "${{pipe#./}}" >&2
  exit {pipe}
fi
if [ ! -f "$gd/links" ]; then
  g ls-tree -r -z "$base" > "$work/base"
  {nul_to_line} < "$work/base" | sed -n '/^160000 /p' | {line_to_nul} > "$work/links"
  mv "$work/links" "$gd/links"
fi
g ls-files -z --stage | {nul_to_line} | sed -n 's/^160000 /0 /p' | {line_to_nul} > "$work/links"
if [ -s "$work/links" ]; then cat "$work/links" "$gd/links" | g update-index -z --index-info; fi
failed=0
find . $big > "$work/big" 2> "$work/find" || failed=1
find . $odd > "$work/odd" 2>> "$work/find" || failed=1
if [ "$failed" = 1 ]; then
  find . -path ./.git -prune -o -type d ! -exec test -r {{}} \\; -print0 >> "$work/odd" 2> /dev/null || :
fi
if [ -s "$work/big" ]; then
  {nul_to_line} < "$work/big" | sed 's,^\\./,:(top\\,exclude\\,literal),' | {line_to_nul} > "$work/spec"
  g add -A --ignore-errors --pathspec-from-file="$work/spec" --pathspec-file-nul 2> "$work/add" || failed=1
else
  g add -A --ignore-errors 2> "$work/add" || failed=1
fi
: > "$work/rest"
if [ "$failed" = 1 ] || [ -s "$work/big" ]; then
  g ls-files -z --modified --others --exclude-standard > "$work/rest" || :
fi
new=$(g write-tree)
ignored=$(g ls-files -z --others --ignored --exclude-standard --directory | tr -cd '\\0' | wc -c)
{{
  printf '%s\\n^%s\\n' "$new" "$(g rev-parse --verify "$base^{{tree}}")"
  if [ -n {previous} ] && g cat-file -e {previous} 2> /dev/null; then printf '^%s\\n' {previous}; fi
}} > "$work/want"
g pack-objects --revs --stdout -q --window=0 --depth=0 < "$work/want" > "$work/pack"
size=$(wc -c < "$work/pack")
if [ "$size" -gt {largest_pack} ]; then
  echo "the change has $size bytes in new or changed files" >&2
  exit {too_large}
fi
for kind in big odd rest; do head -c {names} "$work/$kind" > "$work/$kind.cut"; done
printf '%s 1 %s %d %d %d %d %d %d\\n' {mark} "$new" "$failed" "$ignored" \\
  "$(wc -c < "$work/big.cut")" "$(wc -c < "$work/odd.cut")" "$(wc -c < "$work/rest.cut")" "$size"
cat "$work/big.cut" "$work/odd.cut" "$work/rest.cut" "$work/pack"
mv "$index" "$gd/index"
"""


class Scribe(msgspec.Struct, frozen=True, kw_only=True):
    """Where the scribe of one sandbox works."""

    tree: str
    scratch: str
    objects: tuple[str, ...]
    """The user's object directories, as the sandbox sees them."""
    base: str
    object_format: str = "sha1"


def scribe(
    sandbox: Beside, *, objects: Sequence[str], base: str, object_format: str = "sha1"
) -> Scribe:
    """The scribe of that sandbox."""
    return Scribe(
        tree=sandbox.places.tree,
        scratch=sandbox.places.scratch,
        objects=tuple(objects),
        base=base,
        object_format=object_format,
    )


def seed_script(at: Scribe) -> str:
    """`sh` that gives the scribe the index of the tree as it was laid down, so its first look is quick.

    Only before any agent ran: the index is read from the tree.
    """
    return _start(at, _FROM_TREE)


def seeded(prepare: str, at: Scribe) -> str:
    """`sh` that lays the tree down by `prepare` and seeds the scribe; only where nothing ever ran in the tree.

    It ends with the code of `prepare` when that fails.
    """
    return f"(\n{prepare}\n)\ncode=$?\n[ $code = 0 ] || exit $code\n{seed_script(at)}"


def snapshot_script(at: Scribe, previous: str) -> str:
    """`sh` that prints a snapshot of the tree. `previous` is the tree of a snapshot the hub has, or empty."""
    take = _TAKE.format(
        largest_file=LARGEST_FILE,
        largest_pack=LARGEST_PACK,
        previous=checked_id(previous) if previous else "''",
        too_large=_TOO_LARGE,
        names=_NAMES,
        mark=_MARK,
        nul_to_line=r"tr '\0\n' '\n\0'",
        line_to_nul=r"tr '\n\0' '\0\n'",
        pipe=_PIPE,
        read_by_git=" ".join(f"-o -name {name}" for name in _READ_BY_GIT),
    )
    return _start(at, _FROM_BASE) + take


def _start(at: Scribe, index: str) -> str:
    place = _PLACE.format(tree=sh(at.tree), scratch=sh(at.scratch), base=checked_id(at.base))
    setup = _SETUP.format(
        object_format=sh(at.object_format), alternates=sh(alternates.lines(at.objects)), index=index
    )
    return place + CLEAN_GIT + setup


_ADOPT: Final = """\
g index-pack --stdin > /dev/null
g read-tree --reset {tree}
"""


async def adopt(sandbox: Beside, at: Scribe, *, commit: str, pack: bytes) -> None:
    """Tell the scribe what the tree was brought to, so that files ignored there but not in git stay tracked."""
    script = _start(at, _FROM_BASE) + _ADOPT.format(tree=checked_id(commit))
    done = await sandbox.aside(script, stdin=pack)
    if done.code != 0:
        raise _failed(done)


async def seed(sandbox: Beside, at: Scribe) -> None:
    """Set the scribe up right after the tree was laid down, before any agent runs. Safe to repeat."""
    done = await sandbox.aside(seed_script(at))
    if done.code != 0:
        raise _failed(done)


async def take(sandbox: Beside, at: Scribe, *, previous: str = "", timeout: float = 120.0) -> Pack:
    """A snapshot of the tree as it is now; the agent may go on working meanwhile."""
    limit = LARGEST_PACK + 4 * _NAMES
    done = await sandbox.aside(snapshot_script(at, previous), timeout=timeout, limit=limit)
    if done.code == _TOO_LARGE or done.truncated:
        raise SnapshotRefused(
            f"the snapshot is too large: {_last(done) or f'more than {limit} bytes'}",
            hint="Have the agent ignore what it generates (.gitignore).",
        )
    if done.code == _PIPE:
        raise SnapshotRefused(
            f"{clean_line(done.stderr)} is a pipe, and git would wait for ever to read it",
            hint="Have the agent remove it; nothing else of its work is lost.",
        )
    if done.code == 124:
        raise TimedOut(
            f"the snapshot took longer than {timeout:g} seconds",
            hint="The tree may be very large, or hold something that blocks whoever reads it.",
        )
    if done.code != 0:
        raise _failed(done)
    return parse(done.stdout)


def _last(done: Completed) -> str:
    lines = done.stderr.strip().splitlines()
    return lines[-1] if lines else ""


def _failed(done: Completed) -> RepoError:
    return RepoError(f"the snapshot of the tree failed: {_last(done) or f'exit code {done.code}'}")


def parse(output: bytes) -> Pack:
    """The snapshot out of what the script printed."""
    header, _, rest = output.partition(b"\n")
    fields = header.decode(errors="replace").split()
    if len(fields) != 9 or fields[:2] != [_MARK, "1"] or not all(f.isdigit() for f in fields[3:]):
        raise RepoError(f"the scribe answered with something else than a snapshot: {header[:80]!r}")
    failed, ignored, *sizes = (int(field) for field in fields[3:])
    if len(rest) != sum(sizes):
        raise RepoError(f"the snapshot is incomplete: {len(rest)} bytes of {sum(sizes)}")
    sections = []
    for size in sizes:
        sections.append(rest[:size])
        rest = rest[size:]
    big, odd, remaining, data = sections
    left = _left_out(_split(big), _split(odd), _split(remaining), failed=bool(failed))
    return Pack(tree=checked_id(fields[2]), data=data, left_out=left, ignored=ignored)


def _split(section: bytes) -> set[bytes]:
    """Complete names only: the last one may have been cut."""
    return {name.removeprefix(b"./") for name in section.split(b"\0")[:-1]}


def _left_out(
    big: set[bytes], odd: set[bytes], remaining: set[bytes], *, failed: bool
) -> tuple[str, ...]:
    # A large file that is as it was in the base is no loss, so it is only named when it differs.
    left = odd | (remaining if failed else big & remaining)
    return tuple(shown(name) for name in sorted(left))
