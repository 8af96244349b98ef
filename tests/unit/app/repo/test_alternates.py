import os
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from app.repo import alternates

PATHS = st.text(st.characters(exclude_characters="\0", codec="utf-8"), min_size=1)


@settings(deadline=None)
@given(PATHS)
def test_a_path_survives_being_quoted(path: str) -> None:
    written = alternates.quote(path)
    assert "\n" not in written
    if not (path.startswith(('"', "#")) or "\n" in path):
        assert written == path
    else:
        assert alternates.unquote(os.fsencode(written)) == os.fsencode(path)


def test_octal_escapes_are_read() -> None:
    assert alternates.unquote(rb'"a\303\244b"') == "aäb".encode()


def test_a_chain_that_comes_back_to_itself_ends(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    for here, there in ((one, two), (two, one)):
        (here / "info").mkdir(parents=True)
        (here / "info" / "alternates").write_text(f"# a comment\n{there}\n\n")
    assert alternates.chain(one) == (one, two)


def test_a_relative_line_starts_at_its_own_directory(tmp_path: Path) -> None:
    (tmp_path / "a" / "info").mkdir(parents=True)
    (tmp_path / "b").mkdir()
    (tmp_path / "a" / "info" / "alternates").write_text("../b\n")
    assert alternates.chain(tmp_path / "a") == (tmp_path / "a", tmp_path / "b")


def test_a_directory_that_is_missing_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "info").mkdir()
    (tmp_path / "info" / "alternates").write_text(f"{tmp_path}/absent\n")
    assert alternates.chain(tmp_path) == (tmp_path,)


def test_a_colon_is_quoted_in_the_variable() -> None:
    assert alternates.as_variable(["/a:b", "/c"]) == '"/a:b":/c'
