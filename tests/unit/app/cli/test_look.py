"""Looking at a run: its facts, its log, its diff; none of it can act on the terminal."""

import pytest
from msgspec.structs import replace

from app import wire
from app.cli.narrate import Narrator
from app.domain import events as swarm
from app.domain.ids import RunId
from app.domain.review import CheckResult, Verdict
from app.domain.run import RunState
from harnesses import events as agent
from tests.support.bodies import every_body
from tests.support.canned import Canned
from tests.support.nouns import (
    TREE,
    a_detail,
    a_finding,
    a_question,
    a_review,
    a_run,
    an_event,
)
from tests.unit.app.cli.conftest import User

DIFF = b"diff --git a/x b/x\n@@ -1 +1 @@\n-old\n+new \x1b]52;c;x\x07\r\n+--- odd\n"


def detailed(supervisor: Canned, detail: wire.RunDetail) -> None:
    for name in ("k3f9x", "k3f9x.1"):
        supervisor.on(f"GET /v1/runs/{name}", detail)


def test_show_tells_everything_about_a_run(user: User, supervisor: Canned) -> None:
    detail = a_detail(a_review(findings=(a_finding(),)), state=RunState.IN_REVIEW, reason="done")
    detailed(supervisor, detail)
    out = user.types("show", "k3f9x").out
    for part in (
        "Fix the flaky test",
        "state       in_review",
        "branch      swarm/fix-the-flaky-test",
        "cost        $0.31 of $1.00",
        "change      2 files +12 -3",
        "Review k3f9x.1-r1: would land on main",
        f"tree       {TREE}",
        "confirm  Makefile  it runs on your machine  [build]",
        "passed  make test  (1.2 s)",
        "M  +10 -3  src/io.py",
        "A  binary  logo.png",
    ):
        assert part in out


def test_show_tells_where_a_change_landed(user: User, supervisor: Canned) -> None:
    review = a_review(verdict=Verdict.APPROVE, by="ada", merged="e" * 40)
    detailed(supervisor, a_detail(review, state=RunState.MERGED))
    assert f"Landed on main as {'e' * 40}, approved by ada." in user.types("show", "k3f9x").out


def test_show_tells_questions_checks_and_further_runs(user: User, supervisor: Canned) -> None:
    failed = CheckResult(command="make lint", passed=False, code=2, seconds=0.5)
    detail = a_detail(state=RunState.WAITING)
    row = replace(detail.row, question=a_question(), checks=(failed,))
    second = a_run(id=RunId("k3f9x.2"), number=2, state=RunState.FAILED)
    detailed(supervisor, replace(detail, row=row, runs=(row.run, second)))
    out = user.types("show", "k3f9x").out
    assert "k3f9x.1-a1  Bash: git push" in out
    assert "FAILED  make lint  (0.5 s, exit 2)" in out
    assert "k3f9x.1=waiting k3f9x.2=failed" in out


def test_show_as_json_is_the_detail(user: User, supervisor: Canned) -> None:
    detailed(supervisor, a_detail(a_review()))
    assert user.types("show", "k3f9x", "--json").json["reviews"][0]["result_tree"] == TREE


def test_json_on_a_terminal_is_ascii(user: User, supervisor: Canned) -> None:
    detailed(supervisor, a_detail(reason="\u202eevil\x9b"))
    assert user.at_a_terminal("show", "k3f9x", "--json").out.isascii()


def test_diff_in_a_pipe_is_what_git_printed(user: User, supervisor: Canned) -> None:
    detailed(supervisor, a_detail())
    supervisor.on("GET /v1/runs/k3f9x.1/diff", DIFF)
    assert user.types("diff", "k3f9x").out.encode() == DIFF


def test_diff_on_a_terminal_is_safe(user: User, supervisor: Canned) -> None:
    detailed(supervisor, a_detail())
    supervisor.on("GET /v1/runs/k3f9x.1/diff", DIFF)
    out = user.at_a_terminal("diff", "k3f9x").out
    assert "+new ␛]52;c;x␇␍" in out
    assert "\x1b[32m+--- odd\x1b[0m" in out


