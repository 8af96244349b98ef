"""Why a run came to rest, and what the next one may spend."""

import pytest
from msgspec.structs import replace

from app.domain.budget import Limits
from app.domain.ids import RunId
from app.domain.money import Micros
from app.store.turns import Turn
from app.supervisor.handing import cause_of, left_of
from policies.breaker import EndCause
from tests.support.rows import a_run, a_task

TURN = Turn(run=RunId("aaaaa.1"), number=1, round=1, prompt="p", began=1.0, ended=2.0)
ENDED = replace(TURN, exit_code=0, exit_reason="exited", stop_reason="end_turn")
PROVIDER = "API Error: 502 swarm: the model API 'anthropic' cannot be reached"


@pytest.mark.parametrize(
    ("how", "turn", "more", "cause"),
    [
        ("review", ENDED, {}, "done"),
        ("review", ENDED, {"failed": True}, "checks"),
        ("park", ENDED, {"resting": True}, "rate_limit"),
        ("park", ENDED, {}, "budget"),
        ("stop", None, {}, "stopped"),
        ("stuck", ENDED, {}, "stuck"),
        ("fail", None, {}, "setup"),
        ("fail", TURN, {}, "crash"),
        ("fail", replace(ENDED, stop_reason="error"), {}, "error"),
        ("fail", replace(ENDED, stop_reason="error", error=PROVIDER), {}, "outage"),
        ("fail", ENDED, {"changed": False}, "stuck"),
        ("fail", ENDED, {}, "setup"),
    ],
)
def test_a_rest_has_a_cause(
    how: str, turn: Turn | None, more: dict[str, bool], cause: EndCause
) -> None:
    facts = {"failed": False, "resting": False, "changed": True, **more}
    assert cause_of(how, turn, **facts) == cause


def test_the_next_run_gets_what_is_left_of_one_budget() -> None:
    runs = (a_run(spent=Micros(300_000)), a_run(number=2, spent=Micros(200_000)))
    assert left_of(a_task(), runs) == 500_000
    assert left_of(a_task(), (a_run(spent=Micros(1_200_000)),)) == 0


def test_a_limit_of_the_task_may_give_it_a_whole_one() -> None:
    task = a_task(limits=Limits(task=Micros(1_800_000)))
    assert left_of(task, (a_run(spent=Micros(900_000)),)) == 900_000
    assert left_of(task, ()) == 1_000_000
