"""The index over a unified diff."""
# ruff: noqa: E501 - headings stand as git writes them, a table row each

import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.tui.model.diff import Diff

DATA = Path(__file__).parent / "data"


def indexed(data: bytes, size: int | None = None) -> Diff:
    diff = Diff(data)
    while not diff.done:
        diff.scan(size)
    return diff


def body(data: bytes) -> list[tuple[str, str, int | None, int | None]]:
    """Sign, text and numbers of all lines, from the index."""
    diff = indexed(data)
    rows = (diff.row(number) for number in range(diff.rows))
    return [(row.sign, row.text, row.old, row.new) for row in rows if row.kind == "lines"]


def git_diff(folder: Path, old: dict[str, bytes], new: dict[str, bytes]) -> bytes:
    """What git itself says about two trees."""
    for name, files in (("a", old), ("b", new)):
        for path, content in files.items():
            target = folder / name / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        (folder / name).mkdir(exist_ok=True)
    command = [
        "git",
        "-c",
        "core.quotePath=true",
        "diff",
        "--no-index",
        "--no-prefix",
        "--no-ext-diff",
        "a",
        "b",
    ]
    return subprocess.run(command, cwd=folder, capture_output=True, check=False).stdout


def test_files_and_counts_are_those_of_the_diff() -> None:
    files = indexed((DATA / "merge.diff").read_bytes()).files
    assert [(file.path, file.insertions, file.deletions) for file in files] == [
        (".github/workflows/ci.yml", 1, 1),
        ("docs/merge.md", 6, 0),
        ("src/api/merge.py", 9, 1),
        ("tests/test_merge.py", 10, 3),
    ]


@pytest.mark.parametrize("size", [1, 7, 64, 1000])
def test_indexing_piece_by_piece_gives_the_same_rows(size: int) -> None:
    data = (DATA / "merge.diff").read_bytes()
    whole, pieces = indexed(data), indexed(data, size)
    assert [pieces.row(n) for n in range(pieces.rows)] == [whole.row(n) for n in range(whole.rows)]


def test_line_numbers_go_on_over_the_cuts_of_a_long_hunk() -> None:
    lines = b"".join(b"+line %d\n" % n for n in range(1, 2001))
    data = (
        b"diff --git a/x b/x\nnew file mode 100644\n--- /dev/null\n+++ b/x\n@@ -0,0 +1,2000 @@\n"
        + lines
    )
    diff = indexed(data)
    assert (diff.row(diff.rows - 1).new, diff.row(diff.rows - 1).text) == (2000, "line 2000")


def test_the_line_of_a_file_is_found_again() -> None:
    diff = indexed((DATA / "merge.diff").read_bytes())
    row = diff.find("src/api/merge.py", 123)
    assert row is not None
    assert "wait_free(run.repo" in diff.row(row).text


def test_a_file_that_is_not_in_it_is_not_found() -> None:
    assert indexed((DATA / "merge.diff").read_bytes()).find("nowhere", 1) is None


@pytest.mark.parametrize(
    ("heading", "path", "note"),
    [
        (b"diff --git a/x y b/x y\n--- a/x y\t\n+++ b/x y\t\n@@ -1 +1 @@\n-a\n+b\n", "x y", ""),
        (b'diff --git "a/\\303\\244" "b/\\303\\244"\n--- "a/\\303\\244"\n+++ "b/\\303\\244"\n@@ -1 +1 @@\n-a\n+b\n', "ä", ""),
        (b"diff --git a/bin b/bin\nindex 1..2 100644\nBinary files a/bin and b/bin differ\n", "bin", "a binary file; its content is not shown"),
        (b"diff --git a/old b/new\nsimilarity index 100%\nrename from old\nrename to new\n", "new", "renamed from old"),
        (b"diff --git a/run b/run\nold mode 100644\nnew mode 100755\n", "run", "mode is now 100755"),
        (b"diff --git a/l b/l\nnew file mode 120000\n--- /dev/null\n+++ b/l\n@@ -0,0 +1 @@\n+/etc\n\\ No newline at end of file\n", "l", "a symbolic link"),
    ],
)  # fmt: skip
def test_headings_are_read_as_git_writes_them(heading: bytes, path: str, note: str) -> None:
    file = indexed(heading).files[0]
    assert (file.path, file.note) == (path, note)


def test_lines_that_look_like_headings_are_lines() -> None:
    data = b"diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n-@@ -1 +1 @@\n+diff --git a/y b/y\n same\n"
    assert [line[:2] for line in body(data)] == [
        ("-", "@@ -1 +1 @@"),
        ("+", "diff --git a/y b/y"),
        (" ", "same"),
    ]


def test_the_end_without_a_line_end_has_no_number() -> None:
    data = (
        b"diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+b\n"
    )
    assert body(data) == [
        ("-", "a", 1, None),
        ("\\", " No newline at end of file", None, None),
        ("+", "b", None, 1),
    ]


def test_an_empty_diff_has_no_rows() -> None:
    assert indexed(b"").rows == 0


def test_a_line_of_megabytes_is_cut() -> None:
    data = b"diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -0,0 +1 @@\n+" + b"x" * 3_000_000 + b"\n"
    assert len(body(data)[0][1]) == 2000


@given(st.binary(max_size=2000))
def test_no_bytes_make_it_fail(data: bytes) -> None:
    diff = indexed(data)
    for number in range(diff.rows):
        diff.row(number)


lines = st.lists(
    st.sampled_from([b"one", b"two", b"three words here", b"", b"\tfour"]), max_size=30
)


@settings(max_examples=25, deadline=None)
@given(lines, lines)
def test_applying_what_it_shows_gives_the_new_file(tmp_path_factory: pytest.TempPathFactory, old: list[bytes], new: list[bytes]) -> None:  # fmt: skip
    folder = tmp_path_factory.mktemp("diff")
    joined = [b"".join(line + b"\n" for line in side) for side in (old, new)]
    shown = body(git_diff(folder, {"f": joined[0]}, {"f": joined[1]}))
    for sign, numbers, side in (("-", 2, old), ("+", 3, new)):
        for row in shown:
            if row[0] == sign:
                number = row[numbers]
                assert isinstance(number, int)
                assert row[1] == side[number - 1].decode().expandtabs(4)
