"""What every registered harness keeps, shown with recordings of the real agent program.

A new driver gets this suite by registering; its recordings lie in `tests/data/transcripts/<its name>/`.
"""

import asyncio
import tempfile
from functools import cache
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harnesses import catalog, registry
from harnesses.base import Brief, Harness, Send, Session
from harnesses.errors import BadSettings, HarnessError
from harnesses.events import AgentEvent, PermissionAsked, SessionStarted, TurnEnded, Unreadable
from tests.support import agents
from tests.support.transcripts import Recording, stored

KEY = "run-key-9d2f7c"
MESSAGE, OTHER = "3f1f4c9e-0b53-4a63-93a1-6f0d9f3d2c11", "8a2d7c55-6c0e-4a9e-8d3b-5b8f6d4e1a02"
EVENT = msgspec.json.Decoder[AgentEvent](AgentEvent)
RECORDED = [
    {"say": "Let me look."},
    {"think": "It should greet."},
    {"plan": ["greet", {"text": "check", "status": "in_progress"}]},
    {"edit": {"path": "hello.txt", "content": "hello\n"}},
    {"run": "cat hello.txt"},
    {"ask": {"title": "Push?", "tool": "execute", "then": [{"say": "pushed"}]}},
    {"usage": {"input": 12, "output": 3}},
]

pytestmark = pytest.mark.parametrize("name", registry.names())


@cache
def recordings(name: str) -> tuple[Recording, ...]:
    """The stored ones; those of the scripted agent are made now, by running it."""
    if name != "scripted":
        return stored(name)
    with tempfile.TemporaryDirectory() as root:
        whole = agents.play(Path(root, "a"), RECORDED, agents.answering(allow=True))
        failed = agents.play(Path(root, "b"), [{"say": "Oh."}, {"fail": "It is broken."}])
        killed = agents.play(Path(root, "c"), [{"say": "Oh."}, {"crash": {"signal": "KILL"}}])
        return (
            Recording("live/whole", asyncio.run(whole).printed, "end_turn"),
            Recording("live/failed", asyncio.run(failed).printed, "error"),
            Recording("live/killed", asyncio.run(killed).printed, None),
        )


def brief(name: str, **changes: object) -> Brief:
    shipped = [agent for agent in catalog.load().all() if agent.harness == name]
    given = dict(shipped[0].settings) if shipped else {}
    return agents.brief_in(Path("/swarm"), **{"settings": given, "key": KEY, **changes})


def session(name: str, recording: Recording | None = None) -> Session:
    """A fresh one, for the turn that was recorded."""
    resumes = recording.resumes if recording else ""
    return registry.load(name).session(brief(name, conversation=resumes))


def unfinished(name: str, recording: Recording) -> Session:
    """One that has heard everything but the end."""
    first, second = session(name, recording), session(name, recording)
    for line in recording.lines:
        if any(isinstance(item, TurnEnded) for item in first.receive(line)):
            break
        list(second.receive(line))
    return second


def feed(open_: Session, lines: tuple[str, ...]) -> list[AgentEvent | Send]:
    return [item for line in lines for item in open_.receive(line)]


def events(name: str, recording: Recording) -> list[AgentEvent]:
    said = feed(session(name, recording), recording.lines)
    return [item for item in said if not isinstance(item, Send)]


def conversation_of(name: str, recording: Recording) -> str:
    """The conversation it opened; empty when it never came to that."""
    begun = [event for event in events(name, recording) if isinstance(event, SessionStarted)]
    return begun[0].conversation if begun else ""


def under_way(name: str) -> list[tuple[str, Session]]:
    """For each recording of a turn that began, a session that has heard everything but the end."""
    return [
        (recording.name, unfinished(name, recording))
        for recording in recordings(name)
        if conversation_of(name, recording)
    ]


def asked(name: str) -> list[tuple[Session, str]]:
    """For each question in a recording, a session that has just heard it."""
    found = []
    for recording in recordings(name):
        open_ = session(name, recording)
        for line in recording.lines:
            questions = [item for item in open_.receive(line) if isinstance(item, PermissionAsked)]
            if questions:
                found.append((open_, questions[0].id))
                break
    return found


def test_it_has_recordings_of_a_turn_that_ends_and_of_one_that_does_not(name: str) -> None:
    ends = {recording.ends for recording in recordings(name)}
    assert {"end_turn", "error", None} <= ends


