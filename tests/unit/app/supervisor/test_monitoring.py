"""What real agents were recorded to do is no trouble; each kind of event is seen as what it is."""

from pathlib import Path

import pytest

from app.domain import events as own
from app.domain.events import Event
from app.domain.ids import ApprovalId, RunId
from app.domain.run import RunState
from app.supervisor.monitoring import sight
from harnesses import catalog, registry
from harnesses import events as agent
from harnesses.base import Send
from policies.monitors import Watch
from policies.sights import Acted, Changed, Failed, GoesOn, Paid, Returned, Seen, Spoke, Waits
from tests.support import agents
from tests.support.transcripts import Recording, stored

RECORDED = [(name, each) for name in registry.names() for each in stored(name)]


def log(name: str, recording: Recording) -> list[Event]:
    """What the recording leaves in a run's log, a second apart."""
    settings = next(a.settings for a in catalog.load().all() if a.harness == name)
    brief = agents.brief_in(Path("/swarm"), settings=dict(settings), conversation=recording.resumes)
    session = registry.load(name).session(brief)
    said = [item for line in recording.lines for item in session.receive(line)]
    bodies = [item for item in said if not isinstance(item, Send)]
    return [event(body, at=float(number)) for number, body in enumerate(bodies)]


def event(body: own.Body, at: float = 0.0) -> Event:
    return Event(seq=int(at), run=RunId("k3f9.1"), at=at, body=body)


@pytest.mark.parametrize(
    ("name", "recording"), RECORDED, ids=[f"{name}/{each.name}" for name, each in RECORDED]
)
def test_a_recorded_session_of_a_real_agent_raises_no_alarm(
    name: str, recording: Recording
) -> None:
    watch = Watch()
    seen = [found for each in log(name, recording) if (found := sight(each)) is not None]
    assert seen
    assert [alarm for each in seen for alarm in watch.see(each)] == []


@pytest.mark.parametrize(
    ("body", "seen"),
    [
        (agent.ToolCall("t1", "Bash: ls", input="{}"), Acted(0.0, "t1", "Bash: ls", "{}")),
        (agent.ToolCallUpdate("t1", "completed", "x"), Returned(0.0, "t1", "x", failed=False)),
        (agent.ToolCallUpdate("t1", "failed", "x"), Returned(0.0, "t1", "x", failed=True)),
        (agent.ToolCallUpdate("t1", "in_progress"), GoesOn(0.0)),
        (agent.MessageChunk("hi", "m1"), Spoke(0.0, "hi", "m1")),
        (agent.MessageChunk("hi", "m1", parent="t1"), GoesOn(0.0)),
        (own.Snapshotted("5" * 40, 1, 1, 0, tree="6" * 40), Changed(0.0, "6" * 40)),
        (own.Spent(7, 7, "m", 1, 1), Paid(0.0, 7)),
        (own.UpstreamFailed("anthropic", 529), Failed(0.0)),
        (own.StateChanged(RunState.WAITING), Waits(0.0)),
        (own.StateChanged(RunState.PARKED), Waits(0.0)),
        (own.StateChanged(RunState.WORKING), GoesOn(0.0)),
        (own.Asked(ApprovalId("k3f9.1-a1"), "May I?"), Waits(0.0)),
        (own.Note("said by swarm itself"), None),
    ],
)
def test_an_event_is_seen_as_what_it_is(body: own.Body, seen: Seen | None) -> None:
    assert sight(event(body)) == seen
