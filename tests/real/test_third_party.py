"""A harness that comes in a package of its own does its work with the real program, beside ours."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from app import wire
from app.domain.events import Note
from app.domain.run import RunState
from app.gateway.rehearsal import Rehearsal
from harnesses.events import SessionStarted, ToolCall
from tests.real.conftest import house_at
from tests.support import example
from tests.support.world import World, story

pytestmark = [
    pytest.mark.docker,
    pytest.mark.real,
    pytest.mark.asyncio(loop_scope="module"),
]
AGENT = {"harness": example.NAME, "model": "gpt-5.5", "image": "codex"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(
    provider: Rehearsal, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[World]:
    """The world of a user who has installed the package."""
    target = tmp_path_factory.mktemp("installed")
    example.install(target)
    root = tmp_path_factory.mktemp("real")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(target)
        agents = {"codex-once": AGENT}
        async with house_at(root, provider, budget={"run": "5.00"}, agents=agents) as world:
            yield world


@story
async def twice(house: World) -> wire.RunDetail:
    """It writes a file, is sent back, and goes on."""
    user = house.user(agent="codex-once")
    run = await user.submit("Look around [[plan:mend]]")
    await user.until(run, RunState.IN_REVIEW)
    await user.changes(run, "Write more [[plan:codex-again]]")
    return await user.until(run, RunState.IN_REVIEW)


async def test_it_edits_runs_a_command_and_pays(house: World, twice: wire.RunDetail) -> None:
    user, run = house.at(twice), twice.row.run.id
    assert "return a + b" in await user.file(run, "src/app.py")
    assert await user.file(run, "looked.txt") == "looked"
    assert twice.spend.calls >= 6
    tools = {e.body.tool for e in await user.events(run) if isinstance(e.body, ToolCall)}
    assert tools == {"edit", "execute"}


async def test_sent_back_it_goes_on_in_its_conversation(
    house: World, twice: wire.RunDetail
) -> None:
    user, run = house.at(twice), twice.row.run.id
    begun = [e.body for e in await user.events(run) if isinstance(e.body, SessionStarted)]
    assert len(begun) == 2
    assert len({each.conversation for each in begun}) == 1
    assert await user.file(run, "more.txt") == "more"


async def test_that_it_cannot_ask_is_said(house: World, twice: wire.RunDetail) -> None:
    events = await house.at(twice).events(twice.row.run.id)
    said = [e.body.text for e in events if isinstance(e.body, Note) and e.body.level == "warning"]
    assert [text for text in said if text.startswith("codex-once cannot ask")]
