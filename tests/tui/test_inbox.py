"""The inbox: every question of every agent, answered in place, many at once if that is wanted."""

from msgspec.structs import replace

from app.domain import events as own
from app.domain.events import Event
from app.domain.ids import ApprovalId, RunId
from app.domain.review import Approval
from app.domain.run import RunState
from app.tui.model.inbox import Inbox, question_lines
from app.tui.screens.inbox import InboxScreen
from app.tui.widgets.question_card import QuestionCard
from app.wire import Answer
from tests.support.fleet import NOW, RecordedSwarm, Recording, app_over, question, row, swap
from tests.support.screens import seen, settled, text_of


def three() -> RecordedSwarm:
    """Three agents ask, and one does not."""
    names = ("aaaaa", "bbbbb", "ccccc")
    rows = [
        row(
            name,
            f"task {name}",
            RunState.WAITING,
            question=replace(
                question(RunId(f"{name}.1"), f"Bash: make {name}"), opened=NOW - 300 + 60 * number
            ),
        )
        for number, name in enumerate(names)
    ]
    return RecordedSwarm(Recording(rows=[*rows, row("ddddd", "busy", RunState.WORKING)]))


def asked(number: int, *, run: str = "aaaaa.1", opened: float = NOW) -> Approval:
    return replace(
        question(RunId(run), "Bash: rm"), id=ApprovalId(f"{run}-a{number}"), opened=opened
    )


def event(body: own.Asked | own.Answered | own.StateChanged, run: str = "aaaaa.1") -> Event:
    return Event(seq=1, run=RunId(run), at=NOW, body=body)


def test_who_waits_longest_comes_first() -> None:
    inbox = Inbox()
    inbox.load([asked(1, opened=NOW), asked(2, opened=NOW - 60)])
    assert [each.id for each in inbox.questions] == ["aaaaa.1-a2", "aaaaa.1-a1"]


def test_what_was_seen_answered_does_not_come_back_with_an_older_list() -> None:
    inbox = Inbox()
    inbox.apply(event(own.Answered(ApprovalId("aaaaa.1-a1"), "yes", "bob")))
    inbox.load([asked(1), asked(2)])
    assert [each.id for each in inbox.questions] == ["aaaaa.1-a2"]


def test_a_question_that_is_not_listed_asks_for_the_list() -> None:
    inbox = Inbox()
    inbox.load([])
    assert inbox.apply(event(own.Asked(ApprovalId("aaaaa.1-a1"), "Bash: rm")))
    assert inbox.stale


def test_a_question_that_is_listed_already_changes_nothing() -> None:
    inbox = Inbox()
    inbox.load([asked(1)])
    assert not inbox.apply(event(own.Asked(ApprovalId("aaaaa.1-a1"), "Bash: rm")))


def test_nothing_of_a_question_is_cut() -> None:
    long = " && ".join(f"rm -rf /srv/{number}" for number in range(200))
    lines = question_lines(replace(asked(1), detail=long), None, 60)
    text = " ".join(part.strip() for line in lines for part, _ink in line)
    assert all(f"/srv/{number}" in text for number in range(200))


async def test_it_lists_every_question_with_how_long_it_waits() -> None:
    async with app_over(three()).run_test(notifications=True, size=(80, 24)) as pilot:
        await pilot.press("I")
        screen = await seen(pilot, "3 questions of 3 runs")
        assert [line for line in screen.splitlines() if "make bbbbb" in line and "4m" in line]
        assert "busy" not in screen


async def test_in_the_list_the_keys_of_answers_answer_nothing() -> None:
    swarm = three()
    async with app_over(swarm).run_test(notifications=True, size=(80, 24)) as pilot:
        await pilot.press("I")
        await seen(pilot, "3 questions")
        await pilot.press("1", "2", "d", "D")
        await settled(pilot)
    assert swarm.asked == []


async def test_at_the_card_one_key_answers_and_the_next_question_stands_there() -> None:
    swarm = three()
    async with app_over(swarm).run_test(notifications=True, size=(80, 24)) as pilot:
        await pilot.press("I")
        await seen(pilot, "3 questions")
        await pilot.press("a", "a")
        await seen(pilot, "bbbbb asks")
        assert isinstance(pilot.app.focused, QuestionCard)
    assert swarm.asked == [("answer", "aaaaa.1-a1", Answer(yes=True, by="ada"))]


async def test_an_answer_is_for_all_that_are_marked_after_they_were_listed_once_more() -> None:
    swarm = three()
    async with app_over(swarm).run_test(notifications=True, size=(80, 24)) as pilot:
        await pilot.press("I")
        await seen(pilot, "3 questions")
        await pilot.press("space", "j", "space", "a")
        await seen(pilot, "2 marked: an answer is for all of them")
        await pilot.press("d")
        screen = await seen(pilot, "no to 2 questions?")
        assert "make aaaaa" in screen
        assert swarm.asked == []
        await pilot.press("y")
        await seen(pilot, "1 question of 1 run,")
    assert swarm.asked == [
        ("answer", "aaaaa.1-a1", Answer(yes=False, by="ada")),
        ("answer", "ccccc.1-a1", Answer(yes=False, by="ada")),
    ]


