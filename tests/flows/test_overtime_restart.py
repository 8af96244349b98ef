"""A run whose time is used up stands still while supervisors come and go."""

from pathlib import Path

from app.domain.run import RunState
from tests.support.actions import SwarmActions
from tests.support.home import supervised
from tests.support.repos import make_repository
from tests.support.scripts import edit, scripted
from tests.support.world import world_at

AGENTS = {"steady": scripted([edit("a.txt", "1\n"), {"sleep": 6}, edit("b.txt", "2\n")])}


async def test_the_question_for_more_time_is_the_same_and_asked_once(tmp_path: Path) -> None:
    with world_at(tmp_path, agents=AGENTS, settings={"budget": {"time": "3s"}}) as home:
        project = make_repository(home.root / "project")
        async with supervised(home) as client:
            user = SwarmActions(client, project)
            run = await user.submit(agent="steady")
            before = await user.question(run)
        async with supervised(home) as client:
            user = SwarmActions(client, project)
            assert await user.question(run) == before
            await user.answer(before, yes=True)
            shown = await user.until(run, RunState.IN_REVIEW)
            assert [each.request for each in shown.approvals] == [before.request]
            assert await user.file(run, "b.txt") == "2"
