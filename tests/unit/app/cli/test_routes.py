"""Why an agent got a run, told on one screen, in every way it can have come about."""

from typing import Any

import pytest
from msgspec.structs import replace

from app.cli.routes import explained
from app.domain.bundle import Part
from app.domain.ids import RunId
from app.domain.money import Micros
from app.domain.route import ModelLine, Option, Record, Report, Route, Shadow
from app.domain.run import RunState
from tests.support.canned import Canned
from tests.support.nouns import NOW, a_detail, a_run
from tests.unit.app.cli.conftest import User

RUN = RunId("k3f9x.1")
CLAUDE = Option(target="claude-code/opus", agent="claude-code", model="opus", account="anthropic")
CODEX = Option(target="codex", agent="codex", model="gpt-5.5", account="openai")
SEEN = {"outcomes": 14, "accepted": 9.5, "rejected": 2.25, "micros": Micros(620_000)}
LESS = {"outcomes": 11, "accepted": 4.0, "rejected": 3.5, "micros": Micros(1_400_000)}


def route(**parts: Any) -> Route:
    fields: dict[str, Any] = {
        "asked": "named",
        "names": ("strong",),
        "kind": "fix",
        "options": (CLAUDE, CODEX),
        "target": "claude-code/opus",
        "way": "order",
        "why": "it is named first",
        **parts,
    }
    return Route(run=RUN, at=NOW, **fields)


SITUATIONS: dict[str, tuple[Route, str]] = {
    "only one named": (
        route(names=("codex",), options=(CODEX,), target="codex", why="it is the only one named"),
        """k3f9x.1 went to codex
  asked    you named codex
  task     fix
  why      it is the only one named

CANDIDATE  CAN
codex      yes""",
    ),
    "a name of models": (
        route(paths=("src/io.py",)),
        """k3f9x.1 went to claude-code/opus
  asked    you named strong
  task     fix, names src/io.py
  why      it is named first
  history  too little to say anything

CANDIDATE         CAN
claude-code/opus  yes
codex             yes""",
    ),
    "a rule, and the first is down": (
        route(
            asked="rule",
            rule="careful (.swarm/routes.yaml)",
            options=(replace(CLAUDE, dropped="its image is not built"), CODEX),
            target="codex",
            why="it is the first that can take the task",
        ),
        """k3f9x.1 went to codex
  asked    careful (.swarm/routes.yaml) says strong
  task     fix
  why      it is the first that can take the task
  history  too little to say anything

CANDIDATE         CAN
claude-code/opus  no   its image is not built
codex             yes""",
    ),
    "the configuration, and a model that has ended": (
        route(asked="default", notes=("old has ended on 2026-01-01: opus comes in its place",)),
        """k3f9x.1 went to claude-code/opus
  asked    your configuration says strong
  task     fix
  why      it is named first
  history  too little to say anything
  note     old has ended on 2026-01-01: opus comes in its place

CANDIDATE         CAN
claude-code/opus  yes
codex             yes""",
    ),
    "history chose": (
        route(
            target="codex",
            way="learned",
            why="history says that an accepted change costs least with it",
            shadow="codex",
            options=(
                replace(CLAUDE, **LESS, drawn=Micros(2_710_000)),
                replace(CODEX, **SEEN, drawn=Micros(940_000)),
            ),
        ),
        """k3f9x.1 went to codex
  asked    you named strong
  task     fix
  why      history says that an accepted change costs least with it
  history  agrees

CANDIDATE         CAN
claude-code/opus  yes  11 outcomes: 4.0 accepted, 3.5 not; $1.40 a run; drawn $2.71 an accepted change
codex             yes  14 outcomes: 9.5 accepted, 2.2 not; $0.62 a run; drawn $0.94 an accepted change""",
    ),
    "history in the shadow": (
        route(shadow="codex", options=(CLAUDE, replace(CODEX, **SEEN, drawn=Micros(940_000)))),
        """k3f9x.1 went to claude-code/opus
  asked    you named strong
  task     fix
  why      it is named first
  history  would have chosen codex

CANDIDATE         CAN
claude-code/opus  yes
codex             yes  14 outcomes: 9.5 accepted, 2.2 not; $0.62 a run; drawn $0.94 an accepted change""",
    ),
    "tried for a change": (
        route(
            target="codex",
            way="explored",
            why="a share of 0.1 of tasks tries another one",
            shadow="claude-code/opus",
        ),
        """k3f9x.1 went to codex
  asked    you named strong
  task     fix
  why      a share of 0.1 of tasks tries another one
  history  would have chosen claude-code/opus

CANDIDATE         CAN
claude-code/opus  yes
codex             yes""",
    ),
    "handed on": (
        route(
            asked="handed on",
            before=RunId("k3f9x.1"),
            options=(replace(CLAUDE, dropped="it has worked on this task already"), CODEX),
            target="codex",
            why="it is the first that can take the task",
        ),
        """k3f9x.1 went to codex
  asked    handed on by k3f9x.1: strong
  task     fix
  why      it is the first that can take the task
  history  too little to say anything

CANDIDATE         CAN
claude-code/opus  no   it has worked on this task already
codex             yes""",
    ),
}


