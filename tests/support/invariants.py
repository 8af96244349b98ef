"""What must be true of the world once a task has landed and swarm is down, whatever died on the way.

Everything is looked at from outside: the user's git, the tables, the file system, the process list, the engine.
"""

import json
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Protocol

from tests.support.home import Home
from tests.support.leftovers import boxes_of, processes_in
from tests.support.repos import run_git

Row = Mapping[str, Any]
BEGIN = "begun"
"""Stands in the first deed of every turn, see `kills.begin`."""
UNSURE = ("snapshot",)
"""Events that a kill may add to or take away: looks in mid-turn."""


class Tables(Protocol):
    """How to read the databases of one home."""

    def state(self, query: str) -> list[Row]: ...

    def log(self, query: str) -> list[Row]: ...

    def workflows(self) -> list[Row]:
        """`workflow_uuid`, `name` and `status` of all of them."""
        ...

    def faults(self) -> list[str]:
        """What the database itself says is wrong with it."""
        ...


class SqliteTables:
    """The two files of a state directory."""

    def __init__(self, state: Path) -> None:
        self._state = state / "state.db"
        self._log = state / "events.db"

    def state(self, query: str) -> list[Row]:
        return _rows(self._state, query)

    def log(self, query: str) -> list[Row]:
        return _rows(self._log, query)

    def workflows(self) -> list[Row]:
        return self.state("SELECT workflow_uuid, name, status FROM workflow_status")

    def faults(self) -> list[str]:
        said = [_rows(file, "PRAGMA integrity_check") for file in (self._state, self._log)]
        return [str(row) for rows in said for row in rows if row["integrity_check"] != "ok"]


def _rows(file: Path, query: str) -> list[Row]:
    with closing(sqlite3.connect(file)) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute(query)]


class World:
    """Everything of one user, at rest."""

    def __init__(
        self,
        home: Home,
        repo: Path,
        tables: Tables | None = None,
        *,
        boxes: "Boxes | None" = None,
        harmed: bool = False,
        several: bool = False,
    ) -> None:
        """`harmed`: agents died, too, people said things again; `several`: one landed, others are in the trash."""
        self.home = home
        self.repo = repo
        self.tables = tables or SqliteTables(home.state)
        self.boxes = boxes or no_boxes
        self.harmed = harmed
        self.several = several

    def broken(self) -> list[str]:
        """Every promise that does not hold, in words."""
        parts = (_git, _money, _tables, _events, _left)
        return [fault for part in parts for fault in part(self)]

    def facts(self) -> dict[str, Any]:
        """What came of it, without ids and times: a run that nobody disturbed gives the same."""
        state = self.tables.state
        return {
            "tree": run_git(self.repo, "rev-parse", "main^{tree}"),
            "subjects": run_git(self.repo, "log", "--format=%s", "main").splitlines(),
            "runs": Counter(row["state"] for row in state("SELECT state FROM run")),
            "turns": Counter(
                (row["number"], row["stop_reason"], bool(row["over_budget"]))
                for row in state("SELECT * FROM turn")
            ),
            "checks": Counter(
                (row["turn"], row["number"], row["command"], bool(row["passed"]))
                for row in state("SELECT * FROM check_result")
            ),
            "audit": Counter(row["what"] for row in state("SELECT what FROM audit")),
            "words": Counter(
                (row["text"], bool(row["heard"]))
                for row in state(
                    "SELECT text, taken IS NOT NULL AS heard FROM tell "
                    "UNION ALL SELECT text, sent AS heard FROM comment"
                )
            ),
            "workflows": Counter(row["name"] for row in self.tables.workflows()),
            "events": Counter(
                gist for _run, body in _bodies(self) if not (gist := _gist(body)).startswith(UNSURE)
            ),
        }


Boxes = Callable[[World], list[str]]
"""What a sandbox technology has left of this user's."""


def no_boxes(_world: World) -> list[str]:
    return []


def docker_boxes(world: World) -> list[str]:
    """What the engine has of this user's installation."""
    containers, volumes = boxes_of(world.home.state)
    return [f"{name} is left in the engine" for name in (*containers, *volumes)]


