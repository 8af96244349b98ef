"""The bare repository that several hosts share: what runs start from, and what they made.

Refs there are only ever added, and named after what they hold: two hosts that both think a run is theirs cannot
overwrite each other. Which of them counts is written in the database. With the user's keys, as `git push` would.
"""

import hashlib
import os
from pathlib import Path
from typing import Final

import msgspec

from app.domain.errors import RepoError
from app.domain.ids import RunId, TaskId
from app.repo import refs
from app.repo.fetching import ALLOWED, PASSED_ON
from app.repo.git import Git, checked_id, failure
from app.repo.hub import Hub
from app.repo.locks import held
from app.repo.names import slug
from app.repo.process import Bounds

_WAIT: Final = Bounds(seconds=120.0, grace=5.0)
_QUIET: Final = ("--quiet", "--no-recurse-submodules", "--end-of-options")


class Unshared(RepoError):
    """The shared repository cannot be reached, or says no: it may pass, and nothing is lost meanwhile."""


def address_for(pattern: str, repo: str) -> str:
    """The shared repository of the user's one at that path."""
    return pattern.replace("{name}", slug(Path(repo).name))


async def share_base(git: Git, address: str, run: RunId, commit: str) -> None:
    """Let every host have what the run starts from."""
    await _push(git, address, f"+{checked_id(commit)}:{refs.base(run)}")


async def share_made(git: Git, address: str, run: RunId, commit: str) -> None:
    """Let every host have a snapshot. Safe to repeat."""
    await _push(git, address, f"{checked_id(commit)}:{refs.made(run, commit)}")


async def fetch_made(git: Git, address: str, run: RunId, commit: str) -> None:
    """A snapshot that another host made; nothing refers to it yet."""
    await _fetch(git, address, refs.made(run, commit))


async def forget(git: Git, address: str, run: RunId) -> None:
    """Let go of a run that is over. What cannot be reached now stays there; it does no harm."""
    ours = (refs.base(run), refs.made(run, "*"))
    listed = await _outward(git).ask("ls-remote", "--end-of-options", address, *ours, bounds=_WAIT)
    names = [line.partition("\t")[2] for line in listed.stdout.decode().splitlines()]
    if listed.code == 0 and names:
        gone = [f":{name}" for name in names]
        await _outward(git).ask("push", "--no-verify", *_QUIET, address, *gone, bounds=_WAIT)


async def stand_in(root: Path, address: str, repo: str, task: TaskId) -> Path:
    """A repository of this host's own, with what the task starts from: the user's is on another host."""
    key = hashlib.sha256(f"{address}\0{repo}".encode()).hexdigest()[:16]
    place = root / key / slug(Path(repo).name)
    git = Git(dir=place / ".git")
    async with held(root / key / "locks", "stand-in"):
        if not (git.dir / "HEAD").exists():
            place.mkdir(mode=0o700, parents=True, exist_ok=True)
            await git.run("init", "--quiet", "--template=")
        # A repository without a branch counts as empty; and what has landed can still be looked at.
        mine = refs.branch(f"swarm-shared-{task}")
        if not await _known(git, mine):
            first = refs.base(RunId(f"{task}.1"))
            await _fetch(git, address, first)
            await git.run("update-ref", mine, await git.line("rev-parse", first))
    return place


async def base_of(git: Git, address: str, run: RunId) -> str:
    """What the run starts from, on a host that has not got the user's repository."""
    ref = refs.base(run)
    if not await _known(git, ref):
        await _fetch(git, address, ref)
    return checked_id(await git.line("rev-parse", "--verify", ref))


async def lay_in(hub: Hub, run: RunId, commit: str, *, clean: str) -> None:
    """From now on that is the run's newest snapshot here; the next one builds on `clean`, if there is one."""
    await hub.git().run("update-ref", refs.snapshot(run), checked_id(commit))
    if clean:
        await hub.git().run("update-ref", refs.clean(run), checked_id(clean))


async def _known(git: Git, ref: str) -> bool:
    return (await git.ask("rev-parse", "--verify", "--quiet", ref)).code == 0


def _outward(git: Git) -> Git:
    """The same, which may go out with the user's own keys."""
    kept = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    allowed = {"GIT_ALLOW_PROTOCOL": ALLOWED, "GIT_SSH_VARIANT": "ssh"}
    config = {**git.config, "fetch.fsckObjects": "true"}
    return msgspec.structs.replace(
        git, home=True, env={**kept, **git.env, **allowed}, config=config
    )


async def _push(git: Git, address: str, what: str) -> None:
    await _done(git, ("push", "--no-verify", *_QUIET, address, what))


async def _fetch(git: Git, address: str, ref: str) -> None:
    more = ("--no-tags", "--no-write-fetch-head")
    await _done(git, ("fetch", *more, *_QUIET, address, f"+{ref}:{ref}"))


async def _done(git: Git, args: tuple[str, ...]) -> None:
    done = await _outward(git).ask(*args, bounds=_WAIT)
    if done.code != 0:
        said = failure(done, args, git.dir)
        raise Unshared(
            f"the shared repository of all hosts: {said.message}",
            hint=f"Try `git ls-remote {args[-2]}` on this host; `worker.repository` names it.",
        )
