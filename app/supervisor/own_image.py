"""Images that a repository names for its agents: nothing of one is used before a person approved its content."""

import posixpath
from typing import Any, Final

import json5

from app.config.settings import ImageSettings, Settings
from app.domain.errors import ConfigError, EnvironmentProblem, NeedsHuman
from app.domain.image import ImageFile, OwnImage
from app.domain.run import Run
from app.domain.task import Task
from app.repo import repository
from app.repo.repository import Repository
from app.store.images import approver
from app.supervisor.errors import translated
from app.supervisor.services import Services
from sandboxes import images

LARGEST: Final = 256 * 1024
"""Bytes of one file that a build gets to see: a person reads them all."""
_IGNORED: Final = ("build", "customizations", "image", "name", "remoteUser", "workspaceFolder")
"""Keys of a devcontainer.json that are understood, or mean nothing to an agent."""


async def approved_base(s: Services, repo: Repository, commit: str, settings: Settings) -> str:
    """The image that agents' images stand on; empty for swarm's own.

    Raises `NeedsHuman` when nobody approved what stands in the repository now.
    """
    if not counts(s, settings):
        return ""
    found = await find(repo, commit, settings.image)
    if found is None:
        return ""
    if not await s.database.read(approver, str(repo.root), found.digest):
        raise NeedsHuman(
            f"{repo.name} wants its agents in an image of its own ({found.name}), and nobody approved "
            "what that holds now",
            hint=f"Look at it and decide: `swarm image approve --repo {repo.root}`.",
        )
    return found.base


def counts(s: Services, settings: Settings) -> bool:
    """Whether an image named under `image` is used at all."""
    own = settings.sandbox
    return not own.image and s.driver(own.driver).isolation == "container"


async def find(repo: Repository, commit: str, settings: ImageSettings) -> OwnImage | None:
    """What `image` names, read from that commit; None when it names nothing."""
    if settings.devcontainer:
        return await _devcontainer(repo, commit, settings)
    if settings.dockerfile:
        return await _built(repo, commit, settings.dockerfile, settings.files)
    return await _named(settings.name) if settings.name else None


async def _named(name: str, notes: tuple[str, ...] = ()) -> OwnImage:
    with translated():
        return OwnImage(name=name, image=await images.id_of(name), notes=notes)


async def _built(
    repo: Repository,
    commit: str,
    dockerfile: str,
    files: tuple[str, ...],
    notes: tuple[str, ...] = (),
) -> OwnImage:
    read = [await _file(repo, commit, path) for path in (dockerfile, *files)]
    return OwnImage(name=dockerfile, files=tuple(read), notes=notes)


async def _file(repo: Repository, commit: str, path: str) -> ImageFile:
    clean = posixpath.normpath(path)
    content = None
    if not clean.startswith(("/", "..")):
        content = await repository.read_file(repo, commit, clean, LARGEST)
    if content is None:
        raise ConfigError(
            f"`image` names {path}, and {repo.name} has no such file at {commit[:12]}",
            hint="Commit it, or correct its path in .swarm/config.yaml: it counts from the top of the repository.",
        )
    return ImageFile(path=clean, content=content)


async def _devcontainer(repo: Repository, commit: str, settings: ImageSettings) -> OwnImage:
    """The image or Dockerfile of a devcontainer.json. Nothing else of it is obeyed."""
    path = settings.devcontainer
    said = _parsed((await _file(repo, commit, path)).content, path)
    notes = tuple(f"{key} of {path} is not obeyed" for key in sorted(said) if key not in _IGNORED)
    build = said.get("build")
    if isinstance(said.get("image"), str):
        return await _named(said["image"], notes)
    dockerfile = build.get("dockerfile") if isinstance(build, dict) else said.get("dockerFile")
    if isinstance(dockerfile, str):
        extra = sorted(set(build or ()) - {"dockerfile", "context"})
        notes += tuple(f"build.{key} of {path} is not obeyed" for key in extra)
        found = posixpath.join(posixpath.dirname(path), dockerfile)
        return await _built(repo, commit, found, settings.files, notes)
    raise ConfigError(
        f"{path} names neither an image nor a Dockerfile"
        + (" (dockerComposeFile is not supported)" if "dockerComposeFile" in said else ""),
        hint="Name one under `image` in .swarm/config.yaml: `dockerfile: PATH` or `name: IMAGE`.",
    )


def _parsed(content: bytes, path: str) -> dict[str, Any]:
    try:
        said = json5.loads(content.decode())
    except ValueError as error:
        raise ConfigError(f"{path} cannot be read: {error}") from None
    if not isinstance(said, dict):
        raise ConfigError(f"{path} should be a mapping of keys to values")
    return said


async def check_image(s: Services, task: Task, run: Run) -> None:
    """Raise when the image of a run's sandboxes is not on this machine."""
    if not run.image or s.driver(run.sandbox).isolation != "container":
        return
    with translated():
        if await images.there(run.image):
            return
    named = s.configuration.settings.sandbox.image
    agent = s.catalog.get(run.agent).image or images.BASE
    own = f"swarm image approve {agent} --repo {task.repo}"
    raise EnvironmentProblem(
        f"the image {run.image} of {run.agent} is not on this machine",
        hint="`sandbox.image` names it: build or pull it, or name another."
        if named
        else f"Build it: `{own if task.outfit.base else f'swarm image build {agent}'}`.",
    )
