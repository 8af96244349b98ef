"""What happens, told in plain lines: for screen readers, pipes and slow lines."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from app import wire
from app.domain.events import Asked, Body, Event, Note, Spent, StateChanged
from app.domain.ids import ApprovalId, RunId
from app.domain.run import RunState
from tests.support.canned import Canned
from tests.support.fleet import row

SAID: tuple[Body, ...] = (
    StateChanged(RunState.WORKING),
    Spent(1, 1, "a-model", 1, 1),
    Asked(ApprovalId("k3f9x.1-a1"), "Run: rm -rf build\x1b[2J"),
    Note("the supervisor ends"),
)


@pytest.fixture
def watched(supervisor: Canned, place: Path) -> Canned:
    """A run of this repository that asks, and one of another repository."""
    mine, other = row("k3f9x", "mine", RunState.WORKING), row("b4bbb", "other", RunState.WORKING)
    supervisor.on("GET /v1/runs", wire.Board(rows=(mine,), seq=0, now=0.0))
    nothing = wire.Spend(
        micros=other.run.spent, held=other.run.spent, calls=0, refused=0, input=0, output=0,
        cache_read=0, cache_write=0,
    )  # fmt: skip
    detail = wire.RunDetail(
        row=other,
        runs=(other.run,),
        reviews=(),
        approvals=(),
        comments=(),
        findings=(),
        spend=nothing,
    )
    supervisor.on("GET /v1/runs/b4bbb.1", detail)
    for seq, body in enumerate(SAID, 1):
        supervisor.events.append(Event(seq=seq, run=RunId("k3f9x.1"), at=0.0, body=body))
    return supervisor


def told(*arguments: str, lines: int) -> list[str]:
    """The first lines that `swarm watch` writes into a pipe."""
    argv = [sys.executable, "-m", "app", "watch", *arguments]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, env=os.environ) as program:
        assert program.stdout is not None
        found = [program.stdout.readline().rstrip("\n") for _ in range(lines)]
        program.send_signal(signal.SIGINT)
    # Interrupted, or left by its reader before that: both end it without a word.
    assert program.returncode in {0, 130}
    return found


def test_what_happens_is_told_in_sentences_what_needs_a_person_with_a_sign(watched: Canned) -> None:
    *_board, first, second, third = told(lines=5)
    assert first.endswith("   k3f9x is working")
    assert second.endswith(" ! k3f9x asks: Run: rm -rf build␛[2J (swarm answer k3f9x.1-a1 yes|no)")
    assert third.endswith("   k3f9x the supervisor ends")


def test_other_repositories_are_told_only_when_asked_for(watched: Canned) -> None:
    watched.events.insert(0, Event(seq=1, run=RunId("b4bbb.1"), at=0.0, body=Note("elsewhere")))
    for seq, event in enumerate(list(watched.events), 1):
        watched.events[seq - 1] = Event(seq=seq, run=event.run, at=event.at, body=event.body)
    assert "k3f9x is working" in told(lines=3)[-1]
    assert "b4bbb elsewhere" in told("--all", lines=3)[-1]


def test_watching_as_json_gives_every_event_whole(watched: Canned) -> None:
    bodies = [json.loads(line)["body"]["type"] for line in told("--json", lines=4)]
    assert bodies == ["state", "spent", "asked", "note"]
