"""One turn: start the agent or attach to it, tend it until it stops, and write down how it ended."""

import msgspec
import sqlalchemy as sa

from app.domain.events import Note, TurnStarted
from app.domain.ids import RunId, turn_name, turn_start
from app.domain.review import RAISE
from app.domain.run import Run, RunState
from app.repo import repository
from app.repo.repository import Repository
from app.store import bundles, ledger, reviews, tasks, turns
from app.store.turns import Turn, TurnEnd
from app.supervisor import rules
from app.supervisor.box import Box
from app.supervisor.bundles import remind
from app.supervisor.by_hand import attend, launch_of
from app.supervisor.faults import fault
from app.supervisor.gauge import memory_words
from app.supervisor.handover import bring_in
from app.supervisor.money import open_gateway
from app.supervisor.network import proxied
from app.supervisor.sandbox import environment, open_sandbox
from app.supervisor.services import Ground, Services
from app.supervisor.tending import Tending
from app.supervisor.trouble import fails_the_run
from harnesses.base import Brief, Launch
from harnesses.events import TurnEnded
from sandboxes.base import Process, Sandbox
from sandboxes.spec import Exit, Program

INSTRUCTIONS = ("AGENTS.md", "CLAUDE.md")
INSTRUCTIONS_LIMIT = 128 * 1024


@fails_the_run("failed")
async def work(s: Services, run_id: RunId, number: int) -> str:
    """Carry the turn to its end; one that has ended is left alone."""
    try:
        return await _work(s, run_id, number)
    finally:
        # One that never said a word has ended all the same.
        s.live.ramp.leave(run_id)


async def _work(s: Services, run_id: RunId, number: int) -> str:
    at = await s.ground(run_id)
    run = at.run
    turn = await s.database.read(turns.turn, run_id, number)
    if turn.ended is not None or await s.database.read(tasks.column, run_id, "wish"):
        return "ended"
    key = await open_gateway(s, run)
    sandbox = await open_sandbox(s, run, at.repo)
    attached = await sandbox.find(turn_name(number)) is not None
    if not attached:
        await s.database.write(reviews.lose, run_id)
        await s.live.ramp.enter(run_id)
        turn = await bring_in(s, at, await remind(s, at, turn), sandbox)
    brief = await _brief(s, at, turn, sandbox, key)
    if turn.by_hand:
        process = await _start(s, run, brief, sandbox, launch_of(s, run, brief, turn), tty=True)
        await attend(s, run, turn, sandbox, process)
        await _end(s, run, turn, None, await process.wait())
        return "ended"
    process = await _start(s, run, brief, sandbox, s.harness(run.harness).launch(brief))
    await s.broker.record(run_id, turn_start(number), TurnStarted(number, turn.prompt))
    if number > 1 and not turn.by_hand:
        await s.broker.record(run_id, f"{turn_name(number)}/goes-on", Note(_goes_on(turn, run)))
    await s.move(run_id, RunState.WORKING, key=f"turn-{number}")
    fault("mid:work")
    session = s.harness(run.harness).session(brief)
    said = await Tending(s, at.task, run, turn, session, Box(sandbox, process)).follow()
    if said is not None:
        await process.stop()
    exit_ = await process.wait()
    if attached and exit_.reason == "exited" and said is not None and said.reason == "error":
        # Swarm died amid the turn, perhaps with a model call in hand that no ledger knows of yet.
        exit_ = msgspec.structs.replace(exit_, reason="lost")
    await _end(s, run, turn, said, exit_)
    return "ended"


def _goes_on(turn: Turn, run: Run) -> str:
    """Whether the agent still knows what it did, for a person."""
    if turn.resumes:
        return f"turn {turn.number} goes on in the agent's own conversation"
    why = "its own could not be opened" if run.conversation else "there is none to go on with"
    return (
        f"turn {turn.number} begins a new conversation: {why}. The agent is given the task again, "
        "with what is known of its work, and the files are as they were left"
    )


