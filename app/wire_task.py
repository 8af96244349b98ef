"""Bodies of the local API about a task that is not given yet."""

from app.domain.base import Value
from app.domain.money import Micros
from app.domain.policy import ChangePolicy
from app.domain.route import Route


class Left(Value, frozen=True, kw_only=True):
    """What a budget above the run has left, with what calls under way have reserved taken off."""

    of: str
    """In words, for example `the day`."""
    left: Micros
    cap: Micros


class Preview(Value, frozen=True, kw_only=True):
    """`POST /v1/tasks/preview`: what `POST /v1/tasks` with this body would do now. Nothing is stored or begun."""

    routes: tuple[Route, ...] = ()
    """Who would get it, and why: one, in a race one each; none where nobody can."""
    refused: str = ""
    """Why it would be refused as it stands, and what to do; empty when it would be taken."""
    base: str
    target: str
    """The branch it would land on."""
    budget: Micros
    """The most that one of its runs may spend; those of a race spend it together."""
    left: tuple[Left, ...] = ()
    """The budgets above it: a run stops at whatever is used up first."""
    checks: tuple[str, ...]
    hosts: tuple[str, ...]
    """What it may reach besides models."""
    policy: ChangePolicy
    sandbox: str
    """Driver of the sandbox it would work in."""
    notes: tuple[str, ...] = ()
    """What a person may think is part of the work and is not."""
