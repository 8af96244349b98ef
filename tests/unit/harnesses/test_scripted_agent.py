"""The program itself, run for real."""

import json
import signal
from pathlib import Path
from typing import Any

import pytest

from harnesses.base import Session
from harnesses.events import (
    AgentEvent,
    MessageChunk,
    PermissionAsked,
    PlanUpdated,
    SessionStarted,
    ThoughtChunk,
    ToolCall,
    ToolCallUpdate,
    TurnEnded,
    Unreadable,
    UsageReported,
)
from tests.support.agents import HostProcess, answering, play
from tests.support.messages import serving


async def test_it_says_thinks_and_plans(tmp_path: Path) -> None:
    played = await play(tmp_path, [{"say": "hi"}, {"think": "hm"}, {"plan": ["a"]}])
    assert [type(event) for event in played.events] == [
        SessionStarted,
        MessageChunk,
        ThoughtChunk,
        PlanUpdated,
        TurnEnded,
    ]
    assert played.code == 0


async def test_it_edits_files_in_the_tree(tmp_path: Path) -> None:
    script = [
        {"edit": {"path": "src/a.py", "content": "x = 1\n"}},
        {"edit": {"path": "src/a.py", "replace": "1", "with": "2"}},
        {"edit": {"path": "b.txt", "content": "gone"}},
        {"edit": {"path": "b.txt", "delete": True}},
    ]
    played = await play(tmp_path, script)
    assert (played.tree / "src/a.py").read_text() == "x = 2\n"
    assert not (played.tree / "b.txt").exists()
    assert played.of(ToolCall)[0].paths == ("src/a.py",)
    assert {update.status for update in played.of(ToolCallUpdate)} == {"completed"}


async def test_an_edit_that_does_not_fit_fails_and_the_turn_goes_on(tmp_path: Path) -> None:
    script = [{"edit": {"path": "a", "replace": "x", "with": "y"}}, {"say": "on"}]
    played = await play(tmp_path, script)
    assert [update.status for update in played.of(ToolCallUpdate)] == ["failed"]
    assert played.of(MessageChunk)


async def test_a_link_out_of_the_tree_is_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    script = [{"run": f"ln -s {outside} link"}, {"edit": {"path": "link/a", "content": "x"}}]
    played = await play(tmp_path, script)
    assert [update.status for update in played.of(ToolCallUpdate)] == ["completed", "failed"]
    assert list(outside.iterdir()) == []


async def test_it_runs_commands_in_the_tree(tmp_path: Path) -> None:
    played = await play(tmp_path, [{"run": "pwd; echo made > made.txt"}, {"run": "exit 3"}])
    good, bad = played.of(ToolCallUpdate)
    assert good.output.strip() == str(played.tree)
    assert (played.tree / "made.txt").read_text() == "made\n"
    assert (bad.status, "(exit 3)" in bad.output) == ("failed", True)


async def test_a_command_does_not_see_the_key(tmp_path: Path) -> None:
    played = await play(tmp_path, [{"run": "env"}])
    assert "run-key-9d2f7c" not in played.of(ToolCallUpdate)[0].output


async def test_a_command_past_its_time_is_killed(tmp_path: Path) -> None:
    played = await play(tmp_path, [{"run": {"command": "exec sleep 60", "timeout": 0.2}}])
    assert played.of(ToolCallUpdate)[0].status == "failed"
    assert played.code == 0


@pytest.mark.parametrize(("allow", "said"), [(True, "yes: fine"), (False, "no: fine")])
async def test_an_answer_chooses_the_steps(tmp_path: Path, *, allow: bool, said: str) -> None:
    ask = {"title": "May I?", "then": [{"say": "yes: {{note}}"}], "else": [{"say": "no: {{note}}"}]}
    played = await play(tmp_path, [{"ask": ask}], answering(allow=allow, note="fine"))
    assert [chunk.text for chunk in played.of(MessageChunk)] == [said]


async def test_it_does_not_ask_when_it_may_act_freely(tmp_path: Path) -> None:
    script = [{"ask": {"title": "May I?", "then": [{"say": "done"}]}}]
    played = await play(tmp_path, script, ask=False)
    assert not played.of(PermissionAsked)
    assert played.of(MessageChunk)


