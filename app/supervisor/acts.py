"""The deeds: each is one transaction that records a person's decision together with the work it triggers."""

import sqlalchemy as sa

from app import wire
from app.domain.errors import NeedsHuman, NotNow, UsageError
from app.domain.events import Note
from app.domain.ids import ApprovalId, RunId
from app.domain.money import dollars
from app.domain.review import BOX, RAISE, Approval, Comment, Review, Verdict
from app.domain.run import ACTIVE, Run, RunState
from app.store import audit, board, ledger, reviews, tasks, turns
from app.supervisor import (
    asking,
    consent,
    homes,
    landing,
    raises,
    replaying,
    retrying,
    rules,
    ruling,
    telling,
)
from app.supervisor.decisions import tell_decision
from app.supervisor.faults import fault
from app.supervisor.names import FINISH, finish_id
from app.supervisor.proposals import refreshed
from app.supervisor.services import Services
from app.supervisor.submit import requeue


class Acts:
    """Verbs that change a run."""

    def __init__(self, s: Services) -> None:
        self._s = s

    async def answer(self, approval: ApprovalId, body: wire.Answer) -> Approval:
        """Answer a question; the first answer counts."""
        s, now = self._s, self._s.clock()
        consent.refuse_secrets_in(body.note, "the note", consent.own_policy(s))

        def write(c: sa.Connection) -> tuple[Approval, tuple[ruling.Ruled, ...]]:
            asked = reviews.approval(c, approval)
            tasks.hold(c, asked.run)
            rules.refuse_scope(asked, yes=body.yes, scope=body.scope)
            if not reviews.answer(
                c,
                approval,
                yes=body.yes,
                by=body.by,
                at=now,
                note=body.note,
                scope=body.scope,
            ):
                raise NotNow(
                    f"{approval} was answered already: {asked.answer} by {asked.by or 'somebody'}"
                )
            raises.decide(c, asked, yes=body.yes, dollars=body.amount, by=body.by, at=now)
            _record_answer(c, s, asked, body, now)
            _follow(c, s, asked, body, now)
            ruled = ruling.answer_others(c, s, asked, by=body.by, at=now, scope=body.scope)
            return reviews.approval(c, approval), ruled

        done, ruled = await s.database.write(write)
        await asking.tell(s, done, yes=body.yes, by=body.by)
        s.live.wake(done.run)
        for each in ruled:
            await ruling.tell(s, each)
        if done.action == RAISE:
            row = await s.database.read(board.row, done.run)
            if row.run.state == RunState.QUEUED:
                await self._moved(done.run, "raised")
        return done

    async def approve(self, run: RunId, body: wire.Approve) -> Review:
        """Approve exactly the tree that was shown, and have it landed."""
        await homes.only_at_home(self._s, run)
        await refreshed(self._s, run)
        review = await self._s.database.read(reviews.newest_review, run)
        own = consent.own_policy(self._s)
        consent.refuse_unapprovable(review, body, own)
        consent.refuse_secrets_in(body.note, "the note", own)
        consent.refuse_secrets_in(body.message, "the commit message", own)
        taken = {
            "confirmed": " ".join(sorted(set(body.confirmed))),
            "secrets": consent.let_through(review, body, own),
            "message": body.message.strip(),
            "style": body.style if body.style != "squash" else "",
            "commits": " ".join(body.commits),
        }
        if body.style == "merge":
            await landing.refuse_unmergeable(self._s, review)
        commits = await replaying.chosen(self._s, review, body)
        lands = reviews.Lands(style=body.style, commits=commits)
        await self._decide(run, review, Verdict.APPROVE, body, lands, **taken)
        return await self._decided(review)

    async def changes(self, run: RunId, body: wire.Changes) -> wire.RunRow:
        """Send the run back to work with a note and all unsent comments."""
        review = await self._s.database.read(reviews.newest_review, run)
        unsent = await self._s.database.read(reviews.comments_of, run, unsent=True)
        if not body.note and not unsent:
            raise UsageError(
                "there is nothing to tell the agent",
                hint=f'Write a note, `swarm changes {run} "…"`, or comment on lines first.',
            )
        consent.refuse_secrets_in(body.note, "the note", consent.own_policy(self._s))
        await self._decide(run, review, Verdict.CHANGES, body)
        await self._decided(review)
        return await self._s.database.read(board.row, run)

    async def discard(self, run: RunId, body: wire.Act) -> wire.RunRow:
        """Into the trash: nothing is lost, `restore` brings it back."""
        s, now = self._s, self._s.clock()

        def write(c: sa.Connection) -> None:
            found = tasks.run(c, run)
            if found.state == RunState.DISCARDED:
                raise NotNow(
                    f"run {run} is in the trash already", hint=f"`swarm restore {run}` undoes it."
                )
            if found.state in ACTIVE:
                raise NotNow(
                    f"run {run} is {found.state}", hint=f"Stop it first: `swarm stop {run}`."
                )
            reviews.void_all(c, run, at=now, why="the run was discarded")
            tasks.move(c, run, RunState.DISCARDED, reason=f"discarded by {body.by}", at=now)
            number = audit.deed(c, run, "discarded", by=body.by, at=now)
            s.engine.enqueue(
                c, FINISH, finish_id(run, "", number), run, "", queue=homes.desk_of(c, s, run)
            )

        await s.database.write(write)
        return await self._moved(run, "discarded")

    async def restore(self, run: RunId, body: wire.Act) -> wire.RunRow:
        """Back from the trash, in the state it had."""
        s, now = self._s, self._s.clock()

        def write(c: sa.Connection) -> None:
            before = RunState(tasks.column(c, run, "before_trash") or RunState.FAILED)
            tasks.move(c, run, before, reason=f"restored by {body.by}", at=now)
            tasks.update(c, run, saved="")
            audit.deed(c, run, "restored", by=body.by, at=now)

        # A discard that is not through yet would take away again what comes back here.
        await homes.only_at_home(s, run)
        async with s.live.putting_away(run):
            await landing.restore(s, run)
            fault("act:restore")
            await s.database.write(write)
        return await self._moved(run, "restored")

    async def merge(self, run: RunId, body: wire.Act) -> wire.RunRow:
        """Try again to land what is approved."""
        review = await self._s.database.read(reviews.newest_review, run)
        if review.verdict != Verdict.APPROVE:
            raise NeedsHuman(
                f"nobody has approved {run} yet", hint=f"Look at it, then `swarm approve {run}`."
            )
        s, now = self._s, self._s.clock()

        def write(c: sa.Connection) -> None:
            tasks.move(c, run, RunState.MERGING, at=now)
            number = audit.deed(c, run, "merge asked for", by=body.by, at=now)
            identity = finish_id(run, review.id, number)
            s.engine.enqueue(c, FINISH, identity, run, review.id, queue=homes.desk_of(c, s, run))

        await s.database.write(write)
        return await self._moved(run, "merging")

    async def undo(self, run: RunId, body: wire.Act) -> wire.RunRow:
        """Take a merged change back: the branch goes back where it was, or a new commit reverses it."""
        await homes.only_at_home(self._s, run)
        done = await landing.undo(self._s, run, body.by)
        words = "undone: the branch is back at" if done.how == "moved back" else "undone by"
        await self._s.broker.record(
            run, f"undone/{done.commit}", Note(f"{words} {done.commit[:12]}")
        )
        return await self._s.database.read(board.row, run)

    async def tell(self, run: RunId, body: wire.Tell) -> wire.RunRow:
        """Say something to the agent: into its running turn, else into its next one."""
        return await telling.tell(self._s, run, body)

    async def comment(self, run: RunId, body: wire.NewComment) -> Comment:
        if not body.text.strip():
            raise UsageError("the comment is empty")
        if body.last and body.last < body.line:
            raise UsageError(f"a range ends where it begins or later, not at {body.last}")
        consent.refuse_secrets_in(body.text, "the comment", consent.own_policy(self._s))
        return await self._s.database.write(reviews.add_comment, run, body, at=self._s.clock())

    async def stop(self, run: RunId, body: wire.Act) -> wire.RunRow:
        """Stop a run; what it has done is kept."""
        s, now = self._s, self._s.clock()
        reason = f"stopped by {body.by or 'a person'}"

        def write(c: sa.Connection) -> None:
            found = tasks.run(c, run)
            if found.state not in ACTIVE - {RunState.MERGING}:
                raise NotNow(f"run {run} is {found.state}; there is nothing to stop")
            if str(tasks.column(c, run, "wish")).startswith("stop:"):
                return  # It was said before, and is about to be done.
            tasks.update(c, run, wish=f"stop:{reason}")
            if found.state == RunState.QUEUED:
                # Nobody is at work for it who could notice, perhaps not for hours.
                tasks.move(c, run, RunState.CANCELLED, reason=reason, at=now)
            audit.deed(c, run, "stopped", by=body.by, at=now)

        await s.database.write(write)
        s.live.wake(run)
        row = await s.database.read(board.row, run)
        if row.run.state == RunState.CANCELLED:
            await s.announce(run, row.run.state, key=f"round-{row.run.round}", reason=reason)
        return row

    async def resume(self, run: RunId, body: wire.Resume) -> wire.RunRow:
        """Back to work where it stopped, with a new cap if one is given."""
        s, now = self._s, self._s.clock()

        def write(c: sa.Connection) -> None:
            found = tasks.run(c, run)
            if found.state not in (RunState.PARKED, RunState.FAILED, RunState.CANCELLED):
                raise NotNow(f"run {run} is {found.state}; only a stopped run can be resumed")
            budget = body.budget if body.budget is not None else found.budget
            _refuse_spent(c, found, budget)
            tasks.update(c, run, budget=budget)
            tasks.move(c, run, RunState.QUEUED, at=now)
            requeue(c, s, run, found.round + 1)
            audit.deed(c, run, "resumed", by=body.by, at=now, budget=str(budget))

        await s.database.write(write)
        return await self._moved(run, "resumed")

    async def retry(self, run: RunId, body: wire.Retry) -> wire.RunRow:
        """A fresh run of the same task, by the same agent or another, with what the ones before it left."""
        fresh = await retrying.retry(self._s, run, body)
        return await self._moved(fresh, "retried")

    async def _decide(
        self,
        run: RunId,
        review: Review,
        verdict: Verdict,
        body: wire.Approve | wire.Changes,
        lands: reviews.Lands = reviews.SQUASHED,
        **taken: str,
    ) -> None:
        s, now = self._s, self._s.clock()

        def write(c: sa.Connection) -> None:
            words = {"note": body.note, "message": taken.get("message", "")}
            if not reviews.decide(c, review.id, verdict, by=body.by, at=now, lands=lands, **words):
                given = reviews.review(c, review.id)
                raise NotNow(
                    f"{review.id} was decided already: {given.verdict} by {given.by or 'somebody'}",
                    hint=f"`swarm show {run}` says more.",
                )
            number = audit.deed(
                c,
                run,
                str(verdict),
                by=body.by,
                at=now,
                review=review.id,
                tree=review.result_tree,
                tip=review.tip,
                target=review.target,
                note=body.note,
                **{name: what for name, what in taken.items() if what},
            )
            if verdict == Verdict.APPROVE:
                tasks.move(c, run, RunState.MERGING, at=now)
                identity = finish_id(run, review.id, number)
                s.engine.enqueue(
                    c, FINISH, identity, run, review.id, queue=homes.desk_of(c, s, run)
                )
            else:
                tasks.move(c, run, RunState.QUEUED, reason="changes requested", at=now)
                requeue(c, s, run, review.round + 1)

        await s.database.write(write)

    async def _decided(self, review: Review) -> Review:
        """Tell what was decided; the review as it is now."""
        decided = await self._s.database.read(reviews.review, review.id)
        await tell_decision(self._s, decided)
        return decided

    async def _moved(self, run: RunId, what: str) -> wire.RunRow:
        """Say in the log what the transaction has done, and give the row as it is now."""
        row = await self._s.database.read(board.row, run)
        key = f"{what}-{self._s.clock()}"
        await self._s.announce(run, row.run.state, key=key, reason=row.run.reason)
        return row


