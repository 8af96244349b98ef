"""Ids and how they are minted. A run's id starts with its task's, a turn's with its run's."""

import secrets
from collections.abc import Callable
from typing import NewType, TypeAlias

TaskId = NewType("TaskId", str)
"""Four to six characters of `ALPHABET`, for example `k3f9`."""
RunId = NewType("RunId", str)
"""`<task>.<number>`, for example `k3f9.1`."""
ApprovalId = NewType("ApprovalId", str)
"""`<run>-a<number>`, for example `k3f9.1-a1`: a question to a person."""
ReviewId = NewType("ReviewId", str)
"""`<run>-r<round>`, for example `k3f9.1-r1`: one look at one diff."""

Mint: TypeAlias = Callable[[], str]

ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"
"""No `0 o 1 l i`: ids are read aloud and typed."""


def mint() -> str:
    """A new random task id; 31^5 of them, so a clash on one machine is refused by the store, not expected."""
    return "".join(secrets.choice(ALPHABET) for _ in range(5))


def run_id(task: TaskId, number: int) -> RunId:
    return RunId(f"{task}.{number}")


def task_of(run: RunId) -> TaskId:
    return TaskId(run.rpartition(".")[0])


def run_name(run: RunId) -> str:
    """What people call the run: by its task, with its number from the second run on."""
    return run.removesuffix(".1")


def turn_name(turn: int) -> str:
    """The name of a turn's program inside its sandbox."""
    return f"turn-{turn}"


def turn_start(turn: int) -> str:
    """The key of the event that begins a turn in its run's log."""
    return f"turn-{turn}/start"


def approval_id(run: RunId, number: int) -> ApprovalId:
    return ApprovalId(f"{run}-a{number}")


def review_id(run: RunId, round_: int) -> ReviewId:
    return ReviewId(f"{run}-r{round_}")
