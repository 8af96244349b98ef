"""Whether a sandbox may go on writing, going by what it takes of the disk and what is left of it."""

import msgspec

from policies.decisions import Allow, Ask

FEWEST_INODES = 0.02
"""Share of a disk's inodes that stays free."""
_GIB = 1024**3


class RoomFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured, and what is allowed; bytes."""

    used: int | None
    """None: too many files to count them in time."""
    free: int
    inodes: float
    """Share of the disk's inodes that is free."""
    limit: int
    floor: int
    """Bytes of the disk that should stay free."""


def room(facts: RoomFacts) -> Allow | Ask:
    """The disk of everybody decides first, then the limit of this one."""
    if facts.free < facts.floor:
        return Ask(
            reason=f"only {size(facts.free)} of the disk is free, and {size(facts.floor)} should stay so",
            rule="floor",
        )
    if facts.inodes < FEWEST_INODES:
        return Ask(
            reason=f"only {facts.inodes:.1%} of the disk's inodes are free: there are too many files",
            rule="floor",
        )
    if facts.used is None:
        return Ask(reason="it has more files than could be counted in time", rule="disk")
    if facts.used > facts.limit:
        return Ask(
            reason=f"it takes {size(facts.used)} of the disk, and {size(facts.limit)} is allowed",
            rule="disk",
        )
    return Allow(reason="there is room", rule="room")


def step(facts: RoomFacts) -> int:
    """How many bytes the disk may lose before it is worth measuring again."""
    left = min(facts.limit - (facts.used or 0), facts.free - facts.floor)
    return max(_GIB // 256, min(_GIB // 16, left // 4))


def size(count: int) -> str:
    """Bytes in words."""
    return f"{count / _GIB:.1f} GiB" if count >= _GIB else f"{count / 1024**2:.0f} MiB"
