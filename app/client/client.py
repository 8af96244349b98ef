"""One method per verb; returns domain values, raises the errors the supervisor reports."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Literal, TypeVar
from urllib.parse import quote, urlencode

import msgspec

from app import wire
from app.client.http import exchange
from app.client.way import Way
from app.domain.bundle import Part
from app.domain.errors import Unreachable, error_class
from app.domain.events import Event
from app.domain.review import Approval, Comment, Review, TurnCommit
from app.domain.route import ModelLine, Report, Route

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Link:
    """News of the connection itself, between the events of `Swarm.follow`."""

    state: Literal["up", "down"]
    why: str = ""


@dataclass(frozen=True, slots=True)
class CaughtUp:
    """Everything that had happened when the stream was opened has been seen."""

    seq: int


class Swarm:
    """A supervisor, seen from a front end."""

    def __init__(self, way: Way) -> None:
        self.way = way

    async def hello(self) -> wire.Hello:
        return await self._get("/v1/hello", wire.Hello)

    async def board(self, repo: str = "", past: int | None = None) -> wire.Board:
        """The newest run of every task, of one repository or of all; of what has landed, the newest `past`."""
        query = _query(repo=repo, past="" if past is None else str(past))
        return await self._get("/v1/runs" + query, wire.Board)

    async def detail(self, run: str) -> wire.RunDetail:
        """`run` may be a run's id, a task's, or the beginning of either, if only one fits."""
        return await self._get(f"/v1/runs/{quote(run)}", wire.RunDetail)

    async def commits(self, run: str) -> tuple[TurnCommit, ...]:
        """What landing the open review turn by turn would put on its target; `NotNow` says why it may not."""
        return await self._get(f"/v1/runs/{quote(run)}/commits", tuple[TurnCommit, ...])

    async def diff(
        self, run: str, *, review: bool = False, since: str = "", turn: int = 0
    ) -> bytes:
        """Unified diff, as git prints it: base to newest snapshot, or target tip to result of the review.

        With `since`, a tree that a review showed before: from that to the result of the review now. With `turn`,
        what the commit of that turn changes, of those that `commits` lists.
        """
        query = _query(review=str(int(review)), since=since, turn=str(turn) if turn else "")
        return await self._raw("GET", f"/v1/runs/{quote(run)}/diff" + query)

    async def why(self, run: str) -> wire.Why:
        return await self._get(f"/v1/runs/{quote(run)}/why", wire.Why)

    async def network(self, run: str) -> wire.Network:
        """What the run may reach besides models, and what it asked for."""
        return await self._get(f"/v1/runs/{quote(run)}/network", wire.Network)

    async def allow(self, run: str, body: wire.AllowHost) -> wire.Network:
        """Let one run reach one more host, at once."""
        return await self._act(run, "allow", body, wire.Network)

    async def submit(self, task: wire.NewTask) -> wire.RunRow:
        return await self._post("/v1/tasks", task, wire.RunRow)

    async def preview(self, task: wire.NewTask) -> wire.Preview:
        """Who would get it and why, what it may cost at most and touch. Nothing is begun."""
        return await self._post("/v1/tasks/preview", task, wire.Preview)

    async def inbox(self) -> tuple[Approval, ...]:
        """Open questions, oldest first."""
        return await self._get("/v1/approvals", tuple[Approval, ...])

    async def answer(self, approval: str, answer: wire.Answer) -> Approval:
        return await self._post(f"/v1/approvals/{quote(approval)}", answer, Approval)

    async def rule(self, approval: str) -> wire.NewRule:
        """What answering with `always` would write, as a change of the user's policy file."""
        return await self._get(f"/v1/approvals/{quote(approval)}/rule", wire.NewRule)

    async def approve(self, run: str, body: wire.Approve) -> Review:
        """Approve exactly the tree that was shown; it lands by itself."""
        return await self._act(run, "approve", body, Review)

    async def pick(self, run: str, body: wire.Pick) -> Review:
        """Leave parts of what is shown out of what would land; what is to be approved then."""
        return await self._act(run, "pick", body, Review)

    async def changes(self, run: str, body: wire.Changes) -> wire.RunRow:
        return await self._act(run, "changes", body, wire.RunRow)

    async def tell(self, run: str, body: wire.Tell) -> wire.RunRow:
        """Say something to the agent: into its running turn, else into its next one."""
        return await self._act(run, "tell", body, wire.RunRow)

    async def comment(self, run: str, body: wire.NewComment) -> Comment:
        return await self._act(run, "comments", body, Comment)

    async def merge(self, run: str, body: wire.Act) -> wire.RunRow:
        """Land an approved change again after a refusal that a person has cleared away."""
        return await self._act(run, "merge", body, wire.RunRow)

    async def undo(self, run: str, body: wire.Act) -> wire.RunRow:
        """Take a merged change back by a new commit."""
        return await self._act(run, "undo", body, wire.RunRow)

    async def stop(self, run: str, body: wire.Act) -> wire.RunRow:
        return await self._act(run, "stop", body, wire.RunRow)

    async def resume(self, run: str, body: wire.Resume) -> wire.RunRow:
        return await self._act(run, "resume", body, wire.RunRow)

    async def retry(self, run: str, body: wire.Retry) -> wire.RunRow:
        return await self._act(run, "retry", body, wire.RunRow)

    async def discard(self, run: str, body: wire.Act) -> wire.RunRow:
        return await self._act(run, "discard", body, wire.RunRow)

    async def restore(self, run: str, body: wire.Act) -> wire.RunRow:
        return await self._act(run, "restore", body, wire.RunRow)

    async def attach(self, run: str, body: wire.Attach) -> wire.RunRow:
        """Have the run's next turn be a person's."""
        return await self._act(run, "attach", body, wire.RunRow)

    async def hand_back(self, run: str, body: wire.HandBack) -> wire.RunRow:
        return await self._act(run, "hand-back", body, wire.RunRow)

    async def press(self, run: str, data: bytes) -> None:
        """Type on the screen of a run that a person works in."""
        await self._act(run, "keys", wire.Keys(data=data), type(None))

    async def resize(self, run: str, rows: int, columns: int) -> None:
        await self._act(run, "size", wire.Size(rows=rows, columns=columns), type(None))

    async def screen(self, run: str) -> AsyncIterator[bytes]:
        """What the program draws on the screen of that run, from what stands there on, until it ends."""
        target = f"/v1/runs/{quote(run)}/screen"
        async with exchange(self.way, "GET", target, _headers()) as reply:
            if reply.status != 200:
                _raise(reply.status, await reply.body())
            async for piece in reply.pieces:
                if piece:
                    yield piece

    async def sweep(self, body: wire.Sweep) -> tuple[wire.SweepLine, ...]:
        """What is left of runs, what of it goes, and why."""
        return await self._post("/v1/sweep", body, tuple[wire.SweepLine, ...])

    async def disk(self, repo: str = "") -> tuple[wire.DiskLine, ...]:
        """What each run on the board takes of the disk."""
        return await self._get("/v1/disk" + _query(repo=repo), tuple[wire.DiskLine, ...])

    async def trash(self) -> tuple[wire.RunRow, ...]:
        return await self._get("/v1/trash", tuple[wire.RunRow, ...])

    async def costs(
        self, by: str, *, of: str = "", since: str = "", until: str = ""
    ) -> tuple[wire.CostLine, ...]:
        """What was spent, added up; of a run or a task, or of days such as `2026-11-21`."""
        which = _query(by=by, of=of, since=since, until=until)
        return await self._get("/v1/costs" + which, tuple[wire.CostLine, ...])

    async def prices(self, model: str) -> tuple[wire.PriceLine, ...]:
        """What models with that text in their name cost."""
        return await self._get("/v1/prices" + _query(model=model), tuple[wire.PriceLine, ...])

    async def replace_prices(self, file: wire.PriceFile) -> tuple[wire.PriceChange, ...]:
        """What another price list changes; installed or only compared."""
        return await self._post("/v1/prices", file, tuple[wire.PriceChange, ...])

    async def override_price(self, body: wire.PriceOverride) -> tuple[wire.PriceLine, ...]:
        """Charge one model by a price of the user's own, or by the list again; what holds for it now."""
        return await self._post("/v1/prices/override", body, tuple[wire.PriceLine, ...])

    async def reprice(self, run: str, model: str) -> wire.Repriced:
        """What a run would have cost with another model."""
        return await self._get(
            f"/v1/runs/{quote(run)}/reprice" + _query(model=model), wire.Repriced
        )

    async def route(self, run: str) -> Route:
        """Who got the run, who else could have, and why it was so."""
        return await self._get(f"/v1/runs/{quote(run)}/route", Route)

    async def bundle(self, run: str) -> tuple[Part, ...]:
        """What the run was given of the ones before it."""
        return await self._get(f"/v1/runs/{quote(run)}/bundle", tuple[Part, ...])

    async def routes(self) -> Report:
        """How the choices turned out."""
        return await self._get("/v1/routes", Report)

    async def models(self) -> tuple[ModelLine, ...]:
        """What the names of models stand for."""
        return await self._get("/v1/models", tuple[ModelLine, ...])

    async def agents(self) -> tuple[wire.AgentLine, ...]:
        return await self._get("/v1/agents", tuple[wire.AgentLine, ...])

    async def image(self, repo: str, base: str = "") -> wire.ImageWish:
        """The image that the agents of a repository shall stand on."""
        return await self._get("/v1/image" + _query(repo=repo, base=base), wire.ImageWish)

    async def approve_image(self, body: wire.ApproveImage) -> wire.ImageWish:
        """Approve exactly what was shown."""
        return await self._post("/v1/image", body, wire.ImageWish)

    async def doctor(self) -> tuple[wire.DoctorLine, ...]:
        """What the supervisor relies on, and whether it is there."""
        return await self._get("/v1/doctor", tuple[wire.DoctorLine, ...])

    async def look(self) -> wire.Look:
        """How the person wants the screen to look, and to be heard."""
        return await self._get("/v1/screen", wire.Look)

    async def settings(self, repo: str = "") -> tuple[wire.SettingLine, ...]:
        """Every setting in force for a repository, and where it is from."""
        return await self._get("/v1/settings" + _query(repo=repo), tuple[wire.SettingLine, ...])

    async def try_notices(self) -> tuple[wire.NotifyLine, ...]:
        """Send a notice in every way that is configured."""
        return await self._post("/v1/notify/test", {}, tuple[wire.NotifyLine, ...])

    async def audit(self, run: str = "") -> tuple[wire.AuditRow, ...]:
        return await self._get("/v1/audit" + _query(run=run), tuple[wire.AuditRow, ...])

    async def hosts(self) -> tuple[wire.HostLine, ...]:
        """Every host that shares the database; none where it is alone."""
        return await self._get("/v1/hosts", tuple[wire.HostLine, ...])

    async def tokens(self) -> tuple[wire.TokenLine, ...]:
        return await self._get("/v1/tokens", tuple[wire.TokenLine, ...])

    async def add_token(self, body: wire.NewToken) -> wire.Token:
        """Let somebody ask over the network; the token is told this once."""
        return await self._post("/v1/tokens", body, wire.Token)

    async def revoke_token(self, name: str, body: wire.Act) -> None:
        await self._raw("POST", f"/v1/tokens/{quote(name)}/revoke", wire.encode(body))

    async def shutdown(self) -> None:
        """Ask the supervisor to end, whatever protocol it speaks.

        Agents in their sandboxes go on and are picked up again.
        """
        async with exchange(self.way, "POST", "/v1/shutdown", {}) as reply:
            if reply.status != 200:
                _raise(reply.status, await reply.body())

    async def events(
        self, *, since: int = 0, run: str = "", follow: bool = True
    ) -> AsyncIterator[Event | CaughtUp]:
        """Events after `since`, of one run or of all, until the connection breaks or, without `follow`, once."""
        target = "/v1/events" + _query(since=str(since), run=run, follow=str(int(follow)))
        async with exchange(self.way, "GET", target, _headers()) as reply:
            if reply.status != 200:
                _raise(reply.status, await reply.body())
            rest = b""
            async for piece in reply.pieces:
                *blocks, rest = (rest + piece).split(b"\n\n")
                for block in blocks:
                    if item := _server_sent(block):
                        yield item

    async def follow(
        self, *, since: int = 0, run: str = ""
    ) -> AsyncIterator[Event | CaughtUp | Link]:
        """Events for ever: reconnects where it stopped, and says so by `Link`."""
        pause = 0.2
        while True:
            try:
                async for item in self.events(since=since, run=run):
                    if pause:
                        pause = 0.0
                        yield Link("up")
                    since = max(since, item.seq)
                    yield item
                why = "the supervisor closed the stream"
            except Unreachable as error:
                why = error.message
            yield Link("down", why)
            pause = min(2.0, (pause or 0.1) * 2)
            await asyncio.sleep(pause)

    async def _act(self, run: str, verb: str, body: object, type_: type[T]) -> T:
        return await self._post(f"/v1/runs/{quote(run)}/{verb}", body, type_)

    async def _get(self, target: str, type_: type[T]) -> T:
        return _decoded(await self._raw("GET", target), type_)

    async def _post(self, target: str, body: object, type_: type[T]) -> T:
        reply = await self._raw("POST", target, wire.encode(body))
        return _decoded(reply, type_)

    async def _raw(self, method: str, target: str, body: bytes = b"") -> bytes:
        async with exchange(self.way, method, target, _headers(), body) as reply:
            data = await reply.body()
        if reply.status != 200:
            _raise(reply.status, data)
        return data


