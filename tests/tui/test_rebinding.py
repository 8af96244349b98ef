"""A person's own keys: they do what the old ones did, stand wherever keys are shown, and are refused in words."""

from collections.abc import Iterator

import pytest

from app import wire
from app.tui.actions import ACTIONS, use
from app.tui.keymap import footer, help_lines
from app.tui.rebinding import rebound
from tests.support.fleet import RecordedSwarm, app_over
from tests.support.screens import seen

Keys = dict[str, tuple[str, ...]]


@pytest.fixture(autouse=True)
def shipped_table() -> Iterator[None]:
    yield
    use(ACTIONS)


def faults(keys: Keys) -> str:
    return "\n".join(rebound(keys, dict.fromkeys(keys, "config.yaml:7"))[1])


async def test_a_key_of_ones_own_does_what_the_old_one_did(swarm: RecordedSwarm) -> None:
    app = app_over(swarm, look=wire.Look(keys={"inbox": ("f5",)}))
    async with app.run_test(notifications=True, size=(80, 24)) as pilot:
        await pilot.press("I")
        await seen(pilot, "needs you first")
        await pilot.press("f5")
        await seen(pilot, "INBOX")


async def test_two_actions_can_change_places(swarm: RecordedSwarm) -> None:
    app = app_over(swarm, look=wire.Look(keys={"trash": ("H",), "doctor": ("T",)}))
    async with app.run_test(notifications=True, size=(80, 24)) as pilot:
        await pilot.press("H")
        await seen(pilot, "TRASH")
        await pilot.press("escape", "T")
        await seen(pilot, "HEALTH")


async def test_a_key_with_two_keys_before_can_have_three_or_one(swarm: RecordedSwarm) -> None:
    app = app_over(
        swarm,
        look=wire.Look(keys={"down": ("w", "x", "down"), "stop": ("f8",), "allow_host": ("f9",)}),
    )
    async with app.run_test(notifications=True, size=(80, 24)) as pilot:
        first = app.screen.query_one("#fleet").cursor  # type: ignore[attr-defined]
        await pilot.press("w", "x", "j")
        assert app.screen.query_one("#fleet").cursor == first + 2  # type: ignore[attr-defined]


async def test_a_comma_can_be_given_away(swarm: RecordedSwarm) -> None:
    look = wire.Look(keys={"settings": ("f4",), "costs": (",",)})
    async with app_over(swarm, look=look).run_test(notifications=True, size=(80, 24)) as pilot:
        await pilot.press("comma")
        await seen(pilot, "COST")


async def test_footer_help_and_palette_show_it(swarm: RecordedSwarm) -> None:
    app = app_over(swarm, look=wire.Look(keys={"review.comment": ("f7",)}))
    async with app.run_test(size=(80, 24)):
        shown = "".join(text for line in help_lines("review", 100) for text, _ink in line)
        assert "f7          Write a comment on this line, or" in shown
        assert ("f7", "key") in footer("review", swarm.recording.rows[1].run.state, 200)


async def test_what_is_wrong_is_said_and_the_shipped_keys_hold(swarm: RecordedSwarm) -> None:
    look = wire.Look(keys={"inbx": ("f5",)}, keys_from={"inbx": "config.yaml:7"})
    async with app_over(swarm, look=look).run_test(notifications=True, size=(100, 30)) as pilot:
        await seen(pilot, "did you mean 'inbox'?")
        await pilot.press("I")
        await seen(pilot, "INBOX")


async def test_a_configuration_that_cannot_be_meant_is_said(swarm: RecordedSwarm) -> None:
    look = wire.Look(fault="config.yaml:2: screen.theme should be 'dark'")
    async with app_over(swarm, look=look).run_test(notifications=True, size=(100, 30)) as pilot:
        await seen(pilot, "What was read last holds.")


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"aprove": ("m",)}, "config.yaml:7: aprove is no action; did you mean 'approve'?"),
        ({"reviw.approve": ("m",)}, "names no place; did you mean 'review'?"),
        ({"inbox.approve": ("m",)}, "inbox.approve is no action there"),
        ({"approve": ("entr",)}, "has 'entr', which is no key; did you mean 'enter'?"),
        ({"approve": ()}, "has no key"),
        ({"approve": ("ctrl+c",)}, "cannot have ctrl+c"),
        (
            {"approve": ("c",)},
            "c would mean both approve (approve + merge) and comment (comment) in a review",
        ),
        ({"approve": ("j",)}, "j would mean both approve (approve + merge) and down (down)"),
    ],
)
def test_keys_that_cannot_be_meant_are_refused_in_words(keys: Keys, said: str) -> None:
    assert said in faults(keys)


@pytest.mark.parametrize("key", ["^g", "Ctrl+g", "f5", "alt+x", "ä", "+", "f12", "ctrl+right"])
def test_keys_may_be_written_as_people_write_them(key: str) -> None:
    assert faults({"approve": (key,)}) == ""


def test_the_shipped_table_has_no_clash() -> None:
    assert rebound({}, {}) == (ACTIONS, [])
