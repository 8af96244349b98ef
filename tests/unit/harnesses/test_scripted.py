from pathlib import Path
from typing import Any

import msgspec
import pytest

from harnesses.base import Brief
from harnesses.errors import BadSettings
from harnesses.events import (
    AgentEvent,
    MessageChunk,
    PermissionAsked,
    SessionStarted,
    TurnEnded,
    Unreadable,
)
from harnesses.registry import load
from tests.support.agents import brief_in

SCRIPT = {"turns": [[{"say": "one"}], [{"say": "two"}]]}


def brief(**changes: Any) -> Brief:
    return brief_in(Path("/swarm"), **{"settings": {"script": SCRIPT}, **changes})


def steps_of(**changes: Any) -> list[dict[str, Any]]:
    job = load("scripted").launch(brief(**changes)).files["script.json"]
    found: list[dict[str, Any]] = msgspec.json.decode(job)["steps"]
    return found


def line(event: AgentEvent) -> str:
    return msgspec.json.encode(event).decode()


@pytest.mark.parametrize(("turn", "said"), [(1, "one"), (2, "two"), (3, "two"), (9, "two")])
def test_a_turn_plays_its_steps_and_the_last_one_repeats(turn: int, said: str) -> None:
    assert steps_of(turn=turn)[0]["text"] == said


def test_a_missing_script_is_named() -> None:
    with pytest.raises(BadSettings, match=r"settings\.script: is missing"):
        load("scripted").check({})


def test_an_unknown_setting_is_told_the_nearest() -> None:
    with pytest.raises(BadSettings, match=r"settings\.scrpt: unknown key, did you mean script\?"):
        load("scripted").check({"scrpt": []})


def test_the_program_travels_with_the_launch() -> None:
    launch = load("scripted").launch(brief())
    assert launch.argv[:2] == ("python3", "-I")
    assert launch.argv[2].rpartition("/")[2] in launch.files


def test_it_runs_without_isolation_from_scripts_only() -> None:
    assert load("scripted").capabilities.scripted
    assert not load("claude-code").capabilities.scripted


def test_a_printed_event_is_that_event() -> None:
    event = MessageChunk("hi", "m1")
    assert list(load("scripted").session(brief()).receive(line(event))) == [event]


def test_an_event_with_an_unknown_field_is_unreadable() -> None:
    (event,) = load("scripted").session(brief()).receive('{"type":"message","text":"a","x":1}')
    assert isinstance(event, Unreadable)
    assert "x" in event.why


def test_a_question_asked_twice_is_one_question() -> None:
    session = load("scripted").session(brief())
    asked = line(PermissionAsked(id="q1", title="May I?"))
    assert len([*session.receive(asked), *session.receive(asked)]) == 1


def test_a_conversation_id_that_is_none_is_not_kept() -> None:
    (event,) = load("scripted").session(brief()).receive(line(SessionStarted("../../x")))
    assert isinstance(event, Unreadable)


def test_nothing_comes_after_the_end() -> None:
    session = load("scripted").session(brief())
    assert list(session.receive(line(TurnEnded("end_turn"))))
    assert not list(session.receive(line(MessageChunk("more"))))


def test_an_empty_line_says_nothing() -> None:
    assert not list(load("scripted").session(brief()).receive("  "))
