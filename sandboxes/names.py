"""Names that are safe as directory, container and volume names, and as paths below a directory."""

import re
from pathlib import PurePosixPath

from sandboxes.errors import SandboxFailed

_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{0,99}")
RESERVED = frozenset({"side", "prepare", "lay"})
"""Parts of a sandbox itself; no program may have these names."""


def check_name(name: str, what: str) -> str:
    """The name itself, when it is one; raises otherwise."""
    if not _NAME.fullmatch(name) or ".." in name:
        raise SandboxFailed(
            f"{name!r} cannot name a {what}",
            hint="Use lower-case letters, digits, dots and dashes, at most 100 of them.",
        )
    return name


def check_program(name: str) -> str:
    """The name of a program, when it is one; raises otherwise."""
    if name in RESERVED:
        raise SandboxFailed(
            f"{name!r} names a part of the sandbox itself", hint="Call the program otherwise."
        )
    return check_name(name, "program")


def check_file(name: str) -> PurePosixPath:
    """A relative path that stays below its directory; raises otherwise."""
    path = PurePosixPath(name)
    if path.is_absolute() or not path.parts or ".." in path.parts or "\0" in name:
        raise SandboxFailed(
            f"{name!r} cannot name a file of a program", hint="Use a relative path without `..`."
        )
    return path
