"""Names of workflows, their ids and the sandboxes of a run. All of them can be computed again after a crash."""

from app.domain.ids import ReviewId, RunId

PLACE = "place"
ATTEMPT = "attempt"
FINISH = "finish"


def place_id(run: RunId, round_: int) -> str:
    return f"{run}/place/{round_}"


def attempt_id(run: RunId, round_: int) -> str:
    return f"{run}/attempt/{round_}"


def home_id(run: RunId, round_: int) -> str:
    """The rest of an attempt, where the run's repository is."""
    return f"{attempt_id(run, round_)}/home"


def finish_id(run: RunId, review: ReviewId | str, attempt: int) -> str:
    return f"{run}/finish/{review or 'discard'}/{attempt}"


def tidy_id(run: RunId, host: str) -> str:
    """Clearing away what a host that is not the run's home has of it."""
    return f"{run}/finish/tidy/{host}"


def check_sandbox(run: RunId, turn: int) -> str:
    return f"{run}.check-{turn}"


def is_check_of(sandbox: str, run: RunId) -> bool:
    return sandbox.startswith(f"{run}.check-")


def run_of_sandbox(sandbox: str) -> RunId:
    """The run a sandbox is of, its own or one of its checks'."""
    return RunId(sandbox.partition(".check-")[0])


def run_of(workflow_id: str) -> RunId:
    """The run a workflow is about."""
    return RunId(workflow_id.partition("/")[0])
