"""An image made in seconds from this machine's own files.

No image registry is needed, so the demo and the tests run in real containers on a machine without one.
"""

from functools import partial
from pathlib import Path
from typing import Any

from sandboxes import hostfiles
from sandboxes.docker_engine import Engine

NAME = "swarm-host"


async def build(name: str = NAME) -> str:
    """The tag of the image, made when it is missing. Raises `SandboxUnavailable` where it cannot be made."""
    engine = Engine()
    try:
        await engine.call("say that it is there", lambda api: api.ping())
        paths = hostfiles.contents()
        tag = f"{name}:{hostfiles.digest(paths)}"
        if not await engine.call("list images", lambda api: api.images(tag, quiet=True)):
            await engine.call(f"import {tag}", partial(_import, paths=paths, tag=tag))
        return tag
    finally:
        engine.close()


def _import(api: Any, *, paths: list[Path], tag: str) -> None:
    name, _, version = tag.partition(":")
    api.import_image_from_data(
        hostfiles.packed(paths), repository=name, tag=version, changes=hostfiles.CHANGES
    )
