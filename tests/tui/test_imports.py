"""What the screen loads: nothing heavy before the first frame."""

import subprocess
import sys
import textwrap

HEAVY = (
    "pydantic",
    "httpx",
    "docker",
    "sqlalchemy",
    "dbos",
    "yaml",
    "aiohttp",
    "starlette",
    "typer",
    "git",
    "tree_sitter",
)

PROGRAM = """
import asyncio, sys
from tests.support.fleet import RecordedSwarm, app_over
from tests.support.story import story
from tests.support.screens import text_of

async def main():
    async with app_over(RecordedSwarm(story())).run_test(size=(160, 48)) as pilot:
        await pilot.pause()
        assert "rename Budget" in text_of(pilot.app)

asyncio.run(main())
print(*sorted({name.partition(".")[0] for name in sys.modules}))
"""


def test_nothing_heavy_is_loaded_after_the_first_frame() -> None:
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(PROGRAM)], capture_output=True, text=True, check=True
    )
    assert set(HEAVY) & set(done.stdout.split()) == set()


def test_importing_the_screen_does_nothing() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import app.tui.app"], capture_output=True, text=True, check=True
    )
    assert (done.stdout, done.stderr) == ("", "")
