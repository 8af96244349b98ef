"""The supervisor is killed between any two of reserve, forward and settle: nothing is spent unrecorded."""

import asyncio
import contextlib
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.store import ledger
from app.store.database import Database
from app.store.tables import HOLD, SPEND
from app.wire import Spend
from tests.support.model_endpoint import RUN_ID, Bench, add_run, ask, bench

SUPERVISOR = """
import asyncio, os, signal, sys
from pathlib import Path
from app.gateway.prices import Prices
from app.gateway.server import Gateway
from app.gateway.settings import GatewaySettings, Upstream
from app.store.database import Database
from app.supervisor.money import StoreLedger
from tests.support.model_endpoint import RUN_ID, RUN_KEY, Witnessed

directory, url, moment = Path(sys.argv[1]), sys.argv[2], sys.argv[3]

def die(at):
    if at == moment:
        os.kill(os.getpid(), signal.SIGKILL)

class Mortal(StoreLedger):
    async def reserve(self, *args, **named):
        die("before reserve")
        try:
            return await super().reserve(*args, **named)
        finally:
            die("after reserve")

    async def settle(self, *args):
        die("before settle")
        try:
            return await super().settle(*args)
        finally:
            die("after settle")

    async def release(self, hold):
        die("before release")
        await super().release(hold)

async def main():
    settings = GatewaySettings(upstreams=(Upstream(name="anthropic", url=url),), attempts=1)
    gateway = Gateway(settings, Mortal(Database.open(directory)), Witnessed(), prices=Prices(settings))
    await gateway.open(RUN_ID, directory / "s" / "r" / "gateway.sock", RUN_KEY)
    print("ready", flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


@dataclass(frozen=True)
class Aftermath:
    """What is found when the next supervisor starts."""

    forwarded: int
    billed: int
    open_holds: int
    """Before anything is mended."""
    spend: Spend
    """After that."""
    rows: int


async def killed(tmp_path: Path, moment: str, words: str) -> Aftermath:
    """One call, and a kill at that moment of it; `hanging` is when the provider has it and says nothing."""
    database = Database.open(tmp_path)
    await database.write(add_run, RUN_ID, 1_000_000)
    async with bench(key="") as b:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", SUPERVISOR, str(tmp_path), b.endpoint.url, moment),
            stdout=asyncio.subprocess.PIPE,
        )
        assert process.stdout is not None
        assert await process.stdout.readline() == b"ready\n"
        there = Bench(b.gateway, b.endpoint, b.witness, database, tmp_path / "s/r/gateway.sock")
        asking = asyncio.create_task(there.post(ask(words)))
        if moment == "hanging":
            while not b.endpoint.calls:
                await asyncio.sleep(0.01)
            process.send_signal(signal.SIGKILL)
        assert await process.wait() == -signal.SIGKILL
        await asyncio.gather(asking, return_exceptions=True)
        usages = [call.billed for call in b.endpoint.calls if call.billed is not None]
        holds = [row for row in await there.rows(HOLD) if row["settled"] is None]
        # Twice, as when that start is killed as well.
        for now in (9.0, 10.0):
            await database.write(ledger.settle_lost, now=now)
        found = Aftermath(
            forwarded=len(b.endpoint.calls),
            billed=sum(usage.input * 4 + usage.output * 20 for usage in usages),
            open_holds=len(holds),
            spend=await there.spend(),
            rows=len(await there.rows(SPEND)),
        )
    with contextlib.closing(database):
        return found


CALL = "[[usage input=20 output=900]]"


async def test_before_the_reservation_nothing_was_sent_and_nothing_is_charged(
    tmp_path: Path,
) -> None:
    found = await killed(tmp_path, "before reserve", CALL)
    assert (found.forwarded, found.open_holds, found.spend.micros) == (0, 0, 0)


@pytest.mark.parametrize(
    ("moment", "words", "forwarded"),
    [
        ("after reserve", CALL, 0),
        ("hanging", "[[usage input=20 output=900 fault=hang]]", 1),
        ("before settle", CALL, 1),
        ("before release", "[[usage fault=500]]", 1),
    ],
)
async def test_between_reservation_and_settlement_the_whole_hold_is_charged_once(
    tmp_path: Path, moment: str, words: str, forwarded: int
) -> None:
    found = await killed(tmp_path, moment, words)
    assert (found.forwarded, found.open_holds) == (forwarded, 1)
    assert found.billed <= found.spend.micros <= 1_000_000
    assert found.spend.micros >= 20_000
    assert (found.spend.held, found.rows) == (0, 1)


async def test_after_the_settlement_the_exact_cost_stands_and_nothing_is_added(
    tmp_path: Path,
) -> None:
    found = await killed(tmp_path, "after settle", CALL)
    assert (found.forwarded, found.open_holds) == (1, 0)
    assert found.spend.micros == found.billed > 0
    assert (found.spend.held, found.rows) == (0, 1)
