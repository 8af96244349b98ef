"""The gateway over its real socket: pass-through, money, refusals, keys."""

import asyncio
import json
import os
from pathlib import Path

import pytest

from app.domain.errors import EnvironmentProblem
from app.domain.ids import RunId
from app.gateway.rehearsal_script import Script, Turn
from app.gateway.settings import Rates, Upstream
from app.store.tables import HOLD, SPEND
from tests.support.model_endpoint import (
    MESSAGES,
    MODEL,
    REAL_KEY,
    RUN_ID,
    RUN_KEY,
    ask,
    bench,
    http,
    raw_upstream,
)

USAGE = "[[usage input=120 output=300]]"
COST = 120 * 4 + 300 * 20

STREAM = (
    b": a comment\r\n\r\nevent: message_start\ndata:  "
    b'{"type":"message_start","message":{"usage":{"input_tokens":5,"output_tokens":1}},"\\u00fc":1}\n\n'
    b"event: new_kind\nid: 7\nretry: 3\ndata: {\ndata: }\n\n"
    b"event: message_delta\n"
    b'data: {"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":9}}\n\n'
    b'event: message_stop\ndata: {"type":"message_stop"}\n\n'
)


async def test_a_streamed_call_is_metered_to_the_micro_dollar() -> None:
    async with bench() as b:
        answer = await b.post(ask(USAGE))
        assert answer.status == 200
        spend = await b.settled()
        assert (spend.micros, spend.held, spend.input, spend.output) == (COST, 0, 120, 300)


async def test_a_whole_reply_is_metered_like_a_streamed_one() -> None:
    async with bench() as b:
        answer = await b.post(ask(USAGE, stream=False))
        assert answer.json["stop_reason"] == "end_turn"
        assert (await b.settled()).micros == COST


async def test_a_settled_call_is_told_with_the_runs_total() -> None:
    async with bench() as b:
        for _ in range(2):
            await b.post(ask(USAGE))
        await b.settled(2)
        assert [(s.micros, s.total, s.known) for s in b.witness.spent] == [
            (COST, COST, "metered"),
            (COST, 2 * COST, "metered"),
        ]


async def test_the_first_request_is_told_once() -> None:
    async with bench() as b:
        for _ in range(2):
            await b.post(ask(USAGE))
        assert b.witness.greeted == [RUN_ID]


async def test_every_charge_names_its_price_data() -> None:
    async with bench() as b:
        await b.post(ask(USAGE))
        await b.settled()
        assert [row["prices"] for row in await b.rows(SPEND)] == ["genai-prices 0.2.3"]


async def test_an_hours_cache_write_keeps_its_own_rate_in_the_ledger() -> None:
    told = {
        "input_tokens": 3,
        "output_tokens": 5,
        "cache_creation_input_tokens": 1_100,
        "cache_creation": {"ephemeral_5m_input_tokens": 100, "ephemeral_1h_input_tokens": 1_000},
    }
    reply = json.dumps({"usage": told}).encode()
    async with raw_upstream(http("200 OK", reply, content_type="application/json")) as upstream:
        there = Upstream(name="anthropic", url=upstream.url)
        async with bench(upstreams=(there,)) as b:
            await b.post(ask(stream=False))
            spend = await b.settled()
            (row,) = await b.rows(SPEND)
            assert (row["cache_write"], row["cache_write_long"]) == (1_100, 1_000)
            assert row["rates"] == [4_000_000, 20_000_000, 200_000, 5_000_000, 8_000_000]
            assert spend.micros == 3 * 4 + 5 * 20 + 100 * 5 + 1_000 * 8


async def test_an_assumed_price_makes_an_estimate() -> None:
    assumed = Rates(input=10, output=10, cache_read=10, cache_write=10, cache_write_long=10)
    async with bench(unknown_model="assume", assume=assumed) as b:
        await b.post(ask(USAGE, model="mystery"))
        await b.settled()
        assert [row["known"] for row in await b.rows(SPEND)] == ["estimated"]


