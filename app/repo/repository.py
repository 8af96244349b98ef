"""The user's repository: found, refused with a reason, and asked simple questions."""

import difflib
import posixpath
from pathlib import Path
from typing import Final

import msgspec

from app.domain.errors import RepoError, UsageError
from app.domain.ids import RunId
from app.repo import alternates, refs
from app.repo.git import Git, check_version, checked_id, command, environment, failure
from app.repo.process import ORDINARY, Finished, finish

_LINKS_FOLLOWED: Final = 3


class Repository(msgspec.Struct, frozen=True, kw_only=True):
    """A repository of the user's, and the checkout of it that the user stands in."""

    root: Path
    """Top of the user's checkout."""
    checkout_dir: Path
    """Git directory of that checkout; differs from `git_dir` in a linked worktree."""
    git_dir: Path
    """The common git directory: config, refs and objects."""
    objects: tuple[Path, ...]
    """Object directories: its own, then those it borrows from."""
    object_format: str
    """`sha1` or `sha256`."""
    shallow: tuple[str, ...] = ()
    """Commits at which a shallow clone's history ends."""
    name: str

    def git(self) -> Git:
        """For refs and objects; the user's own configuration does not count."""
        return Git(dir=self.git_dir)

    def checkout(self) -> Git:
        """For what the user checked out, with the user's own configuration."""
        return Git(dir=self.checkout_dir, work_tree=self.root, home=True)


async def open_repository(path: Path) -> Repository:
    """The repository around `path`, or an error that says why swarm cannot work there."""
    if not path.is_dir():
        raise UsageError(f"{path} is not a directory", hint="Name one with --repo PATH.")
    await check_version()
    place = path.resolve()
    # A run opens its repository many times: only what cannot be answered at once is asked piece by piece.
    whole = await _asked(place, *_FACTS, "HEAD^{commit}")
    if whole.code == 0:
        lines = _lines(whole, place)[:-1]
    else:
        await _refuse_bare(place)
        lines = _lines(await _asked(place, *_FACTS), place)
    root, checkout_dir, git_dir, object_format = _places(place, lines)
    repo = Repository(
        root=root,
        checkout_dir=checkout_dir,
        git_dir=git_dir,
        objects=alternates.chain(git_dir / "objects"),
        object_format=object_format,
        shallow=_shallow(git_dir),
        name=git_dir.parent.name if git_dir.name == ".git" else root.name,
    )
    if whole.code != 0:
        await _refuse_empty(repo)
    await _refuse_partial(repo)
    return repo


_FACTS: Final = (
    "--path-format=absolute",
    "--show-toplevel",
    "--absolute-git-dir",
    "--git-common-dir",
    "--show-object-format",
)


def _places(path: Path, lines: list[str]) -> tuple[Path, Path, Path, str]:
    if len(lines) != len(_FACTS) - 1:
        raise UsageError(f"the path of the repository at {path} holds a line break")
    root, checkout_dir, git_dir = (Path(line).resolve() for line in lines[:3])
    return root, checkout_dir, git_dir, lines[3]


async def _refuse_bare(path: Path) -> None:
    bare, inside = _lines(await _asked(path, "--is-bare-repository", "--is-inside-work-tree"), path)
    if bare == "true":
        raise UsageError(
            f"{path} is a bare repository, without files to work on",
            hint="Clone it, and run swarm in the clone.",
        )
    if inside != "true":
        raise UsageError(
            f"{path} lies inside a git directory", hint="Run swarm in the files beside it."
        )


async def _asked(path: Path, *what: str) -> Finished:
    argv = [*command(home=True), "-C", str(path), "rev-parse", *what]
    return await finish(argv, ORDINARY, env=environment(home=True))


def _lines(done: Finished, path: Path) -> list[str]:
    if done.code == 0:
        return done.stdout.decode(errors="surrogateescape").rstrip("\n").splitlines()
    if "not a git repository" in done.stderr:
        raise UsageError(
            f"{path} is not inside a git repository",
            hint="Go to a repository, name one with --repo PATH, or make one with `git init`.",
        )
    raise failure(done, ("rev-parse",), path)


def _shallow(git_dir: Path) -> tuple[str, ...]:
    try:
        return tuple(checked_id(line) for line in (git_dir / "shallow").read_text().split())
    except FileNotFoundError:
        return ()


async def _refuse_empty(repo: Repository) -> None:
    head = await repo.checkout().ask("rev-parse", "--verify", "--quiet", "HEAD^{commit}")
    if head.code == 0 or await repo.git().line("for-each-ref", "--count=1", "refs/heads"):
        return
    raise UsageError(
        f"the repository {repo.root} has no commits yet",
        hint='Commit something first, for example `git commit --allow-empty -m "Start"`.',
    )


