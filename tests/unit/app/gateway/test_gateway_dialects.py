"""The same story in every dialect, over the gateway's real socket, with the scripted provider behind it."""

import json
from typing import Any

import pytest

from app.domain.budget import Limits
from app.gateway import models
from app.gateway.rehearsal import Rehearsal
from app.gateway.rehearsal_script import Script, Tokens, ToolUse, Turn
from app.gateway.settings import Rates, Upstream
from app.store.tables import SPEND
from harnesses.base import StopDialect
from tests.support.model_endpoint import (
    CHAT,
    EVERY,
    GEMINI,
    GEMINI_WHOLE,
    GPT,
    MESSAGES,
    RESPONSES,
    RUN_ID,
    RUN_KEY,
    Bench,
    asking,
    bench,
    http,
    raw_upstream,
)

USAGE = "[[usage input=120 output=300 cache_read=50]]"
COSTS = {
    MESSAGES: 120 * 4 + 300 * 20 + 50 * 2 // 10,
    RESPONSES: 120 * 5 + 300 * 30 + 50 * 5 // 10,
    CHAT: 120 * 5 + 300 * 30 + 50 * 5 // 10,
    GEMINI: 120 * 5 // 4 + 300 * 10 + 7,
}
"""Dollars a million: the micro-dollars of one token."""
each_dialect = pytest.mark.parametrize("path", EVERY)
OPENAI = pytest.mark.parametrize("path", [RESPONSES, CHAT])
LIMITS = {
    MESSAGES: "max_tokens",
    RESPONSES: "max_output_tokens",
    CHAT: "max_completion_tokens",
    GEMINI: "maxOutputTokens",
}
LONG: dict[str, dict[str, Any]] = {path: {name: 128_000} for path, name in LIMITS.items()} | {
    GEMINI: {"generationConfig": {LIMITS[GEMINI]: 128_000}}
}


def events(answer: bytes) -> list[Any]:
    """The documents of a stream."""
    lines = [line[6:] for line in answer.split(b"\n") if line.startswith(b"data: ")]
    return [json.loads(line) for line in lines if line != b"[DONE]"]


@each_dialect
@pytest.mark.parametrize("streamed", [True, False])
async def test_a_call_is_metered_to_the_micro_dollar(path: str, streamed: bool) -> None:
    async with bench() as b:
        if path == GEMINI:
            answer = await b.post(asking(path, USAGE), path=path if streamed else GEMINI_WHOLE)
        else:
            answer = await b.post(asking(path, USAGE, stream=streamed), path=path)
        assert answer.status == 200
        spend = await b.settled()
        assert (spend.micros, spend.held) == (COSTS[path], 0)
        assert (spend.input, spend.output, spend.cache_read) == (120, 300, 50)


@OPENAI
async def test_the_provider_gets_its_real_key_as_a_bearer_and_never_the_runs(path: str) -> None:
    async with bench() as b:
        await b.post(asking(path, USAGE), path=path)
        (call,) = b.endpoint.calls
        assert call.authorized
        assert call.path == path.removeprefix("/openai")
        assert RUN_KEY not in json.dumps(dict(call.headers))


@each_dialect
async def test_what_the_gateway_does_not_know_arrives_upstream_unchanged(path: str) -> None:
    more = {"field_of_next_year": {"b": [1, None, 2.5], "a": "ü"}}
    async with bench() as b:
        body = asking(path, USAGE, **more)
        await b.post(body, path=path)
        (call,) = b.endpoint.calls
        added = {"stream_options": {"include_usage": True}} if path == CHAT else {}
        assert call.body == body | added


@each_dialect
async def test_a_reply_passes_byte_for_byte(path: str) -> None:
    stream = {
        MESSAGES: b'data: {"type":"message_delta","delta":{"stop_reason":"end_turn"},'
        b'"usage":{"output_tokens":9}}\n\n',
        RESPONSES: b'data:{"type":"response.completed","response":'
        b'{"usage":{"input_tokens":1,"output_tokens":2}}}\r\n\r\n',
        CHAT: b'data: {"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2},'
        b'"\\u00fc":1}\n\ndata: [DONE]\n\n',
        GEMINI: b'data: {"candidates": [{"finishReason": "STOP"}],\t"usageMetadata":'
        b'{"promptTokenCount": 1,"candidatesTokenCount":2}}\r\n\r\n',
    }[path]
    odd = b": comment\r\n\r\nevent: new_kind\nid: 7\nretry: 3\ndata: {\ndata: }\n\n" + stream
    async with raw_upstream(http("200 OK", odd, content_type="text/event-stream")) as upstream:
        there = Upstream(
            name="u", url=upstream.url, dialects=("anthropic", "responses", "chat", "gemini")
        )
        async with bench(upstreams=(there,)) as b:
            assert (await b.post(asking(path), path=path)).body == odd


