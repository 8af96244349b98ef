"""What waits for a person is decided exactly once."""

import pytest
import sqlalchemy as sa

from app.domain.errors import NotFound, NotNow
from app.domain.ids import ApprovalId, ReviewId
from app.domain.review import FileChange, Finding, Verdict
from app.store import reviews
from app.wire import NewComment
from tests.support.rows import a_review, asked, reviewed, stored

CHANGE = FileChange(path="a b.txt", status="added", insertions=1, deletions=0)
FINDING = Finding(severity="confirm", path="a b.txt", rule="r", why="w")


def test_a_review_comes_back_as_it_was_stored(state: sa.Connection) -> None:
    review = a_review(stored(state), files=(CHANGE,), findings=(FINDING,), conflicts=("x",))
    assert reviews.add_review(state, review)
    assert reviews.review(state, review.id) == review


def test_opening_a_review_again_changes_nothing(state: sa.Connection) -> None:
    run = stored(state)
    first = a_review(run)
    assert reviews.add_review(state, first)
    assert not reviews.add_review(state, a_review(run, result_tree="e" * 40))
    assert reviews.review(state, first.id) == first


def test_the_first_verdict_counts(state: sa.Connection) -> None:
    review = reviewed(state, stored(state))
    assert reviews.decide(state, review, Verdict.APPROVE, by="ada", at=2.0, note="")
    assert not reviews.decide(state, review, Verdict.CHANGES, by="bob", at=3.0, note="no")
    decided = reviews.review(state, review)
    assert (decided.verdict, decided.by, decided.decided) == (Verdict.APPROVE, "ada", 2.0)


def test_a_new_look_voids_what_was_decided_about_the_old_one(state: sa.Connection) -> None:
    run = stored(state)
    review = reviewed(state, run)
    reviews.decide(state, review, Verdict.APPROVE, by="ada", at=2.0, note="")
    reviews.replace_review(state, a_review(run, tip="f" * 40))
    assert reviews.review(state, review).verdict is None


def test_the_verdict_of_what_has_landed_cannot_be_withdrawn(state: sa.Connection) -> None:
    review = reviewed(state, stored(state))
    reviews.decide(state, review, Verdict.APPROVE, by="ada", at=2.0, note="")
    reviews.landed(state, review, "c" * 40)
    reviews.withdraw(state, review)
    assert reviews.review(state, review).verdict == Verdict.APPROVE


def test_a_run_without_a_review_says_so(state: sa.Connection) -> None:
    with pytest.raises(NotNow, match="nothing to review yet"):
        reviews.newest_review(state, stored(state))


def test_an_unknown_review_is_told(state: sa.Connection) -> None:
    with pytest.raises(NotFound):
        reviews.review(state, ReviewId("zzzzz.1-r1"))


def test_a_question_asked_again_is_the_same_question(state: sa.Connection) -> None:
    run = stored(state)
    assert asked(state, run).id == asked(state, run).id == "aaaaa.1-a1"
    assert asked(state, run, "q2").id == "aaaaa.1-a2"


def test_the_first_answer_counts(state: sa.Connection) -> None:
    question = asked(state, stored(state))
    assert reviews.answer(state, question.id, yes=False, by="ada", at=2.0, note="why?")
    assert not reviews.answer(state, question.id, yes=True, by="bob", at=3.0, note="")
    answered = reviews.approval(state, question.id)
    assert (answered.answer, answered.by, answered.note) == ("no", "ada", "why?")


def test_an_answered_question_asked_again_brings_its_answer(state: sa.Connection) -> None:
    run = stored(state)
    reviews.answer(state, asked(state, run).id, yes=True, by="ada", at=2.0, note="")
    assert asked(state, run).answer == "yes"


def test_the_end_of_a_turn_closes_its_open_questions_only(state: sa.Connection) -> None:
    run = stored(state)
    answered, open_ = asked(state, run, "q1"), asked(state, run, "q2")
    later = asked(state, run, "q3", turn=2)
    reviews.answer(state, answered.id, yes=True, by="ada", at=2.0, note="")
    reviews.void_approvals(state, run, 1, at=3.0)
    said = [reviews.approval(state, each.id).answer for each in (answered, open_, later)]
    assert said == ["yes", "no", None]
    assert [each.id for each in reviews.open_approvals(state)] == [later.id]


def test_an_unknown_question_is_told(state: sa.Connection) -> None:
    with pytest.raises(NotFound, match="there is no question zzzzz"):
        reviews.approval(state, ApprovalId("zzzzz.1-a1"))


def test_comments_are_numbered_and_sent_once(state: sa.Connection) -> None:
    run = stored(state)
    for text in ("one", "two"):
        reviews.add_comment(state, run, NewComment(path="a", line=1, text=text, by="ada"), at=1.0)
    reviews.mark_sent(state, run)
    on_three = NewComment(path="a", line=2, last=4, text="three", by="ada")
    third = reviews.add_comment(state, run, on_three, at=2.0)
    assert third.where == "a:2-4"
    assert [each.number for each in reviews.comments_of(state, run)] == [1, 2, 3]
    assert reviews.comments_of(state, run, unsent=True) == (third,)
