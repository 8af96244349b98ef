"""Threads that look for queued work are woken when there is some."""

import threading
from collections.abc import Iterator

import pytest

from app.supervisor.bell import WORKER, Bell


class Worker:
    """Waits once, as the thread of a queue does between two looks."""

    def __init__(self, bell: Bell, queue: str) -> None:
        self.end = threading.Event()
        bell.ends().append(self.end)
        self.heard: list[bool] = []
        """Whether it was to end, once its pause was over."""
        self.thread = threading.Thread(target=self._work, name=f"{WORKER}{queue}")
        self.thread.start()

    def _work(self) -> None:
        self.heard.append(self.end.wait(600.0))

    def over(self) -> list[bool]:
        self.thread.join()
        return self.heard


@pytest.fixture
def bell() -> Bell:
    return Bell(rest=600.0)


@pytest.fixture
def mine(bell: Bell) -> Iterator[Worker]:
    worker = Worker(bell, "mine")
    yield worker
    worker.end.set()
    worker.over()


def test_a_ring_ends_the_pause_of_its_queue(bell: Bell, mine: Worker) -> None:
    bell.ring("mine")
    assert mine.over() == [False]


def test_a_ring_for_all_ends_every_pause(bell: Bell, mine: Worker) -> None:
    bell.ring()
    assert mine.over() == [False]


def test_the_ring_of_another_queue_is_not_heard(bell: Bell, mine: Worker) -> None:
    bell.ring("another")
    mine.end.set()
    assert mine.over() == [True]


def test_after_a_ring_it_looks_again_by_itself(bell: Bell) -> None:
    bell.ring("mine")
    again = Worker(bell, "mine")
    assert again.over() == [False]


def test_what_ends_a_thread_ends_its_pause(mine: Worker) -> None:
    mine.end.set()
    assert mine.over() == [True]
