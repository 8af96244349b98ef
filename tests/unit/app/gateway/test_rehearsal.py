"""The scripted model endpoint: the turn a conversation is at, exact usage, faults on demand."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from app.gateway.rehearsal import Rehearsal, load
from app.gateway.rehearsal_script import DONE, Fault, Script, Tokens, Turn, cue
from tests.support.model_endpoint import ask

PLAN = """
plans:
  edit:
    - say: I will write it.
      use: [{tool: Write, input: {file_path: a.py, content: "x = 1"}}]
      usage: {input: 1200, output: 30}
    - {say: Finished., fault: {kind: "429", times: 1}}
  default:
    - say: Hello.
"""
SCRIPT = load(PLAN)


def prompt(text: str, *, role: str = "user") -> dict[str, Any]:
    return {"role": role, "content": text}


def result(*, reminder: str = "") -> dict[str, Any]:
    blocks = [{"type": "tool_result", "tool_use_id": "t", "content": "ok"}]
    return {"role": "user", "content": [*blocks, {"type": "text", "text": reminder}]}


@pytest.mark.parametrize(
    ("messages", "name"),
    [
        ([prompt("hi")], "default 0"),
        ([prompt("go [[plan:edit]]")], "edit 0"),
        ([prompt("go [[plan:edit]]"), prompt("w", role="assistant"), result()], "edit 1"),
        ([prompt("[[plan:edit]]"), result(reminder="[[plan:default]]")], "edit 1"),
        ([prompt("[[plan:edit]]"), result(), prompt("continue")], "edit 1"),
        ([prompt("[[plan:edit]]"), result(), prompt("again [[plan:edit]]")], "edit 0"),
        ([prompt("[[plan:edit]]"), prompt("[[plan:default]]", role="system")], "edit 0"),
        ([], "default 0"),
    ],
)
def test_the_turn_follows_from_the_conversation(messages: list[Any], name: str) -> None:
    assert cue(SCRIPT, {"messages": messages}).name == name


def test_after_its_last_turn_a_plan_is_done() -> None:
    messages = [prompt("[[plan:edit]]"), result(), result(), result()]
    assert cue(SCRIPT, {"messages": messages}).turn == DONE


def test_a_directive_in_the_last_prompt_says_text_and_usage() -> None:
    text = '[[usage input=7 output=8 cache_read=9 cache_write=10 text="all is well" delay=0.5]]'
    turn = cue(SCRIPT, {"messages": [prompt("[[usage input=1]]"), prompt(text)]}).turn
    tokens = Tokens(input=7, output=8, cache_read=9, cache_write=10)
    assert turn == Turn(say="all is well", usage=tokens, delay=0.5)


@pytest.mark.parametrize("words", ["inptu=1", "input=many", "fault=nonsense", 'text="open'])
def test_a_wrong_directive_says_what_is_wrong(words: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        cue(SCRIPT, {"messages": [prompt(f"[[usage {words}]]")]})


@pytest.mark.parametrize(
    "text", ["plans: [", "plans: {a: [{sya: x}]}", "plans: {a: [{fault: {kind: x}}]}", "plan: {}"]
)
def test_a_wrong_plan_file_says_where(text: str) -> None:
    with pytest.raises(ValueError, match=r"\$|line|`plan`"):
        load(text)


async def call(endpoint: Rehearsal, body: dict[str, Any], **headers: str) -> tuple[int, bytes]:
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{endpoint.url}/v1/messages", json=body, headers=headers) as response,
    ):
        return response.status, await response.read()


def events(stream: bytes) -> list[dict[str, Any]]:
    return [json.loads(line[6:]) for line in stream.splitlines() if line.startswith(b"data: ")]


async def test_a_streamed_turn_carries_the_tools_input_in_pieces() -> None:
    async with Rehearsal(SCRIPT) as endpoint:
        _, stream = await call(endpoint, ask("[[plan:edit]]"))
        pieces = [
            event["delta"]["partial_json"]
            for event in events(stream)
            if event.get("delta", {}).get("type") == "input_json_delta"
        ]
        assert json.loads("".join(pieces)) == {"file_path": "a.py", "content": "x = 1"}
        assert events(stream)[-2]["delta"]["stop_reason"] == "tool_use"


async def test_a_whole_turn_says_the_same_as_a_streamed_one() -> None:
    async with Rehearsal(SCRIPT) as endpoint:
        _, whole = await call(endpoint, ask("[[plan:edit]]", stream=False))
        _, stream = await call(endpoint, ask("[[plan:edit]]"))
        started = events(stream)[0]["message"]
        assert json.loads(whole)["usage"]["output_tokens"] == 30
        assert started["id"] == json.loads(whole)["id"]
        assert events(stream)[-2]["usage"] == {"output_tokens": 30}


async def test_no_turn_is_longer_than_the_request_allows() -> None:
    async with Rehearsal() as endpoint:
        body = ask("[[usage output=500]]", max_tokens=100, stream=False)
        _, whole = await call(endpoint, body)
        reply = json.loads(whole)
        assert (reply["usage"]["output_tokens"], reply["stop_reason"]) == (100, "max_tokens")


async def test_a_fault_ends_after_its_times() -> None:
    turn = Turn(say="ok", fault=Fault(kind="529", times=2))
    async with Rehearsal(Script(plans={"default": (turn,)})) as endpoint:
        statuses = [(await call(endpoint, ask()))[0] for _ in range(4)]
        assert statuses == [529, 529, 200, 200]


@pytest.mark.parametrize("kind", ["cut_before", "cut_start", "cut"])
async def test_a_cut_is_a_reset(kind: str) -> None:
    async with Rehearsal() as endpoint:
        with pytest.raises((aiohttp.ClientError, ConnectionResetError)):
            await call(endpoint, ask(f"[[usage fault={kind}]]"))


async def test_a_wrong_key_is_refused_like_a_provider_does() -> None:
    async with Rehearsal(key="right") as endpoint:
        assert (await call(endpoint, ask(), **{"x-api-key": "wrong"}))[0] == 401
        assert (await call(endpoint, ask(), authorization="Bearer right"))[0] == 200
        assert [seen.authorized for seen in endpoint.requests] == [False, True]


async def test_what_is_kept_of_a_request_holds_no_key() -> None:
    async with Rehearsal(key="right") as endpoint:
        await call(endpoint, ask(), **{"x-api-key": "right"})
        assert "right" not in str(endpoint.requests)


async def test_it_can_be_started_by_hand(tmp_path: Path) -> None:
    (tmp_path / "plan.yaml").write_text(PLAN)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "app.gateway.rehearsal", str(tmp_path / "plan.yaml"),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    url = (await process.stdout.readline()).decode().strip()
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{url}/v1/messages", json=ask()) as r,
    ):
        assert r.status == 200
    process.terminate()
    await process.communicate()
