"""Nothing an agent says reaches the terminal as anything but text."""

import base64
import importlib
import pkgutil
import re
import sys
import unicodedata
from collections.abc import Callable, Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.segment import Segment
from textual.app import App, ComposeResult
from textual.color import Color
from textual.content import Content
from textual.markup import MarkupError
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Label, Static

from app.tui import screens
from app.tui.safe import PrintableOnly, content
from tests.support.attacks import attack
from tests.support.fleet import RecordedSwarm, app_over
from tests.support.flood import DONE, FEW, HERE, MARK
from tests.support.hostile import FORBIDDEN, PAYLOADS, SECRET, hostile
from tests.support.hostile_texts import COUNT, THEIRS
from tests.support.screens import RawPty, settled, text_of

WAYS = {
    "board": (b"", b"needs you first"),
    "diff on the board": (b"2", b""),
    "files on the board": (b"3", b""),
    "cost on the board": (b"4", b""),
    "question": (b"a", b"later"),
    "no, because": (b"aD", b"no, because"),
    "run": (b"\r", b""),
    "run, unfolded": (b"\rz", b""),
    "word to the agent": (b"\rm", b"to the agent of"),
    "filter": (b"/evil\r", b""),
    "help": (b"?", b"On the board"),
    "palette": (b"\x10", b""),
    "command line": (b":", b"is the selected run"),
    "output": (b":--version\r", b"swarm --version"),
    "confirm": (b"X", b"stop "),
    "discard": (b"j\x04", b"discard evil3"),
    "form": (b"n", b"new task"),
    "agents in the form": (b"n\t\r", b""),
    "goal from a file": (b"n\x0f", b"from a file"),
    "other agent": (b"j\rB", b"who goes on"),
    "budget": (b"jjr", b"goes on"),
    "refusal": (b"x", b""),
    "review": (b"j\r", b"REVIEW"),
    "side by side": (b"j\ru", b""),
    "search": (b"j\r/", b""),
    "comment": (b"j\rc", b"comment"),
    "changes": (b"j\rS", b"works on"),
    "checks": (b"j\ri", b"about this change"),
    "secret": (b"j\rM", b"this would publish a secret"),
    "approval": (b"j\rM" + SECRET.encode() + b"\r", b"lands on"),
    "commits of a rebase": (b"j\rM" + SECRET.encode() + b"\r  ssd", b"COMMIT "),
    "checks on the board": (b"6", b""),
    "why on the board": (b"7", b"evidence"),
    "inbox": (b"I", b"INBOX"),
    "costs": (b"$s", b"COST"),
    "trash": (b"T", b"TRASH"),
    "race": (b"=", b"COMPARE"),
    "health": (b"H", b"HEALTH"),
    "settings": (b",", b"SETTINGS"),
    "batch of the inbox": (b"I*aan", b"yes to "),
    "batch of the board": (b"*x", b"stop "),
    "groups": (b"ssss", b"by repository"),
    "copied": (b"y", b""),
    "commit message": (b"j\rM" + SECRET.encode() + b"\r  e", b"what the commit says"),
    "news of a review": (b"j\rL", b""),
    "place copied": (b"j\ry", b""),
}
"""How to get to every screen and dialog from the first run of the board, and words of ours that stand there."""
SCREENS = {
    "Board": "board",
    "RunScreen": "run",
    "ReviewScreen": "review",
    "NewTaskScreen": "form",
    "HelpScreen": "help",
    "InboxScreen": "inbox",
    "CostScreen": "costs",
    "TrashScreen": "trash",
    "RaceScreen": "race",
    "DoctorScreen": "health",
    "SettingsScreen": "settings",
    "FactsScreen": "checks",
    "ApproveScreen": "approval",
    "CommitsScreen": "commits of a rebase",
    "Confirm": "confirm",
    "EditText": "commit message",
    "CommandScreen": "command line",
    "OutputScreen": "output",
    "AskText": "other agent",
    "WriteText": "comment",
}

