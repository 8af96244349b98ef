"""Prices: the shipped list in whole micro-dollars, the user's own before it, and never free by accident."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import genai_prices
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.money import Charge
from app.gateway.prices import Price, Prices, Unpriced, Usage, normalise
from app.gateway.settings import GatewaySettings, Rates, Upstream

NOW = datetime(2026, 11, 20, tzinfo=UTC).timestamp()
OWN = Rates(input=1_000_000, output=2_000_000, cache_read=3, cache_write=4, cache_write_long=5)
UPSTREAMS = (Upstream(name="anthropic", url="http://127.0.0.1:1"),)
PRICES = Prices(GatewaySettings(upstreams=UPSTREAMS))


def known(model: str, at: float = NOW) -> Price:
    price = PRICES.find(model, at)
    assert isinstance(price, Price)
    return price


@pytest.mark.parametrize(
    ("written", "id_"),
    [
        ("claude-opus-5-5", "claude-opus-5-5"),
        ("claude-opus-5-5[1m]", "claude-opus-5-5"),
        ("Claude-Sonnet-5", "claude-sonnet-5"),
        ("anthropic/claude-haiku-4-5", "claude-haiku-4-5"),
        ("us.anthropic.claude-opus-4-8-v1:0", "claude-opus-4-8"),
        ("qwen3-coder:30b", "qwen3-coder:30b"),
    ],
)
def test_a_model_has_one_name_whatever_surrounds_it(written: str, id_: str) -> None:
    assert normalise(written) == id_


def test_a_cost_is_exact_and_rounded_up_once() -> None:
    usage = Usage(input=1, output=1, cache_read=1, cache_write=1, cache_write_long=1)
    assert known("claude-opus-5-5").cost(usage) == 38  # 4 + 20 + 0.2 + 5 + 8 micro-dollars


def test_a_long_prompt_is_charged_by_its_own_tier_for_every_token() -> None:
    price = known("claude-sonnet-4-5")
    assert price.cost(Usage(input=200_000)) == 600_000
    assert price.cost(Usage(input=200_001)) == 1_200_006


def test_the_price_of_the_day_of_the_call_holds() -> None:
    before = datetime(2026, 3, 1, tzinfo=UTC).timestamp()
    usage = Usage(input=300_000)
    assert known("claude-opus-4-6", before).cost(usage) == 3_000_000
    assert known("claude-opus-4-6").cost(usage) == 1_500_000


TOKENS = st.integers(0, 400_000)


@given(
    st.sampled_from(["claude-opus-5-5", "claude-haiku-5-5", "claude-sonnet-4-5", "claude-3-haiku"]),
    st.builds(
        Usage,
        input=TOKENS, output=TOKENS, cache_read=TOKENS, cache_write=TOKENS, cache_write_long=TOKENS,
    ),
)  # fmt: skip
def test_our_arithmetic_agrees_with_the_price_lists_own(model: str, usage: Usage) -> None:
    written = usage.cache_write + usage.cache_write_long
    theirs = genai_prices.calc_price(
        genai_prices.Usage(
            input_tokens=usage.sent,
            output_tokens=usage.output,
            cache_read_tokens=usage.cache_read,
            cache_write_tokens=written,
            cache_write_1h_tokens=usage.cache_write_long,
        ),
        model,
        provider_id="anthropic",
        genai_request_timestamp=datetime.fromtimestamp(NOW, UTC),
    )
    ours = known(model).cost(usage)
    assert 0 <= ours - theirs.total_price * 1_000_000 < Decimal(1)


def test_an_unknown_model_is_refused_with_the_way_out_named() -> None:
    price = PRICES.find("claude-opus-99", NOW)
    assert isinstance(price, Unpriced)
    assert "claude-opus-99" in price.why
    assert "gateway.prices" in price.fix


def test_an_unknown_model_can_be_charged_at_an_assumed_price() -> None:
    settings = GatewaySettings(upstreams=UPSTREAMS, unknown_model="assume", assume=OWN)
    price = Prices(settings).find("mystery", NOW)
    assert isinstance(price, Price)
    assert (price.cost(Usage(input=10, output=10)), price.data) == (30, "assumed")


def test_an_unknown_model_can_be_free() -> None:
    price = Prices(GatewaySettings(upstreams=UPSTREAMS, unknown_model="free")).find("qwen", NOW)
    assert isinstance(price, Price)
    assert (price.cost(Usage(input=10**9, output=10**9)), price.data) == (0, "free")


def test_the_users_own_price_wins_over_the_list() -> None:
    settings = GatewaySettings(upstreams=UPSTREAMS, prices={"claude-opus-5-5": OWN})
    price = Prices(settings).find("claude-opus-5-5[1m]", NOW)
    assert isinstance(price, Price)
    assert (price.cost(Usage(input=1)), price.data) == (1, "config")


def test_a_charge_names_the_price_data_it_was_made_with() -> None:
    assert known("claude-opus-5-5").data.startswith("genai-prices 0.")


def test_a_price_that_was_set_holds_after_a_restart_and_before_the_list(tmp_path: Path) -> None:
    settings = GatewaySettings(upstreams=UPSTREAMS)
    Prices(settings, tmp_path).override("claude-opus-5-5", OWN)
    price = Prices(settings, tmp_path).find("claude-opus-5-5", NOW)
    assert isinstance(price, Price)
    assert (price.cost(Usage(input=1)), price.data) == (1, "own")


def test_a_charge_is_computed_again_from_its_own_rates() -> None:
    usage = Usage(input=7, output=11, cache_read=13, cache_write=17, cache_write_long=19)
    price = known("claude-opus-5-5")
    rates = price.rates(usage.sent)
    charge = Charge(
        micros=price.cost(usage),
        model="m",
        input=usage.input,
        output=usage.output,
        cache_read=usage.cache_read,
        cache_write=usage.cache_write + usage.cache_write_long,
        cache_write_long=usage.cache_write_long,
        rates=msgspec.structs.astuple(rates),
    )
    assert charge.listed == charge.micros
