"""What is special about Gemini's dialect, over the gateway's real socket, with the scripted provider behind it."""

import json
from typing import Any

from app.gateway.rehearsal_script import Script, Tokens, ToolUse, Turn
from app.gateway.settings import Upstream
from tests.support.model_endpoint import (
    GEMINI,
    GEMINI_MODEL,
    GEMINI_WHOLE,
    REAL_KEY,
    RUN_KEY,
    asking,
    bench,
)

PATH = GEMINI.partition("?")[0]
USAGE = "[[usage input=120 output=300 thoughts=250]]"


def events(answer: bytes) -> list[Any]:
    return [json.loads(line[6:]) for line in answer.split(b"\n") if line.startswith(b"data: ")]


async def test_thinking_is_paid_as_output() -> None:
    async with bench() as b:
        await b.post(asking(GEMINI, USAGE), path=GEMINI)
        spend = await b.settled()
        assert (spend.output, spend.micros) == (300, 120 * 5 // 4 + 300 * 10)


async def test_the_provider_gets_its_real_key_in_googles_header_and_never_in_the_address() -> None:
    async with bench() as b:
        await b.post(asking(GEMINI, USAGE), path=f"{GEMINI}&key={RUN_KEY}")
        (call,) = b.endpoint.calls
        assert call.authorized
        assert call.path == PATH.removeprefix("/gemini") + "?alt=sse"
        assert "x-goog-api-key" in call.headers
        assert RUN_KEY not in json.dumps(dict(call.headers))
        assert REAL_KEY not in call.path


async def test_the_runs_key_is_taken_from_googles_header_and_not_from_the_query() -> None:
    async with bench() as b:
        given = {"authorization": "", "x-goog-api-key": RUN_KEY}
        assert (await b.post(asking(GEMINI, USAGE), path=GEMINI, **given)).status == 200
        away = await b.post(asking(GEMINI, USAGE), path=f"{GEMINI}&key={RUN_KEY}", authorization="")
        assert (away.status, away.json["error"]["status"]) == (403, "PERMISSION_DENIED")


async def test_a_model_is_called_by_the_name_its_provider_knows() -> None:
    async with bench() as b:
        there = Upstream(
            name="google",
            url=f"{b.endpoint.url}/v1beta",
            dialects=("gemini",),
            key=f"cmd:printf {REAL_KEY}",
            aliases={"fast": GEMINI_MODEL},
        )
        async with bench(upstreams=(there,), key="") as other:
            path = GEMINI.replace(GEMINI_MODEL, "google/fast")
            assert (await other.post(asking(GEMINI, USAGE), path=path)).status == 200
        assert [call.path for call in b.endpoint.calls] == [
            PATH.removeprefix("/gemini") + "?alt=sse"
        ]


async def test_tokens_are_counted_for_nothing() -> None:
    async with bench(budget=0) as b:
        path = GEMINI_WHOLE.replace("generateContent", "countTokens")
        answer = await b.post({"contents": []}, path=path)
        assert answer.json["totalTokens"] > 0
        assert (await b.spend()).calls == 0


async def test_a_stream_that_would_be_one_long_list_is_not_served() -> None:
    async with bench() as b:
        answer = await b.post(asking(GEMINI), path=PATH)
        assert (answer.status, answer.json["error"]["code"]) == (404, 404)


async def test_what_runs_at_the_provider_is_refused_in_the_words_of_the_dialect() -> None:
    async with bench() as b:
        answer = await b.post(asking(GEMINI, tools=[{"google_search": {}}]), path=GEMINI)
        assert answer.status == 403
        assert "googleSearch" in answer.json["error"]["message"]
        assert not b.endpoint.requests


async def test_a_scripted_plan_uses_the_agents_tools_and_goes_on_with_their_results() -> None:
    use = ToolUse(tool="write", input={"path": "a", "text": "b" * 50})
    plan = (Turn(say="I write.", use=(use, use), usage=Tokens(output=7)), Turn(say="Written."))
    async with bench(Script(plans={"w": plan})) as b:
        tools = [{"functionDeclarations": [{"name": "write"}]}]
        body = asking(GEMINI, "go [[plan:w]]", tools=tools)
        said = (await b.post(body, path=GEMINI_WHOLE)).json["candidates"][0]["content"]
        calls = [part["functionCall"] for part in said["parts"] if "functionCall" in part]
        done = [{"functionResponse": {"name": c["name"], "response": {}}} for c in calls]
        body["contents"] += [said, {"role": "user", "parts": done}]
        assert "Written." in (await b.post(body, path=GEMINI_WHOLE)).body.decode()


async def test_a_stream_says_what_the_whole_reply_says() -> None:
    use = ToolUse(tool="write", input={"path": "ü" * 40})
    script = Script(plans={"w": (Turn(say="I write a long line, in pieces.", use=(use,)),)})
    async with bench(script) as b:
        body = asking(GEMINI, "go [[plan:w]]", tools=[{"functionDeclarations": []}])
        whole = (await b.post(body, path=GEMINI_WHOLE)).json
        stream = events((await b.post(body, path=GEMINI)).body)
        parts = [p for e in stream for p in e["candidates"][0]["content"]["parts"]]
        text, call = whole["candidates"][0]["content"]["parts"]
        assert "".join(part.get("text", "") for part in parts) == text["text"]
        assert parts[-1] == call
        assert stream[-1]["usageMetadata"] == whole["usageMetadata"]