def _git(world: World) -> Iterator[str]:
    repo = world.repo
    undone = _undone(world)
    for row in world.tables.state("SELECT * FROM review"):
        landed = [
            commit
            for commit in run_git(repo, "rev-list", "main").split()
            if f"Swarm-Review: {row['id']}" in run_git(repo, "show", "-s", "--format=%B", commit)
        ]
        stays = row["merged"] and row["run"] not in undone
        if landed != ([row["merged"]] if stays else []):
            yield f"{row['id']} landed as {landed}, and is said to be {row['merged']!r}"
        elif landed and row["result_tree"] != run_git(repo, "rev-parse", f"{landed[0]}^{{tree}}"):
            yield f"{row['id']} landed another tree than the one that was approved"
    if said := run_git(repo, "status", "--porcelain"):
        yield f"the user's checkout is not clean: {said}"
    yield from _refs(world, undone)
    if run_git(repo, "worktree", "list").count("\n"):
        yield "git knows another worktree"
    yield from _fsck(repo)
    for hub in world.home.state.glob("repositories/*/hub.git"):
        yield from _fsck(hub)


def _refs(world: World, undone: set[str]) -> Iterator[str]:
    refs = set(run_git(world.repo, "for-each-ref", "--format=%(refname)").splitlines())
    losers = _losers(world)
    trash = {f"refs/swarm/trash/{run}" for run in losers}
    if trash - refs:
        yield f"lost from the trash: {trash - refs}"
    kept = trash | {f"refs/swarm/published/{run}" for run in losers}
    if left := refs - kept - {"refs/heads/main", *(f"refs/swarm/undone/{run}" for run in undone)}:
        yield f"refs are left: {left}"


def _losers(world: World) -> set[str]:
    """Runs of which another one has landed; all they did is in the trash."""
    lost = (
        world.tables.state("SELECT id FROM run WHERE state = 'discarded'") if world.several else []
    )
    return {row["id"] for row in lost}


def _undone(world: World) -> set[str]:
    """Runs whose change was taken back; what it was is kept."""
    return {row["run"] for row in world.tables.state("SELECT run FROM audit WHERE what = 'undone'")}


def _fsck(where: Path) -> Iterator[str]:
    said = run_git(where, "fsck", "--strict", "--no-dangling", check=False)
    if said:
        yield f"git fsck in {where}: {said}"


def _money(world: World) -> Iterator[str]:
    for row in world.tables.state("SELECT * FROM hold WHERE settled IS NULL"):
        yield f"a hold is open: {row}"
    for row in world.tables.state("SELECT run FROM run_key WHERE revoked IS NULL"):
        yield f"the key of {row['run']} is still valid"
    charged = Counter(row["hold"] for row in world.tables.state("SELECT hold FROM spend"))
    yield from (f"the hold {hold} was charged {n} times" for hold, n in charged.items() if n > 1)
    spent = {row["run"]: row["micros"] for row in world.tables.state(_SPENT)}
    for row in world.tables.state("SELECT key, spent, held FROM tally WHERE key LIKE 'run/%'"):
        charged = spent.get(row["key"].removeprefix("run/"), 0)
        if (row["spent"], row["held"]) != (charged, 0):
            yield f"{row['key']} counts {row['spent']}, holds {row['held']}, and was charged {charged}"


_SPENT = "SELECT run, CAST(SUM(micros) AS BIGINT) AS micros FROM spend GROUP BY run"


def _tables(world: World) -> Iterator[str]:
    yield from world.tables.faults()
    for row in world.tables.workflows():
        if row["status"] != "SUCCESS":
            yield f"the workflow {row['workflow_uuid']} is {row['status']}"
    for row in world.tables.state("SELECT * FROM run WHERE state <> 'merged'"):
        if row["id"] not in _losers(world):
            yield f"the run {row['id']} is {row['state']}: {row['reason']}"
    said = Counter(_deed(row) for row in world.tables.state("SELECT * FROM audit"))
    yield from _answers(world, said)
    yield from _told(world, {(run, what) for run, what, _detail in said})
    # What may be said again: what is asked again, and in a world with harm what a person has to say again.
    again = _AGAIN if world.harmed else _AGAIN[:1]
    said = Counter({deed: n for deed, n in said.items() if not deed[1].startswith(again)})
    yield from (f"audit: {n} times {deed}" for deed, n in said.items() if n > 1)