async def _refuse_partial(repo: Repository) -> None:
    partial = r"^(extensions\.partialclone|remote\..*\.(promisor|partialclonefilter))$"
    if (await repo.git().ask("config", "--get-regexp", partial)).code == 0:
        raise RepoError(
            f"{repo.root} is a partial clone: some of its files are only on the server, "
            "and a sandbox has no network to fetch them",
            hint="Use a full clone: `git clone URL` without --filter.",
        )


async def current_branch(repo: Repository) -> str:
    """The branch the user is on; the default target of a task."""
    head = await repo.checkout().ask("symbolic-ref", "--quiet", "HEAD")
    name = head.stdout.decode().strip()
    if head.code == 0 and name.startswith("refs/heads/"):
        return name.removeprefix("refs/heads/")
    raise UsageError(
        f"{repo.root} is on no branch (its HEAD is detached)",
        hint="Switch to a branch with `git switch BRANCH`, or name one with --base BRANCH.",
    )


async def resolve(repo: Repository, ref: str) -> str:
    """The commit a branch, tag or id names, as the user wrote it."""
    if ref and not ref.startswith("-") and "\0" not in ref:
        found = await repo.checkout().ask(
            "rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}"
        )
        if found.code == 0:
            return checked_id(found.stdout.decode().strip())
    raise UsageError(
        f"{repo.name} has no branch, tag or commit {ref!r}", hint=await _near(repo, ref)
    )


async def _near(repo: Repository, ref: str) -> str:
    names = await repo.git().run(
        "for-each-ref", "--format=%(refname:lstrip=2)", "refs/heads", "refs/tags"
    )
    near = difflib.get_close_matches(ref, names.decode(errors="replace").splitlines(), n=1)
    return f"Did you mean {near[0]!r}?" if near else "`git branch --all` lists what there is."


async def tip_of(repo: Repository, branch: str) -> str | None:
    """The commit at the tip of that branch; None when there is no such branch."""
    found = await repo.git().ask("rev-parse", "--verify", "--quiet", refs.branch(branch))
    return found.stdout.decode().strip() if found.code == 0 else None


async def behind(repo: Repository, base: str, target: str) -> int:
    """Commits on the target branch that are not behind `base`; 0 when either is gone."""
    ask = ("rev-list", "--count", f"{checked_id(base)}..{refs.branch(target)}", "--")
    found = await repo.git().ask(*ask)
    return int(found.stdout) if found.code == 0 else 0


async def dirty_paths(repo: Repository) -> tuple[str, ...]:
    """What in the user's checkout differs from its commit. For information: runs start from commits."""
    status = await repo.checkout().run(
        "status", "--porcelain", "-z", "--no-renames", "--ignore-submodules=all"
    )
    entries = status.decode(errors="backslashreplace").split("\0")
    return tuple(entry[3:] for entry in entries if entry)


async def read_file(repo: Repository, commit: str, path: str, limit: int) -> bytes | None:
    """The file at that commit, None when there is none. A link to another file of the commit is followed."""
    for _ in range(_LINKS_FOLLOWED):
        listed = await repo.git().run("ls-tree", "-z", checked_id(commit), "--", path)
        mode, kind, blob = (listed.partition(b"\t")[0].decode() or "- - -").split()
        if kind != "blob":
            return None
        content = await _read_blob(repo, blob, f"{path} at {commit[:12]}", limit)
        if mode != "120000":
            return content
        path = posixpath.normpath(posixpath.join(posixpath.dirname(path), content.decode()))
        if path.startswith(("/", "..")):
            return None
    return None


async def _read_blob(repo: Repository, blob: str, what: str, limit: int) -> bytes:
    size = int(await repo.git().line("cat-file", "-s", blob))
    if size > limit:
        raise UsageError(f"{what} has {size} bytes, more than the {limit} swarm reads")
    return await repo.git().run("cat-file", "blob", blob)


async def identity(repo: Repository) -> tuple[str, str]:
    """Name and address under which git would commit for the user."""
    asked = await repo.checkout().ask("-c", "user.useConfigOnly=true", "var", "GIT_AUTHOR_IDENT")
    if asked.code != 0:
        raise RepoError(
            "git does not know who you are, so swarm cannot commit for you",
            hint='Run `git config --global user.name "Your Name"` and the same for user.email.',
        )
    name, _, rest = asked.stdout.decode(errors="replace").partition(" <")
    return name, rest.partition(">")[0]


async def keep(repo: Repository, run: RunId, commit: str) -> None:
    """Hold on to the commit a run starts from: without it the user's next clean-up could break the run."""
    await repo.git().run("update-ref", refs.base(run), checked_id(commit))


async def unkeep(repo: Repository, run: RunId) -> None:
    """Let go of it. Safe to repeat."""
    await repo.git().run("update-ref", "-d", refs.base(run))
