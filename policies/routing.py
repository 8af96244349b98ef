"""Who gets a task: of the candidates that can take it, the one the rules prefer or history recommends."""

import random
from collections.abc import Sequence
from typing import Literal, TypeAlias

import msgspec

from policies.learning import Lesson, Score, best, drawn, enough

Learning: TypeAlias = Literal["off", "shadow", "on"]
"""`shadow`: what history would have chosen is told, and the rules decide."""
Way: TypeAlias = Literal["order", "learned", "explored"]


class Option(msgspec.Struct, frozen=True, kw_only=True):
    """A candidate."""

    target: str
    dropped: str = ""
    """Why it cannot take the task; empty when it can."""


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """All that a choice depends on."""

    options: tuple[Option, ...]
    """In the order of preference."""
    scores: tuple[Score, ...] = ()
    learning: Learning = "off"
    explore: float = 0.0
    seed: int = 0
    lesson: Lesson = Lesson()


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """Who gets it, and how that came about."""

    target: str
    way: Way
    why: str
    scores: tuple[Score, ...] = ()
    """With their draws, where there were any."""
    shadow: str = ""
    """What history would have chosen; empty when it has nothing to say."""


def choose(question: Question) -> Choice | None:
    """The choice; None when nobody can take the task. The same question has always the same answer."""
    able = [option.target for option in question.options if not option.dropped]
    if not able:
        return None
    known = tuple(score for score in question.scores if score.target in able)
    shadow: str = ""
    recommended: tuple[Score, ...] = ()
    if question.learning != "off" and len(able) > 1 and enough(known, question.lesson):
        recommended = drawn(known, question.lesson, question.seed)
        shadow = best(recommended)
    if question.learning == "on" and len(able) > 1:
        if tried := _tried(able, shadow or able[0], question):
            why = f"a share of {question.explore:g} of tasks tries another one"
            return Choice(target=tried, way="explored", why=why, scores=recommended, shadow=shadow)
        if shadow:
            why = "history says that an accepted change costs least with it"
            return Choice(target=shadow, way="learned", why=why, scores=recommended, shadow=shadow)
    return Choice(
        target=able[0], way="order", why=_first(question, able), scores=recommended or known,
        shadow=shadow,
    )  # fmt: skip


def _tried(able: Sequence[str], usual: str, question: Question) -> str:
    """Another one than usual, for a share of the tasks; empty for the rest."""
    chance = random.Random(question.seed ^ _SALT)  # noqa: S311 - repeatable on purpose
    if chance.random() >= question.explore:
        return ""
    others = [target for target in able if target != usual]
    return others[chance.randrange(len(others))]


_SALT = 0x5EED
"""Keeps the draw for exploring apart from the draws for scores."""


def _first(question: Question, able: Sequence[str]) -> str:
    if len(question.options) == 1:
        return "it is the only one named"
    if able[0] == question.options[0].target:
        return "it is named first"
    return "it is the first that can take the task"