def test_diff_without_colours_when_they_are_not_wanted(
    user: User, supervisor: Canned, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    detailed(supervisor, a_detail())
    supervisor.on("GET /v1/runs/k3f9x.1/diff", DIFF)
    assert "\x1b" not in user.at_a_terminal("diff", "k3f9x").out


def test_diff_shows_what_would_land_when_there_is_a_review(user: User, supervisor: Canned) -> None:
    detailed(supervisor, a_detail(a_review()))
    supervisor.on("GET /v1/runs/k3f9x.1/diff", DIFF)
    done = user.types("diff", "k3f9x")
    assert supervisor.asked[-1].target.endswith("review=1")
    assert "What would land on main (review k3f9x.1-r1, tree aaaaaaaaaa)" in done.err


def test_diff_shows_the_work_on_request_and_with_conflicts(user: User, supervisor: Canned) -> None:
    supervisor.on("GET /v1/runs/k3f9x.1/diff", DIFF)
    detailed(supervisor, a_detail(a_review()))
    assert "The work of k3f9x.1 so far" in user.types("diff", "k3f9x", "--work").err
    detailed(supervisor, a_detail(a_review(conflicts=("a",))))
    assert "The work of k3f9x.1 so far" in user.types("diff", "k3f9x").err


def test_diff_shows_what_the_commit_of_a_turn_would_change(user: User, supervisor: Canned) -> None:
    detailed(supervisor, a_detail(a_review()))
    supervisor.on("GET /v1/runs/k3f9x.1/diff", DIFF)
    done = user.types("diff", "k3f9x", "--turn", "2")
    assert supervisor.asked[-1].target.endswith("review=1&turn=2")
    assert "What the commit of turn 2 would change, if k3f9x.1-r1 lands turn by turn" in done.err


def test_diff_as_json_names_the_review(user: User, supervisor: Canned) -> None:
    detailed(supervisor, a_detail(a_review()))
    supervisor.on("GET /v1/runs/k3f9x.1/diff", DIFF)
    found = user.types("diff", "k3f9x", "--json").json
    assert (found["review"]["id"], found["run"]) == ("k3f9x.1-r1", "k3f9x.1")


def test_why_gives_evidence_and_what_to_do(user: User, supervisor: Canned) -> None:
    answer = wire.Why(
        run=RunId("k3f9x.1"),
        state="parked",
        reason="budget",
        now=100.0,
        evidence=(
            wire.Fact(what="a", source="gateway"),
            wire.Fact(what="b", source="agent", seen=91.0, certainty="claimed"),
        ),
        next=("swarm x",),
    )
    supervisor.on("GET /v1/runs/k3f9x/why", answer)
    out = user.types("why", "k3f9x").out
    assert out == (
        "k3f9x.1 is parked: budget\n"
        "  - a (gateway, now)\n"
        "  - b (agent, 9s ago, its word only)\n"
        "Next:\n  swarm x\n"
    )


EVENTS = [
    an_event(1, swarm.StateChanged(RunState.WORKING)),
    an_event(2, swarm.TurnStarted(1, "go")),
    an_event(3, agent.MessageChunk("I will ", "m1")),
    an_event(4, agent.MessageChunk("look.\nThen mend", "m1")),
    an_event(5, agent.ToolCall("t1", "Bash: make\x1b[2J")),
    an_event(6, agent.ToolCallUpdate("t1", "failed", "no rule")),
    an_event(7, swarm.Asked(a_question().id, "Bash: git push")),
    an_event(8, swarm.Spent(1000, 311_000, "opus", 1, 2)),
    an_event(9, swarm.StateChanged(RunState.FAILED, "gave up")),
]


def test_logs_tell_the_story_in_lines(user: User, supervisor: Canned) -> None:
    detailed(supervisor, a_detail())
    supervisor.events = EVENTS
    lines = [line[10:] for line in user.types("logs", "k3f9x").out.splitlines()]
    assert lines == [
        "state   working",
        "turn    1",
        "says    I will look.",
        "says    Then mend",
        "uses    Bash: make␛[2J",
        "failed  no rule",
        "asks    Bash: git push   (swarm answer k3f9x.1-a1 yes|no)",
        "spent   $0.0010, $0.31 so far (opus)",
        "state   failed gave up",
    ]


def test_logs_as_json_are_a_line_an_event(user: User, supervisor: Canned) -> None:
    detailed(supervisor, a_detail())
    supervisor.events = EVENTS
    assert user.types("logs", "k3f9x", "--json").out.count('"seq"') == len(EVENTS)


def test_followed_logs_end_with_the_run(user: User, supervisor: Canned) -> None:
    detailed(supervisor, a_detail())
    supervisor.events = [*EVENTS, an_event(10, swarm.Note("the end"))]
    assert "the end" in user.types("logs", "k3f9x", "-f").out


def test_followed_logs_survive_a_lost_connection(user: User, supervisor: Canned) -> None:
    detailed(supervisor, a_detail())
    supervisor.events = EVENTS
    supervisor.cuts = 2
    done = user.types("logs", "k3f9x", "-f", "--json")
    assert done.out.count('"seq"') == len(EVENTS)
    assert done.err.count("going on when a supervisor is back") == 1


@pytest.mark.parametrize("body", every_body(), ids=lambda body: type(body).__name__)
def test_no_event_can_act_on_the_terminal(body: swarm.Body) -> None:
    narrator = Narrator()
    lines = [*narrator.lines(an_event(1, body)), *narrator.rest()]
    assert [line for line in lines if not line.isprintable()] == []


def test_what_only_claims_to_have_happened_is_not_told() -> None:
    claims = (agent.UsageReported(cost_micros=0), agent.PermissionAsked("p1", "Bash: rm"))
    assert [line for claim in claims for line in Narrator().lines(an_event(1, claim))] == []
