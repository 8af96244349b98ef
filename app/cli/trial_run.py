"""One small task for an agent, in a repository of swarm's own, watched to its end and put into the trash."""

import asyncio
import subprocess
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import msgspec

from app import wire
from app.cli.call import Call, user_name
from app.cli.narrate import Narrator
from app.cli.trial_steps import FILE, WORD, Seen, Step, steps_of
from app.cli.waiting import RESTING, events_until
from app.client.client import Swarm
from app.domain.errors import SwarmError
from app.domain.events import Asked
from app.domain.money import Micros
from app.domain.review import RAISE
from app.domain.run import RunState

GOAL: Final = (
    f"Create the file {FILE} with the single line `{WORD}` in it, and change nothing else."
)
LABEL: Final = "self-test"
"""What its costs are added up by, and where it works below the state directory."""
SETTLING: Final = 30
"""Seconds in which a run that was told to stop comes to rest."""


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """What the test of an agent came to."""

    agent: str
    ok: bool
    run: str = ""
    """Empty when it never came to a run."""
    seconds: float = 0.0
    micros: int = 0
    calls: int = 0
    """Model calls that were charged."""
    steps: tuple[Step, ...]


async def tried(call: Call, swarm: Swarm, name: str, budget: Micros, seconds: int) -> Trial:
    """Give the agent its task, follow it for at most that long, and judge what came of it."""
    line = next((line for line in await swarm.agents() if line.name == name), None)
    if line is not None and not line.usable:
        steps = steps_of(Seen(agent=name, lacks=line.why))
        return Trial(agent=name, ok=False, steps=steps)
    began = time.monotonic()
    run = (await swarm.submit(_task(call, name, budget))).run
    seen = Seen(agent=run.agent, run=run.id, scripted=run.harness == "scripted")
    async with _to_the_trash(call, swarm, run.id):
        await _follow(call, swarm, seen, seconds)
        detail = await swarm.detail(run.id)
        seen.diff = await swarm.diff(run.id)
    seen.reviewed = detail.row.run.state == RunState.IN_REVIEW
    seen.reason = seen.reason or detail.row.run.reason or f"it is {detail.row.run.state}"
    steps = steps_of(seen)
    return Trial(
        agent=run.agent,
        ok=all(step.ok for step in steps),
        run=run.id,
        seconds=round(time.monotonic() - began, 1),
        micros=detail.spend.micros,
        calls=detail.spend.calls,
        steps=steps,
    )


def _task(call: Call, name: str, budget: Micros) -> wire.NewTask:
    return wire.NewTask(
        goal=GOAL,
        repo=str(_place(call.state / LABEL)),
        agent=name,
        checks=(),
        budget=budget,
        label=LABEL,
        submitter=user_name(),
    )


def _place(repo: Path) -> Path:
    """A small repository of swarm's own, made when it is missing. Raises `SwarmError`."""
    if (repo / ".git" / "refs" / "heads" / "main").exists():
        return repo
    repo.mkdir(parents=True, exist_ok=True)
    (repo / "README.md").write_text("Agents are tried here by `swarm agents test`.\n")
    who = (
        "-c",
        "user.name=swarm",
        "-c",
        "user.email=swarm@localhost",
        "-c",
        "commit.gpgsign=false",
    )
    for words in (
        ("init", "--quiet", "--initial-branch=main"),
        ("add", "README.md"),
        (*who, "commit", "--quiet", "--no-verify", "--message=A place to try agents in"),
    ):
        done = subprocess.run(
            ["git", "-C", str(repo), *words], check=False, capture_output=True, text=True
        )
        if done.returncode:
            raise SwarmError(
                f"no repository could be made in {repo}: {done.stderr.strip()}",
                hint="Remove that directory and try again.",
            )
    return repo


async def _follow(call: Call, swarm: Swarm, seen: Seen, seconds: int) -> None:
    """Hear all of the run until it rests; narrate it, and say yes to its tools."""
    narrator = Narrator()
    try:
        async with asyncio.timeout(seconds):
            async for event in events_until(call, swarm, seen.run, ends=RESTING):
                seen.hear(event)
                for line in () if call.json else narrator.lines(event):
                    call.say(line)
                if isinstance(event.body, Asked):
                    seen.allowed += await _answer(swarm, event.body)
    except TimeoutError:
        seen.reason = f"it was not done after {seconds} seconds"


async def _answer(swarm: Swarm, asked: Asked) -> bool:
    """Yes to a tool, no to more money; whether it was a yes that counts."""
    question = next((q for q in await swarm.inbox() if q.id == asked.approval), None)
    if question is None:
        return False
    yes = question.action != RAISE
    await swarm.answer(question.id, wire.Answer(yes=yes, by=user_name()))
    return yes


@asynccontextmanager
async def _to_the_trash(call: Call, swarm: Swarm, run: str) -> AsyncIterator[None]:
    """However the test ends, its run does not go on, and is no longer on the board."""
    act = wire.Act(by=user_name())
    try:
        yield
    finally:
        if (await swarm.detail(run)).row.run.state not in RESTING:
            await swarm.stop(run, act)
            async with asyncio.timeout(SETTLING):
                async for _ in events_until(call, swarm, run, ends=RESTING):
                    pass
        await swarm.discard(run, act)
