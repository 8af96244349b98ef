"""What a person allowed, and what was asked for, outlives the supervisor; the agent at work goes on with it."""

import asyncio
from pathlib import Path

import pytest

from app import wire
from tests.support.actions import USER, SwarmActions
from tests.support.home import Home, supervised
from tests.support.images import require_docker, test_image
from tests.support.internet import Internet, internet
from tests.support.reaching import AGENTS, DOCS, PACKAGES, user_of
from tests.support.world import World, world_at

pytestmark = pytest.mark.docker
LATER = "later.example.org"


async def insists(home: Home, net: Internet) -> tuple[str, Path]:
    """A run that asks for a host again and again, and a supervisor that ends meanwhile."""
    async with supervised(home, net.way()) as client:
        user = user_of(World(home, client), net)
        new = wire.NewTask(
            goal="Insist",
            repo=str(user.repo),
            agent="insists",
            allow_network=(PACKAGES,),
            submitter=USER,
        )
        run = (await client.submit(new)).run.id
        while not (await client.network(run)).rows:
            await asyncio.sleep(0.1)
        await client.allow(run, wire.AllowHost(host=LATER, by=USER))
    return run, user.repo


async def test_an_agent_goes_on_under_the_next_supervisor(tmp_path: Path) -> None:
    require_docker()
    settings = {"sandbox": {"driver": "docker", "image": test_image()}}
    with world_at(tmp_path, agents=AGENTS, settings=settings) as home:
        async with internet(PACKAGES, DOCS) as net:
            run, repo = await insists(home, net)
            async with supervised(home, net.way()) as client:
                found = await client.network(run)
                assert [one.host for one in found.grants] == [LATER]
                assert [(row.host, row.allowed) for row in found.rows] == [(DOCS, False)]
                await client.allow(run, wire.AllowHost(host=DOCS, by=USER))
                user = SwarmActions(client, repo)
                await user.review(run)
                assert f"{DOCS}/page" in await user.file(run, "fetched.txt")
