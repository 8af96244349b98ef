"""`make soak`: concurrent tasks under random faults, and a figure for each kind of fault survived.

python -m tests.soak [--seconds 150] [--tasks 20] [--seed N] [--only sqlite/docker] [--restart-docker COMMAND]
"""

import argparse
import asyncio
import random
import statistics
import sys
import time
from collections.abc import Iterable
from typing import Final, get_args

from app.gateway.rehearsal import Rehearsal
from tests.soak.life import Soak, Struck, Told, survived
from tests.soak.setting import Boxes, Setting, Store, setting
from tests.support.nursery import nursery

PAIRS: Final[tuple[tuple[Store, Boxes], ...]] = (("sqlite", "docker"), ("postgres", "memory"))


def main() -> int:
    parser = argparse.ArgumentParser(prog="make soak", description=__doc__)
    parser.add_argument(
        "--seconds", type=float, default=150.0, help="how long faults strike, in all"
    )
    parser.add_argument("--tasks", type=int, default=20, help="how many run at the same time")
    parser.add_argument("--seed", type=int, default=None, help="of an earlier soak, to repeat it")
    parser.add_argument(
        "--only", default="", help="one pair of database and sandbox: sqlite/memory"
    )
    parser.add_argument(
        "--restart-docker", default="", metavar="COMMAND",
        help="restart the engine with this command, too: it ends every container of this machine's users",
    )  # fmt: skip
    said = parser.parse_args()
    seed = int(time.time()) if said.seed is None else said.seed
    pairs = [_pair(said.only)] if said.only else list(PAIRS)
    print(f"seed {seed}; {said.tasks} tasks at a time; faults for {said.seconds:g} s in all")
    clean = True
    for store, boxes in pairs:
        with setting(store, boxes) as at:
            told = _soaked(at, seed, said.tasks, said.seconds / len(pairs), said.restart_docker)
            clean &= _print(f"{store}, {boxes} sandboxes", at, told, said.tasks)
    return 0 if clean else 1


def _pair(text: str) -> tuple[Store, Boxes]:
    store, _, boxes = text.partition("/")
    if store not in get_args(Store) or boxes not in get_args(Boxes):
        sys.exit(f"--only {text}: say sqlite or postgres, a slash, and memory or docker")
    return store, boxes  # type: ignore[return-value]  # looked at just now


def _soaked(at: Setting, seed: int, tasks: int, seconds: float, restart_docker: str) -> Told:
    async def soak() -> Told:
        async with Rehearsal() as provider:
            whole = Soak(at, cradle, random.Random(seed), tasks)
            return await whole.live(seconds, provider.url, restart_docker)

    with nursery() as cradle:
        return asyncio.run(soak())


def _print(name: str, at: Setting, told: Told, tasks: int) -> bool:
    """The figures of one setting; whether nothing was lost or doubled."""
    print(f"\n{name}")
    print(f"  {'fault':24} {'times':>5} {'survived':>8} {'answers again after':>22}")
    for fault, struck in sorted(told.faults.items()):
        lived = survived(struck, told.landed)
        print(f"  {fault:24} {len(struck.hit):5} {lived:8} {_away(struck):>22}")
    for fault, why in _left_out(at, told):
        print(f"  {fault:24} not tried: {why}")
    print(
        f"  {len(told.landed)} of {tasks} tasks have landed; {told.starts} supervisors lived; "
        f"a person answered {told.answered} questions, and sent {told.resumed.total()} back to work:"
    )
    for reason, times in told.resumed.most_common():
        print(f"  {times:5} {reason}")
    for line in told.broken:
        print(f"  BROKEN: {line}")
    if told.broken:
        print(told.log)
    lived_through = all(survived(s, told.landed) == len(s.hit) for s in told.faults.values())
    return len(told.landed) == tasks and lived_through and not told.broken


def _away(struck: Struck) -> str:
    return f"{statistics.median(struck.away):.1f} s, at most {max(struck.away):.1f} s"


def _left_out(at: Setting, told: Told) -> Iterable[tuple[str, str]]:
    if at.disk is None:
        yield "disk full", "only root may mount a small disk"
    if at.boxes == "docker" and "engine restarted" not in told.faults:
        yield "engine restarted", "it would end what others run; --restart-docker COMMAND does it"


if __name__ == "__main__":
    sys.exit(main())
