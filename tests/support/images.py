"""Images for tests, made in seconds from this machine's own files: no image registry is needed.

`test_image()` holds git, python3, a shell and the usual commands; `agents_image` adds the real agents. Built when
missing, cached by what goes in, and safe under concurrent test workers.
"""

import contextlib
import fcntl
import functools
import os
import pwd
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from docker import APIClient
from docker.errors import DockerException
from docker.utils import kwargs_from_env

from sandboxes import hostfiles
from sandboxes.docker_engine import knock

# The real home: tests give themselves another one.
CACHE = Path(pwd.getpwuid(os.getuid()).pw_dir) / ".cache" / "swarm-tests"


def require_docker() -> None:
    """Skip, saying why, when no engine answers; fail where `SWARM_REQUIRE` names docker."""
    try:
        knock(kwargs_from_env().get("base_url", ""))
        with contextlib.closing(_client()) as api:
            api.ping()
    except (DockerException, OSError) as error:
        if "docker" in os.environ.get("SWARM_REQUIRE", ""):
            pytest.fail(f"SWARM_REQUIRE names docker, but no engine answers: {error}")
        pytest.skip(f"no Docker Engine answers: {error}")


@functools.cache
def test_image() -> str:
    """The tag of an image with git, python3, a shell and the usual commands."""
    paths = hostfiles.contents()
    tag = f"swarm-test:{hostfiles.digest(paths)}"
    with building() as api:
        if not exists(api, tag):
            name, _, version = tag.partition(":")
            api.import_image_from_data(
                hostfiles.packed(paths), repository=name, tag=version, changes=hostfiles.CHANGES
            )
    return tag


test_image.__test__ = False  # type: ignore[attr-defined]  # its name reads like a test to pytest


def npm_pack(package: str, version: str) -> Path:
    """The package's archive from the npm registry, kept for the next time."""
    CACHE.mkdir(parents=True, exist_ok=True)
    wanted = CACHE / f"{package.strip('@').replace('/', '-')}-{version}.tgz"
    if not wanted.exists():
        draft = CACHE / f"draft-{os.getpid()}"
        draft.mkdir()
        asked = [
            "npm",
            "pack",
            "--silent",
            f"{package}@{version}",
            "--pack-destination",
            str(draft),
        ]
        subprocess.run(asked, cwd=draft, check=True, capture_output=True)
        next(draft.iterdir()).replace(wanted)
        draft.rmdir()
    return wanted


@contextlib.contextmanager
def building() -> Iterator[APIClient]:
    """The engine, for one builder of images at a time on this machine."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "images.lock").open("w") as lock, contextlib.closing(_client()) as api:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield api


def _client() -> APIClient:
    return APIClient(version="auto", timeout=600, **kwargs_from_env())


def exists(api: APIClient, tag: str) -> bool:
    """Whether the image is on this machine."""
    return bool(api.images(tag, quiet=True))
