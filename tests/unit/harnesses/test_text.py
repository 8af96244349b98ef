from hypothesis import given, settings
from hypothesis import strategies as st

from harnesses.text import as_json, clip, excerpt, is_uuid, nearest, one_line, relative


def test_a_short_text_is_not_cut() -> None:
    assert clip("abc", 3) == "abc"


def test_a_cut_text_says_how_much_is_missing() -> None:
    assert clip("abcdef", 2) == "ab… (4 more characters)"


@settings(deadline=None)
@given(st.text(), st.integers(1, 50))
def test_one_line_is_one_line_and_fits(text: str, limit: int) -> None:
    line = one_line(text, limit)
    assert len(line) <= limit
    assert line == " ".join(line.split())


@settings(deadline=None)
@given(st.text(alphabet=st.characters(), max_size=2_000))
def test_an_excerpt_can_always_be_encoded(text: str) -> None:
    assert len(excerpt(text).encode()) <= 4 * 540


def test_json_of_a_value_nested_without_end_is_replaced() -> None:
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    assert as_json(deep) == "(nested too deep to show)"


def test_a_path_in_the_tree_is_relative_to_it() -> None:
    assert relative("/workspace/src/../a.py", "/workspace") == "a.py"
    assert relative("a.py", "/workspace") == "a.py"
    assert relative("/workspace", "/workspace") == "."


def test_a_path_outside_stays_absolute() -> None:
    assert relative("/etc/passwd", "/workspace") == "/etc/passwd"
    assert relative("../other", "/workspace") == "/other"
    assert relative("/workspace2/a", "/workspace") == "/workspace2/a"


def test_only_a_uuid_is_one() -> None:
    assert is_uuid("86df6add-7bc9-5b74-97a1-97bc11e86387")
    assert not is_uuid("86df6add-7bc9-5b74-97a1-97bc11e86387\n")
    assert not is_uuid("--resume")


def test_the_nearest_name_is_empty_when_none_is_close() -> None:
    assert nearest("edti", ["edit", "run"]) == "edit"
    assert nearest("zzz", ["edit", "run"]) == ""
