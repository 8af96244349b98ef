"""What runs may reach besides models, and what they asked for."""

import sqlalchemy as sa

from app.domain.ids import RunId
from app.domain.network import Knock, NetworkRefusal, NetworkRules
from app.store import network, tasks
from tests.support.rows import a_run, a_task, stored

RULES = NetworkRules(hosts=("pypi.org",), bytes=1000)
NOT_ALLOWED = NetworkRefusal.NOT_ALLOWED


def run_of(c: sa.Connection, name: str = "aaaaa") -> RunId:
    """A run of a task that allows one host and a thousand bytes."""
    tasks.add_task(c, a_task(name, network=RULES))
    tasks.add_run(c, a_run(name))
    return a_run(name).id


def test_a_task_keeps_what_it_allows(state: sa.Connection) -> None:
    run = run_of(state)
    assert tasks.task(state, a_task().id).network == RULES
    assert network.allowed(state, run) == {"pypi.org"}


def test_a_task_without_rules_reaches_nothing(state: sa.Connection) -> None:
    run = stored(state)
    assert (network.allowed(state, run), network.left(state, run)) == (frozenset(), 0)


def test_what_a_person_allows_is_for_that_run_only(state: sa.Connection) -> None:
    first, other = run_of(state), run_of(state, "bbbbb")
    assert network.grant(state, first, "npmjs.example", by="ada", at=2.0)
    assert not network.grant(state, first, "npmjs.example", by="bob", at=3.0)
    assert network.allowed(state, first) == {"pypi.org", "npmjs.example"}
    assert network.allowed(state, other) == {"pypi.org"}
    assert [(g.by, g.at) for g in network.grants(state, first)] == [("ada", 2.0)]


def test_knocks_of_one_kind_are_one_row(state: sa.Connection) -> None:
    run = run_of(state)
    knock = Knock(host="evil.example", refused=NOT_ALLOWED)
    assert [network.note(state, run, knock, now=at) for at in (1.0, 2.0)] == [True, False]
    (row,) = network.rows(state, run)
    assert (row.host, row.allowed, row.times, row.first, row.last) == (
        "evil.example",
        False,
        2,
        1.0,
        2.0,
    )
    assert row.why == "it is not allowed for this run"


def test_what_passed_is_taken_from_what_is_left(state: sa.Connection) -> None:
    run = run_of(state)
    network.note(state, run, Knock(host="pypi.org"), now=1.0)
    network.note(state, run, Knock(host="pypi.org", times=0, sent=100, received=300), now=2.0)
    (row,) = network.rows(state, run)
    assert (row.allowed, row.times, row.sent, row.received) == (True, 1, 100, 300)
    assert network.left(state, run) == 600


def test_made_up_names_fill_no_table(state: sa.Connection) -> None:
    run = run_of(state)
    for number in range(network.MOST_ROWS + 50):
        knock = Knock(host=f"secret{number}.example", refused=NOT_ALLOWED)
        network.note(state, run, knock, now=float(number))
    rows = {row.host: row.times for row in network.rows(state, run)}
    assert (len(rows), rows[network.OTHERS]) == (network.MOST_ROWS + 1, 50)
