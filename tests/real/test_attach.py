"""A person takes over the real agents' own screens, in the same conversation, and hands back."""

import asyncio
import os
import shutil
import sys

import pytest

from app import wire
from app.domain.run import RunState
from tests.real.plans import AGENTS
from tests.real.stories import side_by_side, to_rest
from tests.support.patience import PATIENCE
from tests.support.screens import Terminal
from tests.support.world import World, story

pytestmark = [
    pytest.mark.docker,
    pytest.mark.real,
    pytest.mark.tmux,
    pytest.mark.asyncio(loop_scope="module"),
]
SAID = "There is more now."
ASKS = ("Do you want to", "Would you like to", "Permission required", "Open existing task")
"""How each asks before it writes, or opens; yes is what is chosen at first."""
ANSWER = "That is from your hands."


@pytest.fixture(scope="module", autouse=True)
def tmux() -> None:
    if shutil.which("tmux") is None:
        if "tmux" in os.environ.get("SWARM_REQUIRE", ""):
            pytest.fail("SWARM_REQUIRE names tmux, but it is not installed")
        pytest.skip("tmux is not installed")


@story
async def taken_over(house: World) -> dict[str, tuple[wire.RunDetail, str]]:
    """Of each agent: the run after it, and the screen on which a person saw the answer."""
    screens: dict[str, str] = {}

    async def tell(agent: str) -> wire.RunDetail:
        user = house.user()
        run = await user.submit(f"Write more [[plan:{agent}-again]]", agent=agent)
        await to_rest(user, run)
        argv = [sys.executable, "-m", "app", "attach", run]
        terminal = Terminal(argv, size=(110, 36), env=house.home.env)
        screens[agent] = await asyncio.to_thread(by_hand, terminal, agent)
        async with asyncio.timeout(PATIENCE):
            while len((await user.client.detail(run)).reviews) < 2:
                await asyncio.sleep(0.1)
        return await user.until(run, RunState.IN_REVIEW)

    details = await side_by_side(AGENTS, tell)
    return {agent: (details[agent], screens[agent]) for agent in AGENTS}


def by_hand(terminal: Terminal, agent: str) -> str:
    """What a person does at the keyboard: read, type, read, leave, hand back."""
    with terminal:
        agreed(terminal, SAID)
        terminal.type(f"Now by hand [[plan:{agent}-hands]]")
        terminal.wait_for("-hands]]")
        terminal.press("Enter")
        seen = agreed(terminal, ANSWER)
        terminal.press("C-]")
        terminal.wait_for("r, g or k:")
        terminal.type("r")
        terminal.press("Enter")
        terminal.wait_for("is handed back")
        return seen


def agreed(terminal: Terminal, text: str) -> str:
    """Say yes to what it asks on its own screen, until the text is there."""
    for _ in range(int(PATIENCE)):
        try:
            return terminal.wait_for(text, seconds=1)
        except AssertionError:
            shown = terminal.text()
            if "Use existing model" in shown:
                terminal.press("Down", "Enter")
            elif any(asks in shown for asks in ASKS):
                terminal.press("Enter")
    return terminal.wait_for(text)


each_agent = pytest.mark.parametrize("agent", AGENTS)


@each_agent
async def test_the_conversation_goes_on_on_its_own_screen(
    taken_over: dict[str, tuple[wire.RunDetail, str]], agent: str
) -> None:
    assert ANSWER in taken_over[agent][1]


@each_agent
async def test_what_was_done_by_hand_comes_to_review_with_the_rest(
    taken_over: dict[str, tuple[wire.RunDetail, str]], agent: str
) -> None:
    files = {file.path for file in taken_over[agent][0].reviews[-1].files}
    assert {"more.txt", "hands.txt"} <= files


@each_agent
async def test_what_it_cost_is_counted(
    taken_over: dict[str, tuple[wire.RunDetail, str]], agent: str
) -> None:
    assert taken_over[agent][0].spend.calls >= 4
