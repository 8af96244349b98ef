"""The images agents run in, tagged by what their Dockerfiles say, so that a changed file is a new image."""

import difflib
import hashlib
import io
import tarfile
from collections.abc import Callable, Sequence
from functools import partial
from importlib.resources import files
from typing import Any

from sandboxes.docker_engine import Engine
from sandboxes.errors import SandboxFailed

BASE = "base"
_SUFFIX = ".Dockerfile"


def agents() -> tuple[str, ...]:
    """Agents that have an image of their own."""
    found = (one.name for one in files("sandboxes").joinpath("dockerfiles").iterdir())
    names = (name.removesuffix(_SUFFIX) for name in found if name.endswith(_SUFFIX))
    return tuple(sorted(name for name in names if name != BASE))


def tag_of(agent: str, *, base: str = "") -> str:
    """The tag of the agent's image; agents without one of their own run in the base image.

    `base` names what the base image stands on, instead of what its Dockerfile says.
    """
    name = agent if agent in agents() else BASE
    told = hashlib.sha256(f"{base}\n{_dockerfile(BASE)}".encode())
    if name != BASE:
        told.update(_dockerfile(name).encode())
    return f"swarm-{name}:{told.hexdigest()[:12]}"


def current(agent: str) -> str:
    """The tag that names whichever of the agent's images was built last."""
    return f"{tag_of(agent).partition(':')[0]}:current"


async def missing(wanted: Sequence[str], *, base: str = "") -> list[str]:
    """Those of the agents whose image is not on this machine."""
    engine = Engine()
    try:
        return [agent for agent in wanted if not await _exists(engine, tag_of(agent, base=base))]
    finally:
        engine.close()


async def build(
    wanted: Sequence[str],
    *,
    base: str = "",
    say: Callable[[str], None] = lambda _: None,
    mark_current: bool = True,
) -> list[str]:
    """Make sure the agents' images are there, and the base below them; their tags, the base's first.

    `say` hears every line of the engine's.
    """
    for agent in wanted:
        _check_agent(agent)
    engine = Engine()
    try:
        tags = [await _ensure(engine, BASE, base=base, from_=base, say=say)]
        for agent in wanted:
            if agent != BASE:
                tags.append(await _ensure(engine, agent, base=base, from_=tags[0], say=say))
        if mark_current:
            for tag in tags:
                await engine.call(f"tag {tag}", partial(_tag, tag=tag, name=tag.partition(":")[0]))
    finally:
        engine.close()
    return tags


async def _ensure(
    engine: Engine, name: str, *, base: str, from_: str, say: Callable[[str], None]
) -> str:
    tag = tag_of(name, base=base)
    if await _exists(engine, tag):
        say(f"{tag} is there")
        return tag
    settings = {"BASE": from_} if from_ else {}
    context = _context(name)
    stream = engine.stream(
        f"build {tag}",
        lambda api: api.build(
            fileobj=io.BytesIO(context),
            custom_context=True,
            tag=tag,
            buildargs=settings,
            rm=True,
            forcerm=True,
            decode=True,
        ),
    )
    async for said in stream:
        if "error" in said:
            raise SandboxFailed(
                f"The image of {name} could not be built: {said['error'].strip()}",
                hint="It needs a network; behind a proxy of your own, name a base image that knows it.",
            )
        for line in said.get("stream", "").splitlines():
            say(line)
    if not await _exists(engine, tag):
        raise SandboxFailed(f"Docker stopped building {tag} before it was done")
    return tag


async def _exists(engine: Engine, tag: str) -> bool:
    return bool(await engine.call("list images", lambda api: api.images(tag, quiet=True)))


def _tag(api: Any, *, tag: str, name: str) -> None:
    api.tag(tag, name, "current")


def _dockerfile(name: str) -> str:
    return files("sandboxes").joinpath("dockerfiles", name + _SUFFIX).read_text(encoding="utf-8")


def _context(name: str) -> bytes:
    """All a build gets to see: the Dockerfile."""
    content = _dockerfile(name).encode()
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        entry = tarfile.TarInfo("Dockerfile")
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content))
    return packed.getvalue()


def _check_agent(name: str) -> None:
    known = (BASE, *agents())
    if name not in known:
        close = difflib.get_close_matches(name, known, n=1)
        raise SandboxFailed(
            f"There is no image for the agent {name!r}",
            hint=f"Did you mean {close[0]!r}?" if close else f"There are: {', '.join(known)}.",
        )
