"""Lists are tables that fit 80 columns, and whole JSON documents on request."""

from msgspec.structs import replace

from app import wire
from app.domain.money import Micros
from app.domain.run import RunState
from tests.support.canned import Canned
from tests.support.nouns import NOW, TASK, a_question, a_row
from tests.unit.app.cli.conftest import User


def board(*rows: wire.RunRow) -> wire.Board:
    return wire.Board(rows=rows, seq=7, now=NOW)


def test_ps_shows_the_board(user: User, supervisor: Canned) -> None:
    supervisor.on("GET /v1/runs", board(a_row()))
    assert user.types("ps").out.splitlines() == [
        "TASK   STATE    AGENT         COST  TIME  CHANGE  GOAL",
        "k3f9x  working  claude-code  $0.31    5m  +12 -3  Fix the flaky test",
    ]


def test_ps_shows_first_what_needs_a_person(user: User, supervisor: Canned) -> None:
    states = [RunState.MERGED, RunState.WORKING, RunState.WAITING, RunState.IN_REVIEW]
    supervisor.on("GET /v1/runs", board(*(a_row(state=state) for state in states)))
    shown = [line.split()[1] for line in user.types("ps").out.splitlines()[1:]]
    assert shown == ["waiting", "in_review", "working", "merged"]


def test_ps_asks_about_the_repository_one_is_in(user: User, supervisor: Canned) -> None:
    supervisor.on("GET /v1/runs", board())
    user.types("ps")
    assert "project" in supervisor.asked[-1].target


def test_ps_asks_about_all_repositories_with_all(user: User, supervisor: Canned) -> None:
    supervisor.on("GET /v1/runs", board())
    user.types("ps", "--all")
    assert supervisor.asked[-1].target == "/v1/runs"


def test_ps_without_tasks_says_what_to_do(user: User, supervisor: Canned) -> None:
    supervisor.on("GET /v1/runs", board())
    done = user.types("ps")
    assert done.out == ""
    assert "swarm run" in done.err


def test_ps_as_json_is_the_board(user: User, supervisor: Canned) -> None:
    supervisor.on("GET /v1/runs", board(a_row()))
    done = user.types("ps", "--json")
    assert done.json["rows"][0]["run"]["id"] == "k3f9x.1"
    assert done.err == ""


def test_ps_in_a_terminal_is_cut_to_its_width(user: User, supervisor: Canned) -> None:
    row = a_row()
    supervisor.on("GET /v1/runs", board(replace(row, task=replace(TASK, goal="long " * 40))))
    lines = user.at_a_terminal("ps").out.replace("\x1b[2m", "").replace("\x1b[34m", "")
    assert max(len(line.replace("\x1b[0m", "")) for line in lines.splitlines()) <= 80


def test_ps_in_a_pipe_is_whole(user: User, supervisor: Canned) -> None:
    row = a_row()
    supervisor.on("GET /v1/runs", board(replace(row, task=replace(TASK, goal="long " * 40))))
    assert "long " * 39 in user.types("ps").out


def test_a_goal_cannot_act_on_the_terminal(user: User, supervisor: Canned) -> None:
    supervisor.on("GET /v1/runs", board(replace(a_row(), task=replace(TASK, goal="a\x1b[2Jb\nc"))))
    assert "a␛[2Jb⏎c" in user.types("ps").out


def test_bare_swarm_without_a_terminal_prints_the_board(user: User, supervisor: Canned) -> None:
    supervisor.on("GET /v1/runs", board(a_row()))
    done = user.types()
    assert "k3f9x" in done.out
    assert "in a terminal" in done.err


def test_inbox_lists_questions(user: User, supervisor: Canned) -> None:
    supervisor.on("GET /v1/approvals", (a_question(),))
    done = user.types("inbox")
    assert "k3f9x.1-a1" in done.out
    assert "Bash: git push" in done.out
    assert "swarm answer" in done.err


def test_an_empty_inbox_says_so(user: User, supervisor: Canned) -> None:
    supervisor.on("GET /v1/approvals", ())
    assert user.types("inbox").err == "No agent is asking anything.\n"


def test_costs_are_added_up(user: User, supervisor: Canned) -> None:
    lines = [
        wire.CostLine(key=key, micros=Micros(n), calls=2, input=1000, output=10)
        for key, n in (("a", 310_000), ("b", 1_000_000))
    ]
    supervisor.on("GET /v1/costs", tuple(lines))
    done = user.types("cost", "--by", "agent")
    assert done.out.splitlines() == [
        "AGENT   COST  CALLS  TOKENS IN  TOKENS OUT",
        "a      $0.31      2      1,000          10",
        "b      $1.00      2      1,000          10",
        "total  $1.31      4      2,000          20",
    ]
    assert supervisor.asked[-1].target == "/v1/costs?by=agent"


def test_agents_say_what_they_lack(user: User, supervisor: Canned) -> None:
    line = wire.AgentLine(
        name="codex", harness="codex", model="m", title="Codex", usable=False, why="no image"
    )
    supervisor.on("GET /v1/agents", (line,))
    assert user.types("agents").out.splitlines()[1].split() == [
        "codex",
        "no",
        "codex",
        "m",
        "no",
        "image",
    ]


def test_the_trash_is_listed(user: User, supervisor: Canned) -> None:
    supervisor.on("GET /v1/trash", (a_row(state=RunState.DISCARDED),))
    assert "k3f9x.1" in user.types("trash").out


def test_audit_export_is_a_line_of_json_each(user: User, supervisor: Canned) -> None:
    rows = [
        wire.AuditRow(number=n, at=NOW, actor="ada", what="approved", run=None, detail={})
        for n in (1, 2)
    ]
    supervisor.on("GET /v1/audit", tuple(rows))
    assert user.types("audit", "export").out.count("\n") == 2
    assert len(user.types("audit", "export", "--json").json) == 2


def test_what_has_landed_and_is_not_listed_is_counted(user: User, supervisor: Canned) -> None:
    landed = a_row(state=RunState.MERGED)
    supervisor.on("GET /v1/runs", wire.Board(rows=(landed,), seq=1, now=NOW, older=7))
    assert user.types("ps").err == "7 more have landed: `swarm ps --past 8` lists all.\n"
