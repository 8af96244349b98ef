"""Whether everything swarm relies on is there, and what to do where it is not; and how other hosts are."""

from collections.abc import Mapping
from typing import ClassVar

from textual.binding import BindingType

from app.tui.actions import Place
from app.tui.desk import Desk
from app.tui.keymap import bindings
from app.tui.model.line import Line
from app.tui.model.upkeep import health_lines, health_words, host_lines
from app.tui.screens.base import Verb
from app.tui.screens.sheet import OF_A_SHEET, Sheet
from app.wire import DoctorLine, HostLine


class DoctorScreen(Sheet):
    """What `swarm doctor` says, what is wrong first; below it what `swarm hosts` says, where there are several."""

    PLACE: ClassVar[Place] = "doctor"
    HEAD: ClassVar[str] = "HEALTH"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("doctor")]
    DOES: ClassVar[Mapping[str, Verb]] = OF_A_SHEET

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.found: tuple[DoctorLine, ...] | None = None
        self.hosts: tuple[HostLine, ...] = ()

    async def fetch(self) -> None:
        self.hosts = await self.desk.swarm.hosts()
        self.found = await self.desk.swarm.doctor()

    def heading(self) -> tuple[Line, str, str]:
        return health_words(self.found), "what swarm relies on", "R looks again"

    def drawn(self, width: int) -> list[Line]:
        return [*health_lines(self.found, width), *host_lines(self.hosts, width)]
