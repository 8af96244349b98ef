"""How much of the disk a directory takes."""

from pathlib import Path
from typing import Final

from app.repo.git import environment
from app.repo.process import Bounds, finish

_COUNT: Final = Bounds(seconds=60.0)


async def used(place: Path) -> int | None:
    """Bytes, links not followed; 0 when it is not there, None when they cannot be counted in a minute."""
    if not place.exists():
        return 0
    env = environment(home=False)
    done = await finish(["du", "-sk", "--", str(place)], _COUNT, env=env)
    count = done.stdout.decode(errors="replace").partition("\t")[0]
    return int(count) * 1024 if count.isdigit() else None
