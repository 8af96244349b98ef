"""Deciding: what is approved is named exactly, and nothing is approved by accident."""

import json
from typing import Any

import pytest

from app import wire
from app.domain import events as swarm
from app.domain.errors import NotNow
from app.domain.review import FileChange, Finding, Review, TurnCommit, Verdict
from app.domain.run import RunState
from tests.support.canned import Canned
from tests.support.nouns import (
    NOW,
    TREE,
    a_detail,
    a_finding,
    a_question,
    a_review,
    a_row,
    an_event,
)
from tests.unit.app.cli.conftest import User

APPROVE = "POST /v1/runs/k3f9x.1/approve"
MERGED = "e" * 40


def reviewing(supervisor: Canned, review: Review, *ends: RunState) -> None:
    """A run in review; approving it leads through the given states."""
    state = {"now": a_detail(review, state=RunState.IN_REVIEW)}

    def approved() -> Review:
        last = ends[-1] if ends else RunState.MERGING
        for n, end in enumerate(ends, 8):
            supervisor.events.append(an_event(n, swarm.StateChanged(end, "because")))
        merged = {"merged": MERGED} if last is RunState.MERGED else {}
        done = a_review(verdict=Verdict.APPROVE, by="ada", **merged)
        state["now"] = a_detail(done, state=last, reason="because")
        return done

    for name in ("k3f9x", "k3f9x.1"):
        supervisor.on(f"GET /v1/runs/{name}", lambda: state["now"])
    supervisor.on("GET /v1/runs", wire.Board(rows=(), seq=7, now=NOW))
    supervisor.on(APPROVE, approved)
    supervisor.events = [an_event(7, swarm.StateChanged(RunState.IN_REVIEW))]


LANDS = (RunState.MERGING, RunState.MERGED)


def approval(supervisor: Canned) -> Any:
    (body,) = supervisor.sent(APPROVE)
    return json.loads(body)


@pytest.mark.parametrize(("flags", "style"), [([], "squash"), (["--merge"], "merge")])
def test_approving_says_how_it_lands(
    flags: list[str], style: str, user: User, supervisor: Canned
) -> None:
    reviewing(supervisor, a_review(), *LANDS)
    user.types("approve", "k3f9x", "--yes", *flags)
    assert approval(supervisor)["style"] == style


def test_a_rebase_names_the_commits_that_were_listed(user: User, supervisor: Canned) -> None:
    reviewing(supervisor, a_review(), *LANDS)
    supervisor.on("GET /v1/runs/k3f9x.1/commits", commits_of(a_review()))
    done = user.types("approve", "k3f9x", "--yes", "--rebase")
    assert "turn 1  ffffffffff  1 file +1 -0  one.py" in done.err
    assert "swarm diff k3f9x.1 --turn N" in done.err
    assert approval(supervisor)["style"] == "rebase"
    assert approval(supervisor)["commits"] == ["f" * 40, TREE]


def test_a_rebase_that_would_land_what_is_gone_is_not_sent(user: User, supervisor: Canned) -> None:
    reviewing(supervisor, a_review(), *LANDS)
    why = NotNow("turn 1 held in config.py what the whole change does not show", hint="Squash it.")
    supervisor.on("GET /v1/runs/k3f9x.1/commits", why)
    done = user.types("approve", "k3f9x", "--yes", "--rebase")
    assert done.code == 1
    assert "turn 1 held in config.py" in done.err
    assert supervisor.sent(APPROVE) == []


def test_a_change_lands_in_one_way_only(user: User, supervisor: Canned) -> None:
    reviewing(supervisor, a_review(), *LANDS)
    done = user.types("approve", "k3f9x", "--yes", "--rebase", "--merge")
    assert (done.code, supervisor.asked) == (2, [])


def commits_of(review: Review) -> tuple[TurnCommit, ...]:
    one = FileChange(path="one.py", status="added", insertions=1, deletions=0)
    return (
        TurnCommit(turn=1, tree="f" * 40, files=(one,)),
        TurnCommit(turn=2, tree=review.result_tree, files=review.files),
    )


