"""What the containers and volumes of a sandbox look like; pure, in the words of the Engine's API."""

import hashlib
import io
import os
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import msgspec

from sandboxes import confine, forward
from sandboxes.errors import SandboxFailed
from sandboxes.names import check_file
from sandboxes.spec import Limits, Places, Program, SandboxSpec, Usage

Config: TypeAlias = dict[str, Any]

TREE, STATE, LAUNCH, SCRATCH = "/workspace", "/state", "/swarm/launch", "/q"
SOCKETS = "/run/swarm"
GATEWAY = "127.0.0.1:8080"
EGRESS = "127.0.0.1:3128"
HOME = "/home/agent"
VOLUMES = {"tree": TREE, "state": STATE, "launch": LAUNCH, "scratch": SCRATCH}
MEASURED = "/swarm/measured"
"""Where the side sees the agent's state, read-only: only to say how large it is."""
ROOMS = "swarm.rooms"
"""An image's label: it has a directory for every volume, and they belong to this user (`1000:1000`)."""
MEASURE = f"stat -f -c '%a %S %d %c' {TREE}; du -skx {TREE} {MEASURED} {SCRATCH} 2>/dev/null; echo counted"
"""A script for the side whose output `usage` reads. It opens no file, and enters nothing but directories."""

OWNER, SANDBOX, SPEC, PROGRAM = "swarm.owner", "swarm.sandbox", "swarm.spec", "swarm.program"
_AGENT = "1000:1000"
_TMPFS = "rw,nosuid,nodev,exec,nr_inodes=200000"


def agent_user() -> str:
    """Who agents are: the user, so that the user's own objects are readable, but never root."""
    return _AGENT if os.getuid() == 0 else f"{os.getuid()}:{os.getgid()}"


def side_user() -> str:
    """Who the forwarder is: the one who may open the gateway's socket."""
    return f"{os.getuid()}:{os.getgid()}"


def container_name(sandbox: str, part: str) -> str:
    return f"swarm-{sandbox}-{part}"


def volume_name(sandbox: str, volume: str) -> str:
    return f"swarm-{sandbox}-{volume}"


def digest(spec: SandboxSpec) -> str:
    """Tells one spec from another."""
    plain = msgspec.json.encode(spec, enc_hook=str)
    return hashlib.sha256(plain).hexdigest()[:12]


def labels(spec: SandboxSpec) -> dict[str, str]:
    return {OWNER: spec.owner, SANDBOX: spec.name, SPEC: digest(spec)}


def places(spec: SandboxSpec) -> Places:
    return Places(
        tree=TREE,
        state=STATE,
        launch=LAUNCH,
        scratch=SCRATCH,
        gateway=f"http://{GATEWAY}" if spec.sockets else "",
        egress=f"http://{EGRESS}" if spec.sockets else "",
        mounts={mount.target: mount.target for mount in spec.mounts},
    )


def box(spec: SandboxSpec, program: Program, cores: int) -> Config:
    """The agent's container: one program, its main process."""
    side = container_name(spec.name, "side")
    config = _hardened(spec, cores)
    config |= {
        "Entrypoint": [*_confined(), *program.argv],
        "Env": _env({"HOME": HOME, "LANG": "C.UTF-8", **program.env}),
        "Labels": {**labels(spec), PROGRAM: program.name},
        # Without StdinOnce, so that standard input outlives the supervisor that opened it.
        "OpenStdin": program.interactive,
        "StdinOnce": False,
        "Tty": program.tty,
    }
    config["HostConfig"] |= {
        "Mounts": [
            *_volumes(spec, tree=True, state=True, launch=False),
            *_binds(spec),
        ],
        "NetworkMode": f"container:{side}" if spec.sockets else "none",
    }
    return config


def has_rooms(labels: Mapping[str, str]) -> bool:
    """Whether empty volumes get the right owner from an image with these labels."""
    return labels.get(ROOMS) == agent_user()


def side(spec: SandboxSpec, cores: int, *, fill: bool = False) -> Config:
    """The trusted container beside it: owns the network, forwards to the gateway, sees the tree read-only.

    With `fill`, volumes that are empty take the owner of the image's directories.
    """
    config = _hardened(spec, cores)
    config |= {
        "User": side_user(),
        "Entrypoint": _forwarder() if spec.sockets else ["sleep", "infinity"],
        "Env": _env({"HOME": "/tmp", "LANG": "C.UTF-8"}),  # noqa: S108
        "WorkingDir": SCRATCH,
    }
    config["HostConfig"] |= {
        "Mounts": [
            *_volumes(spec, fill=fill, tree=False, launch=True, scratch=True),
            _volume(spec, "state", MEASURED, may_write=False, fill=fill),
            *_binds(spec),
            *_sockets(spec),
        ],
        "NetworkMode": "none",
        # Some resolvers wait five seconds for a name server that is not there.
        "DnsOptions": ["timeout:1", "attempts:1"],
    }
    return config


def preparation(
    spec: SandboxSpec, script: str, env: Mapping[str, str], cores: int, *, scratch: bool = False
) -> Config:
    """The trusted container that lays the tree down, before there is an agent."""
    rooms = _volumes(spec, tree=True, **({"scratch": True} if scratch else {}))
    config = _hardened(spec, cores)
    config |= {
        "Entrypoint": ["sh", "-c", script],
        "Env": _env({"HOME": HOME, "LANG": "C.UTF-8", **env}),
    }
    config["HostConfig"] |= {
        "Mounts": [*rooms, *_binds(spec)],
        "NetworkMode": "none",
        # Its output goes to the supervisor alone; a copy on the disk has no reader.
        "LogConfig": {"Type": "none"},
    }
    return config


