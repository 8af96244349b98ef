"""Two names swapped in one stroke, so that there is no moment in which either is missing (Linux)."""

import ctypes
import os
from pathlib import Path

_AT_FDCWD, _EXCHANGE = -100, 2

RACE = """\
import ctypes, os, sys
c = ctypes.CDLL(None)
os.mkdir("race")
pairs = [(b"race/f%d" % n, b"race/l%d" % n) for n in range(int(sys.argv[1]))]
for file, link in pairs:
    open(file, "w").write("harmless")
    os.symlink(sys.argv[2], link)
print("racing", flush=True)
while True:
    for file, link in pairs:
        c.renameat2(-100, file, -100, link, 2)
"""
"""A program for the box that exchanges files and links for ever: how many pairs, and what the links name."""


def exchange(one: Path, other: Path) -> None:
    """Swap them."""
    libc = ctypes.CDLL(None, use_errno=True)
    names = (os.fsencode(one), os.fsencode(other))
    if libc.renameat2(_AT_FDCWD, names[0], _AT_FDCWD, names[1], _EXCHANGE):
        raise OSError(ctypes.get_errno(), "renameat2", str(one))
