"""The user's key on the user's own machine: in no list of processes, file, log, error or memory dump."""

import asyncio
import os
import resource
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from app import wire
from app.domain.run import RunState
from tests.support.actions import SwarmActions
from tests.support.attacks import attack
from tests.support.home import answering, supervisor_process
from tests.support.model_endpoint import http, raw_upstream
from tests.support.repos import make_repository
from tests.support.scripts import edit, scripted, tokens
from tests.support.world import story, world_at

pytestmark = pytest.mark.asyncio(loop_scope="module")

SECRET = "sk-of-the-user-and-nobody-else-0123456789"
ECHO = http("400 Bad Request", f'{{"error": "not with {SECRET}"}}'.encode(), request_id=SECRET)


@dataclass(frozen=True)
class Crashed:
    """What can be seen of a supervisor that used a key and crashed."""

    run: wire.RunDetail
    said: str
    """Every event of the run."""
    commands: dict[int, bytes]
    """The command lines of all processes while it ran."""
    core_limit: int
    dumped: bool
    kept: dict[Path, bytes]
    """Every file that it left."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def provider() -> AsyncIterator[str]:
    """A provider whose refusal repeats the key in its words and in its headers."""
    async with raw_upstream(ECHO) as upstream:
        yield upstream.url
        assert SECRET in upstream.head


@story
async def crashed(provider: str, tmp_path_factory: pytest.TempPathFactory) -> Crashed:
    root = tmp_path_factory.mktemp("secrecy")
    agents = {"caller": scripted([edit("a.txt", "a\n"), tokens(100, 100)])}
    gateway = {
        "upstreams": {"anthropic": {"url": provider, "key": "cmd:printenv THE_KEY"}},
        "prices": {"scripted": {"input": "1", "output": "10"}},
    }
    before = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (before[1], before[1]))
    try:
        with world_at(root, agents=agents, settings={"gateway": gateway}) as home:
            async with supervisor_process(home, THE_KEY=SECRET) as process:
                user = SwarmActions(await answering(home), make_repository(root / "project"))
                run = await user.submit(agent="caller")
                detail = await user.until(run, RunState.FAILED, RunState.IN_REVIEW)
                said = repr(await user.events(run))
                commands = _command_lines()
                limit = resource.prlimit(process.pid, resource.RLIMIT_CORE)[0]
                process.send_signal(signal.SIGABRT)
                _, status = await asyncio.to_thread(os.waitpid, process.pid, 0)
            kept = {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}
            kept |= {path: path.read_bytes() for path in home.runtime.rglob("*") if path.is_file()}
    finally:
        resource.setrlimit(resource.RLIMIT_CORE, before)
    return Crashed(detail, said, commands, limit, os.WCOREDUMP(status), kept)


def _command_lines() -> dict[int, bytes]:
    found = {}
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found[int(path.parent.name)] = path.read_bytes()
        except OSError:
            continue
    return found


@attack("N11")
async def test_the_refusal_is_told_without_the_key(crashed: Crashed) -> None:
    assert "not with" in crashed.said + crashed.run.row.run.reason
    assert SECRET not in crashed.said + repr(crashed.run)


async def test_no_process_shows_the_key_in_its_command(crashed: Crashed) -> None:
    assert crashed.commands
    assert not [pid for pid, command in crashed.commands.items() if SECRET.encode() in command]


async def test_no_file_that_is_left_holds_the_key(crashed: Crashed) -> None:
    assert any(path.name == "supervisor.log" for path in crashed.kept)
    assert not [path for path, content in crashed.kept.items() if SECRET.encode() in content]


async def test_a_crash_leaves_no_dump_of_the_memory(crashed: Crashed) -> None:
    assert (crashed.core_limit, crashed.dumped) == (0, False)
