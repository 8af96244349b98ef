"""Rows of the store for tests: a task, a run, a review, a question, each with nothing remarkable about it."""

from typing import Any

import sqlalchemy as sa

from app.domain import ids
from app.domain.ids import ApprovalId, ReviewId, RunId, TaskId
from app.domain.money import Micros
from app.domain.review import Approval, Review
from app.domain.run import Run, RunState
from app.domain.task import Task
from app.store import reviews, tasks

REPO = "/home/ada/project"


def a_task(name: str = "aaaaa", **more: Any) -> Task:
    fields: dict[str, Any] = {
        "goal": "Write a note",
        "repo": REPO,
        "target": "main",
        "base": "main",
        "agent": "scripted",
        "budget": Micros(1_000_000),
        "created": 1.0,
    }
    return Task(id=TaskId(name), **(fields | more))


def a_run(task: str = "aaaaa", number: int = 1, **more: Any) -> Run:
    fields: dict[str, Any] = {
        "state": RunState.QUEUED,
        "agent": "scripted",
        "harness": "scripted",
        "model": "scripted",
        "sandbox": "memory",
        "budget": Micros(1_000_000),
        "created": float(number),
    }
    id_ = ids.run_id(TaskId(task), number)
    return Run(id=id_, task=TaskId(task), number=number, **(fields | more))


def stored(c: sa.Connection, /, task: str = "aaaaa", runs: int = 1, **more: Any) -> RunId:
    """A task with that many runs; the id of the newest."""
    tasks.add_task(c, a_task(task, repo=more.pop("repo", REPO)))
    for number in range(1, runs + 1):
        tasks.add_run(c, a_run(task, number, **more))
    return ids.run_id(TaskId(task), runs)


def asked(c: sa.Connection, run: RunId, request: str = "q1", **more: Any) -> Approval:
    """A question of that run."""
    fields: dict[str, Any] = {"turn": 1, "title": "May I?", "action": "fetch", "opened": 1.0}
    question = Approval(id=ApprovalId(""), run=run, request=request, **(fields | more))
    return reviews.ask(c, question)


def a_review(run: RunId, round_: int = 1, **more: Any) -> Review:
    fields: dict[str, Any] = {
        "base": "b" * 40,
        "snapshot": "c" * 40,
        "target": "main",
        "tip": "b" * 40,
        "result_tree": "d" * 40,
        "opened": 1.0,
    }
    return Review(id=ids.review_id(run, round_), run=run, round=round_, **(fields | more))


def reviewed(c: sa.Connection, run: RunId, round_: int = 1, **more: Any) -> ReviewId:
    review = a_review(run, round_, **more)
    reviews.add_review(c, review)
    return review.id