def layer(spec: SandboxSpec, cores: int) -> Config:
    """A container that is never started: through it the volumes get their owner where the image has no rooms."""
    config = _hardened(spec, cores)
    config["Entrypoint"] = ["true"]
    config["HostConfig"] |= {
        "Mounts": _volumes(spec, tree=True, state=True, launch=True, scratch=True),
        "NetworkMode": "none",
        "ReadonlyRootfs": False,
    }
    return config


def rooms() -> bytes:
    """The archive that gives every volume to the agent's user."""
    uid, gid = map(int, agent_user().split(":"))
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for path in VOLUMES.values():
            room = tarfile.TarInfo(path.lstrip("/"))
            room.type, room.mode, room.uid, room.gid = tarfile.DIRTYPE, 0o755, uid, gid
            archive.addfile(room)
    return packed.getvalue()


def files(program: Program) -> bytes:
    """The archive of the program's files, to be unpacked at `LAUNCH`."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        top = tarfile.TarInfo(program.name)
        top.type, top.mode = tarfile.DIRTYPE, 0o755
        archive.addfile(top)
        for name, content in program.files.items():
            entry = tarfile.TarInfo(f"{program.name}/{check_file(name)}")
            entry.size, entry.mode = len(content), 0o444
            archive.addfile(entry, io.BytesIO(content))
    return packed.getvalue()


def usage(measured: str) -> Usage:
    """What `MEASURE` printed. Raises `SandboxFailed` when not even the free space is in it."""
    lines = measured.splitlines()
    try:
        blocks, size, inodes, all_inodes = map(int, lines[0].split())
        counted = [int(line.split()[0]) for line in lines[1:-1]] if lines[-1] == "counted" else None
    except (ValueError, IndexError) as error:
        raise SandboxFailed(
            f"the side cannot measure its disk: {measured[:200]!r}",
            hint="Its image needs `stat` and `du`.",
        ) from error
    return Usage(
        used=None if counted is None else sum(counted) * 1024,
        free=blocks * size,
        inodes=inodes / all_inodes if all_inodes else 1.0,
    )


def _hardened(spec: SandboxSpec, cores: int) -> Config:
    limits = spec.limits
    return {
        "Image": spec.image,
        "User": agent_user(),
        "Cmd": [],
        "WorkingDir": TREE,
        "Labels": labels(spec),
        "AttachStdin": False,
        "AttachStdout": False,
        "AttachStderr": False,
        "HostConfig": {
            **_boundary(limits),
            **_ceilings(limits, cores),
            "Init": True,
            "RestartPolicy": {"Name": "no"},
            "Runtime": spec.runtime,
        },
    }


def _boundary(limits: Limits) -> Config:
    uid, gid = agent_user().split(":")
    return {
        "CapDrop": ["ALL"],
        "SecurityOpt": ["no-new-privileges"],
        "ReadonlyRootfs": True,
        "IpcMode": "private",
        # Programs may be run from here (`go test` does): the tree itself is no different.
        "Tmpfs": {
            "/tmp": f"{_TMPFS},mode=1777,size={limits.memory // 2}",  # noqa: S108
            HOME: f"{_TMPFS},mode=0700,uid={uid},gid={gid},size={limits.memory // 4}",
        },
    }


def _ceilings(limits: Limits, cores: int) -> Config:
    return {
        "Memory": limits.memory,
        "MemorySwap": limits.memory,
        "ShmSize": 64 * 1024**2,
        # The engine refuses more cores than there are.
        "NanoCpus": int(min(limits.cpus, cores) * 1e9),
        "PidsLimit": limits.pids,
        "Ulimits": [
            {"Name": "nofile", "Soft": 4096, "Hard": 4096},
            {"Name": "core", "Soft": 0, "Hard": 0},
            {"Name": "fsize", "Soft": limits.file_size, "Hard": limits.file_size},
        ],
        "LogConfig": {
            "Type": "json-file",
            "Config": {"max-size": f"{max(1, limits.log // 2)}", "max-file": "2"},
        },
    }


def _volumes(spec: SandboxSpec, *, fill: bool = False, **writable: bool) -> list[Config]:
    return [
        _volume(spec, name, VOLUMES[name], may_write=may_write, fill=fill)
        for name, may_write in writable.items()
    ]


def _volume(
    spec: SandboxSpec, name: str, target: str, *, may_write: bool, fill: bool = False
) -> Config:
    """A volume of the sandbox; the engine makes one that is not there yet, with these labels."""
    return {
        "Type": "volume",
        "Source": volume_name(spec.name, name),
        "Target": target,
        "ReadOnly": not may_write,
        "VolumeOptions": {"NoCopy": not fill, "Labels": labels(spec)},
    }


def _binds(spec: SandboxSpec) -> list[Config]:
    return [_bind(mount.source, mount.target) for mount in spec.mounts]


def _sockets(spec: SandboxSpec) -> Sequence[Config]:
    # The directory, not the socket: a restarted supervisor's new socket appears in it.
    return [_bind(spec.sockets, SOCKETS)] if spec.sockets else []


def _bind(source: Path, target: str) -> Config:
    return {"Type": "bind", "Source": str(source.absolute()), "Target": target, "ReadOnly": True}


def _confined() -> list[str]:
    """What starts an untrusted program: a filter of system calls on top of the engine's own."""
    return ["python3", "-I", "-S", "-c", Path(confine.__file__).read_text(encoding="utf-8")]


def _forwarder() -> list[str]:
    program = Path(forward.__file__).read_text(encoding="utf-8")
    ways = (GATEWAY, f"{SOCKETS}/gateway.sock", EGRESS, f"{SOCKETS}/egress.sock")
    return ["python3", "-I", "-c", program, *ways]


def _env(values: Mapping[str, str]) -> list[str]:
    return [f"{name}={value}" for name, value in values.items()]
