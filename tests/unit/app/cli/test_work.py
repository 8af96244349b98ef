"""Giving work: what is asked for goes out as it was said, and waiting ends with the right code."""

import json
from typing import Any

import pytest

from app import wire
from app.domain import events as swarm
from app.domain.errors import BudgetSpent
from app.domain.run import RunState
from tests.support.canned import Canned
from tests.support.nouns import NOW, a_detail, a_row, an_event, would
from tests.unit.app.cli.conftest import User

TASKS = "POST /v1/tasks"


def sent(supervisor: Canned) -> Any:
    (body,) = supervisor.sent(TASKS)
    return json.loads(body)


def ending(supervisor: Canned, state: RunState, *before: swarm.Body) -> None:
    """The run goes on by itself until it rests in `state`."""
    bodies = [*before, swarm.StateChanged(RunState.WORKING), swarm.StateChanged(state, "because")]
    supervisor.events = [an_event(n, body) for n, body in enumerate(bodies, 1)]
    supervisor.on(TASKS, a_row(state=RunState.QUEUED))
    supervisor.on("GET /v1/runs/k3f9x.1", a_detail(state=state, reason="because"))


def test_a_task_goes_out_as_it_was_said(user: User, supervisor: Canned) -> None:
    supervisor.on(TASKS, a_row())
    user.types(
        *("run", "Fix it", "--agent", "codex", "--base", "dev", "--fetch", "--budget", "$1.50"),
        *("--check", "make test", "--check", "make lint", "--needs", "gpu", "--priority", "5"),
    )
    body = sent(supervisor)
    assert body.pop("repo").endswith("/project")
    assert body == {
        "goal": "Fix it",
        "agent": "codex",
        "agents": [],
        "race": False,
        "kind": None,
        "base": "dev",
        "fetch": True,
        "label": "",
        "cassette": {"record": "", "replay": ""},
        "allow_network": [],
        "checks": ["make test", "make lint"],
        "budget": 1_500_000,
        "needs": ["gpu"],
        "priority": 5,
        "submitter": "ada",
    }


def test_a_cassette_is_named_from_where_the_user_stands(user: User, supervisor: Canned) -> None:
    supervisor.on(TASKS, a_row())
    user.types("run", "Fix it", "--record", "tapes/one")
    named = sent(supervisor)["cassette"]
    assert named["record"].endswith("/project/tapes/one")
    assert (named["record"][0], named["replay"]) == ("/", "")


def test_what_is_not_said_is_left_to_the_configuration(user: User, supervisor: Canned) -> None:
    supervisor.on(TASKS, a_row())
    user.types("run", "Fix it")
    body = sent(supervisor)
    assert (body["checks"], body["budget"], body["agent"]) == (None, None, "")


def test_a_dry_run_tells_and_gives_nothing(user: User, supervisor: Canned) -> None:
    supervisor.on(f"{TASKS}/preview", would(wire.NewTask(goal="Fix it", repo="/project")))
    said = user.types("run", "Fix it", "--dry-run")
    assert said.out == (
        "goes to   claude-code: it is the only one named\n"
        "costs     $2.00 at most\n"
        "          the day has $7.10 of $10.00 left\n"
        "works on  a copy of main, in the sandbox docker\n"
        "reaches   nothing but its model\n"
        "checks    make test\n"
        "lands on  main, once a person approved it\n"
    )
    assert supervisor.sent(TASKS) == []


def test_a_dry_run_of_what_would_be_refused_fails_and_says_why(
    user: User, supervisor: Canned
) -> None:
    told = would(wire.NewTask(goal="Fix it", repo="/project"), refused="there is no key. Set one.")
    supervisor.on(f"{TASKS}/preview", told)
    said = user.types("run", "Fix it", "--dry-run")
    assert said.code == 1
    assert said.out.startswith("It would be refused: there is no key. Set one.\n")


def test_run_prints_the_runs_id(user: User, supervisor: Canned) -> None:
    supervisor.on(TASKS, a_row())
    done = user.types("run", "Fix it")
    assert done.out == "k3f9x.1\n"
    assert "swarm logs k3f9x.1 -f" in done.err


def test_a_goal_can_come_from_a_pipe(user: User, supervisor: Canned) -> None:
    supervisor.on(TASKS, a_row())
    user.types("run", "-", stdin="Fix it\nand test it\n")
    assert sent(supervisor)["goal"] == "Fix it\nand test it"


