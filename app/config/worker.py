"""Settings of a host that works together with others."""

import re
from typing import Annotated, Final, TypeAlias

from pydantic import BeforeValidator, Field, model_validator

from app.config.section import Section
from app.config.values import check_name, seconds, span_of

_ADDRESS = re.compile(r"(/|(ssh|https|file)://|\w[\w.-]*@\w[\w.-]*:)[^\s]+")


def shared_of(value: object) -> str:
    """The address of a repository, as git takes it; or nothing."""
    if value == "":
        return ""
    if not isinstance(value, str) or not _ADDRESS.fullmatch(value):
        raise ValueError(
            "should be a bare repository that every host reaches, such as "
            "ssh://git@HOST/srv/swarm.git or /srv/swarm.git"
        )
    return value


Label: TypeAlias = Annotated[str, BeforeValidator(check_name)]


SOONEST: Final = 3
"""Seconds: a host beats six times in `dead_after`, and less would take a slow disk for a dead host."""


class WorkerSettings(Section):
    """This host among others. Needs `database`; see the how-to page about many machines."""

    repository: Annotated[str, BeforeValidator(shared_of)] = ""
    """A bare git repository that every host reaches, `{name}` in it for the project; empty for one host alone."""
    name: Annotated[str, BeforeValidator(lambda value: value and check_name(value))] = ""
    """What people call this host; empty for the name the machine has."""
    labels: tuple[Label, ...] = ()
    """What this host has that others lack; tasks with `needs` go to hosts that have all of it."""
    dead_after: Annotated[str, BeforeValidator(span_of)] = "60s"
    """How long a host may be silent until others take over its runs; the same on every host."""
    concurrency: Annotated[int, Field(strict=True, ge=1)] | None = None
    """Runs that may be at work on all hosts together; empty for as many as they have places."""

    @model_validator(mode="after")
    def _not_too_soon(self) -> "WorkerSettings":
        if seconds(self.dead_after) < SOONEST:
            raise ValueError(f"`dead_after` should be {SOONEST}s or more")
        return self