def _told(world: World, known: set[tuple[str, str]]) -> Iterator[str]:
    """Every run has landed once, and what led there is written down."""
    landed = Counter(
        r["run"] for r in world.tables.state("SELECT run FROM review WHERE merged <> ''")
    )
    losers = _losers(world)
    for row in world.tables.state("SELECT * FROM run"):
        if row["id"] in losers:
            continue
        began = "task submitted" if row["number"] == 1 or world.several else "retried"
        first = f"{row['task']}.1" if world.several else row["id"]
        for run, what in ((first, began), (row["id"], "approve"), (row["id"], "merged")):
            if (run, what) not in known:
                yield f"audit: nothing says {what!r} of {row['id']}"
        if landed[row["id"]] != 1:
            yield f"{row['id']} is said to have landed {landed[row['id']]} times"


_AGAIN = ("question answered", "resumed")


def _answers(world: World, said: Counter[tuple[str, str, str]]) -> Iterator[str]:
    by_person = Counter(
        row["run"]
        for row in world.tables.state("SELECT run, by FROM approval")
        if row["by"] not in ("", "swarm")
    )
    written: Counter[str] = Counter()
    for (run, what, _detail), times in said.items():
        written[run] += times if what.startswith("question answered") else 0
    for run in by_person.keys() | written.keys():
        if by_person[run] != written[run]:
            yield f"audit: {written[run]} answers to {by_person[run]} questions of {run}"


def _deed(row: Row) -> tuple[str, str, str]:
    return row["run"], row["what"], str(row["detail"])


def _events(world: World) -> Iterator[str]:
    bodies = list(_bodies(world))
    counted = Counter((run, json.dumps(body, sort_keys=True)) for run, body in bodies)
    turns = Counter(row["run"] for row in world.tables.state("SELECT run FROM turn"))
    rounds = {row["id"]: row["round"] for row in world.tables.state("SELECT id, round FROM run")}
    asked = Counter(row["run"] for row in world.tables.state("SELECT run FROM approval"))
    for (run, body), n in counted.items():
        # A clock that jumps looks like a silence, each time; and each time an engine is away, that is said.
        again = world.harmed and any(words in body for words in _EACH_TIME)
        if n > turns[run] + rounds[run] - 1 + asked[run] and not again:
            yield f"the log of {run} says {n} times in {turns[run]} turns {body}"
    merged = Counter(run for run, b in bodies if b["type"] == "state" and b["state"] == "merged")
    begun = Counter(run for run, b in bodies if b["type"] == "tool_call" and BEGIN in b["title"])
    by_hand = Counter(
        row["run"] for row in world.tables.state("SELECT run FROM turn WHERE by_hand <> ''")
    )
    losers = _losers(world)
    for run, number in (turns - by_hand).items():
        if merged[run] != (run not in losers):
            yield f"the log of {run} says {merged[run]} times that it is merged"
        if begun[run] > number or (begun[run] < number and not world.harmed):
            yield f"the log of {run} shows {begun[run]} first deeds in {number} turns"


_EACH_TIME = ('"type": "flagged"', "it waits, and goes on by itself")


def _bodies(world: World) -> Iterator[tuple[str, dict[str, Any]]]:
    for row in world.tables.log("SELECT run, body FROM event ORDER BY seq"):
        yield row["run"], json.loads(row["body"])


def _gist(body: Mapping[str, Any]) -> str:
    """An event without what differs from one run to the next."""
    kept = ("type", "state", "turn", "title", "status", "text", "verdict", "target")
    return " ".join(f"{body[name]}" for name in kept if name in body)


def _left(world: World) -> Iterator[str]:
    home = world.home
    yield from (f"the sandbox {p.name} is left" for p in _inside(home.state / "sandboxes"))
    worktrees = [p for p in (home.state / "worktrees").rglob("*") if p.is_file()]
    yield from (f"{path} of a worktree is left" for path in worktrees)
    for name in ("exports", "scratch"):
        for directory in home.state.glob(f"repositories/*/{name}"):
            yield from (f"{path} is left" for path in _inside(directory))
    for path in home.runtime.rglob("*"):
        if path.is_socket() or (path.is_dir() and path.parent.name == "g"):
            yield f"the socket or its directory {path} is left"
    yield from (f"a process is left: {pid} {line}" for pid, line in processes_in(home.root))
    yield from world.boxes(world)


def _inside(directory: Path) -> Sequence[Path]:
    return list(directory.iterdir()) if directory.is_dir() else []
