"""Bringing a base up to date when the user asks for it: the one thing swarm does with the user's remotes.

With the user's own keys, as `git fetch` would; no hook runs, no branch and no checkout moves.
"""

import os
from typing import Final

import msgspec

from app.domain.errors import RepoError, UsageError
from app.repo import refs
from app.repo.git import failure
from app.repo.process import Bounds
from app.repo.repository import Repository

_WAIT: Final = Bounds(seconds=300.0, grace=5.0)
ALLOWED: Final = "https:http:ssh:git:file"
PASSED_ON: Final = (
    *("SSH_AUTH_SOCK", "SSH_AGENT_PID", "SSL_CERT_FILE", "SSL_CERT_DIR", "GIT_SSL_CAINFO"),
    *("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"),
)


async def fetched(repo: Repository, base: str) -> str:
    """The remote branch that `base` is, or follows, brought up to date. Raises with git's own words."""
    remote, theirs, ours = await _followed(repo, base)
    kept = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    git = msgspec.structs.replace(
        repo.checkout(), env={**kept, "GIT_ALLOW_PROTOCOL": ALLOWED, "GIT_SSH_VARIANT": "ssh"}
    )
    quiet = ("--quiet", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head")
    fetch = ("fetch", *quiet, "--end-of-options", remote, f"+{theirs}:{ours}")
    done = await git.ask(*fetch, bounds=_WAIT)
    if done.code != 0:
        error = failure(done, fetch, repo.root)
        raise RepoError(
            error.message, hint=f"Try `git fetch {remote}` yourself, or leave --fetch out."
        )
    return ours.removeprefix("refs/remotes/")


async def _followed(repo: Repository, base: str) -> tuple[str, str, str]:
    """Remote, its ref, and where that is kept here."""
    form = "--format=%(upstream:remotename)%00%(upstream:remoteref)%00%(upstream)"
    said = await repo.git().line("for-each-ref", form, refs.branch(base))
    if said:
        remote, theirs, ours = said.split("\0")
        if remote and remote != "." and theirs and ours.startswith("refs/remotes/"):
            return remote, theirs, ours
    names = (await repo.git().run("remote")).decode(errors="replace").split()
    for remote in sorted(names, key=len, reverse=True):
        if base.startswith(f"{remote}/"):
            branch = base.removeprefix(f"{remote}/")
            return remote, refs.branch(branch), f"refs/remotes/{base}"
    raise UsageError(
        f"{base!r} follows no branch of a remote, so there is nothing to fetch",
        hint=f"`git branch --set-upstream-to=origin/{base} {base}`, or leave --fetch out.",
    )
