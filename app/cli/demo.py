"""`swarm demo`: the main job from end to end in a throw-away directory, without keys and without a network."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

import typer

from app.cli.call import Call, terminal
from app.domain.errors import EnvironmentProblem, NotNow
from app.domain.money import dollars

if TYPE_CHECKING:
    from app import wire
    from app.client.client import Swarm

BRANCH = "main"
PATIENCE = 900.0
"""Seconds the headless demo takes at most."""
LEAVING = 60.0
"""Seconds that tidying up may take."""
PROJECT: Mapping[str, str] = {
    "README.md": "# greeter\n\nGreets people.\n",
    "greet.py": 'def greet(name: str) -> str:\n    return f"Hello {name}!"\n',
    "legacy.py": 'def hail(name):\n    print("Hail " + name)\n',
    "test_greet.py": (
        "from greet import greet\n\n"
        'assert greet("Ada") == "Hello, Ada!", greet("Ada")\n'
        'assert greet("  ") == "Hello, world!", greet("  ")\n'
        'print("all greetings are right")\n'
    ),
}


@dataclass(frozen=True)
class Order:
    """One task of the demo."""

    goal: str
    agent: str
    checks: tuple[str, ...] = ()


ORDERS = (
    Order("Fix the greeting: it needs a comma", "demo-fixer", ("python3 test_greet.py",)),
    Order("Remove legacy.py if nothing uses it", "demo-tidier"),
    Order("Write a short guide", "demo-writer"),
)


def demo(ctx: typer.Context, *, headless: bool) -> None:
    """Show the main job on a throw-away project; its help stands with the verb in `app.cli.setup`."""
    call = Call.of(ctx)
    headless = headless or call.json or not (terminal(sys.stdin) and terminal(sys.stdout))
    place = Path(tempfile.mkdtemp(prefix="swarm-demo-"))
    for number in (signal.SIGHUP, signal.SIGTERM):
        # A closed terminal must not leave the demo's supervisor and containers behind.
        signal.signal(number, lambda *_: sys.exit(1))
    with _endpoint() as address, _world(call, place, address, hurry=headless) as sandbox:
        result = (
            asyncio.run(_headless(call, place, sandbox))
            if headless
            else _on_screen(call, place, sandbox)
        )
    if result is not None:
        call.show(result, lambda: _told(result, place))


@contextlib.contextmanager
def _endpoint() -> Iterator[str]:
    """The scripted model endpoint as a process of its own; its address."""
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "app.gateway.rehearsal", "--port", "0"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        if not address.startswith("http://"):
            raise EnvironmentProblem("the scripted model endpoint of the demo did not start")
        yield address
    finally:
        process.terminate()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


@contextlib.contextmanager
def _world(call: Call, place: Path, endpoint: str, *, hurry: bool) -> Iterator[str]:
    """A project, a configuration and a supervisor of the demo's own; says which sandbox it uses."""
    driver, image = _sandbox(call)
    _make_project(place / "greeter")
    (place / "config").mkdir()
    text = files("app.cli").joinpath("demo.yaml").read_text()
    filled = Template(text).substitute(
        driver=driver, image=image, endpoint=endpoint, pause="0" if hurry else "1.2"
    )
    (place / "config" / "config.yaml").write_text(filled)
    os.environ["SWARM_STATE_DIR"] = str(place / "state")
    os.environ["SWARM_CONFIG_DIR"] = str(place / "config")
    os.environ.pop("SWARM_URL", None)
    try:
        yield driver
    finally:
        asyncio.run(_end(place / "state"))


def _sandbox(call: Call) -> tuple[str, str]:
    """Docker with an image of this machine's own files where an engine answers, else the embedded sandbox."""
    from sandboxes.errors import SandboxError
    from sandboxes.hostimage import build

    try:
        image = asyncio.run(build())
    except SandboxError as error:
        call.say(f"Sandbox: embedded, scripted agents only ({error}).")
        return "memory", ""
    call.say(f"Sandbox: Docker, image {image} made of this machine's own files.")
    return "docker", image


def _make_project(repo: Path) -> None:
    repo.mkdir()
    for name, text in PROJECT.items():
        (repo / name).write_text(text)
    for command in (
        ["init", "--quiet", f"--initial-branch={BRANCH}"],
        ["config", "user.name", "Demo User"],
        ["config", "user.email", "demo@swarm.invalid"],
        ["add", "."],
        ["commit", "--quiet", "--message", "A greeter with a bug"],
    ):
        subprocess.run(["git", "-C", str(repo), *command], check=True, capture_output=True)


async def _end(state: Path) -> None:
    """Leave nothing behind but the project: what is not merged goes, with its containers and volumes."""
    from app.client.launch import find
    from app.domain.errors import SwarmError

    with contextlib.suppress(SwarmError):
        swarm, _hello = await find(state)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LEAVING):
                await _clear(swarm)
        await swarm.shutdown()


