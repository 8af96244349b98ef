"""A rule made of one request allows that request, and nothing a person has not seen."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.approval import decide
from policies.decisions import Allow, Ask, Deny
from policies.making import rule_for
from policies.requests import ActionRequest
from policies.rules import BadRule, Rule

PUSH = ActionRequest(action="execute", tool="Bash", detail="git push origin main")
ASKED = Rule(name="p/publishing", effect="ask", reason="it publishes", commands=("git push*",))
DENIED = Rule(name="p/network", effect="deny", reason="no network", actions=("fetch",))


def made(request: ActionRequest) -> Rule:
    return rule_for(request, name="r", reason="because")


def test_it_allows_what_was_asked() -> None:
    assert isinstance(decide(PUSH, [ASKED], [made(PUSH)]), Allow)


@pytest.mark.parametrize(
    "line",
    [
        "git push origin main --force",
        "git push",
        "git push origin main && rm -rf .",
        "git push origin $(cat key)",
        "git push origin main > out",
    ],
)
def test_it_allows_no_other_command(line: str) -> None:
    other = ActionRequest(action="execute", tool="Bash", detail=line)
    assert not made(PUSH).matches(other)


def test_a_star_in_a_command_stands_for_itself() -> None:
    rule = made(ActionRequest(action="execute", tool="Bash", detail="rm *.pyc"))
    assert not rule.matches(ActionRequest(action="execute", tool="Bash", detail="rm -rf / x.pyc"))
    assert rule.matches(ActionRequest(action="execute", tool="shell", detail="rm *.pyc"))


@pytest.mark.parametrize("line", ["echo $(id)", "echo `id`", "cat x > y", "eval x"])
def test_no_rule_is_made_of_what_hides_its_deed(line: str) -> None:
    with pytest.raises(BadRule, match="do not show"):
        made(ActionRequest(action="execute", tool="Bash", detail=line))


def test_of_files_it_allows_these_alone() -> None:
    rule = made(ActionRequest(action="edit", tool="Write", detail="{}", paths=("src/a.py",)))
    assert rule.matches(ActionRequest(action="edit", tool="apply_patch", paths=("src/a.py",)))
    assert not rule.matches(ActionRequest(action="edit", paths=("src/a.py", "src/b.py")))
    assert not rule.matches(ActionRequest(action="edit", paths=("x/src/a.py",)))
    assert not rule.matches(ActionRequest(action="delete", paths=("src/a.py",)))


def test_of_another_tool_it_allows_the_same_input_alone() -> None:
    rule = made(ActionRequest(action="fetch", tool="WebFetch", detail="https://a.example/x"))
    other = ActionRequest(action="fetch", tool="WebFetch", detail="https://b.example/x")
    assert not rule.matches(other)


def test_what_names_nothing_makes_no_rule() -> None:
    with pytest.raises(BadRule, match="names neither"):
        made(ActionRequest(action="other"))


def test_a_persons_own_rule_answers_what_would_be_asked_but_lifts_no_deny() -> None:
    fetch = ActionRequest(action="fetch", tool="WebFetch", detail="news")
    assert isinstance(decide(fetch, [DENIED], [made(fetch)]), Deny)
    assert isinstance(decide(fetch, [], [made(fetch)]), Allow)
    assert isinstance(decide(fetch, []), Ask)


def test_a_persons_own_rule_may_be_stricter() -> None:
    own = Rule(name="own/no", effect="deny", reason="never", commands=("git *",))
    allowed = Rule(name="p/inside", effect="allow", reason="inside")
    assert isinstance(decide(PUSH, [allowed], [own]), Deny)


def test_a_blank_command_never_becomes_a_rule_for_all_commands() -> None:
    with pytest.raises(BadRule, match="names no command"):
        made(ActionRequest(action="execute", tool="Bash", detail=" "))


WORD = st.text(st.sampled_from("abc*?\\\\. -/'\""), min_size=1, max_size=12)


@given(line=WORD, other=WORD)
def test_a_single_command_is_matched_by_itself_alone(line: str, other: str) -> None:
    try:
        rule = made(ActionRequest(action="execute", tool="Bash", detail=line))
    except BadRule:
        return
    same = " ".join(line.split()) == " ".join(other.split())
    assert rule.matches(ActionRequest(action="execute", detail=other)) is same