def test_its_shipped_settings_are_accepted(name: str) -> None:
    registry.load(name).check(brief(name).settings)


def test_an_unknown_setting_is_refused_by_name(name: str) -> None:
    with pytest.raises(BadSettings, match="no_such_setting"):
        registry.load(name).check({**brief(name).settings, "no_such_setting": 1})


def test_launch_gives_the_same_each_time(name: str) -> None:
    assert registry.load(name).launch(brief(name)) == registry.load(name).launch(brief(name))


def test_the_key_is_only_in_the_environment(name: str) -> None:
    launch = registry.load(name).launch(brief(name))
    assert KEY in launch.env.values()
    assert not any(KEY in word for word in launch.argv)
    assert not any(KEY.encode() in content for content in launch.files.values())


def test_a_prompt_of_any_size_is_no_part_of_the_command_line(name: str) -> None:
    prompt = "Greet the world. " * 20_000
    launch = registry.load(name).launch(brief(name, prompt=prompt, instructions=prompt))
    assert max(len(word) for word in launch.argv) < 10_000


def test_files_are_named_plainly(name: str) -> None:
    assert all("/" not in file for file in registry.load(name).launch(brief(name)).files)


def test_a_conversation_seen_in_a_recording_can_be_resumed(name: str) -> None:
    harness = registry.load(name)
    if not harness.capabilities.resume:
        with pytest.raises(HarnessError):
            harness.launch(brief(name, conversation="any"))
        return
    recording = recordings(name)[0]
    named = conversation_of(name, recording)
    again = brief(name, turn=2, conversation=named)
    launch = harness.launch(again)
    told = " ".join(launch.argv) + b"".join(launch.files.values()).decode()
    said = feed(harness.session(again), recording.lines)
    assert named
    assert named in told + "".join(item.line for item in said if isinstance(item, Send))


@pytest.mark.parametrize("hostile", ["--dangerously-skip-permissions", "../../etc", "a b", "é"])
def test_a_conversation_id_that_could_do_harm_is_refused(name: str, hostile: str) -> None:
    with pytest.raises(HarnessError):
        registry.load(name).launch(brief(name, turn=2, conversation=hostile))


def test_every_recorded_line_is_understood(name: str) -> None:
    for recording in recordings(name):
        unread = [event for event in events(name, recording) if isinstance(event, Unreadable)]
        assert not unread, recording.name


def test_a_turn_ends_once_and_as_recorded(name: str) -> None:
    for recording in recordings(name):
        ends = [event.reason for event in events(name, recording) if isinstance(event, TurnEnded)]
        assert ends == ([recording.ends] if recording.ends else []), recording.name


def test_the_end_is_the_last_event(name: str) -> None:
    for recording in recordings(name):
        if recording.ends:
            assert isinstance(events(name, recording)[-1], TurnEnded), recording.name


def test_a_failure_comes_with_words(name: str) -> None:
    for recording in recordings(name):
        for event in events(name, recording):
            if isinstance(event, TurnEnded) and event.reason == "error":
                assert event.error, recording.name


def test_the_same_lines_give_the_same_events_and_replies(name: str) -> None:
    """By this a supervisor that was killed goes on: what it says again, the agent hears once."""
    for recording in recordings(name):
        first, second = session(name, recording), session(name, recording)
        assert feed(first, recording.lines) == feed(second, recording.lines), recording.name


def test_every_event_survives_the_log(name: str) -> None:
    for recording in recordings(name):
        for event in events(name, recording):
            assert EVENT.decode(msgspec.json.encode(event)) == event


def test_a_question_can_be_answered_when_it_was_asked(name: str) -> None:
    if registry.load(name).capabilities.permission:
        assert asked(name)
    for open_, question in asked(name):
        replies = list(open_.answer(question, allow=True))
        assert len(replies) == 1
        assert "\n" not in replies[0].line


def test_a_second_answer_never_contradicts_the_first(name: str) -> None:
    for open_, question in asked(name):
        first = list(open_.answer(question, allow=False, note="no"))
        assert set(open_.answer(question, allow=True)) <= set(first)


def test_an_answer_to_a_question_nobody_asked_sends_nothing(name: str) -> None:
    assert not list(session(name).answer("no-such-question", allow=True))