def _record_answer(
    c: sa.Connection, s: Services, asked: Approval, body: wire.Answer, at: float
) -> None:
    """Write the audit row of an answer; with `always`, the rule as well, before anything counts."""
    taken: dict[str, str] = {"scope": body.scope} if body.scope != "once" else {}
    if body.scope == "always":
        written = rules.write(s, asked, body.rule)
        taken |= {"file": str(written.path), "rule": written.diff}
    asking.write_down(c, asked, yes=body.yes, by=body.by, at=at, **taken)


def _follow(c: sa.Connection, s: Services, asked: Approval, body: wire.Answer, at: float) -> None:
    """What an answer to a question of swarm's own means for the run."""
    if asked.action == RAISE and body.yes:
        _go_on(c, s, asked.run, at)
    if asked.action == BOX and not body.yes:
        # Said to the run, not to who watches its box: that one may be gone by then.
        why = f"stopped by {body.by or 'a person'}: {asked.reason}"
        tasks.update(c, asked.run, wish=f"stop:{why}")


def _go_on(c: sa.Connection, s: Services, run: RunId, at: float) -> None:
    """A run that has parked meanwhile goes back to work; one that is still kept waiting goes on by itself."""
    found = tasks.run(c, run)
    if found.state == RunState.PARKED:
        tasks.move(c, run, RunState.QUEUED, reason="its budget was raised", at=at)
        requeue(c, s, run, found.round + 1)


def _refuse_spent(c: sa.Connection, run: Run, budget: int) -> None:
    """The call that did not fit into the budget would not fit into it now."""
    known = turns.turns_of(c, run.id)
    hit = ledger.limit_hit(c, run.id, since=known[-1].began) if known else ""
    for_money = not hit or hit.startswith("the budget of this run")
    if known and known[-1].over_budget and for_money and budget <= run.budget:
        raise NotNow(
            f"run {run.id} needs more than its budget to go on: {dollars(run.spent)} of "
            f"{dollars(run.budget)} is spent, and its next call may cost more than what is left",
            hint=f"Give it more: `swarm resume {run.id} --budget {(run.budget * 2) / 1e6:.2f}`.",
        )
