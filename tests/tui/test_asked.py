"""What an agent wants to do can be read before it is answered, and none of it is hidden."""

import json
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from app.domain.ids import RunId
from app.tui.model.asked import changed_lines, input_lines
from app.tui.model.inbox import question_lines
from app.tui.model.line import Line
from tests.support.fleet import question

OLD = "class Budget:\n    total: int\n    spent: int"
NEW = "class Budget:\n    limit: int\n    spent: int"
EDIT = json.dumps({"file_path": "src/budget.py", "old_string": OLD, "new_string": NEW})


def drawn(lines: Sequence[Line]) -> list[tuple[str, str]]:
    return [("".join(text for text, _ink in line), line[-1][1]) for line in lines]


def test_an_edit_is_shown_as_what_goes_and_what_comes() -> None:
    assert drawn(input_lines(EDIT, 60)) == [
        ("file_path: src/budget.py", ""),
        ("  class Budget:", ""),
        ("-     total: int", "removed"),
        ("+     limit: int", "added"),
        ("      spent: int", ""),
    ]


def test_several_edits_and_patches_are_shown_one_after_the_other() -> None:
    edits = {
        "edits": [{"oldText": "a", "newText": "b"}, {"path": "x", "diff": "@@ -1 +1 @@\n-c\n+d"}]
    }
    assert drawn(input_lines(json.dumps(edits), 60)) == [
        ("- a", "removed"),
        ("+ b", "added"),
        ("path: x", ""),
        ("@@ -1 +1 @@", ""),
        ("-c", "removed"),
        ("+d", "added"),
    ]


def test_an_edit_that_would_take_long_to_compare_is_shown_whole() -> None:
    old, new = ["same", *["a", "b"] * 20_000], ["same", *["b", "a"] * 20_000]
    fields = {"old_string": "\n".join(old), "new_string": "\n".join(new)}
    shown = drawn(input_lines(json.dumps(fields), 60))
    assert shown[0] == ("  same", "")
    assert [text for text, ink in shown if ink == "removed"] == [f"- {line}" for line in old[1:]]
    assert [text for text, ink in shown if ink == "added"] == [f"+ {line}" for line in new[1:]]


@pytest.mark.parametrize(
    "detail",
    ["git push", "[1, 2]", '{"command": "a', '{"a": 1, "a": 2}', "{}", "[" * 3000],
    ids=["a command", "a list", "cut off", "a name twice", "nothing", "deep"],
)
def test_what_is_no_plain_object_stands_as_it_came(detail: str) -> None:
    assert "".join(text for text, _ink in drawn(input_lines(detail, 80))) == detail


def test_what_was_escaped_in_it_does_not_act_on_the_terminal() -> None:
    shown = drawn(input_lines(json.dumps({"content": "a\x1b]0;owned\x07\u202eb"}), 80))
    assert shown == [("content: a␛]0;owned␇<U+202E>b", "")]


@given(st.dictionaries(st.text("abc"), st.text("xyz \n"), min_size=1))
def test_nothing_of_an_input_is_cut(fields: dict[str, str]) -> None:
    lines = "".join(text for text, _ink in drawn(input_lines(json.dumps(fields), 20)))
    for name, value in fields.items():
        assert f"{name}:{value}".replace(" ", "").replace("\n", "") in lines.replace(" ", "")


def test_the_question_in_the_inbox_and_its_card_show_the_edit() -> None:
    asked = replace(question(RunId("aaaaa.1"), "Edit: src/budget.py"), action="edit", detail=EDIT)
    texts = [text for text, _ink in drawn(question_lines(asked, None, 80))]
    assert " edit     file_path: src/budget.py" in texts
    assert any(text.endswith("-     total: int") for text in texts)
    assert [text for text, _ink in drawn(changed_lines(EDIT, 60))] == [
        "-     total: int",
        "+     limit: int",
    ]
