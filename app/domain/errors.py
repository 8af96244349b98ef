"""The app's own errors. Each says what happened, to what, and what to do.

SwarmError                 exit 1
├── UsageError             exit 2   what the user wrote cannot be meant
│   ├── ConfigError                 a file or key of the configuration
│   └── NotFound                    no such task, run, agent, file
├── NotNow                 exit 1   right words at the wrong time (state, verdict already given)
├── NeedsHuman             exit 3   a person has to decide first
├── BudgetSpent            exit 4
└── EnvironmentProblem     exit 5   Docker, git, keys, disk, another supervisor
    ├── RepoError                   git said no
    ├── NotAllowed                  the token is none, or its role is not enough
    └── Unreachable                 no supervisor answers, or it is of another version
"""

from typing import ClassVar


class SwarmError(Exception):
    """The root; `kind` names the class over the local API."""

    kind: ClassVar[str] = "error"
    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    @property
    def in_one_line(self) -> str:
        """What happened and what to do, where there is no room for more."""
        return f"{self.message.rstrip('.')}. {self.hint}".rstrip()

    def __reduce__(self) -> "tuple[object, ...]":
        # Errors cross durable and process boundaries; the keyword must survive.
        return (_rebuild, (type(self), self.message, self.hint))


def _rebuild(cls: type[SwarmError], message: str, hint: str) -> SwarmError:
    return cls(message, hint=hint)


class UsageError(SwarmError):
    kind = "usage"
    exit_code = 2


class ConfigError(UsageError):
    kind = "config"


class NotFound(UsageError):
    kind = "not_found"


class NotNow(SwarmError):
    kind = "not_now"


class NeedsHuman(SwarmError):
    kind = "needs_human"
    exit_code = 3


class BudgetSpent(SwarmError):
    kind = "budget"
    exit_code = 4


class EnvironmentProblem(SwarmError):
    kind = "environment"
    exit_code = 5


class RepoError(EnvironmentProblem):
    kind = "repo"


class NotAllowed(EnvironmentProblem):
    kind = "not_allowed"


class Unreachable(EnvironmentProblem):
    kind = "unreachable"


def error_class(kind: str) -> type[SwarmError]:
    """The class of that `kind`; the root for one that this version does not know."""
    pending: list[type[SwarmError]] = [SwarmError]
    while pending:
        cls = pending.pop()
        if cls.kind == kind:
            return cls
        pending.extend(cls.__subclasses__())
    return SwarmError
