"""A box that prints what its protocol has, forged and damaged: the run comes to rest, and nothing was decided."""

import asyncio
import random
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from app import wire
from app.domain.errors import NotNow
from app.domain.run import RunState
from harnesses.events import PermissionAsked, Unreadable
from tests.support.attacks import attack
from tests.support.repos import run_git
from tests.support.scripts import edit, scripted
from tests.support.transcripts import stored
from tests.support.world import Settings, World, story

pytestmark = pytest.mark.asyncio(loop_scope="module")

HARNESSES = ("acp", "claude-code", "codex")
AGENTS = {"honest": scripted([edit("a.txt", "a\n")])}
LONG: Final = 1_500_000
PROGRAM: Final = "#!{python}\nimport sys\nsys.stdout.buffer.write(open({lines!r}, 'rb').read())\n"
each_harness = pytest.mark.parametrize("harness", HARNESSES)


def forged(harness: str) -> bytes:
    """What real agents printed, in a wrong order and damaged by chance, with bytes of no protocol in between."""
    chance = random.Random(f"{harness}-7")
    lines = [line.encode() for recording in stored(harness) for line in recording.lines]
    questions = [line for line in lines if b"ermission" in line or b"requestApproval" in line]
    picked = [*chance.sample(lines, min(len(lines), 60)), *questions[:5]]
    chance.shuffle(picked)
    noise = [b"x" * LONG, b"[" * 200_000, b"\xff\xfe\x00", b'{"type":"\\ud800"}']
    return b"\n".join([*(_damaged(line, chance) for line in picked), *noise, *questions[:5], b""])


def _damaged(line: bytes, chance: random.Random) -> bytes:
    at, to = sorted(chance.choices(range(len(line) + 1), k=2))
    ways = (line, line, line[:at], line[at:], line[:at] + chance.randbytes(4) + line[to:], line * 2)
    return chance.choice(ways).replace(b"\n", b"")


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Each harness with a program in its agent's place that prints such lines, and a key nobody needs."""
    place = tmp_path_factory.mktemp("forgers")
    (place / "key").write_text("sk-none")
    upstream = {"key": f"file:{place / 'key'}", "url": "http://127.0.0.1:9"}
    return {
        "approvals": "cautious",
        "sandbox": {"driver": "local"},
        "gateway": {
            "upstreams": {"anthropic": dict(upstream), "openai": dict(upstream)},
            "unknown_model": "assume",
        },
        "agents": {**AGENTS, **{name: _forger(place, name) for name in HARNESSES}},
    }


def _forger(place: Path, harness: str) -> dict[str, Any]:
    lines, program = place / f"{harness}.lines", place / f"{harness}.py"
    lines.write_bytes(forged(harness))
    program.write_text(PROGRAM.format(python=sys.executable, lines=str(lines)))
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    command: Any = [str(program)] if harness == "acp" else str(program)
    return {
        "harness": harness,
        "model": "gpt-5.5",
        "image": "base",
        "settings": {"command": command},
    }


@story
async def rested(world: World) -> dict[str, wire.RunDetail]:
    """A run of each, at its end."""

    async def tell(harness: str) -> wire.RunDetail:
        user = world.user()
        ends = (RunState.FAILED, RunState.IN_REVIEW, RunState.PARKED)
        return await user.until(await user.submit(agent=harness), *ends, seconds=240)

    return dict(zip(HARNESSES, await asyncio.gather(*map(tell, HARNESSES)), strict=True))


def bodies(events: Iterator[Any], kind: type[Any]) -> list[Any]:
    return [event.body for event in events if isinstance(event.body, kind)]


@attack("X3")
@each_harness
async def test_the_attack_is_real_its_lines_are_heard_in_the_agents_name(
    world: World, rested: dict[str, wire.RunDetail], harness: str
) -> None:
    events = await world.at(rested[harness]).events(rested[harness].row.run.id)
    assert bodies(iter(events), Unreadable)
    assert bodies(iter(events), PermissionAsked) or rested[harness].row.run.reason


@attack("X3")
@each_harness
async def test_the_run_comes_to_rest_with_a_reason(
    rested: dict[str, wire.RunDetail], harness: str
) -> None:
    run = rested[harness].row.run
    assert run.state == RunState.IN_REVIEW or run.reason


@attack("X3")
@each_harness
async def test_no_person_is_said_to_have_answered_and_no_question_stays_open(
    world: World, rested: dict[str, wire.RunDetail], harness: str
) -> None:
    given = {(each.answer, each.by) for each in rested[harness].approvals}
    assert given <= {("no", "swarm")}
    assert rested[harness].row.run.id not in [each.run for each in await world.client.inbox()]


@attack("X3")
@each_harness
async def test_nothing_lands_and_nothing_is_written_down_as_decided(
    world: World, rested: dict[str, wire.RunDetail], harness: str
) -> None:
    detail = rested[harness]
    assert run_git(world.at(detail).repo, "log", "--format=%s") == "start"
    audit = [row.what for row in await world.client.audit(detail.row.run.id)]
    assert not [what for what in audit if "answered" in what or "approve" in what]
    assert all(review.verdict is None for review in detail.reviews)


@attack("X3")
@each_harness
async def test_what_is_kept_of_it_is_short(
    world: World, rested: dict[str, wire.RunDetail], harness: str
) -> None:
    events = await world.at(rested[harness]).events(rested[harness].row.run.id)
    assert max(len(repr(event.body)) for event in events) < 40_000


@attack("X3")
async def test_other_runs_go_on_as_ever(world: World, rested: dict[str, wire.RunDetail]) -> None:
    user = world.user()
    run = await user.submit(agent="honest")
    await user.until(run, RunState.IN_REVIEW)
    with pytest.raises(NotNow):
        await user.stop(run)
    assert len(rested) == len(HARNESSES)