KEYS = re.compile(re.escape(SECRET.encode()) + rb"|.", re.DOTALL)
"""What is waited for one by one; a fingerprint comes at once, as people paste it."""
ESCAPE = b"\x1b[27u"
"""As terminals write it that tell it from the beginning of another key."""
OURS = re.compile(rb"\x1b\](?:52;c;([A-Za-z0-9+/=]*)|22;[a-z-]*)\x07")
"""What the screen itself writes: a copy a person asked for, and the shape of the mouse pointer."""
OWN = re.compile(
    r"\x1b(?:\[(?:\d+(?:;\d+)*)?[mH]|\[\?\d+(?:;\d+)*[hl]|\[\?\d+\$p|\[[<>]\d*u|\]22;[a-z-]*\x07)"
)
"""Every control sequence that the screen writes by itself: ink, places, modes, questions, the mouse's shape."""
COMMANDS = {"Cc", "Cf", "Cs", "Zl", "Zp"}
"""Kinds of characters that are no text."""
VISITS = re.compile(HERE.replace("%s", "(\\w+)").encode())
ENV = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "EDITOR": "", "VISUAL": ""}


def tour(cleaning: str, ways: Iterable[str] = WAYS) -> bytes:
    """Every byte that the program writes on its way through the screens."""
    argv = [sys.executable, "-m", "tests.support.hostile", cleaning]
    with RawPty(argv, size=(160, 48), env=ENV) as terminal:
        terminal.wait_for(b"needs you first")
        terminal.wait_until_quiet()
        for way in ways:
            keys, words = WAYS[way]
            before = len(terminal.output) if keys else 0
            for key in KEYS.findall(b"g" + keys):
                terminal.send(key)
                terminal.wait_until_quiet()
            # What has to be asked for first may come after a quiet moment.
            terminal.wait_for(words, since=before)
            for _ in range(3):
                terminal.send(ESCAPE)
                terminal.wait_until_quiet()
            assert terminal.alive, f"a text brought the screen down at: {way}"
        return terminal.output


def test_every_screen_is_on_the_tour() -> None:
    for module in pkgutil.iter_modules(screens.__path__, f"{screens.__name__}."):
        importlib.import_module(module.name)
    known: set[type[object]] = set()
    kinds: list[type[object]] = [Screen]
    while kinds:
        kinds = [below for kind in kinds for below in kind.__subclasses__()]
        known |= {kind for kind in kinds if kind.__module__.startswith(screens.__name__)}
    bases = {"SwarmScreen", "PaneScreen", "SearchedScreen", "Sheet", "Dialog", "AskLines"}
    assert {kind.__name__ for kind in known} - bases == SCREENS.keys()
    assert set(SCREENS.values()) <= WAYS.keys()


@attack("U01")
def test_without_any_defence_they_would_reach_the_terminal() -> None:
    written = tour("bare", ["board"])
    got_through = {name for name, raw in FORBIDDEN.items() if raw in written}
    assert got_through >= {"title", "clipboard", "c1 csi", "dcs", "bidi", "zero width", "tags"}


@attack("U01", "U02", "U03")
@pytest.mark.parametrize("cleaning", ["on", "off"])
def test_no_control_sequence_of_an_agent_reaches_the_terminal(cleaning: str) -> None:
    # One program per mode, all screens in turn: every byte it ever wrote is looked at.
    written = tour(cleaning)
    assert b"harmless" in written, "the payloads' texts were not on the screen"
    assert [name for name, raw in FORBIDDEN.items() if raw in written] == []
    assert b"\x07" not in OURS.sub(b"", written)
    copies = [base64.b64decode(match[1]).decode() for match in OURS.finditer(written) if match[1]]
    # What is copied never passes the terminal's filter, so it has to be clean before.
    hidden = [char for copied in copies for char in copied if not char.isprintable()]
    assert copies
    assert bool(hidden) == (cleaning == "off")


