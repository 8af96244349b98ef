"""A root file system of this machine's own files: git, python3, a shell and the usual commands. Linux only."""

import hashlib
import io
import re
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

from sandboxes.errors import SandboxUnavailable

_PYTHON = "/usr/bin/python3"
_COMMANDS = (
    "awk basename bash cat chmod chown cmp comm cp cut date dd df diff dirname du echo egrep env expr false",
    "fgrep find flock getconf git grep gunzip gzip head hostname id install kill link ln ls make md5sum mkdir",
    "mkfifo mktemp mv nice nl nohup nproc od paste pgrep pkill printenv printf ps pwd readlink realpath rm",
    "rmdir sed seq setsid sh sha1sum sha256sum sha512sum shuf sleep sort split stat stty sync tac tail tar",
    "tee test timeout touch tr true truncate tsort tty uname uniq unlink uptime wc which whoami xargs yes",
)
_GIT_LEFT_OUT = re.compile(
    r"git-(remote-|http-|imap-send|daemon|shell|cvs|svn|p4|gui|sh-i18n--)|scalar"
)
_PYTHON_LEFT_OUT = {
    "test",
    "idlelib",
    "tkinter",
    "turtledemo",
    "ensurepip",
    "lib2to3",
    "dist-packages",
}
_FOR_NODE_PROGRAMS = ["libdl.so.2", "libm.so.6", "libpthread.so.0", "librt.so.1", "libgcc_s.so.1"]
_TEXTS = {
    "etc/passwd": "root:x:0:0::/root:/bin/sh\nagent:x:1000:1000::/home/agent:/bin/bash\n",
    "etc/group": "root:x:0:\nagent:x:1000:\n",
    "etc/gitconfig": "[safe]\n\tdirectory = *\n",
}
_ROOMS = ("workspace", "q", "swarm/launch", "swarm/measured")
"""A directory for each of a sandbox's volumes, as `sandboxes.docker_parts` mounts them."""
CHANGES = [
    "ENV PATH=/usr/local/bin:/usr/bin:/bin LANG=C.UTF-8",
    "USER 1000:1000",
    "WORKDIR /workspace",
    "LABEL swarm.rooms=1000:1000",
]


def contents() -> list[Path]:
    """Every file that goes in, as it lies here. Raises `SandboxUnavailable` where there are none of use."""
    _refuse_foreign()
    programs = {
        Path(found)
        for name in " ".join(_COMMANDS).split()
        if (found := shutil.which(name, path="/usr/bin:/bin"))
    }
    programs |= {Path(_PYTHON), Path(_PYTHON).resolve()}
    helpers = {path for path in _git_helpers().iterdir() if not _GIT_LEFT_OUT.match(path.name)}
    library = set(_standard_library())
    templates = {path for path in Path("/usr/share/git-core").rglob("*") if path.is_file()}
    locale = {path for path in Path("/usr/lib/locale/C.utf8").rglob("*") if path.is_file()}
    needed = _shared_libraries(
        [*programs, *helpers, *(path for path in library if path.suffix == ".so")]
    )
    return sorted({*programs, *helpers, *library, *templates, *locale, *needed})


def _refuse_foreign() -> None:
    for needed in (_PYTHON, "/usr/bin/git", "/usr/bin/ldd"):
        if not sys.platform.startswith("linux") or not Path(needed).exists():
            raise SandboxUnavailable(
                f"an image of this machine's own files needs Linux with {needed}",
                hint="Build the shipped image instead: `swarm image build`.",
            )


def _git_helpers() -> Path:
    said = subprocess.run(
        ["/usr/bin/git", "--exec-path"], capture_output=True, text=True, check=True
    )
    return Path(said.stdout.strip())


def _standard_library() -> Iterator[Path]:
    ask = "import sysconfig; print(sysconfig.get_path('stdlib'))"
    said = subprocess.run([_PYTHON, "-c", ask], capture_output=True, text=True, check=True)
    top = Path(said.stdout.strip())
    for path in top.rglob("*"):
        inside = path.relative_to(top).parts
        if (
            path.is_file()
            and not (_PYTHON_LEFT_OUT & set(inside))
            and not inside[0].startswith("config-")
        ):
            yield path


def _shared_libraries(binaries: list[Path]) -> set[Path]:
    said = subprocess.run(["ldd", *binaries], capture_output=True, text=True, check=False).stdout
    found = {Path(path) for path in re.findall(r"(?:=> |^\t)(/\S+)", said, re.MULTILINE)}
    beside = next(path.parent for path in found if path.name.startswith("libc.so"))
    return found | {path for name in _FOR_NODE_PROGRAMS if (path := beside / name).exists()}


def digest(paths: list[Path]) -> str:
    """Tells one set of files, as they are now, from another."""
    told = hashlib.sha256(Path(__file__).read_bytes())
    for path in paths:
        found = path.stat()
        told.update(f"{path} {found.st_size} {found.st_mtime_ns}\n".encode())
    return told.hexdigest()[:12]


def packed(paths: list[Path]) -> bytes:
    """A root file system: everything lies below /usr, the old places are links to it."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        for name in ("bin", "sbin", "lib", "lib64"):
            archive.addfile(link(name, f"usr/{name}"))
        for name in ("tmp", "var/tmp"):
            archive.addfile(directory(name, 0o1777))
        for name in _ROOMS:
            archive.addfile(owned(directory(name, 0o755)))
        for name, text in _TEXTS.items():
            archive.addfile(file(name, len(text)), io.BytesIO(text.encode()))
        for name, path in {_below_usr(path): path for path in paths}.items():
            # git's helpers are links to one program; all else is taken for what a link leads to.
            one_of_git = path.resolve().name == "git"
            archive.add(path if one_of_git else path.resolve(), name)
    return made.getvalue()


def _below_usr(path: Path) -> str:
    name = str(path).lstrip("/")
    return name if name.startswith(("usr/", "etc/")) else f"usr/{name}"


def link(name: str, target: str) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname, entry.mode = tarfile.SYMTYPE, target, 0o777
    return entry


def directory(name: str, mode: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type, entry.mode = tarfile.DIRTYPE, mode
    return entry


def owned(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    """The entry, of the user agents run as."""
    entry.uid = entry.gid = 1000
    return entry


def file(name: str, size: int, mode: int = 0o644) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = size, mode
    return entry
