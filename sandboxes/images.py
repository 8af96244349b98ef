"""The images agents run in, tagged by what their Dockerfiles say, so that a changed file is a new image."""

import contextlib
import difflib
import hashlib
import io
import tarfile
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from functools import partial
from importlib.resources import files
from typing import Any

from sandboxes.docker_engine import Engine, ImageMissing
from sandboxes.errors import SandboxFailed, SandboxUnavailable

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
    return [agent for agent in wanted if not await there(tag_of(agent, base=base))]


async def there(name: str) -> bool:
    """Whether the image is on this machine."""
    async with _engine() as engine:
        return await _exists(engine, name)


async def id_of(name: str) -> str:
    """The engine's id of an image, which changes with its content. Raises `SandboxUnavailable` without one."""
    async with _engine() as engine:
        try:
            return await _id(engine, name)
        except ImageMissing as error:
            raise SandboxUnavailable(str(error), hint=f"Fetch it: `docker pull {name}`.") from error


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
    async with _engine() as engine:
        tags = [await _layer(engine, BASE, base=base, from_=base, say=say)]
        for agent in wanted:
            if agent != BASE:
                tags.append(await _layer(engine, agent, base=base, from_=tags[0], say=say))
        if mark_current:
            for tag in tags:
                await engine.call(f"tag {tag}", partial(_tag, tag=tag, name=tag.partition(":")[0]))
    return tags


async def build_own(
    tag: str, files: Mapping[str, bytes], *, say: Callable[[str], None] = lambda _: None
) -> None:
    """Make sure an image of these files is there. The first is the Dockerfile, the others are all it can copy.

    No secrets, no agent of the user's and no cache of another build is given to it; it has a network.
    """
    async with _engine() as engine:
        await _ensure(engine, tag, files, {}, say)


async def _layer(
    engine: Engine, name: str, *, base: str, from_: str, say: Callable[[str], None]
) -> str:
    tag = tag_of(name, base=base)
    dockerfile = {"Dockerfile": _dockerfile(name).encode()}
    await _ensure(engine, tag, dockerfile, {"BASE": from_} if from_ else {}, say)
    return tag


async def _ensure(
    engine: Engine,
    tag: str,
    context: Mapping[str, bytes],
    settings: Mapping[str, str],
    say: Callable[[str], None],
) -> None:
    if await _exists(engine, tag):
        say(f"{tag} is there")
        return
    packed = _packed(context)
    stream = engine.stream(
        f"build {tag}",
        lambda api: api.build(
            fileobj=io.BytesIO(packed),
            custom_context=True,
            dockerfile=next(iter(context)),
            tag=tag,
            buildargs=dict(settings),
            rm=True,
            forcerm=True,
            decode=True,
        ),
    )
    async for said in stream:
        if "error" in said:
            raise SandboxFailed(
                f"The image {tag} could not be built: {said['error'].strip()}",
                hint="It needs a network; behind a proxy of your own, name a base image that knows it.",
            )
        for line in said.get("stream", "").splitlines():
            say(line)
    if not await _exists(engine, tag):
        raise SandboxFailed(f"Docker stopped building {tag} before it was done")


@contextlib.asynccontextmanager
async def _engine() -> AsyncIterator[Engine]:
    engine = Engine()
    try:
        yield engine
    finally:
        engine.close()


async def _exists(engine: Engine, name: str) -> bool:
    with contextlib.suppress(ImageMissing):
        return bool(await _id(engine, name))
    return False


async def _id(engine: Engine, name: str) -> str:
    def look(api: Any) -> str:
        return str(api.inspect_image(name)["Id"])

    return await engine.call(f"look at the image {name}", look)


def _tag(api: Any, *, tag: str, name: str) -> None:
    api.tag(tag, name, "current")


def _dockerfile(name: str) -> str:
    return files("sandboxes").joinpath("dockerfiles", name + _SUFFIX).read_text(encoding="utf-8")


def _packed(context: Mapping[str, bytes]) -> bytes:
    """All a build gets to see. Times and owners are left out, so that the same files are the same archive."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for path, content in context.items():
            entry = tarfile.TarInfo(path)
            entry.size = len(content)
            entry.mode = 0o755 if content.startswith(b"#!") else 0o644
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
