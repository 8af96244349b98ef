"""The image with the real agents in it, of the versions the shipped Dockerfiles name, on top of the test image.

Built when missing, cached by what goes in, and safe under concurrent test workers.
"""

import functools
import hashlib
import io
import platform
import subprocess
import sys
import tarfile
import tempfile
from importlib.resources import files
from pathlib import Path
from typing import IO

import msgspec
from docker import APIClient

from sandboxes import hostfiles
from tests.support.images import CACHE, building, exists, npm_pack, test_image
from tests.support.node_image import NODE


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
        return _version(self.agent)


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


class Package(msgspec.Struct, frozen=True):
    """A real agent of the npm registry that Node runs."""

    agent: str
    """Whose Dockerfile names the version."""
    package: str
    command: str

    @property
    def exact(self) -> str:
        return f"{self.package}@{_version(self.agent)}"


PACKAGES = (
    Package("claude-agent-acp", "@agentclientprotocol/claude-agent-acp", "claude-agent-acp"),
    Package("qwen-code", "@qwen-code/qwen-code", "qwen"),
    Package("gemini-cli", "@google/gemini-cli", "gemini"),
)


MINI = "mini-swe-agent"
_PYTHON = "/usr/bin/python3"
_BESIDE = "jinja2 mcp platformdirs python-dotenv pyyaml requests rich tenacity typer"
"""What its Dockerfile installs beside it."""


@functools.cache
def agents_image() -> str:
    """The tag of the test image with all the real agents in it."""
    base = test_image()
    told = [program.version for program in PROGRAMS] + [each.exact for each in PACKAGES] + [NODE]
    told += [_version(MINI), _version(MINI, "LITELLM_VERSION"), "compiled"]
    digest = hashlib.sha256(" ".join(told).encode()).hexdigest()[:12]
    tag = f"swarm-test-agents:{digest}-{base.partition(':')[2]}"
    with building() as api:
        if not exists(api, tag):
            with tempfile.TemporaryFile() as packed:
                with tarfile.open(fileobj=packed, mode="w") as archive:
                    archive.addfile(hostfiles.directory("usr/local/bin", 0o755))
                    for program in PROGRAMS:
                        _add_program(archive, program)
                    _add_node(archive)
                    for package in PACKAGES:
                        _add_package(archive, package)
                    _add_mini(archive)
                packed.seek(0)
                _add(api, base, tag, packed)
    return tag


def _version(agent: str, of: str = "VERSION") -> str:
    """The exact version its shipped Dockerfile names."""
    text = files("sandboxes").joinpath("dockerfiles", f"{agent}.Dockerfile").read_text()
    return next(
        line.partition("=")[2] for line in text.splitlines() if line.startswith(f"ARG {of}=")
    )


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


def _add_node(archive: tarfile.TarFile) -> None:
    """Node, and the library it needs that nothing else here does."""
    machine = {"x86_64": "x64", "aarch64": "arm64"}[platform.machine()]
    with tarfile.open(npm_pack(f"node-linux-{machine}", NODE)) as source:
        member = source.getmember("package/bin/node")
        content = source.extractfile(member)
        archive.addfile(hostfiles.file("usr/local/bin/node", member.size, 0o755), content)
    told = subprocess.run(["ldconfig", "-p"], check=True, capture_output=True, text=True).stdout
    line = next(line for line in told.splitlines() if "libstdc++.so.6 " in line)
    library = Path(line.partition("=> ")[2]).resolve()
    with library.open("rb") as content:
        size = library.stat().st_size
        archive.addfile(hostfiles.file("usr/lib/libstdc++.so.6", size, 0o644), content)


def _add_package(archive: tarfile.TarFile, package: Package) -> None:
    """The package with all it depends on, and its command."""
    home = f"usr/local/lib/{package.agent}"
    _add_all(archive, _npm_install(package.exact), home)
    link = tarfile.TarInfo(f"usr/local/bin/{package.command}")
    link.type, link.linkname = tarfile.SYMTYPE, f"/{home}/node_modules/.bin/{package.command}"
    archive.addfile(link)


def _npm_install(exact: str) -> Path:
    """The installed package as an archive, kept for the next time."""
    wanted = CACHE / f"installed-{exact.strip('@').replace('/', '-')}.tar"
    if not wanted.exists():
        with tempfile.TemporaryDirectory(dir=CACHE) as made:
            asked = ["npm", "install", "--silent", "--ignore-scripts", "--omit=optional", exact]
            Path(made, "package.json").write_text("{}")
            subprocess.run(asked, cwd=made, check=True, capture_output=True)
            with tarfile.open(draft := Path(made, "packed.tar"), "w") as archive:
                archive.add(Path(made, "node_modules"), "node_modules")
            draft.replace(wanted)
    return wanted


def _add_mini(archive: tarfile.TarFile) -> None:
    """mini-swe-agent where its Dockerfile has it, as a virtual environment of the image's own Python."""
    version = subprocess.run([_PYTHON, "-V"], check=True, capture_output=True, text=True).stdout
    number = ".".join(version.split()[1].split(".")[:2])
    config = b"home = /usr/bin\ninclude-system-site-packages = false\n"
    archive.addfile(hostfiles.file("opt/mini/pyvenv.cfg", len(config), 0o644), io.BytesIO(config))
    link = tarfile.TarInfo("opt/mini/bin/python")
    link.type, link.linkname = tarfile.SYMTYPE, _PYTHON
    archive.addfile(link)
    _add_all(archive, _uv_install(number), f"opt/mini/lib/python{number}")


def _add_all(archive: tarfile.TarFile, packed: Path, home: str) -> None:
    """What another archive has, below that directory."""
    with tarfile.open(packed) as source:
        for member in source.getmembers():
            content = source.extractfile(member) if member.isfile() else None
            member.name = f"{home}/{member.name}"
            # A long name stands here, too, and would win.
            member.pax_headers = {}
            member.uid = member.gid = 0
            archive.addfile(member, content)


def _uv_install(number: str) -> Path:
    """The installed package as an archive, kept for the next time."""
    version, litellm = _version(MINI), _version(MINI, "LITELLM_VERSION")
    wanted = CACHE / f"installed-{MINI}-{version}-{litellm}-{number}.tar"
    if not wanted.exists():
        with tempfile.TemporaryDirectory(dir=CACHE) as made:
            target = str(Path(made, "site-packages"))
            uv = [
                str(Path(sys.executable).with_name("uv")),
                "pip",
                "install",
                "--quiet",
                "--compile-bytecode",
            ]
            into = ["--python", _PYTHON, "--target", target]
            beside = [f"litellm=={litellm}", *_BESIDE.split()]
            for asked in (["--no-deps", f"{MINI}=={version}"], beside):
                subprocess.run([*uv, *into, *asked], check=True, capture_output=True)
            with tarfile.open(draft := Path(made, "packed.tar"), "w") as archive:
                archive.add(target, "site-packages")
            draft.replace(wanted)
    return wanted


def _add(api: APIClient, base: str, tag: str, archive: IO[bytes]) -> None:
    """Tag the base with these files on top of it."""
    name, _, version = tag.partition(":")
    made = api.create_container(base, ["true"])["Id"]
    try:
        api.put_archive(made, "/", archive)
        api.commit(made, repository=name, tag=version)
    finally:
        api.remove_container(made, force=True)