async def test_two_questions_keep_their_answers_apart(tmp_path: Path) -> None:
    script = [
        {"ask": {"title": "A?", "then": [{"say": "a"}]}},
        {"ask": {"title": "B?", "else": [{"say": "not b"}]}},
    ]

    async def react(event: AgentEvent, session: Session, process: HostProcess) -> None:
        if isinstance(event, PermissionAsked):
            for reply in session.answer(event.id, allow=event.title == "A?"):
                await process.send(reply.line)
                await process.send(reply.line)

    played = await play(tmp_path, script, react)
    assert [chunk.text for chunk in played.of(MessageChunk)] == ["a", "not b"]


async def test_garbage_on_its_input_is_ignored(tmp_path: Path) -> None:
    async def react(event: AgentEvent, session: Session, process: HostProcess) -> None:
        if isinstance(event, PermissionAsked):
            for garbage in ("[]", "{", '{"answer":1,"allow":2}', '{"answer":"other","allow":true}'):
                await process.send(garbage)
            await answering(allow=True)(event, session, process)

    played = await play(tmp_path, [{"ask": {"title": "A?", "then": [{"say": "a"}]}}], react)
    assert played.of(MessageChunk)


async def test_a_question_without_anybody_to_answer_fails(tmp_path: Path) -> None:
    async def react(event: AgentEvent, session: Session, process: HostProcess) -> None:
        process.hang_up()

    played = await play(tmp_path, [{"ask": {"title": "May I?"}}], react)
    assert "nobody can answer" in played.of(TurnEnded)[0].error


@pytest.mark.parametrize(
    "step", [{"sleep": 60}, {"run": "exec sleep 60"}, {"ask": {"title": "May I?"}}]
)
async def test_it_can_be_interrupted_in_any_wait(tmp_path: Path, step: dict[str, Any]) -> None:
    async def react(event: AgentEvent, session: Session, process: HostProcess) -> None:
        if isinstance(event, SessionStarted):
            for reply in session.interrupt():
                await process.send(reply.line)

    played = await play(tmp_path, [step, {"say": "never"}], react)
    assert played.of(TurnEnded)[0].reason == "cancelled"
    assert not played.of(MessageChunk)


async def test_a_failure_ends_the_turn_with_its_words(tmp_path: Path) -> None:
    played = await play(tmp_path, [{"fail": "It broke."}, {"say": "never"}])
    assert played.events[-1] == TurnEnded("error", "It broke.")
    assert played.code == 1


@pytest.mark.parametrize(
    ("crash", "code"), [(3, 3), ({"signal": "KILL"}, -signal.SIGKILL), ({"signal": "INT"}, -2)]
)
async def test_a_crash_leaves_no_end(tmp_path: Path, crash: Any, code: int) -> None:
    played = await play(tmp_path, [{"say": "oh"}, {"crash": crash}])
    assert played.code == code
    assert not played.of(TurnEnded)


async def test_raw_lines_are_printed_as_they_are(tmp_path: Path) -> None:
    played = await play(tmp_path, [{"raw": "\x1b[2J{"}, {"raw": {"line": "ab", "times": 50_000}}])
    assert played.printed[1:3] == ("\x1b[2J{", "ab" * 50_000)
    assert len(played.of(Unreadable)) == 2


async def test_steps_are_repeated(tmp_path: Path) -> None:
    script = [{"repeat": {"times": 3, "steps": [{"say": "again"}]}}]
    assert len((await play(tmp_path, script)).of(MessageChunk)) == 3


async def test_it_claims_what_the_script_says(tmp_path: Path) -> None:
    played = await play(tmp_path, [{"usage": {"input": 5, "cost_micros": 7}}])
    assert played.of(UsageReported) == [UsageReported(input=5, cost_micros=7)]


async def test_placeholders_are_filled_in(tmp_path: Path) -> None:
    script = [{"say": "{{turn}}: {{prompt}}"}, {"run": 'echo "$SWARM_PROMPT"'}]
    played = await play(tmp_path, script, prompt="greet {{turn}}")
    assert played.of(MessageChunk)[0].text.startswith("1: greet")
    assert played.of(ToolCallUpdate)[0].output == "greet {{turn}}\n"


