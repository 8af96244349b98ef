"""Bodies of the local API that are about a person's own work in a run; `app.wire` passes them on."""

from typing import Annotated, Literal, TypeAlias

import msgspec

from app.domain.base import Value

Takeover: TypeAlias = Literal["agent", "shell"]
"""What a person works with: the agent's own screen, or a shell beside its files."""


class Attach(Value, frozen=True, kw_only=True):
    """`POST /v1/runs/{run}/attach`: a person takes the run over."""

    what: Takeover = "agent"
    by: str = ""


class HandBack(Value, frozen=True, kw_only=True):
    """`POST /v1/runs/{run}/hand-back`: the person has done."""

    go_on: bool = False
    """Whether the agent goes on; else what there is comes to review."""
    note: str = ""
    """Words for the agent that goes on."""
    by: str = ""


class Keys(Value, frozen=True, kw_only=True):
    """`POST /v1/runs/{run}/keys`: what a person types on the screen of a run."""

    data: bytes


class Size(Value, frozen=True, kw_only=True):
    """`POST /v1/runs/{run}/size`: how large the terminal is on which a person looks at it."""

    rows: Annotated[int, msgspec.Meta(ge=2)]
    columns: Annotated[int, msgspec.Meta(ge=2)]
