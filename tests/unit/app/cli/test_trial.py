"""How far a tested agent came is read off its events: the first step that fails is named, with what to do."""

from app.cli.trial_steps import Seen, Step, steps_of
from app.domain.events import Body, Refused, Spent, TurnStarted, UpstreamFailed
from harnesses.events import SessionStarted, TurnEnded

BEGUN = (TurnStarted(1, "go"), SessionStarted("c", "m", "1.2"))
PAID = Spent(micros=3, total=3, model="m", input=10, output=2, cache_read=5)
DIFF = b"+++ b/self-test.txt\n+hello\n"


def failed(*bodies: Body, diff: bytes = DIFF, reviewed: bool = True, reason: str = "") -> Step:
    """The step at which such a run ends."""
    seen = Seen(agent="a", run="r.1", bodies=list(bodies), diff=diff, reviewed=reviewed)
    seen.reason = reason
    (step,) = (step for step in steps_of(seen) if step.ok is False)
    return step


def test_a_run_that_did_all_has_no_step_that_fails() -> None:
    seen = Seen(agent="a", run="r.1", bodies=[*BEGUN, PAID], diff=DIFF, reviewed=True)
    assert all(step.ok for step in steps_of(seen))


def test_without_a_sandbox_nothing_later_is_judged() -> None:
    seen = Seen(agent="a", run="r.1", reason="no such image")
    assert [step.ok for step in steps_of(seen)] == [True, False, None, None, None, None, None]
    assert failed(diff=b"", reviewed=False, reason="no such image").found == "no such image"


def test_a_program_that_never_spoke_is_known_by_it() -> None:
    step = failed(TurnStarted(1, "go"), diff=b"", reviewed=False, reason="exit code 127")
    assert (step.name, step.found) == ("start", "exit code 127")
    assert "swarm logs r.1" in step.fix


def test_a_provider_that_wants_another_key_is_named() -> None:
    step = failed(*BEGUN, UpstreamFailed("openai", 401), TurnEnded("error", "no"), diff=b"")
    assert step.name == "model"
    assert "gateway.upstreams.openai.key" in step.fix


def test_a_provider_that_is_away_is_named() -> None:
    step = failed(*BEGUN, UpstreamFailed("local", 0), diff=b"")
    assert step.found == "the model API 'local' cannot be reached; the agent is told"
    assert "gateway.upstreams.local" in step.fix


def test_a_first_call_the_budget_does_not_allow_asks_for_more() -> None:
    step = failed(*BEGUN, Refused("too dear", 402, budget=True), diff=b"")
    assert (step.name, step.found) == ("model", "too dear")
    assert "--budget" in step.fix


def test_a_call_whose_usage_never_came_is_no_answer() -> None:
    held = Spent(micros=3, total=3, model="m", input=10, output=2, known="held")
    assert failed(*BEGUN, held).name == "model"
    assert failed(*BEGUN, PAID, held).name == "usage"


def test_a_scripted_agent_needs_no_model() -> None:
    seen = Seen(agent="a", run="r.1", scripted=True, bodies=[*BEGUN], diff=DIFF, reviewed=True)
    assert all(step.ok for step in steps_of(seen))


def test_another_file_is_not_the_edit() -> None:
    assert failed(*BEGUN, PAID, diff=b"+++ b/other.txt\n+hello\n").name == "edit"
