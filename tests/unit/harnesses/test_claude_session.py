"""What Claude Code's lines mean."""

import json
from pathlib import Path
from typing import Any

import pytest

from harnesses.base import Send
from harnesses.claude_session import ClaudeSession
from harnesses.events import (
    AgentEvent,
    MessageChunk,
    PermissionAsked,
    PlanEntry,
    PlanUpdated,
    SessionStarted,
    ThoughtChunk,
    ToolCall,
    ToolCallUpdate,
    TurnEnded,
    Unreadable,
    UsageReported,
)
from tests.support.agents import brief_in
from tests.support.transcripts import ROOT, read

BASH = {"command": "ls\n-l", "description": "list"}


def session() -> ClaudeSession:
    return ClaudeSession(brief_in(Path("/swarm"), workspace="/workspace"))


def feed(open_: ClaudeSession, *lines: dict[str, Any]) -> list[AgentEvent | Send]:
    return [item for line in lines for item in open_.receive(json.dumps(line))]


def replay(case: str) -> list[Any]:
    recording = read(ROOT / "claude-code" / f"{case}.jsonl")
    open_ = session()
    return [item for line in recording.lines for item in open_.receive(line)]


def texts(events: list[Any], kind: type[Any], parent: str = "") -> str:
    return "".join(
        event.text for event in events if isinstance(event, kind) and event.parent == parent
    )


def piece(kind: str, **fields: Any) -> dict[str, Any]:
    return {"type": "stream_event", "event": {"type": kind, **fields}}


def delta(text: str) -> dict[str, Any]:
    return piece("content_block_delta", delta={"type": "text_delta", "text": text})


def assistant(*blocks: dict[str, Any], message: str = "m1", **fields: Any) -> dict[str, Any]:
    return {"type": "assistant", "message": {"id": message, "content": list(blocks)}, **fields}


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


def use(name: str, given: Any, call: str = "t1") -> dict[str, Any]:
    return assistant({"type": "tool_use", "id": call, "name": name, "input": given})


def result_of(content: Any, call: str = "t1", **fields: Any) -> dict[str, Any]:
    block = {"type": "tool_result", "tool_use_id": call, "content": content, "is_error": False}
    return {"type": "user", "message": {"content": [{**block, **fields}]}}


def asks(name: str = "Bash", given: Any = None, request: str = "r1") -> dict[str, Any]:
    body = {"subtype": "can_use_tool", "tool_name": name, "tool_use_id": "t1"}
    return {
        "type": "control_request",
        "request_id": request,
        "request": {**body, "input": BASH if given is None else given},
    }


def end(**fields: Any) -> dict[str, Any]:
    return {"type": "result", "subtype": "success", "is_error": False, **fields}


def reply(open_: ClaudeSession, *, allow: bool, note: str = "") -> dict[str, Any]:
    (sent,) = open_.answer("r1", allow=allow, note=note)
    found: dict[str, Any] = json.loads(sent.line)["response"]
    return found


def test_the_conversation_is_told_once() -> None:
    init = {
        "type": "system",
        "subtype": "init",
        "session_id": "86df6add-7bc9-5b74-97a1-97bc11e86387",
    }
    assert [type(item) for item in feed(session(), init, init)] == [SessionStarted]


def test_a_conversation_id_that_is_none_is_not_told() -> None:
    init = {"type": "system", "subtype": "init", "session_id": "--bare"}
    assert [type(item) for item in feed(session(), init)] == [Unreadable]


def test_pieces_are_not_said_again_by_the_whole() -> None:
    lines = [
        piece("message_start", message={"id": "m1", "content": []}),
        delta("Hel"),
        delta("lo"),
        assistant(text("Hello")),
    ]
    assert feed(session(), *lines) == [MessageChunk("Hel", "m1"), MessageChunk("lo", "m1")]


def test_what_the_pieces_lacked_is_said_with_the_whole() -> None:
    start = piece("message_start", message={"id": "m1", "content": []})
    said = feed(session(), start, delta("Hel"), assistant(text("Hello")))
    assert texts(said, MessageChunk) == "Hello"


