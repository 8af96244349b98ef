"""Lines no agent would print: forged, damaged, huge. Every harness reads on, and answers nothing by itself."""

import json
from collections.abc import Iterator
from functools import cache
from typing import Final

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harnesses import registry
from harnesses.base import Send, Session
from harnesses.events import PermissionAsked, TurnEnded
from sandboxes.lines import LineCutter
from sandboxes.spec import MAX_LINE
from tests.contracts.test_harness_contract import damaged, recordings, session
from tests.support.attacks import attack

DEEP: Final = '{"type":' * 100_000
MONSTERS: Final = (
    DEEP,
    "[" * 100_000,
    '{"type":"result","type":"assistant"}',
    '{"id":1,"id":2,"method":"session/request_permission","result":{}}',
    '{"id":' + "9" * 5_000 + ',"method":"x"}',
    '{"type":"\\ud800"}',
    '{"type":"system","subtype":"init","session_id":"--evil"}',
    "\x00" * 1_000,
    "x" * 200_000,
)
QUICK: Final = settings(
    suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=60, database=None
)


def naive(line: str) -> object:
    """What a front end does in a hurry."""
    return json.loads(line)["type"]


@attack("X3")
@pytest.mark.parametrize("line", [DEEP, MONSTERS[1], MONSTERS[4], MONSTERS[7], "[]", '"type"'])
def test_a_reader_in_a_hurry_dies_of_such_a_line(line: str) -> None:
    with pytest.raises((RecursionError, ValueError, TypeError, KeyError)):
        naive(line)


@attack("X3")
def test_a_reader_in_a_hurry_takes_the_second_of_two_truths() -> None:
    assert naive(MONSTERS[2]) == "assistant"


@cache
def known(name: str) -> tuple[list[str], list[str]]:
    """Lines of this protocol, and of the others."""
    others = [
        line
        for other in registry.names()
        for recording in recordings(other)[:1]
        for line in recording.lines[:20]
    ]
    own = [line for recording in recordings(name) for line in recording.lines]
    return own or others, others


def lines_of(name: str) -> st.SearchStrategy[str]:
    """Lines of this protocol and of others, whole and damaged, and of none."""
    own, others = known(name)
    return st.one_of(
        st.sampled_from(own),
        st.sampled_from(own).flatmap(damaged),
        st.sampled_from(others),
        st.sampled_from(MONSTERS),
        st.text(st.characters(), max_size=80),
        st.binary(max_size=80).map(lambda raw: raw.decode("utf-8", "replace")),
    )


def heard(open_: Session, lines: list[str]) -> Iterator[object]:
    for line in lines:
        yield from open_.receive(line)


@attack("X3")
@pytest.mark.parametrize("name", registry.names())
@QUICK
@given(data=st.data())
def test_lines_of_anything_grant_nothing_and_end_nothing_twice(
    name: str, data: st.DataObject
) -> None:
    open_ = session(name)
    said = list(heard(open_, data.draw(st.lists(lines_of(name), max_size=12))))
    sent = {item.line for item in said if isinstance(item, Send)}
    assert not any("\n" in line for line in sent)
    assert len([item for item in said if isinstance(item, TurnEnded)]) <= 1
    msgspec.json.encode([item for item in said if not isinstance(item, Send)])
    for question in [item.id for item in said if isinstance(item, PermissionAsked)]:
        granted = {reply.line for reply in open_.answer(question, allow=True)}
        refused = {reply.line for reply in open_.answer(question, allow=False)}
        assert not sent & (granted | refused)


@attack("X3")
@pytest.mark.parametrize("name", registry.names())
def test_a_question_that_was_never_asked_cannot_be_answered(name: str) -> None:
    for recording in recordings(name):
        open_ = session(name, recording)
        list(heard(open_, list(recording.lines)))
        assert list(open_.answer("never-asked", allow=True)) == []


@attack("X3")
@pytest.mark.parametrize("name", registry.names())
def test_a_question_of_a_turn_that_has_ended_cannot_be_answered(name: str) -> None:
    for recording in recordings(name):
        if recording.ends is None:
            continue
        open_ = session(name, recording)
        said = list(heard(open_, list(recording.lines)))
        asked = [item.id for item in said if isinstance(item, PermissionAsked)]
        assert not any(list(open_.answer(question, allow=True)) for question in asked)


@attack("X3")
@QUICK
@given(
    pieces=st.lists(
        st.one_of(
            st.binary(max_size=60), st.sampled_from([b"\n", b"\xff\xfe", b"\x00" * 50, b"{"])
        ),
        max_size=20,
    )
)
def test_bytes_of_anything_become_lines_whose_places_are_the_same_however_they_arrive(
    pieces: list[bytes],
) -> None:
    whole, cut = LineCutter(), LineCutter()
    together = [*whole.feed(b"".join(pieces)), *whole.end()]
    one_by_one = [line for piece in pieces for line in cut.feed(piece)] + list(cut.end())
    assert one_by_one == together
    assert all("\n" not in line.text for line in together)


@attack("X3")
def test_a_line_without_an_end_is_cut_and_what_follows_is_read() -> None:
    cutter = LineCutter()
    lines = [line for _ in range(12) for line in cutter.feed(b"x" * MAX_LINE)]
    assert lines == []
    (huge, after) = cutter.feed(b"\nafter\n")
    assert (len(huge.text), after.text) == (MAX_LINE, "after")
