"""What the gateway tells, as a run's log keeps it."""

import pytest

from app.domain.events import Event, Note, Spent
from app.domain.ids import RunId
from app.supervisor.broker import Broker
from app.supervisor.money import LogWitness
from app.supervisor.services import Live

RUN, OTHER = RunId("aaaaa.1"), RunId("bbbbb.1")


async def warned(broker: Broker, run: RunId) -> list[str]:
    await broker.flush()
    said = [e.body async for e in broker.follow(0, run, live=False) if isinstance(e, Event)]
    return [each.text for each in said if isinstance(each, Note) and each.level == "warning"]


def paid(micros: int, listed: int | None, model: str = "m") -> Spent:
    return Spent(micros, micros, model, 1, 1, known="provider", listed=listed)


async def test_a_provider_that_charges_more_than_the_list_is_told_once_a_run_and_model(
    broker: Broker,
) -> None:
    witness = LogWitness(broker, Live())
    for run in (RUN, RUN, OTHER):
        await witness.settled(run, paid(1_060_000, 1_000_000))
    words = "the provider charged $1.06 for a call of m; the price list says $1.00"
    assert await warned(broker, RUN) == [words]
    assert await warned(broker, OTHER) == [words]


@pytest.mark.parametrize(
    ("micros", "listed"), [(1_050_000, 1_000_000), (960_000, 1_000_000), (5, None)]
)
async def test_what_hardly_differs_is_nobodys_concern(
    broker: Broker, micros: int, listed: int | None
) -> None:
    await LogWitness(broker, Live()).settled(RUN, paid(micros, listed))
    assert await warned(broker, RUN) == []
