"""Pictures of the running application for the manual: `python -m tests.support.pictures`.

With the word `keys` it writes the page of keys instead, with `snapshots` the texts that tests compare.
"""

import asyncio
import os
import re
import sys
import time
from pathlib import Path
from typing import Final

from app.tui.keymap import manual
from tests.support.fleet import RecordedSwarm, app_over
from tests.support.screens import settled, text_of
from tests.support.story import story

DOCS: Final = Path(__file__).parents[2] / "docs"
SNAPSHOTS: Final = Path(__file__).parents[1] / "tui" / "snapshots"
SIZES: Final = ((160, 48), (80, 24))
SCENES: Final[dict[str, tuple[str, ...]]] = {
    "board": ("j", "j", "j", "j", "2", "k", "k", "k", "k"),
    "run": ("enter",),
    "review": ("j", "enter", "]", "]", "]", "j", "j", "j", "j", "j", "j"),
}
"""Keys that lead from the start to what the picture shows."""
_GENERATED: Final = re.compile(r"terminal-\d+-")


async def draw(scene: str, size: tuple[int, int]) -> tuple[str, str]:
    """One picture, as SVG and as text."""
    app = app_over(RecordedSwarm(story()))
    async with app.run_test(size=size) as pilot:
        await settled(pilot)
        for key in SCENES[scene]:
            await pilot.press(key)
            await settled(pilot)
        drawn = app.export_screenshot(title=f"swarm: {scene}", simplify=True)
        text = text_of(app)
    # The same picture is the same file, whenever it is drawn.
    return _GENERATED.sub("terminal-", drawn), text


async def draw_all(folder: Path, *, text: bool = False) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for scene in SCENES:
        for width, height in SIZES:
            picture, words = await draw(scene, (width, height))
            target = folder / f"{scene}-{width}x{height}.{'txt' if text else 'svg'}"
            target.write_text(words if text else picture, encoding="utf-8")


def main(words: list[str]) -> None:
    if words == ["keys"]:
        (DOCS / "reference" / "keys.md").write_text(manual(), encoding="utf-8")
        return
    os.environ["TZ"] = "UTC"
    time.tzset()
    if words == ["snapshots"]:
        asyncio.run(draw_all(SNAPSHOTS, text=True))
    else:
        asyncio.run(draw_all(DOCS / "pictures"))


if __name__ == "__main__":
    main(sys.argv[1:])
