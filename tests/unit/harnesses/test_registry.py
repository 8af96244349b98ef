from importlib.metadata import EntryPoint, EntryPoints

import pytest

from harnesses import registry
from harnesses.errors import HarnessError, UnknownHarness

OURS = ("claude-code", "scripted")


class Unfinished:
    name = "unfinished"

    def check(self) -> None:
        """A part, but not all."""


def install(monkeypatch: pytest.MonkeyPatch, *points: tuple[str, str]) -> None:
    """Pretend that packages with these entry points are installed."""
    made = EntryPoints(EntryPoint(name, value, registry.GROUP) for name, value in points)
    monkeypatch.setattr(registry, "entry_points", lambda group: made.select(group=group))


def test_our_drivers_are_installed() -> None:
    assert set(OURS) <= set(registry.names())


@pytest.mark.parametrize("name", OURS)
def test_a_driver_is_loaded_by_its_name(name: str) -> None:
    assert registry.load(name).name == name


def test_an_unknown_harness_is_told_the_nearest() -> None:
    with pytest.raises(UnknownHarness, match="did you mean `claude-code`"):
        registry.load("claude-cod")


def test_an_unknown_harness_is_told_what_is_installed() -> None:
    with pytest.raises(UnknownHarness) as caught:
        registry.load("zzz")
    assert "scripted" in caught.value.hint


def test_a_driver_that_does_not_import_is_an_error_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, ("broken", "no_such_module_anywhere:Driver"))
    with pytest.raises(HarnessError, match=r"`broken`.*does not load"):
        registry.load("broken")


def test_a_driver_that_lacks_parts_is_told_which(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, ("unfinished", f"{__name__}:Unfinished"))
    with pytest.raises(HarnessError, match="lacks launch, session, capabilities"):
        registry.load("unfinished")


def test_a_driver_under_a_foreign_name_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, ("other", "harnesses.scripted:Scripted"))
    with pytest.raises(HarnessError, match="lacks name = 'other'"):
        registry.load("other")


def test_one_broken_driver_does_not_hide_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    install(
        monkeypatch,
        ("broken", "no_such_module:Driver"),
        ("scripted", "harnesses.scripted:Scripted"),
    )
    installed = registry.load_all()
    assert list(installed.harnesses) == ["scripted"]
    assert "broken" in installed.warnings[0]