def test_approving_names_review_and_tree(user: User, supervisor: Canned) -> None:
    reviewing(supervisor, a_review(), *LANDS)
    user.types("approve", "k3f9x", "--yes", "--note", "fine")
    assert approval(supervisor) == {
        "review": "k3f9x.1-r1", "tree": TREE, "confirmed": [], "secrets": [], "note": "fine",
        "message": "", "style": "squash", "commits": [], "by": "ada",
    }  # fmt: skip


def test_approving_prints_the_merge_commit(user: User, supervisor: Canned) -> None:
    reviewing(supervisor, a_review(), *LANDS)
    done = user.types("approve", "k3f9x", "--yes")
    assert (done.code, done.out) == (0, MERGED + "\n")


def test_approving_shows_what_is_approved(user: User, supervisor: Canned) -> None:
    reviewing(supervisor, a_review(), *LANDS)
    err = user.types("approve", "k3f9x", "--yes").err
    assert f"tree       {TREE}" in err
    assert "src/io.py" in err


def test_approving_as_json_is_the_review(user: User, supervisor: Canned) -> None:
    reviewing(supervisor, a_review(), *LANDS)
    assert user.types("approve", "k3f9x", "--yes", "--json").json["merged"] == MERGED


def test_approving_without_waiting_returns_at_once(user: User, supervisor: Canned) -> None:
    reviewing(supervisor, a_review())
    assert user.types("approve", "k3f9x", "--yes", "--no-wait").out == "k3f9x.1-r1 approved\n"


@pytest.mark.parametrize("end", [RunState.IN_REVIEW, RunState.FAILED])
def test_a_change_that_does_not_land_ends_with_1(
    end: RunState, user: User, supervisor: Canned
) -> None:
    reviewing(supervisor, a_review(), RunState.MERGING, end)
    done = user.types("approve", "k3f9x", "--yes")
    assert done.code == 1
    assert "swarm: it did not land: because" in done.err


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"conflicts": ("a.py",)}, "k3f9x.1-r1 conflicts with main in a.py"),
        ({"findings": (a_finding("block"),)}, "nobody may approve k3f9x.1-r1: Makefile"),
        ({"verdict": Verdict.DISCARD}, "k3f9x.1 is in_review: there is no open review"),
    ],
)
def test_what_cannot_land_is_not_sent(
    change: dict[str, Any], says: str, user: User, supervisor: Canned
) -> None:
    reviewing(supervisor, a_review(**change), *LANDS)
    done = user.types("approve", "k3f9x", "--yes")
    assert done.code == 1
    assert says in done.err
    assert supervisor.sent(APPROVE) == []


def test_another_tree_than_named_is_not_approved(user: User, supervisor: Canned) -> None:
    reviewing(supervisor, a_review(), *LANDS)
    done = user.types("approve", "k3f9x", "--yes", "--tree", "f" * 40)
    assert done.code == 1
    assert f"would land tree {TREE}, not {'f' * 40}" in done.err
    assert supervisor.sent(APPROVE) == []


def test_a_file_that_needs_a_look_needs_a_person(user: User, supervisor: Canned) -> None:
    reviewing(supervisor, a_review(findings=(a_finding(),)), *LANDS)
    done = user.types("approve", "k3f9x", "--yes")
    assert done.code == 3
    assert "--confirm Makefile" in done.err
    assert supervisor.sent(APPROVE) == []


@pytest.mark.parametrize("flags", [[], ["--json"], ["--confirm", "Makefile"]])
def test_without_a_terminal_nothing_lands_without_a_yes(
    flags: list[str], user: User, supervisor: Canned
) -> None:
    reviewing(supervisor, a_review(findings=(a_finding(),)), *LANDS)
    done = user.types("approve", "k3f9x", "--confirm", "Makefile", *flags)
    assert done.code == 3
    assert "swarm approve k3f9x.1 --yes" in done.err
    assert supervisor.sent(APPROVE) == []