async def test_a_no_with_a_reason_is_for_all_that_are_marked() -> None:
    swarm = three()
    async with app_over(swarm).run_test(notifications=True, size=(80, 24)) as pilot:
        await pilot.press("I")
        await seen(pilot, "3 questions")
        await pilot.press("space", "space", "a", "D")
        assert "make bbbbb" in await seen(pilot, "no to 2 questions, because")
        await pilot.press(*"not now", "enter")
        await seen(pilot, "1 question of 1 run,")
    assert swarm.asked == [
        ("answer", "aaaaa.1-a1", Answer(yes=False, note="not now", by="ada")),
        ("answer", "bbbbb.1-a1", Answer(yes=False, note="not now", by="ada")),
    ]


async def test_a_yes_for_the_run_is_for_the_runs_of_all_that_are_marked() -> None:
    swarm = three()
    own_question = replace(asked(1, run="bbbbb.1"), action="box", opened=NOW - 240)
    swap(swarm.recording, "bbbbb", question=own_question)
    async with app_over(swarm).run_test(notifications=True, size=(80, 24)) as pilot:
        await pilot.press("I")
        await seen(pilot, "3 questions")
        await pilot.press("asterisk", "a", "r")
        await seen(pilot, "yes to 3 questions, and to the same")
        await pilot.press("y")
        await seen(pilot, "no agent asks anything")
    assert [(about, body.scope) for _verb, about, body in swarm.asked] == [  # type: ignore[attr-defined]
        ("aaaaa.1-a1", "run"),
        ("bbbbb.1-a1", "once"),
        ("ccccc.1-a1", "run"),
    ]


async def test_what_the_yes_for_a_run_has_answered_meanwhile_is_not_answered_again() -> None:
    swarm, given = three(), RecordedSwarm.answer

    async def ruled(approval: str, answer: Answer) -> Approval:
        done = await given(swarm, approval, answer)
        if approval == "aaaaa.1-a1":
            swap(swarm.recording, "bbbbb", question=None)
        return done

    swarm.answer = ruled  # type: ignore[method-assign]
    async with app_over(swarm).run_test(notifications=True, size=(80, 24)) as pilot:
        await pilot.press("I")
        await seen(pilot, "3 questions")
        await pilot.press("asterisk", "a", "r")
        await seen(pilot, "yes to 3 questions")
        await pilot.press("y")
        assert "not answered" not in await seen(pilot, "no agent asks anything")
    assert [about for _verb, about, _body in swarm.asked] == ["aaaaa.1-a1", "ccccc.1-a1"]


async def test_no_rule_is_made_of_many_questions_at_once() -> None:
    swarm = three()
    async with app_over(swarm).run_test(notifications=True, size=(80, 24)) as pilot:
        await pilot.press("I")
        await seen(pilot, "3 questions")
        await pilot.press("asterisk", "a", "A")
        await seen(pilot, "a rule is made of one question at a time")
    assert swarm.asked == []


async def test_escape_takes_the_marks_away_before_it_goes_back() -> None:
    async with app_over(three()).run_test(notifications=True, size=(80, 24)) as pilot:
        await pilot.press("I")
        await seen(pilot, "3 questions")
        await pilot.press("asterisk")
        await seen(pilot, "3 marked")
        await pilot.press("escape")
        await seen(pilot, "3 marked", gone=True)
        assert isinstance(pilot.app.screen, InboxScreen)
        await pilot.press("escape")
        await seen(pilot, "needs you first")


async def test_what_somebody_else_answers_leaves_the_list() -> None:
    swarm = three()
    async with app_over(swarm).run_test(notifications=True, size=(80, 24)) as pilot:
        await pilot.press("I")
        await seen(pilot, "3 questions")
        swarm.happens(RunId("aaaaa.1"), own.Answered(ApprovalId("aaaaa.1-a1"), "yes", "bob"))
        screen = await seen(pilot, "2 questions")
        assert "make aaaaa" not in screen


async def test_a_question_of_another_repository_is_listed_too() -> None:
    swarm = three()
    app = app_over(swarm)
    app.desk.fleet.rows.pop(swarm.recording.rows[0].task.id)
    async with app.run_test(notifications=True, size=(80, 24)) as pilot:
        await pilot.press("I")
        await seen(pilot, "3 questions")
        assert "make aaaaa" in text_of(pilot.app)


async def test_enter_opens_the_run_that_asks() -> None:
    async with app_over(three()).run_test(notifications=True, size=(80, 24)) as pilot:
        await pilot.press("I")
        await seen(pilot, "3 questions")
        await pilot.press("j", "enter")
        await seen(pilot, "task bbbbb")
        assert not isinstance(pilot.app.screen, InboxScreen)


async def test_without_questions_it_says_so() -> None:
    async with app_over(RecordedSwarm(Recording())).run_test(
        notifications=True, size=(80, 24)
    ) as pilot:
        await pilot.press("I")
        await seen(pilot, "no agent asks anything")


def test_until_when_a_question_waits_is_shown() -> None:
    late = replace(asked(1), deadline=NOW + 60)
    shown = ["".join(text for text, _ink in line) for line in question_lines(late, None, 80)]
    assert any("then the answer is no" in line for line in shown)
