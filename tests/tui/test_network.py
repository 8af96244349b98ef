"""What a run reaches besides models, on the screen, and the key that allows one host more."""

import pytest

from app import wire
from app.domain.errors import NotNow
from app.domain.ids import RunId
from app.domain.network import NetworkRefusal
from app.tui.model.line import line_cells
from app.tui.model.network import network_lines, wanted
from tests.support.fleet import RecordedSwarm, app_over
from tests.support.nouns import a_network, refused_host
from tests.support.screens import seen

RUN = RunId("h7fz4.1")


REACH = a_network(
    RUN,
    refused_host("docs.example.org"),
    refused_host("10.0.0.1:443", NetworkRefusal.NOT_A_HOST),
    refused_host("older.example.org"),
    refused_host("newest.example.org"),
    hosts=("pypi.org", "files.pythonhosted.org"),
)


@pytest.fixture
def reaching(swarm: RecordedSwarm) -> RecordedSwarm:
    swarm.recording.network[RUN] = REACH
    return swarm


async def test_the_network_tab_tells_what_was_asked_for(reaching: RecordedSwarm) -> None:
    async with app_over(reaching).run_test(notifications=True, size=(80, 24)) as pilot:
        await pilot.press("enter", "5")
        screen = await seen(pilot, "HOST")
        assert "600.0 kB of 1.0 MB" in screen
        assert "docs.example.org (by ada)" in screen
        assert "it is not allowed for this run" in screen


async def test_w_offers_the_host_that_was_refused_last(reaching: RecordedSwarm) -> None:
    async with app_over(reaching).run_test(notifications=True, size=(80, 24)) as pilot:
        await pilot.press("enter")
        await seen(pilot, "asks    Bash: git grep")
        await pilot.press("w")
        await seen(pilot, "may reach one more host?")
        assert "older.example.org" in await seen(pilot, "newest.example.org")
        assert reaching.asked == []
        await pilot.press("enter")
        await seen(pilot, "may reach newest.example.org")
    body = wire.AllowHost(host="newest.example.org", by="ada")
    assert reaching.asked == [("allow", RUN, body)]


async def test_leaving_the_question_allows_nothing(reaching: RecordedSwarm) -> None:
    async with app_over(reaching).run_test(notifications=True, size=(80, 24)) as pilot:
        await pilot.press("enter")
        await seen(pilot, "asks    Bash: git grep")
        await pilot.press("w")
        await seen(pilot, "may reach one more host?")
        await pilot.press("escape")
        await seen(pilot, "may reach one more host?", gone=True)
    assert reaching.asked == []


async def test_what_the_supervisor_refuses_is_said(reaching: RecordedSwarm) -> None:
    reaching.refusal = NotNow("run h7fz4.1 is merged")
    async with app_over(reaching).run_test(notifications=True, size=(80, 24)) as pilot:
        await pilot.press("enter")
        await seen(pilot, "asks    Bash: git grep")
        await pilot.press("w")
        await seen(pilot, "may reach one more host?")
        await pilot.press("enter")
        await seen(pilot, "is merged")


async def test_a_run_that_was_refused_nothing_has_nothing_to_allow(swarm: RecordedSwarm) -> None:
    async with app_over(swarm).run_test(notifications=True, size=(80, 24)) as pilot:
        await pilot.press("enter")
        await seen(pilot, "asks    Bash: git grep")
        await pilot.press("w")
        await seen(pilot, "was refused no host that could be allowed")


def test_only_hosts_that_could_be_allowed_are_offered() -> None:
    assert wanted(REACH) == ["newest.example.org", "older.example.org"]


@pytest.mark.parametrize("width", [40, 78, 158])
def test_no_line_is_wider_than_the_screen(width: int) -> None:
    assert max(map(line_cells, network_lines(REACH, width))) <= width
