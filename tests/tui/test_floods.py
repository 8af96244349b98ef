"""Agents that print without an end: what the screen holds and draws stays small, and it goes on answering keys."""

from collections.abc import Callable

import pytest

from app.domain.events import Body, Event
from app.domain.ids import RunId
from app.domain.safe import MAX_MARKS
from app.tui.model.line import LONGEST, cells, line_cells
from app.tui.model.transcript import CUT, KEPT, SAID, Transcript
from harnesses import events as agent
from tests.support.attacks import attack

RUN = RunId("k3f9x.1")
TOWER = "a" + "\u0301" * 10_000
LINE = "x" * 1_000_000


def told(bodies: list[Body]) -> Transcript:
    transcript = Transcript(RUN)
    for seq, body in enumerate(bodies, 1):
        transcript.apply(Event(seq=seq, run=RUN, at=0.0, body=body))
    return transcript


def held(transcript: Transcript) -> int:
    """Characters that are kept of it."""
    return sum(len(entry.text) + len(entry.detail) for entry in transcript.entries)


def drawn(transcript: Transcript) -> list[str]:
    return [
        "".join(text for text, _ink in line)
        for entry in transcript.entries
        for line in entry.lines(80, unfolded=False)
    ]


ENDLESS: dict[str, Callable[[str], Body]] = {
    "message": lambda text: agent.MessageChunk(text, "m"),
    "thought": lambda text: agent.ThoughtChunk(text, "m"),
}


@attack("U04")
def test_the_attack_is_real_a_message_that_never_ends_would_be_kept_whole() -> None:
    naive = ""
    for _ in range(100):
        naive += LINE[:10_000]
    assert len(naive) > 10 * SAID
    assert cells(TOWER) < 10 < len(TOWER)


@attack("U04")
@pytest.mark.parametrize("kind", ENDLESS)
def test_a_message_without_an_end_is_held_up_to_a_limit_and_says_where_the_rest_is(
    kind: str,
) -> None:
    transcript = told([ENDLESS[kind](LINE[:10_000]) for _ in range(100)])
    assert held(transcript) == SAID + len(CUT)
    assert transcript.entries[0].text.endswith(CUT)


@attack("U04")
def test_a_million_messages_leave_no_more_than_are_kept() -> None:
    transcript = told([agent.MessageChunk("x", str(n)) for n in range(KEPT + 10)])
    assert len(transcript.entries) <= KEPT
    assert transcript.dropped + len(transcript.entries) == KEPT + 10


@attack("U04")
@pytest.mark.parametrize(
    "body",
    [
        agent.ToolCall("t", LINE),
        agent.Unreadable(LINE, LINE),
        agent.ThoughtChunk(LINE, "m"),
        agent.PermissionAsked("q", LINE, input=LINE),
    ],
    ids=lambda body: type(body).__name__,
)
def test_a_line_of_a_megabyte_is_drawn_as_one_line_of_the_screen(body: Body) -> None:
    (line,) = told([body]).entries[0].lines(80, unfolded=False)
    assert line_cells(line) <= 80 <= LONGEST


@attack("U04")
def test_a_tower_of_accents_stands_on_its_own_line_only() -> None:
    (line,) = drawn(told([agent.ToolCall("t", TOWER)]))
    assert line.count("\u0301") <= MAX_MARKS
