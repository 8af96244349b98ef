"""How much of a bundle stands in a prompt: all of it when it fits, and never a byte too many."""

from hypothesis import given
from hypothesis import strategies as st

from app.domain.bundle import TITLES, Part, prompt, reminder

DIFF = Part(name="DIFF.patch", body=b"diff --git a/x b/x\n-old\n+new\n")
CHECK = Part(name="CHECK.txt", body=b"$ make test\nE   assert 1 == 2\n[ended with 1 after 0.1 s]")
TRIED = Part(name="TRIED.md", body=b"Run k3f9x.1, by codex")


def test_without_a_bundle_the_goal_is_the_prompt() -> None:
    assert prompt("Do it", (), 1000) == "Do it"
    assert prompt("Do it", (Part(name="BRIEF.md", body=b"Do it"),), 1000) == "Do it"


def test_the_goal_stands_first_and_the_diff_last() -> None:
    said = prompt("Do it", (DIFF, CHECK, TRIED), 10_000)
    assert said.startswith("Do it\n\nOthers have worked on this before you")
    at = [said.index(f"## {TITLES[name]}") for name in ("TRIED.md", "CHECK.txt", "DIFF.patch")]
    assert at == sorted(at)
    assert "```diff\ndiff --git a/x b/x\n-old\n+new\n```" in said


def test_what_is_cut_is_told_with_the_place_of_the_rest() -> None:
    long = Part(name="DIFF.patch", body=b"+line\n" * 1000, left_out=7)
    said = prompt("Do it", (long,), 600)
    assert "bytes more in $SWARM_BUNDLE/DIFF.patch]" in said
    assert said.count("+line") == 100


def test_a_fence_is_longer_than_any_inside() -> None:
    said = prompt("Do it", (Part(name="DIFF.patch", body=b"+```python\n"),), 1000)
    assert "````diff\n+```python\n````" in said


bodies = st.text(st.characters(codec="utf-8"), max_size=3000).map(str.encode)


@given(st.dictionaries(st.sampled_from(sorted(TITLES)), bodies), st.integers(0, 4000))
def test_a_prompt_stays_within_its_limit(files: dict[str, bytes], limit: int) -> None:
    parts = [Part(name=name, body=body) for name, body in files.items()]
    said = prompt("goal", parts, limit)
    frame = 700 + 200 * len(parts)
    fences = sum(2 * body.count(b"`") + 12 for body in files.values())
    assert len(said.encode()) <= limit + frame + fences


def test_an_agent_that_forgot_is_told_the_task_and_what_is_known_without_the_diff() -> None:
    said = reminder("Go on", "Do it", (DIFF, CHECK, TRIED), 10_000)
    assert said.startswith("Go on\n\nThe task was: Do it")
    assert "## What was tried" in said
    assert "diff" not in said


def test_it_is_told_so_once() -> None:
    said = reminder("Go on", "Do it", (TRIED,), 10_000)
    assert reminder(said, "Do it", (TRIED,), 10_000) == said
