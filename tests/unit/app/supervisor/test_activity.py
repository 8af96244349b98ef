"""What the board says an agent does right now."""

import pytest

from app.supervisor.activity import LONGEST, activity_of
from harnesses.events import (
    AgentEvent,
    MessageChunk,
    PermissionAsked,
    PlanEntry,
    PlanUpdated,
    ThoughtChunk,
    ToolCall,
    ToolCallUpdate,
    TurnEnded,
)


@pytest.mark.parametrize(
    ("event", "said"),
    [
        (ToolCall("t1", "Run: make test", "execute"), "Run: make test"),
        (PermissionAsked("q1", "Push?", "execute"), "Push?"),
        (ThoughtChunk("so many thoughts", "m1"), "thinking"),
        (MessageChunk("  two\n\tlines ", "m1"), "two lines"),
        (PlanUpdated((PlanEntry("a", "completed"), PlanEntry("b", "in_progress"))), "b"),
        (PlanUpdated((PlanEntry("a", "pending"),)), ""),
        (ToolCallUpdate("t1", "completed"), ""),
        (TurnEnded("end_turn"), ""),
    ],
)
def test_an_event_in_a_few_words(event: AgentEvent, said: str) -> None:
    assert activity_of(event) == said


def test_long_words_are_cut() -> None:
    said = activity_of(MessageChunk("x" * 1000, "m1"))
    assert len(said) == LONGEST
    assert said.endswith("…")