@pytest.mark.parametrize(
    ("state", "code"),
    [
        (RunState.MERGED, 0),
        (RunState.FAILED, 1),
        (RunState.CANCELLED, 1),
        (RunState.DISCARDED, 1),
        (RunState.IN_REVIEW, 3),
        (RunState.PARKED, 4),
    ],
)
@pytest.mark.parametrize("flags", [[], ["--json"]])
def test_waiting_ends_with_a_code_for_how_it_went(
    flags: list[str], state: RunState, code: int, user: User, supervisor: Canned
) -> None:
    ending(supervisor, state)
    assert user.types("run", "Fix it", "--wait", *flags).code == code


def test_waiting_for_a_review_says_how_to_look(user: User, supervisor: Canned) -> None:
    ending(supervisor, RunState.IN_REVIEW)
    done = user.types("run", "Fix it", "--wait")
    assert done.out == "k3f9x.1\n"
    assert "swarm diff k3f9x.1" in done.err


def test_waiting_as_json_is_one_document_about_the_run(user: User, supervisor: Canned) -> None:
    ending(supervisor, RunState.IN_REVIEW)
    assert user.types("run", "Fix it", "--wait", "--json").json["state"] == "in_review"


def test_a_question_is_announced_while_waiting(user: User, supervisor: Canned) -> None:
    from tests.support.nouns import a_question

    ending(supervisor, RunState.FAILED, swarm.Asked(a_question().id, "Bash: git push"))
    assert "swarm answer k3f9x.1-a1 yes|no" in user.types("run", "Fix it", "--wait").err


def test_stop_all_stops_what_is_at_work(user: User, supervisor: Canned) -> None:
    rows = [
        a_row(id=f"t{n}.1", state=state)
        for n, state in enumerate((RunState.WORKING, RunState.MERGING, RunState.MERGED))
    ]
    supervisor.on("GET /v1/runs", wire.Board(rows=tuple(rows), seq=1, now=NOW))
    supervisor.on("POST /v1/runs/t0.1/stop", a_row(id="t0.1", state=RunState.CANCELLED))
    assert user.types("stop", "--all").out == "t0.1 cancelled\n"


def test_stop_all_with_nothing_at_work_says_so(user: User, supervisor: Canned) -> None:
    supervisor.on("GET /v1/runs", wire.Board(rows=(), seq=1, now=NOW))
    assert user.types("stop", "--all").err == "There is nothing to stop.\n"


def test_resume_all_goes_on_with_the_others_when_one_is_refused(
    user: User, supervisor: Canned
) -> None:
    states = (RunState.PARKED, RunState.FAILED, RunState.CANCELLED, RunState.PARKED)
    rows = [a_row(id=f"t{n}.1", state=state) for n, state in enumerate(states)]
    supervisor.on("GET /v1/runs", wire.Board(rows=tuple(rows), seq=1, now=NOW))
    supervisor.on("POST /v1/runs/t0.1/resume", BudgetSpent("it has spent $1.00", hint="Raise it."))
    for n in (1, 3):
        supervisor.on(f"POST /v1/runs/t{n}.1/resume", a_row(id=f"t{n}.1", state=RunState.QUEUED))
    done = user.types("resume", "--all")
    assert done.out == "t1.1 queued\nt3.1 queued\n"
    assert done.err == "t0.1: it has spent $1.00. Raise it.\n"
    assert done.code == BudgetSpent.exit_code


def test_resume_sends_the_new_budget(user: User, supervisor: Canned) -> None:
    supervisor.on("POST /v1/runs/k3f9x/resume", a_row(state=RunState.QUEUED))
    user.types("resume", "k3f9x", "--budget", "3")
    (body,) = supervisor.sent("POST /v1/runs/k3f9x/resume")
    assert json.loads(body) == {"budget": 3_000_000, "by": "ada"}


def test_retry_sends_the_other_agent(user: User, supervisor: Canned) -> None:
    supervisor.on("POST /v1/runs/k3f9x/retry", a_row(id="k3f9x.2", state=RunState.QUEUED))
    assert user.types("retry", "k3f9x", "--agent", "codex").out == "k3f9x.2 queued\n"
    assert json.loads(supervisor.sent("POST /v1/runs/k3f9x/retry")[0])["agent"] == "codex"