@pytest.mark.parametrize("name", SITUATIONS)
def test_a_choice_is_told_with_its_reasons(name: str) -> None:
    told, golden = SITUATIONS[name]
    assert explained(told) == golden


def test_explain_asks_about_the_run(user: User, supervisor: Canned) -> None:
    supervisor.on("GET /v1/runs/k3f9x/route", route())
    assert user.types("route", "explain", "k3f9x").out.startswith(
        "k3f9x.1 went to claude-code/opus"
    )
    assert user.types("route", "explain", "k3f9x", "--json").json["target"] == "claude-code/opus"


def test_the_report_says_what_an_accepted_change_costs(user: User, supervisor: Canned) -> None:
    line = Record(
        target="codex", runs=9, accepted=5, reworked=1, rejected=2, micros=Micros(4_200_000),
        per_accepted=Micros(700_000), seconds=371.0,
    )  # fmt: skip
    shadow = Shadow(run=RUN, target="codex", shadow="opencode")
    supervisor.on("GET /v1/routes", Report(records=(line,), shadows=(shadow,), asked=4))
    assert user.types("route", "report").out.splitlines() == [
        "WHO    RUNS  ACCEPTED  REWORKED  REJECTED   COST  PER ACCEPTED  TIME",
        "codex     9         5         1         2  $4.20         $0.70    6m",
        "",
        "History had an opinion 4 times, and another one 1 times.",
        "  k3f9x.1: codex; opencode instead",
    ]


def test_models_are_listed_with_their_ends(user: User, supervisor: Canned) -> None:
    line = ModelLine(
        name="strong", target="codex/o1", model="gpt-5", usable=True, ends="2027-01-01"
    )
    supervisor.on("GET /v1/models", (line,))
    assert user.types("models").out.splitlines() == [
        "NAME    AGENT     READY  MODEL  ENDS",
        "strong  codex/o1  yes    gpt-5  2027-01-01",
    ]


def test_runs_of_a_task_stand_beside_each_other(user: User, supervisor: Canned) -> None:
    one, two = a_run(), a_run(id=RunId("k3f9x.2"), agent="codex", state=RunState.IN_REVIEW)
    for run in (one, two):
        detail = replace(a_detail(), row=replace(a_detail().row, run=run), runs=(one, two))
        supervisor.on(f"GET /v1/runs/{run.id}", detail)
    lines = user.types("compare", "k3f9x.1").out.splitlines()
    assert [line.split()[:3] for line in lines[1:]] == [
        ["k3f9x.1", "working", "claude-code"],
        ["k3f9x.2", "in_review", "codex"],
    ]


def test_a_bundle_is_shown_part_by_part(user: User, supervisor: Canned) -> None:
    supervisor.on("GET /v1/runs/k3f9x/bundle", (Part(name="CHECK.txt", body=b"$ make test\n"),))
    assert user.types("bundle", "k3f9x").out == "What failed (CHECK.txt)\n$ make test\n"


def test_an_unknown_kind_of_task_is_refused(user: User, supervisor: Canned) -> None:
    done = user.types("run", "Do it", "--kind", "fixx")
    assert done.code == 2
    assert "there is no kind 'fixx'" in done.err


def test_agents_are_named_in_one_way_only(user: User, supervisor: Canned) -> None:
    assert user.types("run", "Do it", "--agent", "a", "--agents", "a,b").code == 2
