"""Errors of the leaves become the app's own, with the same words."""

import pytest

from app.domain.errors import ConfigError, EnvironmentProblem, NotFound, SwarmError
from app.supervisor.errors import LEAF_ERRORS, own, told, translated
from harnesses.errors import BadSettings, HarnessError, UnknownAgent
from sandboxes.errors import SandboxError, SandboxFailed, SandboxRefused, UnknownDriver


@pytest.mark.parametrize(
    ("leaf", "app"),
    [
        (UnknownAgent("no agent x", hint="try y"), NotFound),
        (BadSettings("bad", hint="mend"), ConfigError),
        (UnknownDriver("no driver", hint="take docker"), ConfigError),
        (SandboxFailed("broken", hint="mend"), EnvironmentProblem),
        (SandboxRefused("no", hint="start Docker"), EnvironmentProblem),
    ],
)
def test_a_leafs_error_becomes_the_apps(
    leaf: HarnessError | SandboxError, app: type[SwarmError]
) -> None:
    with pytest.raises(app) as raised, translated():
        raise leaf
    assert (raised.value.message, raised.value.hint) == (str(leaf), leaf.hint)
    assert raised.value.__cause__ is leaf


def test_the_apps_own_errors_pass() -> None:
    error = NotFound("x")
    with pytest.raises(NotFound) as raised, translated():
        raise error
    assert raised.value is error


@pytest.mark.parametrize("root", LEAF_ERRORS)
def test_every_error_of_a_leaf_has_one_of_the_apps(root: type[HarnessError | SandboxError]) -> None:
    pending = [root]
    while pending:
        cls = pending.pop()
        assert type(own(cls("words"))) is not SwarmError, cls
        pending.extend(cls.__subclasses__())


def test_a_reason_is_message_and_hint_in_one_line() -> None:
    assert told(NotFound("It is gone.", hint="Make it.")) == "It is gone. Make it."
    assert told(NotFound("It is gone.")) == "It is gone."
