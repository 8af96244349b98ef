"""When a sandbox may go on writing: any disk, any limit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from policies.decisions import Allow, Ask
from policies.room import RoomFacts, room, size, step

GIB = 1024**3
WELL = RoomFacts(used=GIB, free=50 * GIB, inodes=0.9, limit=10 * GIB, floor=5 * GIB)
FACTS = st.builds(
    RoomFacts,
    used=st.none() | st.integers(0, 2**44),
    free=st.integers(0, 2**44),
    inodes=st.floats(0, 1),
    limit=st.integers(1, 2**44),
    floor=st.integers(0, 2**44),
)


def test_with_room_it_goes_on() -> None:
    assert isinstance(room(WELL), Allow)


@pytest.mark.parametrize(
    ("changed", "rule", "reason"),
    [
        ({"used": 11 * GIB}, "disk", "it takes 11.0 GiB of the disk, and 10.0 GiB is allowed"),
        ({"used": None}, "disk", "it has more files than could be counted in time"),
        ({"free": GIB}, "floor", "only 1.0 GiB of the disk is free, and 5.0 GiB should stay so"),
        (
            {"inodes": 0.01},
            "floor",
            "only 1.0% of the disk's inodes are free: there are too many files",
        ),
    ],
)
def test_without_room_a_person_is_asked_with_numbers(
    changed: dict[str, int | None], rule: str, reason: str
) -> None:
    assert room(replace(WELL, **changed)) == Ask(reason=reason, rule=rule)


@given(FACTS)
def test_nothing_goes_on_below_the_floor_or_above_its_limit(facts: RoomFacts) -> None:
    if isinstance(room(facts), Allow):
        assert facts.used is not None
        assert facts.free >= facts.floor
        assert facts.used <= facts.limit


@given(FACTS)
def test_the_next_look_comes_before_much_was_written(facts: RoomFacts) -> None:
    assert 4 * 1024**2 <= step(facts) <= 64 * 1024**2


def test_sizes_are_told_in_the_unit_that_fits() -> None:
    assert [size(5 * 1024**2), size(GIB * 3 // 2)] == ["5 MiB", "1.5 GiB"]
