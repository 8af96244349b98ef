from typing import Any

import pytest

from harnesses.errors import BadSettings
from harnesses.script import STEPS, read_script


def test_a_list_is_the_steps_of_the_only_turn() -> None:
    assert read_script([{"say": "hi"}]) == (({"step": "say", "text": "hi"},),)


def test_turns_may_be_lists_or_mappings() -> None:
    assert read_script({"turns": [[{"say": "a"}], {"steps": [{"say": "a"}]}]})[0] == (
        {"step": "say", "text": "a"},
    )


def test_yaml_text_is_read() -> None:
    assert read_script("turns:\n- - say: hi\n")[0][0]["text"] == "hi"


def test_a_plain_value_stands_for_the_main_field() -> None:
    assert read_script([{"run": "ls"}]) == read_script([{"run": {"command": "ls"}}])


def test_plan_entries_may_be_plain_text() -> None:
    (step,) = read_script([{"plan": ["a", {"text": "b", "status": "completed"}]}])[0]
    assert [entry["status"] for entry in step["entries"]] == ["pending", "completed"]


def test_steps_inside_steps_are_checked() -> None:
    (step,) = read_script([{"ask": {"title": "t", "then": [{"say": "a"}], "else": []}}])[0]
    assert step["then"] == [{"step": "say", "text": "a"}]


def test_signals_are_known_by_either_name() -> None:
    (step,) = read_script([{"crash": {"signal": "sigkill"}}])[0]
    assert step["signal"] == "KILL"


@pytest.mark.parametrize(
    ("script", "message"),
    [
        (
            {"turns": [[], [], {"steps": [{"say": "a"}, {"edti": {}}]}]},
            r"^turns\[2\]\.steps\[1\]\.edti: unknown step, did you mean edit\?$",
        ),
        (
            {"turns": [{"steps": [{"edit": {"path": "a", "contnt": "b"}}]}]},
            r"turns\[0\]\.steps\[0\]\.edit\.contnt: unknown key, did you mean content\?",
        ),
        ({"turns": [{"stesp": []}]}, r"turns\[0\]\.stesp: unknown key, did you mean steps\?"),
        ({"trns": []}, r"script\.trns: unknown key, did you mean turns\?"),
        ({"turns": []}, r"script\.turns: must be a list of at least one turn"),
        ({"turns": "x"}, r"script\.turns: must be a list"),
        ("a: [", r"script: is not YAML"),
        (5, r"script: must be a list of steps, or a mapping"),
        (None, r"script: must be a list of steps, or a mapping"),
        (["say"], r"steps\[0\]: must be one verb with its value"),
        ([{"say": "a", "think": "b"}], r"steps\[0\]: must be one verb with its value"),
        ([{"edit": "a.py"}], r"steps\[0\]\.edit: must be a mapping"),
        ([{"say": None}], r"steps\[0\]\.say: must be a mapping"),
        ([{"say": 5}], r"steps\[0\]\.say\.text: input should be a valid string"),
        ([{"edit": {"path": "a"}}], r"steps\[0\]\.edit: needs exactly one of content"),
        ([{"edit": {"path": "a", "content": "", "delete": True}}], r"needs exactly one of content"),
        ([{"edit": {"path": "a", "replace": "b"}}], r"replace and with belong together"),
        (
            [{"edit": {"path": "/etc/passwd", "delete": True}}],
            r"steps\[0\]\.edit\.path: '/etc/passwd' must be a relative path",
        ),
        (
            [{"edit": {"path": "a/../../b", "delete": True}}],
            r"must be a relative path inside the workspace",
        ),
        ([{"run": {"command": "ls", "cwd": ".."}}], r"steps\[0\]\.run\.cwd: "),
        (
            [{"ask": {"title": "t", "then": [{"sya": "a"}]}}],
            r"steps\[0\]\.ask\.then\[0\]\.sya: unknown step, did you mean say\?",
        ),
        ([{"ask": {"title": "t", "then": "x"}}], r"steps\[0\]\.ask\.then: must be a list of steps"),
        ([{"ask": {"title": "t", "tool": "hammer"}}], r"steps\[0\]\.ask\.tool: "),
        ([{"crash": {"signal": "KIL"}}], r"'KIL' is no signal, did you mean KILL\?"),
        ([{"tokens": {"input": -1}}], r"steps\[0\]\.tokens\.input: "),
        ([{"plan": 5}], r"steps\[0\]\.plan\.entries: "),
        ([{"plan": ["a", {"text": 5}]}], r"steps\[0\]\.plan\.entries\[1\]\.text: "),
        ([{"repeat": {"times": -1}}], r"steps\[0\]\.repeat\.times: "),
    ],
)
def test_what_is_wrong_is_told_with_its_place(script: Any, message: str) -> None:
    with pytest.raises(BadSettings, match=message):
        read_script(script)


def test_a_script_that_contains_itself_is_refused() -> None:
    with pytest.raises(BadSettings, match="nested more than"):
        read_script("&a\n- repeat: {times: 2, steps: *a}\n")


def test_every_verb_is_in_the_manual(request: pytest.FixtureRequest) -> None:
    manual = (request.config.rootpath / "docs/reference/scripts.md").read_text()
    assert [verb for verb in STEPS if f"### `{verb}`" not in manual] == []
