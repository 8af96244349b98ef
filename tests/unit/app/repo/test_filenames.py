import posixpath
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.repo.filenames import folded, link_problem, name_problem, shown

PARTS = st.sampled_from([b"..", b".", b"", b"a", b"b", b".git", b"..."])
TARGETS = st.lists(PARTS, min_size=1, max_size=8).map(b"/".join)
PLACES = st.lists(st.sampled_from([b"a", b"b"]), min_size=1, max_size=4).map(b"/".join)


@settings(deadline=None)
@given(st.binary())
def test_a_shown_name_holds_nothing_a_terminal_would_obey(name: bytes) -> None:
    assert all(unicodedata.category(sign) not in ("Cc", "Cf", "Zl", "Zp") for sign in shown(name))


@settings(deadline=None)
@given(st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E)))
def test_a_plain_name_is_shown_as_it_is(name: str) -> None:
    assert shown(name.encode()) == name


@settings(deadline=None)
@given(st.binary())
def test_any_bytes_get_a_verdict(name: bytes) -> None:
    assert isinstance(name_problem(name), str)


@pytest.mark.parametrize(
    "name",
    [
        b"a\x1b[31m",
        b"a\nb",
        b"\x7f",
        "a\u202eb".encode(),
        "a\u200bb".encode(),
        "a\u2066b".encode(),
        "a\ufeffb".encode(),
        "a\u3164b".encode(),
        "\U000e0041".encode(),
        "\u0085".encode(),
        b"\xff\xfe",
    ],
)
def test_a_name_that_hides_something_is_a_problem(name: bytes) -> None:
    assert name_problem(name)


@pytest.mark.parametrize("name", ["a b.txt", "-rf", "größe.md", "日本語", "$(x)", "'quoted'"])
def test_an_ordinary_name_is_none(name: str) -> None:
    assert not name_problem(name.encode())


@settings(deadline=None)
@given(PLACES, TARGETS)
def test_a_link_without_a_problem_stays_inside(place: bytes, target: bytes) -> None:
    if link_problem(place, target):
        return
    at = posixpath.normpath(posixpath.join(b"/root", posixpath.dirname(place), target))
    assert at == b"/root" or at.startswith(b"/root/")
    assert b".git" not in at.split(b"/")


@settings(deadline=None)
@given(PLACES, TARGETS)
def test_a_link_without_a_problem_never_goes_up_after_going_down(
    place: bytes, target: bytes
) -> None:
    parts = [part for part in target.split(b"/") if part not in (b"", b".")]
    down = next((at for at, part in enumerate(parts) if part != b".."), len(parts))
    if b".." in parts[down:]:
        assert link_problem(place, target)


@pytest.mark.parametrize(
    ("path", "target"),
    [
        (b"a", b"/etc/passwd"),
        (b"a", b".."),
        (b"d/a", b"../../x"),
        (b"d/a", b"b/../../../x"),
        (b"a", b".git/config"),
        (b"d/a", b"../.GIT/hooks"),
        (b"a", ".g\u200cit/config".encode()),
        (b"a", b"b/../c"),
        (b"a", None),
    ],
)
def test_a_link_that_could_lead_out_is_a_problem(path: bytes, target: bytes | None) -> None:
    assert link_problem(path, target)


@pytest.mark.parametrize(
    ("path", "target"), [(b"a", b"b"), (b"d/a", b"../b"), (b"d/e/a", b"../../b/c"), (b"a", b"./b")]
)
def test_a_link_that_stays_inside_is_none(path: bytes, target: bytes) -> None:
    assert not link_problem(path, target)


@pytest.mark.parametrize(
    ("one", "other"), [("SRC", "src"), ("caf\u00e9", "cafe\u0301"), ("STRASSE", "straße")]
)
def test_names_that_some_disks_cannot_tell_apart_are_folded_alike(one: str, other: str) -> None:
    assert folded(one) == folded(other)