def _headers() -> dict[str, str]:
    return {wire.PROTOCOL_HEADER: str(wire.PROTOCOL), "content-type": "application/json"}


def _query(**parts: str) -> str:
    given = {name: value for name, value in parts.items() if value}
    return "?" + urlencode(given) if given else ""


def _server_sent(block: bytes) -> Event | CaughtUp | None:
    """One server-sent event: `data:` holds an event, `event: caught-up` with `id:` says where we are."""
    fields = dict(line.split(b": ", 1) for line in block.split(b"\n") if b": " in line)
    if fields.get(b"event") == b"caught-up":
        return CaughtUp(int(fields[b"id"]))
    data = fields.get(b"data")
    return _decoded(data, Event) if data else None


def _decoded(reply: bytes, type_: type[T]) -> T:
    try:
        return msgspec.json.decode(reply, type=type_)
    except msgspec.MsgspecError as error:
        raise Unreachable(
            f"the supervisor answered in a form this program does not know: {error}",
            hint="They are of different versions: `swarm upgrade` puts this one in charge.",
        ) from error


def _raise(status: int, body: bytes) -> None:
    try:
        problem = msgspec.json.decode(body, type=wire.Problem)
    except msgspec.MsgspecError:
        raise Unreachable(f"the supervisor answered {status} with what is not an answer") from None
    raise error_class(problem.kind)(problem.message, hint=problem.hint)