@each_dialect
async def test_the_output_limit_is_cut_to_the_budget(path: str) -> None:
    async with bench() as b:
        await b.post(asking(path, USAGE, **LONG[path]), path=path)
        (call,) = b.endpoint.calls
        limits = call.body["generationConfig"] if path == GEMINI else call.body
        assert 8192 <= limits[LIMITS[path]] <= 50_000


@OPENAI
async def test_a_request_without_a_limit_gets_one_when_the_budget_is_small(path: str) -> None:
    body = asking(path, USAGE)
    del body[LIMITS[path]]
    async with bench() as b:
        await b.post(body, path=path)
        assert 8192 <= b.endpoint.calls[0].body[LIMITS[path]] <= 17_000


@OPENAI
async def test_a_request_without_a_limit_stays_so_when_the_budget_pays_any_answer(
    path: str,
) -> None:
    body = asking(path, USAGE)
    del body[LIMITS[path]]
    async with bench(budget=100_000_000) as b:
        await b.post(body, path=path)
        assert LIMITS[path] not in b.endpoint.calls[0].body


async def test_the_older_name_of_the_limit_is_cut_as_well() -> None:
    body = asking(CHAT, USAGE, max_tokens=128_000)
    del body["max_completion_tokens"]
    async with bench() as b:
        await b.post(body, path=CHAT)
        (call,) = b.endpoint.calls
        assert call.body["max_tokens"] <= 17_000
        assert "max_completion_tokens" not in call.body


async def test_usage_is_asked_for_beside_what_the_agent_asked() -> None:
    async with bench() as b:
        await b.post(asking(CHAT, USAGE, stream_options={"include_obfuscation": False}), path=CHAT)
        options = b.endpoint.calls[0].body["stream_options"]
        assert options == {"include_obfuscation": False, "include_usage": True}


STOPS: list[tuple[StopDialect, str, int, str]] = [
    ("anthropic", MESSAGES, 402, "billing_error"),
    ("openai", MESSAGES, 402, "billing_error"),
    ("codex", RESPONSES, 429, "insufficient_quota"),
    ("openai", RESPONSES, 402, "budget_exhausted"),
    ("openai", CHAT, 402, "budget_exhausted"),
    ("litellm", CHAT, 404, "budget_exhausted"),
    ("gemini", GEMINI, 402, "RESOURCE_EXHAUSTED"),
    ("openai", GEMINI, 402, "RESOURCE_EXHAUSTED"),
]


@pytest.mark.parametrize(("stop", "path", "status", "code"), STOPS)
async def test_a_spent_budget_is_told_so_that_this_agent_stops(
    stop: StopDialect, path: str, status: int, code: str
) -> None:
    async with bench(budget=1000) as b:
        await reopen(b, stop)
        answer = await b.post(asking(path, USAGE, **LONG[path]), path=path)
        assert answer.status == status
        assert code in answer.json["error"].values()
        assert "budget" in answer.json["error"]["message"]
        assert answer.headers["x-should-retry"] == "false"
        assert "retry-after" not in answer.headers
        for word in (b"server_error", b"overloaded", b"unavailable"):
            assert word not in answer.body
        assert (await b.spend()).refused == 1
        assert not b.endpoint.requests


async def test_another_refusal_stops_codex_at_once_too() -> None:
    async with bench() as b:
        await reopen(b, "codex")
        answer = await b.post(asking(RESPONSES, tools=[{"type": "web_search"}]), path=RESPONSES)
        assert answer.status == 400
        assert "web_search" in answer.json["error"]["message"]


@pytest.mark.parametrize("path", sorted(models.PATHS))
async def test_the_models_are_told_without_asking_a_provider(path: str) -> None:
    async with bench(prices={"own": RATES}) as b:
        await b.gateway.open(RUN_ID, b.socket, RUN_KEY, "openai", GPT)
        answer = await b.get(path)
        assert [model["id"] for model in answer.json["data"]] == [GPT, "own"]
        assert [model["name"] for model in answer.json["models"]] == [f"models/{GPT}", "models/own"]
        assert answer.json["object"] == "list"
        assert not b.endpoint.requests


async def test_a_stranger_is_told_no_models() -> None:
    async with bench() as b:
        assert (await b.get("/v1/models", authorization="Bearer other")).status == 403


@OPENAI
async def test_a_scripted_plan_uses_the_agents_tools_and_goes_on_with_their_results(
    path: str,
) -> None:
    use = ToolUse(tool="write", input={"path": "a", "text": "b" * 50})
    plan = (Turn(say="I write.", use=(use, use), usage=Tokens(output=7)), Turn(say="Written."))
    async with bench(Script(plans={"w": plan})) as b:
        tools = [{"type": "function", "name": "write", "function": {"name": "write"}}]
        body = asking(path, "go [[plan:w]]", stream=False, tools=tools)
        reply = (await b.post(body, path=path)).json
        said = body["input" if path == RESPONSES else "messages"]
        said += results(path, reply)
        assert "Written." in (await b.post(body, path=path)).body.decode()


