"""A person who has no screen open is told: by a command on the desktop, by a webhook."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.support.home import supervised
from tests.support.patience import PATIENCE
from tests.support.scripts import edit, scripted
from tests.support.world import World, story, world_at

pytestmark = pytest.mark.asyncio(loop_scope="module")

AGENTS = {"writer": scripted([edit("a.txt", "1\n")])}
GOAL = "Tell; <!channel> $(touch owned)"


@dataclass
class Hook:
    """Where notices are posted to."""

    port: int = 0
    status: int = 204
    bodies: list[dict[str, object]] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(head.partition("content-length:")[2].partition("\r\n")[0])
        self.bodies.append(json.loads(await reader.readexactly(length)))
        writer.write(f"HTTP/1.1 {self.status} x\r\ncontent-length: 0\r\n\r\n".encode())
        await writer.drain()
        writer.close()


@story
async def hook() -> AsyncIterator[Hook]:
    hook = Hook()
    async with await asyncio.start_server(hook.serve, "127.0.0.1", 0) as server:
        hook.port = server.sockets[0].getsockname()[1]
        yield hook


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the desktop has shown, an argument a line."""
    return tmp_path_factory.mktemp("desktop") / "shown"


@story
async def world(
    hook: Hook, shown: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[World]:
    command = f'sh -c \'printf "%s\\n" "$@" >> {shown}\' show'
    where = tmp_path_factory.mktemp("secret") / "hook"
    where.write_text(f"http://127.0.0.1:{hook.port}/secret\n")
    notify = {"command": command, "webhook": f"file:{where}", "about": ["review"]}
    with world_at(
        tmp_path_factory.mktemp("world"), agents=AGENTS, settings={"notify": notify}
    ) as home:
        # What a power cut may leave of how far was told.
        home.state.mkdir(mode=0o700)
        (home.state / "notified").touch()
        async with supervised(home) as client:
            yield World(home, client)


@story
async def told(world: World, hook: Hook) -> dict[str, object]:
    """What the webhook got of a run that is ready for review."""
    user = world.user()
    run = await user.submit(GOAL, agent="writer")
    await user.review(run)
    async with asyncio.timeout(PATIENCE):
        while not hook.bodies:
            await asyncio.sleep(0.05)
    return hook.bodies[0] | {"expected": run}


async def test_a_webhook_is_told_which_run_and_why(told: dict[str, object]) -> None:
    assert str(told["run"]).startswith(str(told["expected"]))
    assert told["about"] == "review"


async def test_a_webhook_gets_no_mention_out_of_a_goal(told: dict[str, object]) -> None:
    assert str(told["text"]).endswith("is ready for review: Tell, ‹!channel› $(touch owned)")


async def test_the_desktop_gets_title_and_text_as_arguments(
    told: dict[str, object], shown: Path
) -> None:
    assert shown.read_text().splitlines() == ["swarm", str(told["text"])]


async def test_what_a_person_did_not_ask_for_is_not_told(
    told: dict[str, object], hook: Hook
) -> None:
    assert {body["about"] for body in hook.bodies} == {"review"}


async def test_a_trial_says_which_way_worked(
    told: dict[str, object], world: World, hook: Hook
) -> None:
    hook.status = 500
    lines = {line.way: line for line in await world.client.try_notices()}
    assert lines["command"].ok
    assert (lines["webhook"].ok, lines["webhook"].found) == (False, "it answered 500")


async def test_the_screen_is_told_what_the_configuration_says_now(world: World) -> None:
    file = world.home.config / "config.yaml"
    before = file.read_text()
    file.write_text(before + "\nscreen:\n  theme: light\n")
    try:
        look = await world.client.look()
    finally:
        file.write_text(before)
    assert (look.theme, look.about, look.file) == ("light", ("review",), str(file))


async def test_the_screen_is_told_what_is_wrong_with_the_configuration(world: World) -> None:
    file = world.home.config / "config.yaml"
    before = file.read_text()
    file.write_text("screen:\n  theme: pink\n")
    try:
        look = await world.client.look()
    finally:
        file.write_text(before)
    assert (look.theme, look.fault.partition("config.yaml")[2][:15]) == ("dark", ":2: screen.them")


async def test_every_setting_says_where_it_is_from(world: World) -> None:
    found = {line.key: line for line in await world.client.settings()}
    assert found["notify.about"].value == '["review"]'
    assert found["notify.about"].origin.startswith(str(world.home.config / "config.yaml"))
    assert found["budget.run"].origin.startswith("defaults.yaml")
