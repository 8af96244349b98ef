"""What a person decided, told in the log: by the verb, and again by the work that follows from it.

The key follows from the row, so that it is said once however often, and not lost when the verb was cut off
right behind its transaction.
"""

from app.domain.events import Decided
from app.domain.review import Review, Verdict
from app.domain.run import RunState
from app.supervisor.services import Services


async def tell_decision(s: Services, review: Review) -> None:
    """The verdict, and the state it brought the run to."""
    if review.verdict is None:
        return
    key = f"{review.id}/{review.decided}"
    told = Decided(review.id, review.verdict, review.by)
    await s.broker.record(review.run, f"decided/{key}", told)
    if review.verdict == Verdict.APPROVE:
        await s.announce(review.run, RunState.MERGING, key=key)
    else:
        await s.announce(review.run, RunState.QUEUED, key=key, reason="changes requested")
