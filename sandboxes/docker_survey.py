"""What the Docker Engine of this host is, and what about it is dangerous; for `swarm doctor`."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import msgspec

from sandboxes.docker_engine import Engine
from sandboxes.errors import SandboxError
from sandboxes.spec import Fact

Version: TypeAlias = tuple[int, ...]
OLDEST_API: Version = (1, 41)
"""What the driver is tested with; older engines may work."""


class Hole(msgspec.Struct, frozen=True):
    """A published weakness, and the first version of each line of releases that has it mended."""

    id: str
    what: str
    mended: tuple[Version, ...]


ENGINE_HOLES = (
    Hole(
        "CVE-2024-29018",
        "an internal network answers names from outside",
        ((23, 0, 11), (25, 0, 5), (26, 0, 0)),
    ),
    Hole(
        "CVE-2024-41110",
        "authorisation plugins can be passed by",
        ((23, 0, 15), (25, 0, 6), (26, 1, 5), (27, 1, 1)),
    ),
)
RUNC_HOLES = (
    Hole("CVE-2024-21626", "a program can leave its container by a leaked file", ((1, 1, 12),)),
    Hole(
        "CVE-2025-31133, CVE-2025-52565, CVE-2025-52881",
        "a container can write files of the host while it starts",
        ((1, 2, 8), (1, 3, 3), (1, 4, 0)),
    ),
)


async def survey(engine: Engine) -> Sequence[Fact]:
    """All there is to say; one line when no engine answers."""
    try:
        info = await engine.call("say what it is", lambda api: api.info())
        version = await engine.call("say its version", lambda api: api.version())
    except SandboxError as error:
        return [Fact(name="docker", ok=False, found=str(error), fix=error.hint)]
    return facts(info, version)


def facts(info: Mapping[str, Any], version: Mapping[str, Any]) -> list[Fact]:
    """What the engine's own words about itself mean."""
    return [*_engine(info, version), *_walls(info), *_runtimes(info), _storage(info)]


def _engine(info: Mapping[str, Any], version: Mapping[str, Any]) -> Iterator[Fact]:
    api = version["ApiVersion"]
    fresh = numbers(api) >= OLDEST_API
    yield Fact(
        name="docker",
        ok=fresh,
        found=f"Engine {version['Version']}, API {api}, on {info['OperatingSystem']}",
        fix="" if fresh else f"Update Docker: API {'.'.join(map(str, OLDEST_API))} is needed.",
    )
    yield _mended("docker holes", "Docker", version["Version"], ENGINE_HOLES)
    parts = {one["Name"]: one["Version"] for one in version.get("Components") or ()}
    if "runc" in parts:
        yield _mended("runc holes", "runc", parts["runc"], RUNC_HOLES)


def _mended(name: str, program: str, version: str, holes: Sequence[Hole]) -> Fact:
    """Whether any of the holes is open, going by the version alone."""
    left = [hole for hole in holes if is_open(numbers(version), hole.mended)]
    if not left:
        return Fact(name=name, ok=True, found=f"none known in {program} {version}", needed=False)
    said = "; ".join(f"{hole.id} ({hole.what})" for hole in left)
    fix = f"Update {program}. Distributions mend without a new number: ask yours about these."
    return Fact(name=name, ok=False, found=f"{program} {version} has {said}", fix=fix, needed=False)


def _walls(info: Mapping[str, Any]) -> Iterator[Fact]:
    options = dict(_option(each) for each in info.get("SecurityOptions") or ())
    profile = options.get("seccomp", "")
    filtered = "seccomp" in options and profile != "unconfined"
    yield Fact(
        name="seccomp",
        ok=filtered,
        found=f"profile {profile or 'default'}"
        if filtered
        else "the engine filters no system calls",
        fix="" if filtered else "Remove `seccomp-profile: unconfined` from daemon.json.",
        needed=False,
    )
    module = next((one for one in ("apparmor", "selinux") if one in options), "")
    yield Fact(
        name="mandatory access",
        ok=bool(module),
        found=module or "neither AppArmor nor SELinux guards containers",
        fix="" if module else "Switch AppArmor or SELinux on in the kernel, if you can.",
        needed=False,
    )
    apart = next((one for one in ("rootless", "userns") if one in options), "")
    walled = (
        f"{apart}: root in a container is nobody of weight outside; "
        "git objects that agents read have to be readable by everybody"
    )
    yield Fact(
        name="user namespaces",
        ok=bool(apart),
        found=walled if apart else "root in a container is root outside; swarm never uses it",
        fix="" if apart else "For a second wall, run Docker rootless, or set `userns-remap`.",
        needed=False,
    )


def _option(text: str) -> tuple[str, str]:
    """`name=seccomp,profile=default` as its name and its profile."""
    found = dict(part.partition("=")[::2] for part in text.split(","))
    return found.get("name", text), found.get("profile", "")


def _runtimes(info: Mapping[str, Any]) -> Iterator[Fact]:
    offered = sorted(info.get("Runtimes") or ())
    default = info.get("DefaultRuntime", "?")
    yield Fact(
        name="runtimes", ok=True, found=f"{', '.join(offered)} (default {default})", needed=False
    )
    strong = [one for one in offered if one.startswith(("runsc", "kata"))]
    yield Fact(
        name="gVisor",
        ok=bool(strong),
        found=f"{', '.join(strong)}: a wall of its own, with `sandbox.runtime`"
        if strong
        else "not installed: agents' system calls reach this machine's kernel",
        fix=""
        if strong
        else "For a stronger wall, install gVisor and set `sandbox.runtime: runsc`.",
        needed=False,
    )


def _storage(info: Mapping[str, Any]) -> Fact:
    backing = dict(info.get("DriverStatus") or ()).get("Backing Filesystem", "")
    control = f"cgroup v{info.get('CgroupVersion', '?')}"
    capped = all(info.get(name) for name in ("MemoryLimit", "PidsLimit", "CpuCfsQuota"))
    return Fact(
        name="limits and storage",
        ok=capped,
        found=f"{info.get('Driver', '?')} on {backing or '?'}, {control}"
        + ("" if capped else "; not all of memory, processes and cores can be limited"),
        fix="" if capped else "Boot with the memory, pids and cpu controllers switched on.",
        needed=False,
    )


def numbers(version: str) -> Version:
    """The leading numbers of a version: `20.10.24+dfsg1` is (20, 10, 24)."""
    found = re.match(r"[0-9]+(\.[0-9]+)*", version.removeprefix("v"))
    return tuple(int(part) for part in found[0].split(".")) if found else ()


def is_open(version: Version, mended: Sequence[Version]) -> bool:
    """Whether a version is older than the repair in its own line, or than every line that got one."""
    if not version:
        return False
    later = [repair for repair in mended if repair[:2] >= version[:2]]
    same = [repair for repair in later if repair[:2] == version[:2]]
    return version < same[0] if same else bool(later)