async def test_a_conversation_goes_on_where_it_stopped(tmp_path: Path) -> None:
    script = [{"say": "{{remembered}}"}]
    first = await play(tmp_path, script)
    begun = first.of(SessionStarted)[0].conversation
    second = await play(tmp_path, script, turn=2, conversation=begun)
    assert second.of(SessionStarted)[0].conversation == begun
    assert second.of(MessageChunk)[0].text == "1"


async def test_another_turn_without_a_conversation_starts_a_new_one(tmp_path: Path) -> None:
    first = await play(tmp_path, [{"say": "a"}])
    second = await play(tmp_path, [{"say": "{{remembered}}"}], turn=2)
    assert second.of(SessionStarted) != first.of(SessionStarted)
    assert second.of(MessageChunk)[0].text == "0"


async def test_a_conversation_that_is_not_there_cannot_be_resumed(tmp_path: Path) -> None:
    gone = "86df6add-7bc9-5b74-97a1-97bc11e86387"
    played = await play(tmp_path, [{"say": "a"}], turn=2, conversation=gone)
    assert gone in played.of(TurnEnded)[0].error
    assert played.code == 1


async def test_a_model_call_goes_to_the_gateway_with_the_key(tmp_path: Path) -> None:
    with serving() as endpoint:
        script = [{"tokens": {"input": 1200, "output": 300, "times": 2}}]
        played = await play(tmp_path, script, gateway=endpoint.address + "/")
    assert [call["path"] for call in endpoint.calls] == ["/anthropic/v1/messages"] * 2
    assert endpoint.headers[0]["authorization"] == "Bearer run-key-9d2f7c"
    assert (endpoint.calls[0]["max_tokens"], endpoint.calls[0]["stream"]) == (300, True)
    assert played.of(UsageReported) == [UsageReported(input=2400, output=600)]


async def test_a_request_is_large_enough_for_the_tokens_it_claims(tmp_path: Path) -> None:
    with serving() as endpoint:
        script = [{"tokens": {"input": 50_000, "output": 1}}]
        await play(tmp_path, script, gateway=endpoint.address)
    assert endpoint.sizes[0] >= 2 * 50_000


async def test_the_model_is_the_runs_unless_the_script_names_one(tmp_path: Path) -> None:
    with serving() as endpoint:
        script = [{"tokens": {"output": 1}}, {"tokens": {"output": 1, "model": "other"}}]
        await play(tmp_path, script, gateway=endpoint.address)
    assert [call["model"] for call in endpoint.calls] == ["claude-sonnet-4-5", "other"]


@pytest.mark.parametrize("status", [402, 429, 500])
async def test_a_refused_model_call_ends_the_turn_with_its_status(
    tmp_path: Path, status: int
) -> None:
    with serving(refuse_from=2, status=status) as endpoint:
        script = [{"tokens": {"output": 1, "times": 5}}, {"say": "never"}]
        played = await play(tmp_path, script, gateway=endpoint.address)
    ended = played.of(TurnEnded)[0]
    assert (ended.reason, ended.status, played.code) == ("error", status, 1)
    assert "swarm: run budget exhausted" in ended.error
    assert len(endpoint.calls) == 2


async def test_a_reply_that_breaks_off_is_a_failure(tmp_path: Path) -> None:
    with serving() as endpoint:
        endpoint.break_off = True
        played = await play(tmp_path, [{"tokens": {"output": 1}}], gateway=endpoint.address)
    assert "broke off" in played.of(TurnEnded)[0].error


async def test_a_gateway_that_is_not_there_is_a_failure(tmp_path: Path) -> None:
    played = await play(tmp_path, [{"tokens": {"output": 1}}], gateway="http://127.0.0.1:1")
    assert played.of(TurnEnded)[0].reason == "error"


async def test_the_conversation_file_keeps_the_prompts(tmp_path: Path) -> None:
    played = await play(tmp_path, [{"say": "a"}], prompt="Greet.")
    begun = played.of(SessionStarted)[0].conversation
    kept = (tmp_path / "state/scripted" / f"{begun}.jsonl").read_text()
    assert json.loads(kept) == {"turn": 1, "prompt": "Greet."}
