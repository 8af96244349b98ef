"""Reservations: the worst case is held, and the answer is cut to what the money allows."""

from hypothesis import assume, given
from hypothesis import strategies as st

from app.domain.budget import Claim, Headroom, Room
from app.gateway.prices import Price, Tier, Usage
from app.gateway.reservation import Bounds, least, used
from app.gateway.reservation import plan as plan_for
from app.gateway.settings import Rates

RATES = Rates(
    input=4_000_000, output=20_000_000, cache_read=200_000,
    cache_write=5_000_000, cache_write_long=8_000_000,
)  # fmt: skip
DEARER = Rates(
    input=8_000_000, output=30_000_000, cache_read=400_000,
    cache_write=10_000_000, cache_write_long=16_000_000,
)  # fmt: skip
PRICE = Price(tiers=(Tier(above=-1, rates=RATES),), data="test")
TIERED = Price(tiers=(Tier(above=-1, rates=RATES), Tier(above=200_000, rates=DEARER)), data="test")
FLOOR = 8192


def plan(
    bounds: Bounds, price: Price, left: int, *, floor: int, tokens: int | None = None
) -> Claim | None:
    """The plan for so many micro-dollars, and so many tokens, left."""
    of_tokens = None if tokens is None else Room(key="", of="", left=tokens, held=0, cap=0)
    room = Headroom(money=Room(key="", of="", left=left, held=0, cap=0), tokens=of_tokens)
    return plan_for(bounds, price, room, floor=floor)


def test_a_call_that_fits_keeps_its_own_limit() -> None:
    planned = plan(Bounds(input=1000, output=1000), PRICE, 1_000_000, floor=FLOOR)
    assert planned is not None
    assert (planned.output, planned.micros) == (1000, 24_000)


def test_a_dear_call_is_cut_to_half_of_what_is_left() -> None:
    planned = plan(Bounds(input=1000, output=128_000), PRICE, 1_000_000, floor=FLOOR)
    assert planned is not None
    assert (planned.output, planned.micros) == (24_800, 500_000)


def test_a_call_is_not_cut_below_the_floor() -> None:
    planned = plan(Bounds(input=0, output=128_000), PRICE, 200_000, floor=FLOOR)
    assert planned is not None
    assert planned.output == FLOOR


def test_a_call_that_cannot_have_the_floor_is_refused() -> None:
    assert plan(Bounds(input=0, output=128_000), PRICE, 163_839, floor=FLOOR) is None


def test_a_call_that_asks_for_less_than_the_floor_keeps_its_own_number() -> None:
    planned = plan(Bounds(input=0, output=100), PRICE, 2_000, floor=FLOOR)
    assert planned is not None
    assert planned.output == 100


def test_the_cut_leaves_room_for_the_thinking_that_was_asked_for() -> None:
    bounds = Bounds(input=0, output=128_000, thinking=30_000)
    planned = plan(bounds, PRICE, 1_000_000, floor=FLOOR)
    assert planned is not None
    assert planned.output == 30_001


def test_thinking_that_the_money_cannot_hold_is_refused() -> None:
    bounds = Bounds(input=0, output=128_000, thinking=60_000)
    assert plan(bounds, PRICE, 1_000_000, floor=FLOOR) is None


def test_a_free_model_needs_no_money() -> None:
    free = Rates(input=0, output=0, cache_read=0, cache_write=0, cache_write_long=0)
    price = Price(tiers=(Tier(above=-1, rates=free),), data="free")
    planned = plan(Bounds(input=10**6, output=10**6), price, -5, floor=FLOOR)
    assert planned is not None
    assert (planned.output, planned.micros) == (10**6, 0)


BOUNDS = st.builds(
    Bounds,
    input=st.integers(0, 400_000),
    output=st.integers(1, 200_000),
    cache=st.sampled_from(["none", "short", "long"]),
    thinking=st.integers(0, 50_000),
    passes=st.integers(1, 2),
)


@given(BOUNDS, st.integers(-(10**6), 10**9))
def test_no_plan_holds_more_than_is_left(bounds: Bounds, left: int) -> None:
    planned = plan(bounds, TIERED, left, floor=FLOOR)
    if planned is not None:
        assert planned.micros <= left
        assert 1 <= planned.output <= bounds.output


@given(BOUNDS, st.integers(10**7, 10**9), st.data())
def test_what_a_provider_may_bill_never_exceeds_the_hold(
    bounds: Bounds, left: int, data: st.DataObject
) -> None:
    planned = plan(bounds, TIERED, left, floor=FLOOR)
    assume(planned is not None)
    assert planned is not None
    tokens = data.draw(st.integers(0, bounds.input))
    kinds = {"none": ["input"], "short": ["input", "cache_write"]}
    kind = data.draw(
        st.sampled_from(kinds.get(bounds.cache, ["input", "cache_write", "cache_write_long"]))
    )
    output = data.draw(st.integers(0, planned.output))
    assert TIERED.cost(Usage(**{kind: tokens, "output": output})) <= planned.micros


@given(BOUNDS, st.integers(0, 10**7))
def test_a_call_is_refused_exactly_when_its_least_is_dearer_than_what_is_left(
    bounds: Bounds, left: int
) -> None:
    refused = plan(bounds, TIERED, left, floor=FLOOR) is None
    assert refused == (least(bounds, TIERED, floor=FLOOR).micros > left)


def test_an_answer_is_cut_to_the_tokens_that_are_left() -> None:
    bounds = Bounds(input=1000, output=128_000)
    planned = plan(bounds, PRICE, 10**9, floor=FLOOR, tokens=20_000)
    assert planned is not None
    assert (planned.output, planned.tokens) == (19_000, 20_000)


@given(BOUNDS, st.integers(0, 10**6))
def test_no_plan_uses_more_tokens_than_are_left(bounds: Bounds, tokens: int) -> None:
    planned = plan(bounds, TIERED, 10**12, floor=FLOOR, tokens=tokens)
    if planned is None:
        assert least(bounds, TIERED, floor=FLOOR).tokens > tokens
    else:
        assert planned.tokens == used(bounds, planned.output) <= tokens