async def test_a_streamed_reply_passes_byte_for_byte() -> None:
    reply = http("200 OK", STREAM, content_type="text/event-stream")
    async with raw_upstream(reply) as upstream:
        there = Upstream(name="anthropic", url=upstream.url)
        async with bench(upstreams=(there,)) as b:
            assert (await b.post(ask())).body == STREAM
            assert (await b.settled()).micros == 5 * 4 + 9 * 20


async def test_only_listed_headers_come_back() -> None:
    headers = {
        "content_type": "text/event-stream",
        "request_id": "req_1",
        "anthropic_ratelimit_tokens_remaining": "9",
        "set_cookie": "session=1",
        "anthropic_organization_id": "org-1",
    }
    async with raw_upstream(http("200 OK", STREAM, **headers)) as upstream:
        there = Upstream(name="anthropic", url=upstream.url)
        async with bench(upstreams=(there,)) as b:
            got = set((await b.post(ask())).headers)
            assert {"request-id", "anthropic-ratelimit-tokens-remaining"} <= got
            assert not {"set-cookie", "anthropic-organization-id"} & got


async def test_unknown_fields_and_beta_flags_arrive_upstream() -> None:
    async with raw_upstream(http("200 OK", STREAM, content_type="text/event-stream")) as upstream:
        there = Upstream(name="anthropic", url=upstream.url)
        async with bench(upstreams=(there,)) as b:
            body = ask(field_of_next_year={"b": [1, None, 2.5], "a": "ü"})
            await b.post(body, path=f"{MESSAGES}?beta=true", **{"anthropic-beta": "new-2027"})
            assert upstream.body == body
            assert upstream.head.startswith("post /v1/messages?beta=true http/1.1")
            assert "anthropic-beta: new-2027" in upstream.head


async def test_the_provider_gets_its_real_key_and_never_the_runs() -> None:
    async with raw_upstream(http("200 OK", STREAM, content_type="text/event-stream")) as upstream:
        there = Upstream(name="anthropic", url=upstream.url, key="env:SWARM_TEST_KEY")
        async with bench(upstreams=(there,)) as b:
            os.environ["SWARM_TEST_KEY"] = REAL_KEY
            try:
                await b.post(ask(), cookie="a=b", **{"x-api-key": "mine"})
            finally:
                del os.environ["SWARM_TEST_KEY"]
            assert f"x-api-key: {REAL_KEY}" in upstream.head
            for stolen in (RUN_KEY, "mine", "cookie", "authorization"):
                assert stolen not in upstream.head


