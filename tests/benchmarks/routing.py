"""Cost per accepted change of the learned choice, against fixed ones and against one that knows everything.

Four agents with a chance of acceptance and a price; a look at a change that is not accepted costs a dollar.
Each task is tried until a change is accepted. The rules of `policies.routing` choose; nothing else is simulated.
"""

import random
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Final

from policies.learning import Lesson, Past, cost_of_acceptance, scores
from policies.routing import Option, Question, choose

NAME = "routing: cost per accepted change"
AGENTS: Final = {
    "strongest": (0.75, 1_600_000),
    "middle": (0.62, 550_000),
    "good": (0.60, 500_000),
    "cheapest": (0.25, 20_000),
}
"""Chance that a change is accepted, and micro-dollars of a run."""
LESSON: Final = Lesson()
ROUNDS: Final = 40
DAY: Final = 86_400.0
Pick = Callable[[list[Past], int, float], str]


def learned(past: list[Past], seed: int, now: float) -> str:
    """As `learning: on` does it: in the order of the names until there are 20 outcomes."""
    names = list(AGENTS)
    found = choose(
        Question(
            options=tuple(Option(target=name) for name in names),
            scores=scores(past, names, kind="fix", repo="/r", lesson=LESSON, now=now),
            learning="on",
            explore=0.05,
            seed=seed,
            lesson=LESSON,
        )
    )
    assert found
    return found.target


def always(name: str) -> Pick:
    """The same one for every task."""
    return lambda _past, _seed, _now: name


def simulate(pick: Pick, tasks: int, seed: int) -> float:
    """Dollars per accepted change over so many tasks, ten a day."""
    chance = random.Random(seed)
    past: list[Past] = []
    micros = runs = 0
    for task in range(tasks):
        accepted, now = False, task * DAY / 10
        while not accepted:
            runs += 1
            name = pick(past, seed * 1_000_003 + runs, now)
            likely, cost = AGENTS[name]
            accepted = chance.random() < likely
            micros += cost + (0 if accepted else LESSON.review_micros)
            worth = "accepted" if accepted else "rejected"
            past.append(
                Past(target=name, worth=worth, micros=cost, at=now, kind="fix", repo="/r")  # type: ignore[arg-type]
            )
    return micros / tasks / 1e6


def oracle() -> str:
    """Whom one would choose who knew the chances."""
    return min(
        AGENTS, key=lambda name: cost_of_acceptance(AGENTS[name][1], AGENTS[name][0], LESSON)
    )


def mean(pick: Pick, tasks: int) -> float:
    return statistics.mean(simulate(pick, tasks, seed) for seed in range(ROUNDS))


def measure() -> list[tuple[str, float, str]]:
    """Means of forty simulations each."""
    rows: list[tuple[str, float, str]] = []
    best = oracle()
    for tasks in (50, 200):
        known = mean(always(best), tasks)
        ways: Sequence[tuple[str, Pick]] = (
            ("learned", learned),
            ("always the strongest", always("strongest")),
            ("always the cheapest", always("cheapest")),
        )
        rows.append((f"{tasks} tasks, {best}, by one who knows all chances", known, "$"))
        for name, pick in ways:
            cost = mean(pick, tasks)
            rows += [
                (f"{tasks} tasks, {name}", cost, "$"),
                (f"{tasks} tasks, {name} / one who knows", cost / known, "x"),
            ]
    return [*rows, ("a choice among four with 1,000 outcomes", _speed() * 1000, "ms")]


def _speed() -> float:
    chance = random.Random(1)
    past = [
        Past(target=chance.choice(list(AGENTS)), worth="accepted", micros=1, at=0.0)
        for _ in range(1000)
    ]
    began = time.perf_counter()
    learned(past, 1, 0.0)
    return time.perf_counter() - began
