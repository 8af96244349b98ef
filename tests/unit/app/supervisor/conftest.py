"""A log of one's own."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.store.database import Database
from app.supervisor.broker import Broker


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[Broker]:
    """A writer whose clock stands at 1."""
    database = Database.open(tmp_path)
    broker = Broker(database, clock=lambda: 1.0)
    broker.start()
    yield broker
    await broker.close()
    await asyncio.to_thread(database.close)
