"""What was spent, on the screen: the header, a run's own tab, and the ledger added up."""

import pytest

from app import wire
from app.domain.events import Event, Spent
from app.domain.ids import RunId
from app.domain.money import Micros
from app.domain.run import RunState
from app.tui.model.costs import cost_lines, ledger_lines, pace_line
from app.tui.model.line import Line, line_cells
from app.tui.model.purse import Pace, Spending
from tests.support.fleet import NOW, RecordedSwarm, app_over, row
from tests.support.screens import seen

SPEND = wire.Spend(
    micros=Micros(0), held=Micros(0), calls=0, refused=0, input=0, output=0, cache_read=0, cache_write=0
)  # fmt: skip


def cost(key: str, micros: int, **more: int) -> wire.CostLine:
    return wire.CostLine(
        key=key, micros=Micros(micros), calls=2, input=1000, output=50, cached=9000,
        unsure=Micros(more.get("unsure", 0)),
    )  # fmt: skip


def words(lines: list[Line]) -> str:
    return "\n".join("".join(text for text, _ink in line) for line in lines)


def charged(seq: int, micros: int, day: int, at: float = NOW, run: str = "zzzzz.1") -> Event:
    spent = Spent(micros=micros, total=micros, model="m", input=1, output=1, day=day)
    return Event(seq=seq, run=RunId(run), at=at, body=spent)


def test_charges_of_all_repositories_move_todays_sum_and_the_rate() -> None:
    spending = Spending()
    spending.load(wire.Purse(today=Micros(2_000_000), lately=((NOW - 60, Micros(500_000)),)), NOW)
    spending.apply(charged(1, 250_000, 2_250_000))
    assert spending.at(NOW) == Pace(Micros(2_250_000), None, Micros(3_000_000))


def test_a_charge_told_twice_counts_once_for_the_day() -> None:
    spending = Spending()
    spending.load(wire.Purse(today=Micros(2_000_000)), NOW)
    for _ in range(2):
        spending.apply(charged(1, 250_000, 2_250_000))
    assert spending.at(NOW).today == 2_250_000


def test_the_rate_falls_to_nothing_when_nothing_is_spent_and_a_new_day_begins_at_zero() -> None:
    spending = Spending()
    spending.load(wire.Purse(today=Micros(5), lately=((NOW, Micros(5)),)), NOW)
    assert spending.at(NOW + 901).hourly == 0
    assert spending.at(NOW + 86_400).today == 0


@pytest.mark.parametrize(
    ("pace", "said"),
    [
        (Pace(), ""),
        (Pace(Micros(3_410_000), None, Micros(800_000)), " today $3.41 · $0.80/h"),
        (Pace(Micros(0), Micros(10_000_000)), " today $0.00 of $10.00 · $0.00/h"),
    ],
)
def test_the_header_says_what_today_has_cost_and_how_fast(pace: Pace, said: str) -> None:
    assert words([pace_line(pace)]) == said


def test_the_sum_is_that_of_the_lines() -> None:
    shown = words(ledger_lines([cost("a", 1_500_000), cost("b", 250_000)], "agent", 80))
    assert "AGENT" in shown
    assert "$1.75" in shown.splitlines()[-1]
    assert "all together" in shown.splitlines()[-1]


def test_what_is_only_an_upper_bound_is_said() -> None:
    assert "$0.25 of it is an upper bound" in words(
        ledger_lines([cost("a", 1_500_000, unsure=250_000)], "agent", 80)
    )


def test_sub_agents_stand_in_a_table_of_their_own_where_there_are_any() -> None:
    lanes = [cost("", 700_000), cost("a1b2c3", 40_000)]
    shown = words(cost_lines(row("aaaaa", "g", RunState.WORKING), SPEND, None, 80, lanes))
    assert "SUB-AGENT" in shown
    assert "the agent itself" in shown
    assert "SUB-AGENT" not in words(
        cost_lines(row("aaaaa", "g", RunState.WORKING), SPEND, None, 80, lanes[:1])
    )


@pytest.mark.parametrize("width", [40, 80, 160])
def test_no_line_is_wider_than_the_screen(width: int) -> None:
    lines = ledger_lines([cost("a very long name of something " * 5, 10**12)], "task", width)
    assert all(line_cells(line) <= max(width, 50) for line in lines)


async def test_the_screen_of_costs_adds_up_by_the_next_with_a_key(swarm: RecordedSwarm) -> None:
    swarm.recording.costs = {
        "task": (cost("h7fz4", 310_000),),
        "run": (cost("h7fz4.1", 310_000),),
    }
    swarm.recording.purse = wire.Purse(today=Micros(3_410_000), cap=Micros(10_000_000))
    async with app_over(swarm).run_test(notifications=True, size=(80, 24)) as pilot:
        await seen(pilot, "today $3.41 of $10.00")
        await pilot.press("$")
        await seen(pilot, "TASK")
        await pilot.press("s")
        screen = await seen(pilot, "RUN")
        assert "h7fz4.1" in screen
        await pilot.press("P")
        await seen(pilot, "this month")
        await pilot.press("escape")
        await seen(pilot, "needs you first")