def test_two_blocks_of_a_message_are_both_said_once() -> None:
    start = piece("message_start", message={"id": "m1", "content": []})
    lines = [start, delta("a"), assistant(text("a")), delta("b"), assistant(text("b"))]
    assert texts(feed(session(), *lines), MessageChunk) == "ab"


def test_a_message_that_came_without_pieces_is_said_whole() -> None:
    start = piece("message_start", message={"id": "m0", "content": []})
    said = feed(session(), start, delta("lost"), assistant(text("whole"), message="m2"))
    assert said[-1] == MessageChunk("whole", "m2")


@pytest.mark.parametrize(
    "version", ["2.1.197/edit", "2.1.197/partial", "2.1.329/partial-permission"]
)
def test_recorded_text_is_said_exactly_once(version: str) -> None:
    recording = read(ROOT / "claude-code" / f"{version}.jsonl")
    blocks = [
        block
        for line in map(json.loads, recording.lines)
        if line["type"] == "assistant"
        for block in line["message"]["content"]
    ]
    events = replay(version)
    said = "".join(block["text"] for block in blocks if block["type"] == "text")
    thought = "".join(block["thinking"] for block in blocks if block["type"] == "thinking")
    assert texts(events, MessageChunk) == said
    assert texts(events, ThoughtChunk) == thought


def test_a_tool_call_names_its_files_as_the_user_knows_them() -> None:
    (call,) = feed(session(), use("Write", {"file_path": "/workspace/src/a.py", "content": "x"}))
    assert isinstance(call, ToolCall)
    assert (call.title, call.tool, call.paths) == ("Write: src/a.py", "edit", ("src/a.py",))


def test_a_title_stands_on_one_line() -> None:
    (call,) = feed(session(), use("Bash", BASH))
    assert isinstance(call, ToolCall)
    assert (call.title, call.tool) == ("Bash: ls -l", "execute")


def test_an_unknown_tool_is_shown_by_its_name() -> None:
    (call,) = feed(session(), use("mcp__x__y", {"a": 1}))
    assert isinstance(call, ToolCall)
    assert (call.title, call.tool) == ("mcp__x__y", "other")


def test_a_call_that_is_printed_twice_is_told_once() -> None:
    assert len(feed(session(), use("Bash", BASH), use("Bash", BASH))) == 1


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("plain", "plain"),
        ([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}], "a\nb"),
        ([{"type": "image", "source": {}}], "[image]"),
        (None, ""),
        ({"a": 1}, '{"a":1}'),
        (["bare"], "bare"),
    ],
)
def test_the_result_of_a_call_is_text(content: Any, words: str) -> None:
    said = feed(session(), use("Bash", BASH), result_of(content))
    assert said[-1] == ToolCallUpdate("t1", "completed", words)


def test_a_failed_call_is_told_as_failed() -> None:
    said = feed(session(), use("Bash", BASH), result_of("no", is_error=True))
    assert said[-1] == ToolCallUpdate("t1", "failed", "no")


def test_a_result_for_a_call_nobody_made_says_nothing() -> None:
    assert feed(session(), result_of("x", call="t9")) == []


def test_a_call_without_a_result_is_closed_when_the_turn_ends() -> None:
    said = feed(session(), use("Bash", BASH), end())
    assert isinstance(said[1], ToolCallUpdate)
    assert said[1].status == "failed"


def test_a_huge_result_is_cut() -> None:
    said = feed(session(), use("Bash", BASH), result_of("x" * 900_000))
    assert isinstance(said[-1], ToolCallUpdate)
    assert len(said[-1].output) < 9_000


def test_the_list_of_the_older_version_is_a_plan() -> None:
    todos = [{"content": "a", "status": "completed"}, {"content": "b", "status": "in_progress"}]
    said = feed(session(), use("TodoWrite", {"todos": todos}), result_of("ok"))
    assert said == [PlanUpdated((PlanEntry("a", "completed"), PlanEntry("b", "in_progress")))]


def test_the_list_of_the_newer_version_is_a_plan() -> None:
    plans = [event for event in replay("2.1.329/partial-plan") if isinstance(event, PlanUpdated)]
    assert len(plans) == 4
    assert plans[-1].entries == (PlanEntry("A thing", "completed"), PlanEntry("B thing"))