async def test_a_key_can_travel_as_a_bearer_token(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(REAL_KEY)
    async with raw_upstream(http("200 OK", STREAM, content_type="text/event-stream")) as upstream:
        there = Upstream(
            name="local", url=upstream.url, key=f"file:{tmp_path / 'key'}", auth="bearer"
        )
        async with bench(upstreams=(there,)) as b:
            await b.post(ask())
            assert f"authorization: bearer {REAL_KEY}" in upstream.head


async def test_the_runs_key_is_taken_from_either_header() -> None:
    async with bench() as b:
        answer = await b.post(ask(USAGE), authorization="", **{"x-api-key": RUN_KEY})
        assert answer.status == 200


async def test_a_model_name_can_choose_the_provider_and_is_mapped_to_its_id() -> None:
    rates = Rates(input=1, output=1, cache_read=1, cache_write=1, cache_write_long=1)
    async with raw_upstream(http("200 OK", STREAM, content_type="text/event-stream")) as upstream:
        local = Upstream(name="local", url=upstream.url, aliases={"big": "qwen-3:30b"})
        elsewhere = Upstream(name="anthropic", url="http://127.0.0.1:1")
        async with bench(upstreams=(elsewhere, local), prices={"qwen-3:30b": rates}) as b:
            assert (await b.post(ask(model="local/big"))).status == 200
            assert upstream.body["model"] == "qwen-3:30b"


async def test_a_free_model_costs_nothing_but_its_tokens_are_counted() -> None:
    async with bench(unknown_model="free", budget=0) as b:
        assert (await b.post(ask(USAGE, model="qwen"))).status == 200
        spend = await b.settled()
        assert (spend.micros, spend.input, spend.output) == (0, 120, 300)


async def test_the_output_limit_is_cut_to_the_budget_and_the_provider_sees_it() -> None:
    async with bench() as b:
        await b.post(ask(USAGE, max_tokens=128_000))
        (call,) = b.endpoint.calls
        assert 8192 <= call.body["max_tokens"] <= 25_000


async def test_a_limit_the_budget_can_pay_is_left_alone() -> None:
    async with bench() as b:
        await b.post(ask(USAGE, max_tokens=1000))
        assert b.endpoint.calls[0].body["max_tokens"] == 1000


async def test_a_spent_budget_is_refused_so_that_the_agent_stops() -> None:
    async with bench(budget=1000) as b:
        answer = await b.post(ask(USAGE, max_tokens=128_000))
        assert answer.status == 402
        assert answer.json["error"]["type"] == "billing_error"
        assert answer.headers["x-should-retry"] == "false"
        assert "retry-after" not in answer.headers
        assert not b.endpoint.requests


async def test_a_refusal_is_noted_and_told_with_its_reason() -> None:
    async with bench(budget=1000) as b:
        await b.post(ask(USAGE, max_tokens=128_000))
        (refused,) = b.witness.refusals
        assert (refused.status, refused.budget) == (402, True)
        assert "budget" in refused.why
        assert (await b.spend()).refused == 1


async def test_calls_go_on_until_the_budget_is_spent_and_never_beyond() -> None:
    async with bench(budget=100_000) as b:
        statuses: list[int] = []
        while not statuses or statuses[-1] == 200:
            statuses.append((await b.post(ask(USAGE, max_tokens=1000))).status)
        assert statuses[-1] == 402
        spend = await b.settled(len(statuses) - 1)
        assert 80_000 < spend.micros <= 100_000


async def test_parallel_calls_wait_for_each_others_money_instead_of_being_refused() -> None:
    async with bench(budget=250_000) as b:
        text = "[[usage input=20 output=1000 delay=0.02]]"
        answers = await asyncio.gather(*(b.post(ask(text, max_tokens=64_000)) for _ in range(8)))
        assert [a.status for a in answers].count(200) >= 4
        spend = await b.settled(4)
        assert spend.micros <= 250_000


async def test_most_of_a_small_budget_is_usable_by_eight_calls_at_once() -> None:
    async with bench(budget=1_000_000) as b:
        text = "[[usage input=20 output=4000 delay=0.01]]"

        async def until_refused() -> None:
            while (await b.post(ask(text, max_tokens=4000))).status == 200:
                pass

        await asyncio.gather(*(until_refused() for _ in range(8)))
        spend = await b.spend()
        assert 900_000 <= spend.micros <= 1_000_000


async def test_waiting_for_money_ends() -> None:
    async with bench(budget=200_000, sibling_wait=0.05) as b:
        slow = asyncio.create_task(b.post(ask("[[usage delay=1]]", max_tokens=8192)))
        while not (await b.spend()).held:
            await asyncio.sleep(0.01)
        assert (await b.post(ask(USAGE, max_tokens=8192))).status == 402
        assert (await slow).status == 200


async def test_counting_tokens_is_free() -> None:
    async with bench(budget=0) as b:
        body = {"model": MODEL, "messages": []}
        answer = await b.post(body, path=f"{MESSAGES}/count_tokens?beta=true")
        assert answer.json["input_tokens"] > 0
        assert b.endpoint.requests[0].path == "/v1/messages/count_tokens?beta=true"
        assert await b.rows(HOLD) == []


async def test_a_model_without_a_price_is_refused_with_the_way_out() -> None:
    async with bench() as b:
        answer = await b.post(ask(model="mystery"))
        assert answer.status == 403
        assert "gateway.prices" in answer.json["error"]["message"]
        assert not b.endpoint.requests


async def test_a_missing_key_is_refused_and_names_the_place_only() -> None:
    there = Upstream(name="anthropic", url="http://127.0.0.1:1", key="env:NO_SUCH_KEY_HERE")
    async with bench(upstreams=(there,)) as b:
        answer = await b.post(ask())
        assert answer.status == 403
        assert "NO_SUCH_KEY_HERE" in answer.json["error"]["message"]


@pytest.mark.parametrize(("model", "says"), [("mystery", "mystery"), (MODEL, "NO_SUCH_KEY_HERE")])
async def test_what_would_be_refused_can_be_known_before(model: str, says: str) -> None:
    key = "" if model == "mystery" else "env:NO_SUCH_KEY_HERE"
    there = Upstream(name="anthropic", url="http://127.0.0.1:1", key=key)
    async with bench(upstreams=(there,)) as b:
        with pytest.raises(EnvironmentProblem, match=says) as problem:
            await b.gateway.check(model)
        assert problem.value.hint


async def test_opening_a_run_again_changes_nothing_for_its_agent() -> None:
    async with bench() as b:
        inode = b.socket.stat().st_ino
        await b.gateway.open(RUN_ID, b.socket, RUN_KEY)
        assert b.socket.stat().st_ino == inode
        assert (await b.post(ask(USAGE))).status == 200


async def test_a_socket_left_by_a_dead_supervisor_is_replaced() -> None:
    async with bench() as b:
        b.socket.unlink()
        b.socket.write_text("left behind")
        await b.gateway.open(RUN_ID, b.socket, RUN_KEY)
        assert (await b.post(ask(USAGE))).status == 200


async def test_a_new_key_replaces_the_old_one() -> None:
    async with bench() as b:
        await b.gateway.open(RUN_ID, b.socket, "swarm-run-new")
        assert (await b.post(ask(USAGE))).status == 403
        new = {"authorization": "Bearer swarm-run-new"}
        assert (await b.post(ask(USAGE), **new)).status == 200


async def test_a_closed_run_has_no_socket() -> None:
    async with bench() as b:
        await b.gateway.close(RUN_ID)
        await b.gateway.close(RUN_ID)
        assert not b.socket.exists()


async def test_a_socket_path_too_long_for_an_address_works(tmp_path: Path) -> None:
    async with bench() as b:
        deep = tmp_path / ("d" * 120) / "run" / "gateway.sock"
        await b.gateway.open(RunId("other.1"), deep, RUN_KEY)
        assert deep.is_socket()


async def test_a_socket_that_cannot_be_made_says_where_and_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    async with bench() as b:
        with pytest.raises(EnvironmentProblem, match=r"gateway\.sock") as problem:
            await b.gateway.open(RunId("other.1"), tmp_path / "file" / "x" / "gateway.sock", "k")
        assert "SWARM_STATE_DIR" in problem.value.hint


async def test_others_of_the_host_are_kept_out_by_the_directory_above_the_socket() -> None:
    async with bench() as b:
        assert b.socket.stat().st_mode & 0o777 == 0o666
        assert b.socket.parent.stat().st_mode & 0o777 == 0o711
        assert b.socket.parent.parent.stat().st_mode & 0o777 == 0o700


async def test_a_plan_drives_several_calls_by_their_tool_results() -> None:
    script = Script(plans={"p": (Turn(say="one"), Turn(say="two"))})
    async with bench(script) as b:
        messages = [
            {"role": "user", "content": "go [[plan:p]]"},
            {"role": "assistant", "content": "one"},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t"}]},
        ]
        answer = await b.post(ask(messages=messages, stream=False))
        assert json.loads(answer.body)["content"][0]["text"] == "two"