def flood(*words: str) -> dict[str, str]:
    """What every screen wrote that was drawn with the ten thousand texts, by its name."""
    argv = [sys.executable, "-m", "tests.support.flood", *words]
    with RawPty(argv, size=(120, 150), env=ENV) as terminal:
        written = terminal.read_to_end()
    _before, *parts = VISITS.split(written)
    names = [name.decode() for name in parts[::2]]
    assert names[-1:] == [DONE], f"the screen ended at {names[-1:]}: {written[-2000:]!r}"
    found = dict.fromkeys(names, "")
    for name, text in zip(names, parts[1::2], strict=True):
        found[name] += text.decode()
    del found[DONE]
    return found


def obeyed(written: str) -> set[str]:
    """What in it a terminal would do, hide or turn round, and the screen did not mean."""
    rest = OWN.sub(lambda own: own[0] if THEIRS in own[0] else "", written)
    return {char for char in set(rest) - set("\r\n") if unicodedata.category(char) in COMMANDS}


@attack("U01", "U02", "U03")
def test_ten_thousand_hostile_texts_are_only_shown_by_every_screen() -> None:
    written = flood()
    assert written.keys() == SCREENS.keys()
    assert not {name: found for name, text in written.items() if (found := obeyed(text))}
    drawn = {name: len(set(MARK.findall(text))) for name, text in written.items()}
    del drawn["HelpScreen"]  # Nothing of theirs is on it.
    # How much of the screens below is drawn again depends on the moment; some have room for few of their own.
    assert min(drawn.values()) >= FEW, drawn
    assert drawn["RunScreen"] == COUNT, drawn


@attack("U01")
def test_the_ten_thousand_would_be_obeyed_without_any_defence() -> None:
    found = obeyed(flood("bare")["Board"])
    assert {"\x1b", "\x9b"} <= found
    assert {unicodedata.category(char) for char in found} >= {"Cc", "Cf"}


@pytest.mark.parametrize("name", FORBIDDEN)
def test_the_last_line_leaves_nothing_a_terminal_obeys(name: str) -> None:
    (kept,) = PrintableOnly().apply([Segment(PAYLOADS[name])], Color(0, 0, 0))
    assert FORBIDDEN[name].decode("utf-8", "surrogatepass") not in kept.text


@given(st.text(st.characters(), max_size=40))
def test_the_last_line_keeps_what_is_printable(text: str) -> None:
    (kept,) = PrintableOnly().apply([Segment(text)], Color(0, 0, 0))
    assert [char for char in text if char.isprintable()] == [
        char for char in kept.text if char.isprintable()
    ]


async def test_a_line_that_stays_as_it_was_is_not_cleaned_again(
    swarm: RecordedSwarm, monkeypatch: pytest.MonkeyPatch
) -> None:
    cleaned: list[str] = []
    apply = PrintableOnly.apply

    def counting(self: PrintableOnly, segments: list[Segment], background: Color) -> list[Segment]:
        cleaned.append("".join(segment.text for segment in segments))
        return apply(self, segments, background)

    monkeypatch.setattr(PrintableOnly, "apply", counting)
    async with app_over(swarm).run_test() as pilot:
        await settled(pilot)
        first = text_of(pilot.app)
        assert cleaned
        del cleaned[:]
        assert (text_of(pilot.app), cleaned) == (first, [])


WIDGETS: dict[str, Callable[[str], Widget]] = {
    "Static": lambda text: Static(content(text), markup=False),
    "Label": lambda text: Label(content(text), markup=False),
}


@attack("U02")
def test_markup_that_is_not_switched_off_brings_a_screen_down() -> None:
    with pytest.raises(MarkupError):
        Content.from_markup(PAYLOADS["markup"])


@attack("U02")
@pytest.mark.parametrize("widget", WIDGETS)
async def test_markup_of_an_agent_is_text(widget: str) -> None:
    class Small(App[None]):
        def compose(self) -> ComposeResult:
            yield WIDGETS[widget]("[bold [@click=app.bell]go[/] [/nope]")

    async with Small().run_test() as pilot:
        await pilot.pause()
        strips = pilot.app.screen._compositor.render_strips()
    assert "[bold [@click=app.bell]go[/] [/nope]" in strips[0].text


def test_the_hostile_fleet_says_every_payload() -> None:
    said = repr(hostile())
    assert all(repr(payload)[1:-1] in said for payload in PAYLOADS.values())