def test_a_task_that_is_deleted_leaves_the_plan() -> None:
    made = result_of("ok") | {"tool_use_result": {"task": {"id": "1", "subject": "a"}}}
    gone = use("TaskUpdate", {"taskId": "1", "status": "deleted"}, "t2")
    said = feed(session(), use("TaskCreate", {}), made, gone, result_of("ok", "t2"))
    assert said[-1] == PlanUpdated(())


def test_a_list_that_began_in_an_earlier_turn_is_read_when_the_agent_looks_at_it() -> None:
    tasks = {"tasks": [{"id": "1", "subject": "a", "status": "in_progress"}]}
    said = feed(session(), use("TaskList", {}), result_of("#1") | {"tool_use_result": tasks})
    assert said == [PlanUpdated((PlanEntry("a", "in_progress"),))]


def test_news_of_a_task_nobody_heard_of_change_nothing() -> None:
    update = use("TaskUpdate", {"taskId": "7", "status": "completed"})
    assert feed(session(), update, result_of("ok")) == []


def test_a_plan_call_that_failed_changes_nothing() -> None:
    call = use("TodoWrite", {"todos": [{"content": "a"}]})
    assert feed(session(), call, result_of("no", is_error=True)) == []


def test_what_a_sub_agent_does_carries_its_parent() -> None:
    events = replay("2.1.197/subagent")
    (agent,) = (event for event in events if isinstance(event, ToolCall) and not event.parent)
    inner = [event for event in events if isinstance(event, ToolCall) and event.parent]
    assert [event.parent for event in inner] == [agent.id]


def test_usage_includes_sub_agents() -> None:
    (usage,) = (e for e in replay("2.1.197/subagent") if isinstance(e, UsageReported))
    assert (usage.input, usage.output, usage.cost_micros) == (61745, 168, 313375)


def test_usage_of_a_resumed_turn_is_its_own() -> None:
    (usage,) = (e for e in replay("2.1.329/partial-resume") if isinstance(e, UsageReported))
    assert (usage.input, usage.output, usage.cost_micros) == (100, 42, 930)


@pytest.mark.parametrize("cost", [-1, 1e300, None])
def test_a_cost_that_makes_no_sense_is_none(cost: float | None) -> None:
    usage = feed(session(), end(total_cost_usd=cost, usage={"input_tokens": -5}))[0]
    assert usage == UsageReported()


def test_a_question_shows_what_shall_be_done() -> None:
    (asked,) = feed(session(), asks())
    assert isinstance(asked, PermissionAsked)
    assert (asked.id, asked.title, asked.name, asked.tool) == (
        "r1",
        "Bash: ls -l",
        "Bash",
        "execute",
    )
    assert json.loads(asked.input) == BASH


def test_a_question_asked_twice_is_one_question() -> None:
    assert len(feed(session(), asks(), asks())) == 1


def test_a_yes_sends_the_input_back_unchanged() -> None:
    open_ = session()
    feed(open_, asks())
    assert reply(open_, allow=True) == {
        "subtype": "success",
        "request_id": "r1",
        "response": {"behavior": "allow", "updatedInput": BASH},
    }


def test_a_no_carries_the_note() -> None:
    open_ = session()
    feed(open_, asks())
    assert reply(open_, allow=False, note="not now")["response"]["message"] == "not now"


@pytest.mark.parametrize("given", [[1], "text", 5])
def test_an_input_of_another_form_is_sent_back_as_it_came(given: Any) -> None:
    open_ = session()
    feed(open_, asks(given=given))
    assert reply(open_, allow=True)["response"]["updatedInput"] == given


def test_a_lost_answer_is_given_again() -> None:
    open_ = session()
    feed(open_, asks())
    assert reply(open_, allow=True) == reply(open_, allow=True)


def test_a_question_is_closed_by_the_result_of_its_call() -> None:
    open_ = session()
    feed(open_, use("Bash", BASH), asks(), result_of("done"))
    assert not list(open_.answer("r1", allow=True))


def test_a_withdrawn_question_is_closed() -> None:
    open_ = session()
    feed(open_, asks(), {"type": "control_cancel_request", "request_id": "r1"})
    assert not list(open_.answer("r1", allow=True))