def test_after_the_end_nothing_is_said_or_sent(name: str) -> None:
    for recording in recordings(name):
        if recording.ends:
            open_ = session(name, recording)
            feed(open_, recording.lines)
            assert not feed(open_, recording.lines)
            assert not list(open_.interrupt())
            assert not list(open_.steer(MESSAGE, "Hello."))


def test_after_the_end_no_question_is_open(name: str) -> None:
    for recording in recordings(name):
        open_ = session(name, recording)
        questions = [
            item.id for item in feed(open_, recording.lines) if isinstance(item, PermissionAsked)
        ]
        if recording.ends:
            assert not [reply for ask in questions for reply in open_.answer(ask, allow=True)]


def test_it_can_be_interrupted_exactly_when_it_says_so(name: str) -> None:
    harness = registry.load(name)
    for recording, open_ in under_way(name):
        assert bool(list(open_.interrupt())) == harness.capabilities.interrupt, recording


def test_a_person_can_speak_into_a_turn_exactly_when_it_says_so(name: str) -> None:
    harness = registry.load(name)
    for recording, open_ in under_way(name):
        sent = list(open_.steer(MESSAGE, "Say\nhello."))
        assert bool(sent) == harness.capabilities.steer, recording
        assert not any("\n" in each.line for each in sent)


def test_the_same_message_is_the_same_line_and_another_one_is_not(name: str) -> None:
    """By this a message that may have been lost on its way can be sent again."""
    for (_, open_), (_, again) in zip(under_way(name), under_way(name), strict=True):
        sent = list(open_.steer(MESSAGE, "Hello."))
        assert list(again.steer(MESSAGE, "Hello.")) == sent
        assert not set(sent) & set(open_.steer(OTHER, "Hello."))


@settings(deadline=None)
@given(line=st.text(max_size=300))
def test_a_line_of_anything_is_at_most_unreadable(name: str, line: str) -> None:
    assert all(isinstance(item, Unreadable) for item in session(name).receive(line))


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=150)
@given(data=st.data())
def test_a_damaged_recording_never_raises_and_stays_encodable(
    name: str, data: st.DataObject
) -> None:
    recording = data.draw(st.sampled_from(recordings(name)))
    open_ = session(name, recording)
    for line in recording.lines[:12]:
        msgspec.json.encode(list(open_.receive(data.draw(damaged(line)))))


def damaged(line: str) -> st.SearchStrategy[str]:
    """The line cut, doubled, with a piece exchanged, or whole."""
    place = st.integers(0, len(line))
    piece = st.sampled_from(
        ['"', "{", "}", "null", "-1", "1e400", "[]", "\\ud800", "\x00", "é", ":"]
    )
    return st.one_of(
        st.just(line),
        st.just(line + line),
        place.map(lambda at: line[:at]),
        st.tuples(place, piece).map(lambda cut: line[: cut[0]] + cut[1] + line[cut[0] :]),
        st.tuples(place, place, piece).map(
            lambda cut: line[: min(cut[:2])] + cut[2] + line[max(cut[:2]) :]
        ),
        values_exchanged(line),
    )


def values_exchanged(line: str) -> st.SearchStrategy[str]:
    """The line's own keys with values of another kind: sound JSON, wrong form."""
    try:
        whole = msgspec.json.decode(line)
    except msgspec.DecodeError:  # Agents print other things, too.
        return st.just(line)
    if not isinstance(whole, dict):
        return st.just(line)
    other = st.one_of(
        st.none(), st.integers(), st.text(max_size=5), st.lists(st.none(), max_size=2)
    )
    changed = st.tuples(st.sampled_from(sorted(whole)), other)
    return changed.map(lambda pair: msgspec.json.encode({**whole, pair[0]: pair[1]}).decode())


@pytest.mark.parametrize("line", ["[" * 100_000, '{"a":' * 100_000, '{"type":' + "9" * 5_000 + "}"])
def test_a_monstrous_line_is_unreadable(name: str, line: str) -> None:
    assert [type(item) for item in session(name).receive(line)] == [Unreadable]


def test_what_is_kept_of_a_huge_line_is_short(name: str) -> None:
    (kept,) = session(name).receive("x" * 1_000_000)
    assert len(msgspec.json.encode(kept)) < 2_000


def test_it_meets_the_protocol(name: str) -> None:
    harness: Harness = registry.load(name)
    assert harness.name == name
