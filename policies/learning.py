"""What history says: the expected cost of a change that is accepted, and whom to choose by it.

A run's outcome is worth what a person made of it, not what its tests said: merged and not taken back counts 1,
merged after being sent back counts a half, and what nobody wanted counts 0. Evidence halves with time.
"""

import random
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Literal, TypeAlias

import msgspec

Worth: TypeAlias = Literal["accepted", "reworked", "rejected"]
CREDIT: Final[Mapping[Worth, float]] = {"accepted": 1.0, "reworked": 0.5, "rejected": 0.0}


class Past(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one run."""

    target: str
    worth: Worth
    micros: int
    at: float
    """Unix time, seconds."""
    kind: str = ""
    repo: str = ""


class Lesson(msgspec.Struct, frozen=True, kw_only=True):
    """How history counts, and how much is needed."""

    needed: int = 20
    """Outcomes, of all candidates together, below which history does not speak."""
    half_life: float = 45 * 86_400.0
    """Seconds in which evidence halves."""
    review_micros: int = 1_000_000
    """What a person's look at a change costs when nothing comes of it."""
    near: float = 1.0
    """Weight of an outcome of the same repository and kind."""
    same_repo: float = 0.5
    """Of the same repository, but another kind of task."""
    elsewhere: float = 0.2
    """Of another repository."""


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one candidate, weighed."""

    target: str
    outcomes: int = 0
    """Unweighed."""
    accepted: float = 0.0
    rejected: float = 0.0
    micros: int = 0
    """Mean cost of a run."""
    expected: int | None = None
    """Micro-dollars an accepted change is expected to cost; None without evidence."""
    drawn: int | None = None
    """The same with a chance of acceptance drawn from what is likely: the lowest is chosen."""


def scores(
    past: Iterable[Past],
    targets: Sequence[str],
    *,
    kind: str,
    repo: str,
    lesson: Lesson,
    now: float,
) -> tuple[Score, ...]:
    """The evidence for each target, in their order."""
    known = list(past)
    common = _mean_cost(known)
    return tuple(
        _score(
            target,
            [run for run in known if run.target == target],
            _Weigher(kind, repo, lesson, now),
            lesson,
            common,
        )
        for target in targets
    )


class _Weigher(msgspec.Struct, frozen=True):
    """How much one outcome says about a task."""

    kind: str
    repo: str
    lesson: Lesson
    now: float

    def weight(self, run: Past) -> float:
        age = max(0.0, self.now - run.at)
        fresh: float = 0.5 ** (age / self.lesson.half_life)
        if run.repo != self.repo:
            return fresh * self.lesson.elsewhere
        return fresh * (self.lesson.near if run.kind == self.kind else self.lesson.same_repo)


def _score(target: str, runs: list[Past], weigher: _Weigher, lesson: Lesson, common: int) -> Score:
    weights = [weigher.weight(run) for run in runs]
    accepted = sum(w * CREDIT[run.worth] for w, run in zip(weights, runs, strict=True))
    total = sum(weights)
    # One run at the common price stands for what is not known yet.
    cost = sum(w * run.micros for w, run in zip(weights, runs, strict=True)) + common
    mean = round(cost / (total + 1))
    chance = (1 + accepted) / (2 + total)
    return Score(
        target=target,
        outcomes=len(runs),
        accepted=round(accepted, 4),
        rejected=round(total - accepted, 4),
        micros=mean,
        expected=cost_of_acceptance(mean, chance, lesson) if runs else None,
    )


def _mean_cost(runs: list[Past]) -> int:
    return round(sum(run.micros for run in runs) / len(runs)) if runs else 0


def cost_of_acceptance(micros: int, chance: float, lesson: Lesson) -> int:
    """What it takes until a change is accepted: runs that are not, and the looks at them, are paid, too."""
    return round((micros + lesson.review_micros * (1 - chance)) / chance)


def drawn(found: Iterable[Score], lesson: Lesson, seed: int) -> tuple[Score, ...]:
    """The same scores, each with a draw. The same seed draws the same."""
    chance = random.Random(seed)  # noqa: S311 - repeatable on purpose
    done = []
    for score in found:
        likely = max(1e-6, chance.betavariate(1 + score.accepted, 1 + score.rejected))
        cost = cost_of_acceptance(score.micros, likely, lesson)
        done.append(msgspec.structs.replace(score, drawn=cost))
    return tuple(done)


def enough(found: Iterable[Score], lesson: Lesson) -> bool:
    """Whether there is enough history to go by."""
    return sum(score.outcomes for score in found) >= lesson.needed


def best(found: Iterable[Score]) -> str:
    """The target with the lowest draw."""
    return min(found, key=lambda score: (score.drawn is None, score.drawn)).target