def a_secret(name: str = "github-token:0123456789ab") -> Finding:
    return Finding(
        severity="block",
        path="a.py",
        rule="secrets/github-token",
        why="line 3 holds a GitHub token: ghp_… (40 characters)",
        line=3,
        fingerprint=name,
    )


def test_a_secret_is_shown_by_its_fingerprint(user: User, supervisor: Canned) -> None:
    reviewing(supervisor, a_review(findings=(a_secret(),)), *LANDS)
    assert "[github-token:0123456789ab]" in user.types("approve", "k3f9x", "--yes").err


def test_a_secret_a_person_names_is_sent(user: User, supervisor: Canned) -> None:
    reviewing(supervisor, a_review(findings=(a_secret(),)), *LANDS)
    user.types("approve", "k3f9x", "--yes", "--allow-secret", "github-token:0123456789ab")
    assert approval(supervisor)["secrets"] == ["github-token:0123456789ab"]


def test_a_secret_that_is_not_there_cannot_be_named(user: User, supervisor: Canned) -> None:
    reviewing(supervisor, a_review(findings=(a_secret(),)), *LANDS)
    done = user.types("approve", "k3f9x", "--yes", "--allow-secret", "github-token:0123456789aa")
    assert done.code == 2
    assert "did you mean github-token:0123456789ab?" in done.err
    assert supervisor.sent(APPROVE) == []


def test_a_file_that_was_looked_at_is_named(user: User, supervisor: Canned) -> None:
    reviewing(supervisor, a_review(findings=(a_finding(),)), *LANDS)
    user.types("approve", "k3f9x", "--yes", "--confirm", "Makefile")
    assert approval(supervisor)["confirmed"] == ["Makefile"]


def test_a_confirmation_of_another_file_is_refused(user: User, supervisor: Canned) -> None:
    reviewing(supervisor, a_review(), *LANDS)
    done = user.types("approve", "k3f9x", "--yes", "--confirm", "Makefle")
    assert done.code == 2
    assert supervisor.sent(APPROVE) == []


def test_a_warning_needs_no_confirmation(user: User, supervisor: Canned) -> None:
    reviewing(supervisor, a_review(findings=(a_finding("warn"),)), *LANDS)
    assert user.types("approve", "k3f9x", "--yes").code == 0


@pytest.mark.parametrize("answers", ["", "\n", "n\n", "yes?\n", "nay\n"])
def test_at_a_terminal_anything_but_yes_is_no(answers: str, user: User, supervisor: Canned) -> None:
    reviewing(supervisor, a_review(), *LANDS)
    done = user.at_a_terminal("approve", "k3f9x", answers=answers)
    assert done.code == 1
    assert "nothing was changed" in done.err
    assert supervisor.sent(APPROVE) == []


@pytest.mark.parametrize("answers", ["y\n", "YES\n"])
def test_at_a_terminal_a_yes_approves(answers: str, user: User, supervisor: Canned) -> None:
    reviewing(supervisor, a_review(), *LANDS)
    assert user.at_a_terminal("approve", "k3f9x", answers=answers).code == 0


def test_at_a_terminal_each_file_is_asked_about(user: User, supervisor: Canned) -> None:
    findings = (a_finding(path="Makefile"), a_finding(path="setup.py"))
    reviewing(supervisor, a_review(findings=findings), *LANDS)
    assert user.at_a_terminal("approve", "k3f9x", answers="y\nn\n").code == 1
    assert user.at_a_terminal("approve", "k3f9x", answers="y\ny\ny\n").code == 0
    assert approval(supervisor)["confirmed"] == ["Makefile", "setup.py"]