@OPENAI
async def test_a_stream_says_what_the_whole_reply_says(path: str) -> None:
    use = ToolUse(tool="write", input={"path": "ü" * 40})
    script = Script(plans={"w": (Turn(say="I write a long line.", use=(use,)),)})
    async with bench(script) as b:
        ask = asking(path, "go [[plan:w]]", tools=[{"type": "function", "name": "write"}])
        whole = (await b.post(ask | {"stream": False}, path=path)).json
        stream = events((await b.post(ask, path=path)).body)
        if path == RESPONSES:
            assert stream[-1]["response"] == whole
            assert [e["sequence_number"] for e in stream] == list(range(len(stream)))
        else:
            message = whole["choices"][0]["message"]
            parts = [c["delta"] for e in stream for c in e["choices"]]
            assert "".join(p.get("content") or "" for p in parts) == message["content"]
            calls = [c for p in parts for c in p.get("tool_calls", ())]
            arguments = "".join(c["function"]["arguments"] for c in calls)
            assert arguments == message["tool_calls"][0]["function"]["arguments"]
            assert stream[-1]["usage"] == whole["usage"]


async def test_what_the_provider_says_it_costs_is_what_is_charged() -> None:
    usage = b'{"prompt_tokens":10,"completion_tokens":20,"total_tokens":30,"cost":0.0012345,"is_byok":false}'
    whole = b'{"choices":[{"finish_reason":"stop"}],"usage":' + usage + b"}"
    async with raw_upstream(http("200 OK", whole, content_type="application/json")) as upstream:
        there = Upstream(name="router", url=upstream.url, dialects=("chat",))
        async with bench(upstreams=(there,)) as b:
            await b.post(asking(CHAT, stream=False), path=CHAT)
            assert (await b.settled()).micros == 1235
            assert [row["known"] for row in await b.rows(SPEND)] == ["provider"]


@OPENAI
async def test_a_local_server_is_free_and_its_tokens_are_counted(path: str) -> None:
    async with Rehearsal() as server, bench(upstreams=(local(server), ELSEWHERE), budget=0) as b:
        assert (await b.post(asking(path, USAGE, model="qwen3"), path=path)).status == 200
        spend = await b.settled()
        assert (spend.micros, spend.input, spend.output) == (0, 120, 300)


@OPENAI
async def test_a_free_model_ends_with_its_tokens(path: str) -> None:
    usage, limits = "[[usage input=1000 output=3000]]", Limits(tokens=20_000)
    async with (
        Rehearsal() as server,
        bench(upstreams=(local(server),), budget=0, limits=limits) as b,
    ):
        body = asking(path, usage, model="qwen3", **{LIMITS[path]: 4000})
        while (answer := await b.post(body, path=path)).status == 200:
            pass
        assert "tokens are left" in answer.json["error"]["message"]
        spend = await b.settled()
        assert (spend.micros, spend.calls) == (0, 4)


async def test_another_providers_unknown_models_are_refused_all_the_same() -> None:
    async with Rehearsal() as server, bench(upstreams=(local(server), ELSEWHERE)) as b:
        answer = await b.post(asking(MESSAGES, model="qwen3"), path=MESSAGES)
        assert answer.status == 403
        assert "price" in answer.json["error"]["message"]


async def test_a_provider_that_does_not_speak_the_dialect_is_not_asked() -> None:
    async with Rehearsal() as server, bench(upstreams=(local(server), ELSEWHERE)) as b:
        answer = await b.post(asking(MESSAGES, model="local/qwen3"), path=MESSAGES)
        assert answer.status == 403
        assert "Anthropic Messages" in answer.json["error"]["message"]
        assert not server.requests


ELSEWHERE = Upstream(name="elsewhere", url="http://127.0.0.1:1")


def local(server: Rehearsal) -> Upstream:
    """A model server on this machine, as a user configures it."""
    url = f"{server.url}/v1"
    return Upstream(name="local", url=url, dialects=("responses", "chat"), unknown_model="free")


RATES = Rates(input=1, output=1, cache_read=1, cache_write=1, cache_write_long=1)


async def reopen(b: Bench, stop: StopDialect) -> None:
    await b.gateway.open(RUN_ID, b.socket, RUN_KEY + "2", stop)
    await b.gateway.open(RUN_ID, b.socket, RUN_KEY, stop)


def results(path: str, reply: Any) -> list[dict[str, Any]]:
    """What an agent sends back: what the model said, and a result for each of its tools."""
    if path == RESPONSES:
        calls = [item for item in reply["output"] if item["type"] == "function_call"]
        done = [
            {"type": "function_call_output", "call_id": c["call_id"], "output": "ok"} for c in calls
        ]
        return [*reply["output"], *done]
    message = reply["choices"][0]["message"]
    return [
        message,
        *(
            {"role": "tool", "tool_call_id": call["id"], "content": "ok"}
            for call in message["tool_calls"]
        ),
    ]
