"""The terminal is made heard, in its own way, and by nothing that an agent wrote."""

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.tui.ring import one_line, sequence, way_of
from app.wire_screen import Ring
from tests.support.screens import RawPty

PROGRAM = """
from app import wire
from app.domain.events import Asked
from app.domain.ids import ApprovalId, RunId
from tests.support.fleet import NOW, RecordedSwarm, app_over
from tests.support.story import story
swarm = RecordedSwarm(story())
app = app_over(swarm)
app.desk.look = wire.Look(ring="auto", about=("question",))
asked = Asked(ApprovalId("q"), "\\x1b]0;owned\\x07")
swarm.recording.say(swarm.recording.rows[0].run.id, NOW, asked)
app.run()
"""
FOOT = {"TERM": "foot", "COLORTERM": "truecolor", "TMUX": "", "TERM_PROGRAM": "", "TZ": "UTC"}


@pytest.mark.parametrize(
    ("env", "way"),
    [
        ({"TERM": "xterm-kitty"}, "osc99"),
        ({"TERM": "foot"}, "osc777"),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "iTerm.app"}, "osc9"),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "WezTerm"}, "osc777"),
        ({"TERM": "xterm-256color"}, "bell"),
        ({"TERM": "tmux-256color", "TERM_PROGRAM": "tmux", "TMUX": "/s"}, "bell"),
        ({"TERM": "xterm-kitty", "TMUX": "/s"}, "bell"),
    ],
)
def test_a_terminal_is_told_in_the_way_it_knows(env: dict[str, str], way: Ring) -> None:
    assert way_of("auto", env) == way


def test_what_a_person_says_of_the_terminal_holds() -> None:
    assert way_of("osc9", {"TERM": "xterm-kitty"}) == "osc9"


@given(st.text(max_size=400), st.sampled_from(["bell", "osc9", "osc777", "osc99", "off"]))
def test_no_text_can_end_the_sequence_it_is_in(text: str, way: Ring) -> None:
    written, plain = sequence(way, text), sequence(way, "x")
    controls = [char for char in written if not char.isprintable()]
    assert controls == [char for char in plain if not char.isprintable()]
    assert written.count(";") == plain.count(";")
    assert len(written) <= len(plain) + 160


def test_many_notices_are_one() -> None:
    assert one_line(["a has failed", "b has failed", "c has failed"]) == "a has failed · and 2 more"


def test_a_question_rings_with_the_persons_own_goal_and_nothing_of_the_agent() -> None:
    with RawPty([sys.executable, "-c", PROGRAM], size=(100, 30), env=FOOT) as terminal:
        terminal.wait_for(b"\x07\x1b]777;notify;swarm;")
        begun = len(terminal.output.partition(b"\x07\x1b]777;notify;swarm;")[0])
        terminal.wait_for(b"\x1b\\", since=begun)
    said = terminal.output[begun:].partition(b"swarm;")[2].partition(b"\x1b\\")[0].decode()
    assert said.partition(" asks you something: ")[2]
    assert "owned" not in said
