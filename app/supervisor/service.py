"""What a person can ask the supervisor: the questions here, the deeds in `acts` and `submit`."""

import contextlib
import os
import time
from collections.abc import AsyncIterator, Callable
from importlib import metadata

import msgspec

from app import wire
from app.domain.errors import NotFound
from app.domain.events import Event
from app.domain.ids import ApprovalId, RunId
from app.domain.review import Approval, Finding, Review, TurnCommit
from app.domain.run import RunState
from app.repo import diffs
from app.repo.hub import Hub
from app.store import board, event_log, ledger, reviews, tasks
from app.supervisor import homes, network, replaying, rules
from app.supervisor.acts import Acts
from app.supervisor.afar import Afar
from app.supervisor.errors import LEAF_ERRORS
from app.supervisor.evidence import why
from app.supervisor.hands import Hands
from app.supervisor.moved import follow
from app.supervisor.overlap import overlaps
from app.supervisor.pricing import Money
from app.supervisor.proposals import behind, pick, refreshed
from app.supervisor.routing import Routing
from app.supervisor.services import Services
from app.supervisor.submit import submit
from app.supervisor.upkeep import Upkeep

PAST = 200
"""Tasks that have landed which the board lists unasked: all there ever were would be ever more."""


class Service:
    """The verbs behind the local API."""

    def __init__(self, s: Services, shutdown: Callable[[], None]) -> None:
        self._s = s
        self.acts = Acts(s)
        self.afar = Afar(s)
        self.hands = Hands(s)
        self.money = Money(s)
        self.upkeep = Upkeep(s)
        self.routing = Routing(s)
        self.shutdown = shutdown
        self._started = time.time()

    def hello(self) -> wire.Hello:
        return wire.Hello(
            version=metadata.version("swarm-agents"),
            protocol=wire.PROTOCOL,
            pid=os.getpid(),
            state_dir=str(self._s.places.state),
            started=self._started,
            host=self._s.engine.host,
            sandbox=self._s.configuration.settings.sandbox.driver,
            isolation=self._isolation(),
        )

    def _isolation(self) -> str:
        with contextlib.suppress(*LEAF_ERRORS):
            return self._s.driver(self._s.configuration.settings.sandbox.driver).isolation
        return ""

    async def find(self, text: str) -> RunId:
        """The run meant by an id or the beginning of one."""
        return await self._s.database.read(tasks.find, text)

    async def submit(self, new: wire.NewTask) -> wire.RunRow:
        return await submit(self._s, new)

    async def board(self, repo: str, past: int = PAST) -> wire.Board:
        if repo:
            await follow(self._s, repo)
        seq = await self._s.database.read_log(event_log.last)
        rows = await self._s.database.read(board.rows, repo, past=past)
        listed = sum(row.run.state == RunState.MERGED for row in rows)
        # They are counted where the list was cut, and only there.
        landed = await self._s.database.read(tasks.landed, repo) if listed >= past else listed
        return wire.Board(
            rows=rows,
            seq=seq,
            now=self._s.clock(),
            purse=await self.money.purse(),
            older=max(0, landed - listed),
        )

    async def detail(self, run: RunId) -> wire.RunDetail:
        await refreshed(self._s, run)
        read = self._s.database.read
        row = await read(board.row, run)
        findings = await read(tasks.column, run, "findings")
        return wire.RunDetail(
            row=row,
            runs=await read(tasks.runs_of, row.task.id),
            reviews=await read(reviews.reviews_of, run),
            approvals=await read(reviews.approvals_of, run),
            comments=await read(reviews.comments_of, run),
            findings=msgspec.convert(findings, tuple[Finding, ...]),
            spend=await read(ledger.spend, run),
            behind=await behind(self._s, run),
            overlaps=await overlaps(self._s, run),
        )

    async def commits(self, run: RunId) -> tuple[TurnCommit, ...]:
        """What landing the open review turn by turn would put on its target."""
        return await replaying.commits(self._s, run)

    async def diff(self, run: RunId, *, review: bool, since: str = "", turn: int = 0) -> bytes:
        """What the run changed; with `review`, exactly what landing the open review would change.

        With `since`, the tree that a review showed before: how what would land differs from that. With `turn`,
        what the commit of that turn would change where the review lands turn by turn.
        """
        if turn:
            return await replaying.diff(self._s, run, turn)
        task, found = await self._s.task_and_run(run)
        _repo, hub = await self._s.repository(task)
        await homes.fetch(self._s, task, found, hub)
        if review:
            await refreshed(self._s, run)
            shown = await self._s.database.read(reviews.newest_review, run)
            if shown.result_tree and since:
                return await self._since(run, hub, shown, since)
            if shown.result_tree:
                return await diffs.diff(hub, shown.tip, shown.result_tree)
        if not found.snapshot:
            return b""
        return await diffs.diff(hub, found.base, found.snapshot)

    async def _since(self, run: RunId, hub: Hub, shown: Review, since: str) -> bytes:
        """Only of files that the run changes: what others did to the target meanwhile is not the question."""
        if not await diffs.holds(hub, since):
            raise NotFound(
                f"{since} is no tree that a review of {run} has shown",
                hint=f"`swarm show {run} --json` lists its reviews with their trees.",
            )
        known = await self._s.database.read(reviews.reviews_of, run)
        paths = {file.path for each in known for file in each.files}
        return await diffs.diff(hub, since, shown.result_tree, paths=paths)

    async def pick(self, run: RunId, body: wire.Pick) -> Review:
        await homes.only_at_home(self._s, run)
        return await pick(self._s, run, body)

    async def why(self, run: RunId) -> wire.Why:
        return await why(self._s, run)

    async def network(self, run: RunId) -> wire.Network:
        return await network.report(self._s, run)

    async def allow(self, run: RunId, body: wire.AllowHost) -> wire.Network:
        return await network.allow(self._s, run, body)

    async def inbox(self) -> tuple[Approval, ...]:
        return await self._s.database.read(reviews.open_approvals)

    async def rule(self, approval: ApprovalId) -> wire.NewRule:
        """What answering the question with `always` would write."""
        asked = await self._s.database.read(reviews.approval, approval)
        wanted = rules.addition(self._s, asked)
        return wire.NewRule(path=str(wanted.path), diff=wanted.diff, digest=wanted.digest)

    def follow(self, since: int, run: str, *, live: bool) -> AsyncIterator[Event | int]:
        return self._s.broker.follow(since, run, live=live)
