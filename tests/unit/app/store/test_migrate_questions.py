"""Questions as they were before swarm's own were told from an agent's."""

import pytest
import sqlalchemy as sa

from app.store import migrate, reviews
from tests.support.rows import asked, stored

OLD = {
    "disk/1": {"title": "May it go on writing to the disk?", "action": "other"},
    "monitor/stall/9": {"title": "May it go on? It looks like a stall", "action": "other"},
    "budget/run/1": {"title": "The budget of the run is used up.", "action": "raise"},
    "q1": {"title": "May I push?", "action": "execute", "tool": "Bash"},
    "q2": {"title": "May it go on writing to the disk?", "action": "other", "tool": "Forged"},
}
NEW = {
    "disk/1": "box",
    "monitor/stall/9": "box",
    "budget/run/1": "raise",
    "agent/q1": "execute",
    "agent/q2": "other",
}


@pytest.fixture
def state(engines: tuple[sa.Engine, sa.Engine]) -> sa.Engine:
    with engines[0].begin() as c:
        run = stored(c)
        for request, more in OLD.items():
            asked(c, run, request, **more)
        c.exec_driver_sql("update swarm_schema set version = 25 where part = 'state'")
    migrate.upgrade(*engines)
    return engines[0]


def test_each_is_known_by_who_asked_it(state: sa.Engine) -> None:
    with state.begin() as c:
        found = reviews.open_approvals(c)
    assert {each.request: each.action for each in found} == NEW
