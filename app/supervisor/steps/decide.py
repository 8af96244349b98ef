"""What comes after a turn: another one, a person's look, a pause, or the end."""

from typing import Final

import msgspec
import sqlalchemy as sa

from app.domain.events import Note, ReviewOpened, UpstreamFailed
from app.domain.ids import RunId
from app.domain.review import CheckResult
from app.domain.run import ACTIVE, Run, RunState
from app.domain.task import Task
from app.store import event_log, ledger, reviews, tasks, tells, turns
from app.store.turns import Turn
from app.supervisor import timers
from app.supervisor.errors import told
from app.supervisor.faults import fault
from app.supervisor.fleet import settle_at_home
from app.supervisor.handing import at_rest
from app.supervisor.homes import come_home, elsewhere
from app.supervisor.money import close_gateway
from app.supervisor.proposals import open_review
from app.supervisor.sandbox import rest
from app.supervisor.services import Services
from app.supervisor.trouble import TROUBLE, fails_the_run, room_may_come
from policies.requests import CheckFact, TurnFacts
from policies.retry import Again, Fail, Park, Review, after_turn

TAIL_IN_PROMPT = 4000
_BY_HAND: Final = (
    "A person has worked here: in this conversation, in the files, or in both. Look at the files before you go on "
    "with the task."
)
_AT_WORK: Final = ACTIVE - {RunState.MERGING}
_ENDS: Final = {
    "review": RunState.IN_REVIEW,
    "park": RunState.PARKED,
    "stop": RunState.CANCELLED,
    "fail": RunState.FAILED,
}
"""Where a run comes to rest, by the first word of its wish."""


@fails_the_run(0)
async def decide(s: Services, run_id: RunId, number: int) -> int:
    """The number of the run's next turn, or 0 when it has to settle; what to do then is kept as its `wish`."""
    task, run = await s.task_and_run(run_id)
    known = await s.database.read(turns.turns_of, run_id)
    if len(known) > number:
        return known[number].number
    if wish := await s.database.read(tasks.column, run_id, "wish"):
        await _close_lost(s, run_id, str(wish))
        return 0
    checks = await s.database.read(turns.checks_of, run_id, number)
    if known[-1].by_hand:
        return await _handed_back(s, task, run, known[-1])
    cut = await s.database.read(ledger.cut_off, run_id, since=known[-1].began)
    hit = await s.database.read(ledger.limit_hit, run_id, since=known[-1].began)
    heard = await s.database.read_log(event_log.was_said, run_id, number, "session_started")
    facts = _facts(task, run, known, checks, cut_off=cut, heard=heard)
    down = await _outage(s, run_id, known[-1])
    after = after_turn(msgspec.structs.replace(facts, limit_hit=hit, outage=down))
    waiting = await s.database.read(tells.waiting, run_id)
    if waiting and known[-1].stop_reason == "end_turn" and isinstance(after, Review | Fail):
        after = Again(prompt="")
    match after:
        case Again(prompt=prompt):
            following = _next_turn(s, run, known[-1], prompt, checks)
            following = msgspec.structs.replace(following, resumes=_conversation(run, facts))
            await s.database.write(_add, following)
            return number + 1
        case Review() | Park() | Fail():
            wish = _wish(after, known[-1])
            if isinstance(after, Park) and down and not facts.over_budget:
                await s.database.write(timers.until_it_answers, s, run_id, down, after.reason)
            await _close_lost(s, run_id, wish)
            await s.database.write(tasks.update, run_id, wish=wish)
            return 0


async def _handed_back(s: Services, task: Task, run: Run, turn: Turn) -> int:
    """After a person's own turn: the agent's next one, or the end the person wants. Checks decide nothing here."""
    handed: str = await s.database.read(tasks.column, run.id, "handed")
    how, _, note = handed.partition(":")
    if how == "go on":
        prompt = "\n\n".join(filter(None, [_BY_HAND, note]))
        await s.database.write(_add, _next_turn(s, run, turn, prompt, ()))
        return turn.number + 1
    wish = "review:you worked in it" if run.snapshot else "stop:handed back; nothing is changed"
    await s.database.write(tasks.update, run.id, wish=wish)
    return 0


async def _outage(s: Services, run: RunId, turn: Turn) -> str:
    """The model API whose failure was the last that came of the turn's calls; empty for none."""
    last = await s.database.read_log(event_log.newest_of, run, ("upstream_failed", "spent"))
    if last is None or last.at < turn.began or not isinstance(last.body, UpstreamFailed):
        return ""
    return last.body.upstream if last.body.again is None else ""


async def _close_lost(s: Services, run_id: RunId, wish: str) -> None:
    """Close what a program asked that was lost, unless the run goes on one day and may ask it again."""
    if not wish.startswith("park:"):
        await s.database.write(reviews.void_approvals, run_id, 0, at=s.clock())