def test_at_a_terminal_yes_skips_only_the_last_question(user: User, supervisor: Canned) -> None:
    reviewing(supervisor, a_review(findings=(a_finding(),)), *LANDS)
    assert user.at_a_terminal("approve", "k3f9x", "--yes", answers="").code == 1
    assert user.at_a_terminal("approve", "k3f9x", "--yes", answers="y\n").code == 0


def test_a_refusal_of_the_supervisor_is_told(user: User, supervisor: Canned) -> None:
    reviewing(supervisor, a_review())
    supervisor.on(APPROVE, NotNow("the target moved"))
    assert user.types("approve", "k3f9x", "--yes").err.splitlines()[-1] == "swarm: the target moved"


def test_a_comment_names_its_line(user: User, supervisor: Canned) -> None:
    supervisor.on("POST /v1/runs/k3f9x/comments", NotNow("enough"))
    user.types("comment", "k3f9x", "a b:c.py:42", "Close it")
    (body,) = supervisor.sent("POST /v1/runs/k3f9x/comments")
    assert json.loads(body) == {
        "path": "a b:c.py",
        "line": 42,
        "last": 0,
        "text": "Close it",
        "by": "ada",
    }


def test_a_comment_names_its_lines(user: User, supervisor: Canned) -> None:
    supervisor.on("POST /v1/runs/k3f9x/comments", NotNow("enough"))
    user.types("comment", "k3f9x", "src/io.py:42-47", "Take this change back")
    body = json.loads(supervisor.sent("POST /v1/runs/k3f9x/comments")[0])
    assert (body["path"], body["line"], body["last"]) == ("src/io.py", 42, 47)


@pytest.mark.parametrize("text", [[], ["Keep the names"]])
def test_changes_are_sent_with_a_note(text: list[str], user: User, supervisor: Canned) -> None:
    supervisor.on("POST /v1/runs/k3f9x/changes", a_row(state=RunState.QUEUED))
    assert user.types("changes", "k3f9x", *text).out == "k3f9x.1 queued\n"
    (body,) = supervisor.sent("POST /v1/runs/k3f9x/changes")
    assert json.loads(body)["note"] == "".join(text)


@pytest.mark.parametrize("verb", ["merge", "undo", "stop", "discard", "restore"])
def test_a_simple_verb_says_who_and_prints_the_state(
    verb: str, user: User, supervisor: Canned
) -> None:
    supervisor.on(f"POST /v1/runs/k3f9x/{verb}", a_row())
    assert user.types(verb, "k3f9x").out == "k3f9x.1 working\n"
    assert json.loads(supervisor.sent(f"POST /v1/runs/k3f9x/{verb}")[0]) == {"by": "ada"}


@pytest.mark.parametrize(("reply", "yes"), [("yes", True), ("no", False)])
@pytest.mark.parametrize("named", ["k3f9x.1-a1", "k3f9x.1", "k3f9x", "k3"])
def test_a_question_is_answered_by_its_id_or_its_runs(
    named: str, reply: str, yes: bool, user: User, supervisor: Canned
) -> None:
    supervisor.on("GET /v1/approvals", (a_question(),))
    supervisor.on("POST /v1/approvals/k3f9x.1-a1", a_question(answer=reply))
    assert user.types("answer", named, reply, "--note", "n").out == f"k3f9x.1-a1 {reply}\n"
    (body,) = supervisor.sent("POST /v1/approvals/k3f9x.1-a1")
    assert json.loads(body) == {
        "yes": yes, "note": "n", "amount": None, "scope": "once", "rule": "", "by": "ada",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("questions", "says"),
    [
        ((), "k3f9x has no open question"),
        ((a_question(), a_question(id="k3f9x.1-a2")), "could be k3f9x.1-a1, k3f9x.1-a2"),
    ],
)
def test_an_answer_that_fits_no_single_question_is_refused(
    questions: tuple[Any, ...], says: str, user: User, supervisor: Canned
) -> None:
    supervisor.on("GET /v1/approvals", questions)
    done = user.types("answer", "k3f9x", "yes")
    assert done.code == 2
    assert says in done.err
