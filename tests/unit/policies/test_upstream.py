"""A model API that fails: short waits are waited, long ones are not, and nothing is tried for ever."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.upstream import (
    TRANSIENT,
    Answer,
    Failure,
    Later,
    PassOn,
    Patience,
    Wait,
    after_failure,
)

PATIENCE = Patience(attempts=3, longest=300.0)


@pytest.mark.parametrize(
    ("failure", "answer"),
    [
        (Failure(status=0, attempt=1), Wait(0.5)),
        (Failure(status=529, attempt=2), Wait(1.0)),
        (Failure(status=500, attempt=3), PassOn()),
        (Failure(status=429, attempt=1, retry_after=20), Wait(20)),
        (Failure(status=429, attempt=1, retry_after=3600), Later(3600)),
        (Failure(status=503, attempt=3, retry_after=3600), Later(3600)),
        (Failure(status=400, attempt=1, retry_after=3600), PassOn()),
        (Failure(status=401, attempt=1), PassOn()),
    ],
)
def test_what_follows_a_failure(failure: Failure, answer: Answer) -> None:
    assert after_failure(failure, PATIENCE) == answer


@given(st.sampled_from(sorted(TRANSIENT)), st.floats(0, 300) | st.none())
def test_no_failure_is_tried_again_for_ever(status: int, asked: float | None) -> None:
    answers = [
        after_failure(Failure(status=status, attempt=n, retry_after=asked), PATIENCE)
        for n in range(1, 5)
    ]
    assert [isinstance(each, Wait) for each in answers] == [True, True, False, False]