def _add(c: sa.Connection, turn: Turn) -> None:
    """Store the turn, with what people said in the meantime at the end of its prompt."""
    said = tells.take_all(c, turn.run, turn.began)
    prompt = "\n\n".join(text for text in (turn.prompt, said) if text)
    turns.add(c, msgspec.structs.replace(turn, prompt=prompt))


def _facts(
    task: Task,
    run: Run,
    known: tuple[Turn, ...],
    checks: tuple[CheckResult, ...],
    *,
    cut_off: bool,
    heard: bool,
) -> TurnFacts:
    turn = known[-1]
    silent = turn.stop_reason == ""
    vanished = silent and turn.exit_reason in ("lost", "oom", "killed")
    # An agent that gave up because swarm, or the way there, died amid its model call has done nothing wrong.
    lost = vanished or (turn.stop_reason == "error" and (cut_off or turn.exit_reason == "lost"))
    return TurnFacts(
        attempts=sum(1 for each in known if each.round == run.round),
        limit=task.max_turns,
        changed=bool(run.snapshot),
        agent_failed=not lost and (silent or turn.stop_reason in ("error", "refusal")),
        lost=lost,
        starved=turn.exit_reason == "oom",
        over_budget=turn.over_budget,
        unheard="" if heard else turn.prompt,
        resumed=bool(turn.resumes),
        checks=tuple(CheckFact(result.command, result.passed) for result in checks),
    )


def _conversation(run: Run, facts: TurnFacts) -> str:
    """Which one goes on: none where the agent failed to open it."""
    return "" if facts.agent_failed and facts.unheard else run.conversation


def _next_turn(
    s: Services, run: Run, last: Turn, prompt: str, checks: tuple[CheckResult, ...]
) -> Turn:
    tails = [
        f"`{result.command}` ended with {result.code}:\n{result.tail[-TAIL_IN_PROMPT:]}"
        for result in checks
        if not result.passed
    ]
    return Turn(
        run=run.id,
        number=last.number + 1,
        round=run.round,
        prompt="\n\n".join(filter(None, [prompt, *tails])),
        resumes=run.conversation,
        began=s.clock(),
    )


def _wish(after: Review | Park | Fail, turn: Turn) -> str:
    match after:
        case Review(reason=reason):
            return f"review:{reason}"
        case Park(reason=reason):
            return f"park:{reason}"
        case Fail(reason=reason):
            said = f": {turn.error}" if turn.error else ""
            return f"fail:{reason}{said}"


async def settle(s: Services, run_id: RunId, round_: int) -> str:
    """Bring the run to rest in the state that was decided; nothing of it runs or spends from here on."""
    task, run = await s.task_and_run(run_id)
    if run.round == round_ and run.state in _AT_WORK:
        await close_gateway(s, run_id)
        if not elsewhere(s, run):
            await _quiet(s, run)
        await s.database.write(_let_go, run_id, s.clock())
        fault("mid:settle")
        if s.away(task):
            await s.database.write(settle_at_home, s, run_id)
            return "sent home"
        if elsewhere(s, run):
            await come_home(s, run_id)
        await _rest(s, run)
        await at_rest(s, run_id)
        return "settled"
    # Said before, by a supervisor that died: a person may have decided since, and that stands.
    if run.round == round_ and run.state in _ENDS.values():
        await s.announce(run_id, run.state, key=f"round-{round_}", reason=run.reason)
        await at_rest(s, run_id)
    return "settled before"


def _let_go(c: sa.Connection, run: RunId, at: float) -> None:
    tasks.update(c, run, port=0)
    for turn in turns.leave(c, run, at):
        reviews.void_approvals(c, run, turn, at=at)


async def _quiet(s: Services, run: Run) -> None:
    try:
        await rest(s, run)
    except TROUBLE as error:
        note = Note(f"what runs for it could not be stopped: {told(error)}", "warning")
        await s.broker.record(run.id, f"round-{run.round}/unquiet", note)


async def _rest(s: Services, run: Run) -> None:
    """Into the state the wish names. The wish is kept: the next round takes it away."""
    wish: str = await s.database.read(tasks.column, run.id, "wish")
    how, _, reason = wish.partition(":")
    if how == "review":
        try:
            review = await open_review(s, run.id)
            opened = ReviewOpened(review.id, review.result_tree, review.conflicts)
            await s.broker.record(run.id, f"review/{review.id}", opened)
        except TROUBLE as error:
            if await room_may_come(s, run.id, error):
                raise  # The engine says the step again until there is some.
            how, reason = "fail", told(error)
    said = reason or ("stopped by a person" if how == "stop" else "nothing was decided")
    end = _ENDS.get(how, RunState.FAILED)
    await s.move(run.id, end, key=f"round-{run.round}", reason=said)