@pytest.mark.parametrize(("note", "answer"), [("Blue", "Blue"), ("", "Red")])
def test_a_question_with_options_is_answered_with_the_note(note: str, answer: str) -> None:
    options = [{"label": "Red"}, {"label": "Blue"}]
    open_ = session()
    feed(
        open_, asks("AskUserQuestion", {"questions": [{"question": "Colour?", "options": options}]})
    )
    given = reply(open_, allow=True, note=note)["response"]["updatedInput"]
    assert given["answers"] == {"Colour?": answer}
    assert given["questions"]


@pytest.mark.parametrize("questions", [None, 5, ["x"], [{"options": "x"}], [{"options": [1]}]])
def test_a_question_of_another_form_can_still_be_answered(questions: Any) -> None:
    open_ = session()
    feed(open_, asks("AskUserQuestion", {"questions": questions}))
    assert reply(open_, allow=True)["response"]["behavior"] == "allow"


def test_a_request_we_do_not_serve_is_answered_so_that_it_does_not_wait() -> None:
    request = {
        "type": "control_request",
        "request_id": "h1",
        "request": {"subtype": "hook_callback"},
    }
    (sent,) = feed(session(), request)
    assert isinstance(sent, Send)
    assert json.loads(sent.line)["response"]["subtype"] == "error"


def test_an_interrupted_turn_is_cancelled() -> None:
    open_ = session()
    assert list(open_.interrupt())
    ended = feed(open_, end(subtype="error_during_execution", is_error=True))[-1]
    assert ended == TurnEnded("cancelled")


@pytest.mark.parametrize(
    ("fields", "ended"),
    [
        ({"stop_reason": "end_turn"}, TurnEnded("end_turn")),
        ({"stop_reason": "max_tokens"}, TurnEnded("max_tokens")),
        ({"stop_reason": "refusal", "result": "no"}, TurnEnded("refusal", "no")),
        (
            {"is_error": True, "api_error_status": 402, "result": "spent"},
            TurnEnded("error", "spent", 402),
        ),
        ({"subtype": "error_max_turns", "errors": ["5"]}, TurnEnded("max_turn_requests", "5")),
        ({"subtype": "error_during_execution"}, TurnEnded("error", "error_during_execution")),
        ({"subtype": "error_max_budget_usd"}, TurnEnded("error", "error_max_budget_usd")),
    ],
)
def test_the_reason_of_the_end_is_read_from_all_of_it(
    fields: dict[str, Any], ended: TurnEnded
) -> None:
    assert feed(session(), end(**fields))[-1] == ended


def test_an_end_of_an_unknown_form_still_ends_the_turn() -> None:
    said = feed(session(), end(modelUsage=[1, 2]))
    assert [type(item) for item in said] == [Unreadable, TurnEnded]


def test_an_end_that_was_cut_still_ends_the_turn() -> None:
    line = json.dumps(end(total_cost_usd=0.1, permission_denials=["x" * 100]))
    said = list(session().receive(line[:-50]))
    assert [type(item) for item in said] == [Unreadable, TurnEnded]


def test_talk_about_an_end_does_not_end_the_turn() -> None:
    line = json.dumps(assistant(text('"total_cost_usd": 5')))
    assert [type(item) for item in session().receive(line[:-1])] == [Unreadable]


def test_a_new_type_of_line_is_told_once() -> None:
    said = feed(session(), {"type": "brand_new"}, {"type": "brand_new"})
    assert [type(item) for item in said] == [Unreadable]


def test_half_a_pair_of_surrogates_does_not_lose_the_text() -> None:
    line = '{"type":"assistant","message":{"id":"m","content":[{"type":"text","text":"a\\ud83d"}]}}'
    assert list(session().receive(line)) == [MessageChunk("a?", "m")]


def test_an_emoji_in_escapes_is_one() -> None:
    said = feed(session(), assistant(text("a\U0001f600")))
    assert texts(said, MessageChunk) == "a\U0001f600"


def test_noise_says_nothing() -> None:
    assert feed(session(), {"type": "keep_alive"}, {"type": "system", "subtype": "api_retry"}) == []


def test_a_replayed_user_message_says_nothing() -> None:
    assert feed(session(), {"type": "user", "message": {"role": "user", "content": "go"}}) == []
