"""The one place where errors of the leaves become the app's own."""

from collections.abc import Iterator
from contextlib import contextmanager

from app.domain.errors import ConfigError, EnvironmentProblem, NotFound, SwarmError, UsageError
from harnesses.errors import BadSettings, HarnessError, UnknownAgent, UnknownHarness
from sandboxes.errors import SandboxError, UnknownDriver

_MAP: dict[type[Exception], type[SwarmError]] = {
    UnknownAgent: NotFound,
    UnknownHarness: ConfigError,
    BadSettings: ConfigError,
    HarnessError: UsageError,
    UnknownDriver: ConfigError,
    SandboxError: EnvironmentProblem,
}

LEAF_ERRORS = (HarnessError, SandboxError)


def own(error: HarnessError | SandboxError) -> SwarmError:
    """The app's error for a leaf's, with the same words."""
    for cls in type(error).__mro__:
        if cls in _MAP:
            return _MAP[cls](str(error), hint=error.hint)
    return SwarmError(str(error), hint=error.hint)


@contextmanager
def translated() -> Iterator[None]:
    """Errors of harnesses and sandboxes raised inside become the app's own."""
    try:
        yield
    except LEAF_ERRORS as error:
        raise own(error) from error


def told(error: SwarmError | HarnessError | SandboxError) -> str:
    """Message and hint in one line, as the reason of a run's state."""
    return f"{error} {error.hint}".strip()
