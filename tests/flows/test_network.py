"""Runs that reach hosts: allowed by configuration, by the command line, by a person while the agent works."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from app import wire
from app.domain.errors import ConfigError, NotNow, UsageError
from app.domain.events import Note
from app.domain.network import NetworkRefusal as No
from tests.support.actions import USER, SwarmActions
from tests.support.home import supervised
from tests.support.images import require_docker, test_image
from tests.support.internet import Internet, internet
from tests.support.reaching import AGENTS, DOCS, OTHER, PACKAGES, user_of
from tests.support.world import World, story, world_at

pytestmark = [pytest.mark.docker, pytest.mark.asyncio(loop_scope="module")]


@story
async def net() -> AsyncIterator[Internet]:
    async with internet(PACKAGES, DOCS, OTHER) as net:
        yield net


@story
async def world(net: Internet, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    require_docker()
    settings = {
        "sandbox": {"driver": "docker", "image": test_image()},
        "network": {"allow": [PACKAGES]},
    }
    root = tmp_path_factory.mktemp("world")
    with world_at(root, agents=AGENTS, settings=settings) as home:
        async with supervised(home, net.way()) as client:
            yield World(home, client)


@story
async def fetched(world: World, net: Internet) -> tuple[SwarmActions, str]:
    """A run that has asked for an allowed host, another one and an address."""
    user = user_of(world, net)
    run = await user.submit("Fetch", agent="fetches")
    await user.review(run)
    return user, run


async def test_an_agent_in_a_box_fetches_from_an_allowed_host(
    fetched: tuple[SwarmActions, str],
) -> None:
    user, run = fetched
    assert f"{PACKAGES}/simple" in await user.file(run, "fetched.txt")


async def test_an_agent_is_told_why_another_host_is_refused(
    fetched: tuple[SwarmActions, str],
) -> None:
    user, run = fetched
    words = f"Tunnel connection failed: 403 swarm refuses {OTHER}: {No.NOT_ALLOWED}"
    assert words in await user.file(run, "fetched.txt")


async def test_what_was_asked_for_is_kept_with_the_run(fetched: tuple[SwarmActions, str]) -> None:
    user, run = fetched
    found = await user.client.network(run)
    assert (found.hosts, found.limit - found.left > 0) == ((PACKAGES,), True)
    assert sorted((row.host, row.allowed, row.why) for row in found.rows) == [
        ("10.0.0.1:443", False, No.NOT_A_HOST),
        (OTHER, False, No.NOT_ALLOWED),
        (PACKAGES, True, ""),
    ]


async def test_the_log_tells_of_each_refusal_once(fetched: tuple[SwarmActions, str]) -> None:
    user, run = fetched
    notes = [e.body.text for e in await user.events(run) if isinstance(e.body, Note)]
    assert notes.count(f"network: {OTHER} refused, {No.NOT_ALLOWED}") == 1


async def test_a_person_allows_a_host_for_an_agent_at_work(world: World, net: Internet) -> None:
    user = user_of(world, net)
    run = await user.submit("Insist", agent="insists")
    while not (await user.client.network(run)).rows:
        await asyncio.sleep(0.1)
    answer = await user.client.allow(run, wire.AllowHost(host=DOCS, by=USER))
    assert [(one.host, one.by) for one in answer.grants] == [(DOCS, USER)]
    await user.review(run)
    assert f"{DOCS}/page" in await user.file(run, "fetched.txt")
    audit = await user.client.audit(run)
    assert [(row.actor, row.detail["host"]) for row in audit if row.what == "network allowed"] == [
        (USER, DOCS)
    ]
    with pytest.raises(UsageError, match="should be the full name of a host"):
        await user.client.allow(run, wire.AllowHost(host="10.0.0.1", by=USER))
    await user.discard(run)
    with pytest.raises(NotNow, match="is discarded"):
        await user.client.allow(run, wire.AllowHost(host=OTHER, by=USER))


async def test_a_host_may_be_allowed_for_one_task(world: World, net: Internet) -> None:
    user = user_of(world, net)
    new = wire.NewTask(
        goal="Fetch", repo=str(user.repo), agent="fetches", allow_network=(OTHER,), submitter=USER
    )
    run = (await user.client.submit(new)).run.id
    await user.review(run)
    assert f"{OTHER}/x" in await user.file(run, "fetched.txt")
    row = next(row for row in await user.client.audit(run) if row.what == "task submitted")
    assert row.detail["network"] == f"{OTHER} {PACKAGES}"


async def test_a_run_that_may_reach_nothing_has_no_proxy(world: World, net: Internet) -> None:
    user = user_of(world, net, network="{allow: []}")
    run = await user.submit("Look", agent="looks")
    await user.review(run)
    assert await user.file(run, "proxies.txt") == "0"


async def test_a_repository_cannot_open_the_network(world: World, net: Internet) -> None:
    user = user_of(world, net, network=f"{{allow: [{PACKAGES}, {OTHER}]}}")
    with pytest.raises(ConfigError, match=f"not add {OTHER}"):
        await user.submit("Fetch", agent="fetches")


async def test_an_unknown_preset_is_told_with_the_nearest(world: World, net: Internet) -> None:
    user = user_of(world, net)
    new = wire.NewTask(goal="Fetch", repo=str(user.repo), allow_network=("pypy",), submitter=USER)
    with pytest.raises(UsageError, match=r"--allow-network 'pypy' .* did you mean 'pypi'"):
        await user.client.submit(new)
