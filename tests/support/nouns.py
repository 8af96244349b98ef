"""Domain values with everything filled in, to show or send in tests."""

from typing import Any

from msgspec.structs import replace

from app import wire
from app.domain.events import Body, Event
from app.domain.ids import ApprovalId, ReviewId, RunId, TaskId
from app.domain.money import Micros
from app.domain.network import Grant, NetworkRefusal, NetworkRow
from app.domain.policy import ChangePolicy
from app.domain.review import Approval, CheckResult, FileChange, Finding, Review
from app.domain.route import Option, Route
from app.domain.run import Run, RunState
from app.domain.task import Task

RUN = RunId("k3f9x.1")
NOW = 1_790_000_000.0
TREE, TIP, BASE = "a" * 40, "b" * 40, "c" * 40

TASK = Task(
    id=TaskId("k3f9x"),
    goal="Fix the flaky test",
    repo="/home/ada/project",
    target="main",
    base="main",
    agent="claude-code",
    budget=Micros(1_000_000),
    created=NOW - 600,
)


def a_run(**parts: Any) -> Run:
    """A run at work, changed as told."""
    run = Run(
        id=RUN,
        task=TASK.id,
        number=1,
        state=RunState.WORKING,
        agent="claude-code",
        harness="claude-code",
        model="claude-opus-4-5",
        sandbox="docker",
        base=BASE,
        branch="swarm/fix-the-flaky-test",
        budget=Micros(1_000_000),
        spent=Micros(310_000),
        files=2,
        insertions=12,
        deletions=3,
        created=NOW - 600,
        started=NOW - 300,
    )
    return replace(run, **parts)


def a_row(**parts: Any) -> wire.RunRow:
    """A row of the board, its run changed as told."""
    return wire.RunRow(run=a_run(**parts), task=TASK)


def a_review(**parts: Any) -> Review:
    """An open review of two files, changed as told."""
    review = Review(
        id=ReviewId("k3f9x.1-r1"),
        run=RUN,
        round=1,
        base=BASE,
        snapshot="d" * 40,
        target="main",
        tip=TIP,
        result_tree=TREE,
        files=(
            FileChange(path="src/io.py", status="modified", insertions=10, deletions=3),
            FileChange(path="logo.png", status="added", insertions=0, deletions=0, binary=True),
        ),
        checks=(CheckResult(command="make test", passed=True, code=0, seconds=1.24),),
        opened=NOW - 60,
    )
    return replace(review, **parts)


def a_finding(severity: Any = "confirm", path: str = "Makefile") -> Finding:
    """Something the path policy says."""
    return Finding(severity=severity, path=path, rule="build", why="it runs on your machine")


def a_question(**parts: Any) -> Approval:
    """An open question, changed as told."""
    question = Approval(
        id=ApprovalId("k3f9x.1-a1"),
        run=RUN,
        turn=1,
        request="t1",
        title="Bash: git push",
        action="execute",
        reason="it would publish something",
        opened=NOW - 30,
    )
    return replace(question, **parts)


def a_detail(*reviews: Review, **parts: Any) -> wire.RunDetail:
    """All of a run, with these reviews."""
    row = a_row(**parts)
    spend = wire.Spend(
        micros=Micros(310_000), held=Micros(0), calls=4, refused=0, input=9000, output=800,
        cache_read=0, cache_write=0,
    )  # fmt: skip
    return wire.RunDetail(
        row=row,
        runs=(row.run,),
        reviews=reviews,
        approvals=(),
        comments=(),
        findings=(),
        spend=spend,
    )


def an_event(seq: int, body: Body) -> Event:
    """A numbered fact of the run."""
    return Event(seq=seq, run=RUN, at=NOW, body=body)


def would(task: wire.NewTask, **more: Any) -> wire.Preview:
    """What giving that task would do."""
    agent = task.agent or "claude-code"
    option = Option(target=agent, agent=agent, model="claude-sonnet-4-5")
    route = Route(
        run=RunId(""), at=NOW, asked="default", names=(agent,), kind="implement", options=(option,),
        target=agent, way="order", why="it is the only one named",
    )  # fmt: skip
    told = wire.Preview(
        routes=(route,), base=task.base or "main", target="main", budget=task.budget or Micros(2_000_000),
        left=(wire.Left(of="the day", left=Micros(7_100_000), cap=Micros(10_000_000)),),
        checks=task.checks or ("make test",), hosts=task.allow_network, policy=ChangePolicy(), sandbox="docker",
    )  # fmt: skip
    return replace(told, **more)


def refused_host(host: str, why: str = NetworkRefusal.NOT_ALLOWED, *, times: int = 4) -> NetworkRow:
    """What became of a run's wish to reach a host that it may not."""
    return NetworkRow(
        host=host, allowed=False, why=why, times=times, sent=0, received=0, first=1.0, last=2.0
    )


def a_network(
    run: RunId, *refused: NetworkRow, hosts: tuple[str, ...] = ("pypi.org",)
) -> wire.Network:
    """What a run may reach, and did; after a person allowed one host more."""
    reached = NetworkRow(
        host="pypi.org", allowed=True, times=3, sent=1500, received=598_500, first=1.0, last=2.0
    )
    return wire.Network(
        run=run,
        hosts=hosts,
        grants=(Grant(host="docs.example.org", by="ada", at=5.0),),
        limit=1_000_000,
        left=400_000,
        rows=(reached, *refused),
    )
