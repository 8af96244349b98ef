"""Images for tests, made in seconds from this machine's own files: no image registry is needed.

`test_image()` holds git, python3, a shell and the usual commands; `agents_image()` adds the real agents, all in
one image, of the versions the shipped Dockerfiles name. Both are built when missing, cached by what goes in, and
safe under concurrent test workers.
"""

import contextlib
import fcntl
import functools
import os
import platform
import pwd
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import IO

import msgspec
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


class Program(msgspec.Struct, frozen=True):
    """Where a real agent lies in the npm registry, and where it goes."""

    agent: str
    """Whose Dockerfile names the version."""
    package: str
    """With `{version}` and `{machine}`; the exact version follows an `@`."""
    root: str
    """The directory of the package that is taken over."""
    command: str
    """The program in it."""
    leave_out: str = "/voice/"

    @property
    def version(self) -> str:
        text = files("sandboxes").joinpath("dockerfiles", f"{self.agent}.Dockerfile").read_text()
        return next(
            line.partition("=")[2] for line in text.splitlines() if line.startswith("ARG VERSION=")
        )


PROGRAMS = (
    Program(
        "claude-code", "@anthropic-ai/claude-code-linux-{machine}@{version}", "package", "claude"
    ),
    Program(
        "codex",
        "@openai/codex@{version}-linux-{machine}",
        "package/vendor/{cpu}-unknown-linux-musl",
        "bin/codex",
    ),
    Program("opencode", "opencode-linux-{machine}@{version}", "package/bin", "opencode"),
)


@functools.cache
def agents_image() -> str:
    """The tag of the test image with the real Claude Code, Codex and opencode in it."""
    base = test_image()
    told = "-".join(program.version for program in PROGRAMS)
    tag = f"swarm-test-agents:{told}-{base.partition(':')[2]}"
    with building() as api:
        if not exists(api, tag):
            with tempfile.TemporaryFile() as packed:
                with tarfile.open(fileobj=packed, mode="w") as archive:
                    archive.addfile(hostfiles.directory("usr/local/bin", 0o755))
                    for program in PROGRAMS:
                        _add_program(archive, program)
                packed.seek(0)
                _add(api, base, tag, packed)
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


def _add_program(archive: tarfile.TarFile, program: Program) -> None:
    """The program of the npm package below `/usr/local/lib`, and its name among the commands."""
    cpu = platform.machine()
    machine = {"x86_64": "x64", "aarch64": "arm64"}[cpu]
    package = program.package.format(version=program.version, machine=machine)
    name, _, version = package.rpartition("@")
    root = program.root.format(cpu=cpu)
    home = f"usr/local/lib/{program.agent}"
    with tarfile.open(npm_pack(name, version)) as source:
        for member in source.getmembers():
            inside = member.name.removeprefix(root + "/")
            if inside == member.name or program.leave_out in member.name or not member.isfile():
                continue
            content = source.extractfile(member)
            entry = hostfiles.file(f"{home}/{inside}", member.size, member.mode & 0o755 | 0o444)
            archive.addfile(entry, content)
    link = tarfile.TarInfo(f"usr/local/bin/{Path(program.command).name}")
    link.type, link.linkname = tarfile.SYMTYPE, f"/{home}/{program.command}"
    archive.addfile(link)


def _add(api: APIClient, base: str, tag: str, archive: IO[bytes]) -> None:
    """Tag the base with these files on top of it."""
    name, _, version = tag.partition(":")
    made = api.create_container(base, ["true"])["Id"]
    try:
        api.put_archive(made, "/", archive)
        api.commit(made, repository=name, tag=version)
    finally:
        api.remove_container(made, force=True)
