"""A run's log as entries and lines."""

from hypothesis import given
from hypothesis import strategies as st

from app.domain import events as own
from app.domain.events import Body, Event
from app.domain.ids import RunId
from app.domain.review import CheckResult
from app.tui.model.line import line_cells
from app.tui.model.transcript import KEPT, Transcript, news
from harnesses import events as agent
from tests.support.fleet import NOW

RUN = RunId("aaaaa.1")


def told(*bodies: Body) -> Transcript:
    transcript = Transcript(RUN)
    for seq, body in enumerate(bodies, 1):
        transcript.apply(Event(seq=seq, run=RUN, at=NOW, body=body))
    return transcript


def drawn(transcript: Transcript, *, width: int = 80, unfolded: bool = False) -> list[str]:
    return [
        "".join(text for text, _ink in line).rstrip()
        for entry in transcript.entries
        for line in entry.lines(width, unfolded=unfolded)
    ]


def test_pieces_of_one_message_are_one_entry() -> None:
    transcript = told(agent.MessageChunk("Hel", "m1"), agent.MessageChunk("lo", "m1"))
    assert [entry.text for entry in transcript.entries] == ["Hello"]


def test_two_messages_are_two_entries() -> None:
    transcript = told(agent.MessageChunk("one", "m1"), agent.MessageChunk("two", "m2"))
    assert [entry.text for entry in transcript.entries] == ["one", "two"]


def test_a_tool_call_and_its_result_are_one_line() -> None:
    call = agent.ToolCall("t1", "Bash: pytest -q", "execute")
    lines = drawn(told(call, agent.ToolCallUpdate("t1", "completed", "a\nb\n14 passed")))
    assert lines == [" 14:02:31 runs    Bash: pytest -q  ✓ 14 passed"]


def test_a_failed_tool_shows_the_end_of_what_it_said() -> None:
    call = agent.ToolCall("t1", "Bash: pytest -q", "execute")
    lines = drawn(told(call, agent.ToolCallUpdate("t1", "failed", "one\ntwo\nthree\nfour")))
    assert [line.strip(" │") for line in lines[1:]] == ["two", "three", "four"]


def test_unfolded_it_shows_everything() -> None:
    call = agent.ToolCall("t1", "Bash: ls", "execute")
    lines = drawn(
        told(call, agent.ToolCallUpdate("t1", "completed", "a\nb\nc\nd\ne")), unfolded=True
    )
    assert len(lines) == 6


def test_a_thought_is_one_line_until_unfolded() -> None:
    transcript = told(agent.ThoughtChunk("first\n" * 9, "m1"))
    assert (len(drawn(transcript)), len(drawn(transcript, unfolded=True)) > 5) == (1, True)


def test_a_check_says_how_it_ended() -> None:
    result = CheckResult(command="make test", passed=False, code=2, seconds=3.2, tail="boom")
    assert "✗ 3.2s, exit 2" in drawn(told(own.Checked(1, result)))[0]


def test_spending_is_summed_by_model() -> None:
    spent = own.Spent(1000, 1000, "m", 10, 20)
    transcript = told(spent, spent, own.Spent(500, 2500, "n", 1, 1))
    assert (transcript.spending["m"].micros, transcript.calls["m"]) == (2000, 2)


def test_an_event_seen_twice_is_one_entry() -> None:
    transcript = Transcript(RUN)
    same = Event(seq=1, run=RUN, at=NOW, body=own.Note("hello"))
    transcript.apply(same)
    transcript.apply(same)
    assert len(transcript.entries) == 1


def test_events_of_other_runs_are_not_in_it() -> None:
    transcript = Transcript(RUN)
    transcript.apply(Event(seq=1, run=RunId("bbbbb.1"), at=NOW, body=own.Note("hello")))
    assert transcript.entries == []


def test_a_very_long_log_drops_its_beginning_and_keeps_its_results_apart() -> None:
    calls = [agent.ToolCall(f"t{n}", f"Bash: {n}", "execute") for n in range(KEPT + 10)]
    transcript = told(*calls, agent.ToolCallUpdate(f"t{KEPT + 9}", "completed", "last"))
    assert (transcript.dropped, transcript.entries[-1].mark) == (KEPT // 4, "✓ last")


def test_what_changed_since_it_was_drawn_is_known() -> None:
    transcript = told(agent.ToolCall("t1", "a"), agent.ToolCall("t2", "b"))
    transcript.drawn()
    transcript.apply(
        Event(seq=9, run=RUN, at=NOW, body=agent.ToolCallUpdate("t1", "completed", "x"))
    )
    assert transcript.changed == 0


def test_news_of_many_runs_leaves_out_what_only_one_reader_wants() -> None:
    spent = Event(seq=1, run=RUN, at=NOW, body=own.Spent(1000, 1000, "m", 10, 20))
    asks = Event(seq=2, run=RUN, at=NOW, body=agent.PermissionAsked("q", "may I?"))
    line = news(asks, 80)
    assert (news(spent, 80), line is not None and line[-1][0]) == (None, "may I?")


text = st.text(max_size=300)
bodies: st.SearchStrategy[Body] = st.one_of(
    st.builds(agent.MessageChunk, text, st.sampled_from(["", "m1", "m2"])),
    st.builds(agent.ThoughtChunk, text, st.sampled_from(["", "m1"])),
    st.builds(agent.ToolCall, st.sampled_from(["t1", "t2"]), text),
    st.builds(agent.ToolCallUpdate, st.sampled_from(["t1", "t2"]), st.sampled_from(["completed", "failed"]), text),
    st.builds(agent.PermissionAsked, st.just("q"), text),
    st.builds(own.Note, text),
    st.builds(own.TurnStarted, st.just(1), text),
)  # fmt: skip


@given(st.lists(bodies, max_size=8), st.integers(20, 200), st.booleans())
def test_no_line_is_wider_than_the_screen_and_none_holds_a_line_end(
    said: list[Body], width: int, unfolded: bool
) -> None:
    for entry in told(*said).entries:
        for line in entry.lines(width, unfolded=unfolded):
            assert line_cells(line) <= width
            assert not any("\n" in text for text, _ink in line)
