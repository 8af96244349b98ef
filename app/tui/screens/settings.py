"""Every setting in force here, and the file and line it is from."""

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from textual.binding import BindingType

from app.tui.actions import Place
from app.tui.desk import Desk
from app.tui.keymap import bindings
from app.tui.model.line import Line
from app.tui.model.upkeep import setting_lines
from app.tui.screens import outside
from app.tui.screens.base import Verb
from app.tui.screens.sheet import OF_A_SHEET, Sheet
from app.wire import SettingLine


def edit_own(screen: "SettingsScreen") -> None:
    """The person's own file; what they wrote is read again afterwards."""
    if not screen.desk.look.file:
        screen.say("the supervisor did not say where your configuration is")
        return
    own = Path(screen.desk.look.file)
    try:
        own.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        screen.say(f"{own.parent} cannot be made: {error.strerror or error}", bad=True)
        return
    outside.edit(screen, own)
    screen.load()


class SettingsScreen(Sheet):
    """What `swarm config show` says, for the repository the screen was opened in."""

    PLACE: ClassVar[Place] = "settings"
    HEAD: ClassVar[str] = "SETTINGS"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("settings")]
    DOES: ClassVar[Mapping[str, Verb]] = {**OF_A_SHEET, "edit": edit_own}

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.settings: tuple[SettingLine, ...] | None = None

    async def fetch(self) -> None:
        self.settings = await self.desk.swarm.settings(self.desk.repo)

    def heading(self) -> tuple[Line, str, str]:
        where: Line = [(f" {self.desk.repo}", "bright")] if self.desk.repo else []
        own = self.desk.look.file
        return where, "what is written stands out", f"e opens {own}" if own else ""

    def drawn(self, width: int) -> list[Line]:
        return setting_lines(self.settings, width)
