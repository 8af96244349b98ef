"""A run halted by a monitor stays so while supervisors come and go."""

from pathlib import Path

from app.domain.events import Flagged
from app.domain.run import RunState
from tests.flows.test_monitors import AGENTS, SETTINGS
from tests.support.actions import SwarmActions
from tests.support.home import supervised
from tests.support.repos import make_repository
from tests.support.world import world_at


async def test_the_question_is_the_same_and_asked_once(tmp_path: Path) -> None:
    with world_at(tmp_path, agents=AGENTS, settings=SETTINGS) as home:
        project = make_repository(home.root / "project")
        async with supervised(home) as client:
            user = SwarmActions(client, project)
            run = await user.submit(agent="looper")
            before = await user.question(run)
        async with supervised(home) as client:
            user = SwarmActions(client, project)
            assert await user.question(run) == before
            await user.answer(before, yes=True)
            (home.state / "sandboxes" / run / "go").touch()
            await user.until(run, RunState.IN_REVIEW)
            bodies = [event.body for event in await user.events(run)]
            loops = [
                each for each in bodies if isinstance(each, Flagged) and each.monitor == "loop"
            ]
            assert len(loops) == 1