async def _start(
    s: Services, run: Run, brief: Brief, sandbox: Sandbox, launch: Launch, *, tty: bool = False
) -> Process:
    """Start the agent once; asked again, the process that was started."""
    given = await s.database.read(bundles.parts_of, run.id) if not brief.conversation else ()
    env = {**environment(s, run, sandbox), **await proxied(s, run, sandbox), **launch.env}
    if given:
        env["SWARM_BUNDLE"] = brief.launch
    if tty:
        env |= {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
    return await sandbox.start(
        Program(
            name=turn_name(brief.turn),
            argv=launch.argv,
            env=env,
            files={**{part.name: part.body for part in given}, **launch.files},
            interactive=launch.interactive,
            tty=tty,
        )
    )


async def _brief(s: Services, at: Ground, turn: Turn, sandbox: Sandbox, key: str) -> Brief:
    run = at.run
    places = sandbox.places
    return Brief(
        run=run.id,
        turn=turn.number,
        prompt=turn.prompt,
        model=run.model,
        workspace=places.tree,
        state=places.state,
        launch=f"{places.launch}/{turn_name(turn.number)}",
        gateway=places.gateway,
        key=key,
        conversation=turn.resumes,
        instructions=await _instructions(s, at.repo, run.base),
        ask=await _asked(s, at),
        settings=s.catalog.get(run.agent).settings,
    )


async def _asked(s: Services, at: Ground) -> bool:
    """Whether the agent has to ask before it uses tools; said once where it cannot."""
    asks = rules.asks(s, at.task)
    if asks and not s.harness(at.run.harness).capabilities.permission:
        held = "what holds it is its sandbox, its budget and your review"
        text = f"{at.run.agent} cannot ask before it uses a tool: {held}"
        await s.broker.record(at.run.id, "cannot-ask", Note(text, "warning"))
    return asks


async def _instructions(s: Services, repo: Repository, base: str) -> str:
    """The repository's own words to agents, from the base commit: what an agent wrote there does not count."""
    if not s.configuration.settings.instructions:
        return ""
    for name in INSTRUCTIONS:
        text = await repository.read_file(repo, base, name, INSTRUCTIONS_LIMIT)
        if text:
            return text.decode(errors="replace")
    return ""


async def _end(s: Services, run: Run, turn: Turn, said: TurnEnded | None, exit_: Exit) -> None:
    await s.broker.flush()
    over = await _over_budget(s, run, turn)
    if exit_.starved:
        note = Note(memory_words(s), "warning")
        await s.broker.record(run.id, f"turn-{turn.number}/starved", note)
    how = TurnEnd(
        ended=s.clock(),
        exit_code=exit_.code,
        exit_reason=exit_.reason,
        stop_reason=said.reason if said else "",
        error=_error(s, said, exit_),
        over_budget=over,
    )
    vanished = said is None and exit_.reason != "exited"
    await s.database.write(_write_end, run.id, turn.number, how, vanished)


def _write_end(c: sa.Connection, run: RunId, turn: int, how: TurnEnd, vanished: bool) -> None:  # noqa: FBT001 - one private caller
    """The end of the turn with what becomes of its questions: a turn that has ended is never looked at again."""
    turns.end(c, run, turn, how)
    fault("mid:end")
    if vanished and not tasks.column(c, run, "wish"):
        # Another turn will ask again; until then an answer is worth as much as before.
        reviews.lose(c, run)
    reviews.void_approvals(c, run, turn, at=how.ended, keep_raise=how.over_budget)


def _error(s: Services, said: TurnEnded | None, exit_: Exit) -> str:
    """What went wrong, in the agent's words or ours."""
    if exit_.reason == "oom" and (said is None or said.reason == "error"):
        return memory_words(s)
    return said.error if said else exit_.stderr.strip()[-500:]


async def _over_budget(s: Services, run: Run, turn: Turn) -> bool:
    """Whether the turn ended for want of money, or while a person was being asked for more."""
    if await s.database.read(reviews.still_asks, run.id, RAISE):
        return True
    return await s.database.read(ledger.over_budget, run.id, since=turn.began)
