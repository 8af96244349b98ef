"""What a tree needs before anything runs in it, and what runs in it last: copies, setup, ports, teardown."""

from pathlib import Path
from typing import Final

from app.domain.errors import SwarmError
from app.domain.events import Note, SetUp
from app.domain.ids import RunId
from app.domain.review import CheckResult
from app.repo import copies
from app.repo.copies import Copies
from app.store import tasks
from app.supervisor.commands import run_command
from app.supervisor.network import proxied
from app.supervisor.sandbox import environment
from app.supervisor.services import Ground, Services
from sandboxes.base import Sandbox
from sandboxes.errors import SandboxFailed
from sandboxes.spec import Program

_UNPACK: Final = "import sys, tarfile; tarfile.open(sys.argv[1]).extractall('.')"
_MOST_NAMED: Final = 5


class SetupFailed(SwarmError):
    """A setup command did not succeed, so no agent was started."""


async def fit_out(s: Services, at: Ground, sandbox: Sandbox, *, tag: str) -> CheckResult | None:
    """Copies and setup commands in a fresh tree; the command that failed, or None.

    `tag` tells one attempt from the next: programs are started once under their name.
    """
    outfit = at.task.outfit
    await _copy(s, at, sandbox, tag)
    env = {**environment(s, at.run, sandbox), **await proxied(s, at.run, sandbox)}
    for number, command in enumerate(outfit.setup, start=1):
        await s.database.write(
            tasks.update, at.run.id, activity=f"setup: {command}", activity_at=s.clock()
        )
        name = f"setup-{tag}-{number}"
        result = await run_command(s, at.run.id, sandbox, name, command, env)
        await s.broker.record(at.run.id, name, SetUp(result))
        if not result.passed:
            return result
    return None


async def set_up(s: Services, at: Ground, sandbox: Sandbox) -> None:
    """The same for the run's own tree, once in its life. Raises `SetupFailed` with the end of the log."""
    if await s.database.read(tasks.column, at.run.id, "outfitted"):
        return
    failed = await fit_out(s, at, sandbox, tag=f"{at.run.round}")
    if failed is not None:
        code = "it was stopped" if failed.code is None else f"exit {failed.code}"
        end = failed.tail.strip()[-600:]
        raise SetupFailed(
            f"the setup command `{failed.command}` failed ({code}): {end}",
            hint=f"Mend it, then `swarm resume {at.run.id}`.",
        )
    await s.database.write(tasks.update, at.run.id, outfitted="yes")


async def _copy(s: Services, at: Ground, sandbox: Sandbox, tag: str) -> None:
    found = await copies.find_copies(at.repo, at.hub, at.run.base, at.task.outfit.copies)
    await _tell(s, at.run.id, found)
    if not found.files:
        return
    packed = copies.pack(at.repo.root, found.files)
    name = f"copies-{tag}"
    archive = f"{sandbox.places.launch}/{name}/copies.tar"
    argv = ("python3", "-I", "-c", _UNPACK, archive)
    process = await sandbox.start(Program(name=name, argv=argv, files={"copies.tar": packed}))
    exit_ = await process.wait()
    if exit_.code != 0:
        raise SandboxFailed(
            f"the files of {copies.INCLUDE} and `copies` could not be laid down: "
            f"{exit_.stderr.strip()[-300:] or exit_.reason}"
        )
    copies.lay(at.repo.root, Path(at.run.worktree), found.files)


async def _tell(s: Services, run: RunId, found: Copies) -> None:
    for paths, why in (
        (found.private, "look private; name them exactly under `copies` in your own config.yaml"),
        (found.untracked, "are not ignored by git, so they would become a part of the change"),
    ):
        if paths:
            more = f" and {len(paths) - _MOST_NAMED} more" if len(paths) > _MOST_NAMED else ""
            text = f"not copied: {', '.join(paths[:_MOST_NAMED])}{more}: they {why}"
            await s.broker.record(run, f"copies/{why}", Note(text, "warning"))


async def tear_down(s: Services, at: Ground, sandbox: Sandbox) -> None:
    """The last commands in the tree. What they end with is written down and changes nothing."""
    env = environment(s, at.run, sandbox)
    for number, command in enumerate(at.task.outfit.teardown, start=1):
        name = f"teardown-{at.run.round}-{number}"
        result = await run_command(s, at.run.id, sandbox, name, command, env)
        await s.broker.record(at.run.id, f"{at.run.state}/{name}", SetUp(result, "teardown"))
