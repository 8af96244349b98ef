"""Widgets of ours keep out of the names Textual uses for itself: it would call ours instead, and say nothing."""

import importlib
import inspect
import pkgutil
import re
from typing import Any

import pytest
from textual.message_pump import MessagePump

import app.tui

MEANT = {
    "BINDINGS", "CSS_PATH", "TITLE", "DEFAULT_CSS", "COMMAND_PALETTE_BINDING",
    "HORIZONTAL_BREAKPOINTS", "VERTICAL_BREAKPOINTS", "animation_level", "compose", "get_content_height",
    "get_default_screen", "get_line_filters", "get_system_commands", "get_theme_variable_defaults",
    "notify_style_update", "on_mount", "pop_screen", "render_line", "rich_style", "switch_screen", "theme",
    "virtual_size", "watch_scroll_y",
}  # fmt: skip
"""Overridden or set on purpose; of `on_…`, Textual calls that of every class."""
MADE_BY_TEXTUAL = re.compile(
    r"__|_(decorated_handlers|reactives|inherit_|css_type|merged_bindings|computes)|can_focus"
)
ASSIGNED = re.compile(r"self\.(\w+)(?:: [^=\n]+)? = ")


def ours() -> list[type[MessagePump]]:
    found = []
    for module in pkgutil.walk_packages(app.tui.__path__, "app.tui."):
        for value in vars(importlib.import_module(module.name)).values():
            if (
                inspect.isclass(value)
                and issubclass(value, MessagePump)
                and value.__module__ == module.name
            ):
                found.append(value)
    return found


def names(cls: type[Any]) -> set[str]:
    """What the class defines, and what it sets on itself."""
    defined = {name for name in vars(cls) if not MADE_BY_TEXTUAL.match(name)}
    return defined | set(ASSIGNED.findall(inspect.getsource(cls)))


@pytest.mark.parametrize("cls", ours(), ids=lambda cls: cls.__name__)
def test_no_name_of_textual_is_taken_by_accident(cls: type[MessagePump]) -> None:
    theirs = [base for base in cls.__mro__ if base.__module__.startswith("textual.")]
    taken = set().union(*(names(base) for base in theirs))
    assert names(cls) & taken <= MEANT