async def _clear(swarm: "Swarm") -> None:
    from app import wire
    from app.domain.errors import SwarmError

    by = wire.Act(by="demo")
    while rows := [row for row in (await swarm.board()).rows if row.run.state != "merged"]:
        for row in rows:
            # Stopping takes a moment, and only what has stopped can be discarded: one of the two is refused.
            for verb in (swarm.stop, swarm.discard):
                with contextlib.suppress(SwarmError):
                    await verb(row.run.id, by)
        await asyncio.sleep(0.2)
    for row in (*await swarm.trash(), *(await swarm.board()).rows):
        while not await _cleaned_up(swarm, row.run.id):
            await asyncio.sleep(0.2)


async def _cleaned_up(swarm: "Swarm", run: str) -> bool:
    events = [item async for item in swarm.events(run=run, follow=False)]
    return any("cleaned up" in str(getattr(event, "body", "")) for event in events)


def _on_screen(call: Call, place: Path, sandbox: str) -> "dict[str, object]":
    """Submit the tasks, then hand over to the person."""
    from app.tui.app import open_screen

    began = time.monotonic()
    call.say("Three tasks are on their way. `!` goes to what needs you, `?` helps, `q` leaves.")
    asyncio.run(_submit(place))
    open_screen(place / "state", str(place / "greeter"))
    return asyncio.run(_result(place, sandbox, began))


async def _headless(call: Call, place: Path, sandbox: str) -> "dict[str, object]":
    began = time.monotonic()
    swarm = await _submit(place)
    seen: dict[str, str] = {}
    while time.monotonic() - began < PATIENCE:
        rows = (await swarm.board()).rows
        for row in rows:
            if seen.get(row.run.id) != row.run.state:
                seen[row.run.id] = row.run.state
                call.say(f"{row.run.id}  {row.run.state:10} {row.task.goal}  {row.run.reason}")
                with contextlib.suppress(NotNow):
                    await _step_in(call, swarm, row)
                    continue
                # The target moved between looking and approving, as it does when others merge: look again.
                seen[row.run.id] = ""
        if all(row.run.state in ("merged", "failed") for row in rows):
            break
        await asyncio.sleep(0.1)
    return await _result(place, sandbox, began)


async def _submit(place: Path) -> "Swarm":
    from app import wire
    from app.client.launch import find_or_start

    swarm, _hello = await find_or_start(place / "state")
    for order in ORDERS:
        await swarm.submit(
            wire.NewTask(
                goal=order.goal,
                repo=str(place / "greeter"),
                agent=order.agent,
                checks=order.checks,
                submitter="demo",
            )
        )
    return swarm


async def _step_in(call: Call, swarm: "Swarm", row: "wire.RunRow") -> None:
    """What a person would do: answer, also with a higher budget, and approve what is shown."""
    from app import wire

    run = row.run
    if row.question is not None and run.state == "waiting":
        call.say(f"{run.id}  asks: {row.question.title} - yes")
        await swarm.answer(row.question.id, wire.Answer(yes=True, by="demo"))
    elif run.state == "in_review":
        detail = await swarm.detail(run.id)
        review = detail.reviews[-1]
        confirmed = tuple(f.path for f in review.findings if f.severity == "confirm")
        body = wire.Approve(
            review=review.id, tree=review.result_tree, confirmed=confirmed, by="demo"
        )
        call.say(f"{run.id}  approved: tree {review.result_tree[:12]}")
        await swarm.approve(run.id, body)


async def _result(place: Path, sandbox: str, began: float) -> "dict[str, object]":
    from app.client.launch import find

    swarm, _hello = await find(place / "state")
    details = [await swarm.detail(row.run.id) for row in (await swarm.board()).rows]
    return {
        "sandbox": sandbox,
        "repository": str(place / "greeter"),
        "seconds": round(time.monotonic() - began, 1),
        "tasks": [_task(detail) for detail in reversed(details)],
    }


def _task(detail: "wire.RunDetail") -> dict[str, object]:
    run = detail.row.run
    return {
        "task": run.task,
        "goal": detail.row.task.goal,
        "agent": run.agent,
        "state": run.state,
        "reason": run.reason,
        "rounds": run.round,
        "verdicts": [str(review.verdict) for review in detail.reviews if review.verdict],
        "answers": [approval.answer for approval in detail.approvals if approval.answer],
        "refused_calls": detail.spend.refused,
        "spent_micros": run.spent,
        "merge_commit": detail.reviews[-1].merged if detail.reviews else "",
    }


def _told(result: "Mapping[str, object]", place: Path) -> str:
    lines = []
    tasks = result["tasks"]
    assert isinstance(tasks, list)
    for task in tasks:
        commit = str(task["merge_commit"])[:12] or "-"
        spent = dollars(task["spent_micros"])
        lines.append(f"{task['state']:10} {commit:12}  {spent:>7}  {task['goal']}")
    lines.append(f"The project is in {place}/greeter; remove {place} when you have seen enough.")
    return "\n".join(lines)
