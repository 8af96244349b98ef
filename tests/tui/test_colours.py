"""The colours of source text in a diff."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.run import RunState
from app.tui import syntax
from app.tui.app import SwarmApp
from app.tui.model.colours import colours
from app.tui.syntax import Piece, Syntax
from app.tui.widgets.diff_view import DiffView
from tests.support.fleet import RecordedSwarm, Recording, app_over, row
from tests.support.patience import PATIENCE
from tests.support.screens import app_of, seen, settled

PYTHON = Piece("src/a.py", " -+", ("import os", "x = 'old'", "def new(): # why"))


def painted(path: str, signs: str, *texts: str) -> list[dict[str, str]]:
    """Of every line, the text each ink has."""
    rows = colours(path, signs, texts)
    return [
        {text[start:end]: ink for start, end, ink in row}
        for text, row in zip(texts, rows, strict=True)
    ]


def test_keywords_strings_names_and_comments_have_inks_of_their_own() -> None:
    assert painted("a.py", "  ", "def run():", "    return 'done', 12  # so") == [
        {"def": "code-keyword", "run": "code-name"},
        {"return": "code-keyword", "'": "code-string", "done": "code-string",
         "12": "code-number", "# so": "code-comment"},
    ]  # fmt: skip


def test_the_old_text_does_not_run_into_the_new_one() -> None:
    opened, closed = painted("a.py", "-+", "x = '''", "y = 1")
    assert opened["'''"] == "code-string"
    assert closed == {"1": "code-number"}


def test_a_string_over_several_lines_is_a_string_in_all() -> None:
    rows = painted("a.py", "   ", '"""one', "two", 'three"""')
    assert [set(row.values()) for row in rows] == [{"code-string"}] * 3


def test_a_language_nobody_knows_is_plain() -> None:
    assert painted("notes.zzz", " ", "def run():") == [{}]


@settings(max_examples=80, deadline=None)
@given(
    st.sampled_from(["a.py", "b.js", "c.rs", "d.md", "e.html", "Makefile", "f.yaml", "g.zzz"]),
    st.lists(
        st.tuples(
            st.sampled_from(" +-\\"), st.text(st.characters(exclude_characters="\n"), max_size=30)
        ),
        max_size=12,
    ),
)
def test_whatever_the_text_colours_stay_inside_their_lines(
    path: str, lines: list[tuple[str, str]]
) -> None:
    signs, texts = "".join(sign for sign, _ in lines), [text for _, text in lines]
    for text, spans in zip(texts, colours(path, signs, texts), strict=True):
        edges = [at for start, end, _ in spans for at in (start, end)]
        assert edges == sorted(edges)
        assert all(0 <= start < end <= len(text) for start, end, _ in spans)


async def test_colours_come_from_a_process_beside_the_screen() -> None:
    there, told = Syntax(), asyncio.Event()
    assert there.layers(PYTHON, told.set) == ()
    async with asyncio.timeout(PATIENCE):
        await told.wait()
    layers = there.layers(PYTHON, told.set)
    await there.close()
    assert [row[0][2] for row in layers] == ["code-keyword", "code-string", "code-keyword"]


async def test_text_that_takes_too_long_stays_plain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(syntax, "PATIENCE", 0.0)
    there = Syntax()
    for number in range(syntax.ENDS):
        told = asyncio.Event()
        there.layers(Piece("a.py", " ", (f"import m{number}",)), told.set)
        async with asyncio.timeout(PATIENCE):
            await told.wait()
    assert there.layers(PYTHON, told.set) == ()
    assert not there.busy
    await there.close()


async def test_a_line_of_minified_text_is_not_even_asked_about() -> None:
    there = Syntax()
    there.layers(Piece("a.js", " ", ("x" * (syntax.LONGEST + 1),)), lambda: None)
    assert not there.busy


async def test_the_review_is_in_colour(swarm: RecordedSwarm) -> None:
    async with app_over(swarm).run_test(size=(120, 40)) as pilot:
        await pilot.press("j", "enter")
        await seen(pilot, "file 1/4")
        await pilot.press("}", "}")
        async with asyncio.timeout(PATIENCE):
            while "#bba4ff" not in colour_of(app_of(pilot), "import"):
                await settled(pilot)


async def test_the_page_below_is_in_colour_as_soon_as_it_is_seen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(syntax, "PATIENCE", PATIENCE)
    reviewed = row("k3f9m", "many hunks", RunState.IN_REVIEW, lines=(99, 0, 1))
    hunks = "".join(f"@@ -{n},0 +{n},1 @@\n+import m{n}\n" for n in range(1, 100))
    diff = f"diff --git a/a.py b/a.py\n--- a/a.py\n+++ b/a.py\n{hunks}".encode()
    swarm = RecordedSwarm(Recording(rows=[reviewed], diffs={reviewed.run.id: diff}))
    async with app_over(swarm).run_test(size=(120, 24)) as pilot:
        await pilot.press("2")
        app = app_of(pilot)
        view = app.screen.query_one("#diff", DiffView)
        async with asyncio.timeout(PATIENCE):
            while f"import m{(height := view.size.height) - 1}" not in told(app.desk.syntax):
                await settled(pilot)
        view.go_to(height)
        assert colour_of(app, "import") == {"#bba4ff"}


def told(there: Syntax) -> set[str]:
    """The lines whose colours are known."""
    return {text for piece in there._known for text in piece.texts}


def colour_of(app: SwarmApp, word: str) -> set[str]:
    """The colours in which that word stands on the screen, alone."""
    segments = [segment for strip in app.screen._compositor.render_strips() for segment in strip]
    return {
        segment.style.color.name
        for segment in segments
        if segment.text.strip() == word and segment.style and segment.style.color
    }
