"""Keys of model providers: a wrong one stops the agent at once, in words that say which and where to mend it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from app import wire
from app.domain.events import Refused
from app.domain.run import RunState
from app.gateway.rehearsal import Rehearsal
from tests.support.scripts import edit, scripted, tokens
from tests.support.world import Settings, World, paid_at, story

pytestmark = pytest.mark.asyncio(loop_scope="module")

SECRET = "sk-of-the-user-and-nobody-else"
AGENTS = {"caller": scripted([edit("a.txt", "a\n"), tokens(100, 100), edit("b.txt", "b\n")])}


@pytest.fixture(scope="module")
def key_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the user is to keep the key."""
    return tmp_path_factory.mktemp("keys") / "key"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def endpoint() -> AsyncIterator[Rehearsal]:
    """A provider that wants its key."""
    async with Rehearsal(key=SECRET) as rehearsal:
        yield rehearsal


@pytest.fixture(scope="module")
def settings(endpoint: Rehearsal, key_file: Path) -> Settings:
    return {"gateway": paid_at(endpoint.url, key=f"file:{key_file}")}


@story
async def keyless(world: World) -> wire.RunDetail:
    """A run while there is no key yet."""
    user = world.user()
    return await user.until(await user.submit(agent="caller"), RunState.FAILED)


async def test_a_key_that_is_not_there_is_told_without_calling_anybody(
    keyless: wire.RunDetail, endpoint: Rehearsal, key_file: Path
) -> None:
    assert f"no API key for upstream 'anthropic': the file {key_file}" in keyless.row.run.reason
    assert endpoint.calls == []


@story
async def rejected(world: World, keyless: wire.RunDetail, key_file: Path) -> wire.RunDetail:
    """A run whose first model call the provider did not accept."""
    key_file.write_text("sk-wrong")
    user = world.user()
    return await user.until(await user.submit(agent="caller"), RunState.FAILED)


async def test_a_wrong_key_stops_the_agent_with_the_place_to_mend_it(
    rejected: wire.RunDetail,
) -> None:
    reason = rejected.row.run.reason
    assert "the model API 'anthropic' does not accept the key from file" in reason
    assert "correct gateway.upstreams.anthropic.key" in reason


async def test_a_wrong_key_is_tried_once(rejected: wire.RunDetail, endpoint: Rehearsal) -> None:
    assert [call.authorized for call in endpoint.calls] == [False]


async def test_a_wrong_key_costs_nothing(rejected: wire.RunDetail) -> None:
    assert (rejected.spend.micros, rejected.spend.held) == (0, 0)


async def test_no_key_stands_in_anything_that_is_kept(
    world: World, rejected: wire.RunDetail
) -> None:
    events = await world.at(rejected).events(rejected.row.run.id)
    assert [e.body.status for e in events if isinstance(e.body, Refused)] == [403]
    kept = [path for path in world.home.state.rglob("*") if path.is_file()]
    assert not [path for path in kept if b"sk-wrong" in path.read_bytes()]


async def test_with_the_right_key_the_run_goes_on(
    world: World, rejected: wire.RunDetail, key_file: Path
) -> None:
    key_file.write_text(SECRET)
    user, run = world.at(rejected), rejected.row.run.id
    await user.resume(run)
    await user.until(run, RunState.IN_REVIEW)
    assert await user.file(run, "b.txt") == "b"
