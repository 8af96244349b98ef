"""What a person can ask about the installation rather than about a run: its state, its disk, its records."""

from app import wire
from app.domain.ids import RunId
from app.store import audit, board, tasks
from app.supervisor import checkup, image_verbs, notifying, written
from app.supervisor.disk import disk_of
from app.supervisor.services import Services
from app.supervisor.tidy import tidy


class Upkeep:
    """The verbs of whoever keeps the place in order."""

    def __init__(self, s: Services) -> None:
        self._s = s

    async def sweep(self, body: wire.Sweep) -> tuple[wire.SweepLine, ...]:
        unsaved = await self._s.database.read(tasks.find, body.unsaved) if body.unsaved else None
        return await tidy(self._s, dry_run=body.dry_run, unsaved=unsaved)

    async def disk(self, repo: str) -> tuple[wire.DiskLine, ...]:
        return await disk_of(self._s, await self._s.database.read(board.rows, repo))

    async def trash(self) -> tuple[wire.RunRow, ...]:
        return await self._s.database.read(board.rows, trash=True)

    async def agents(self) -> tuple[wire.AgentLine, ...]:
        return await checkup.agents(self._s)

    async def image(self, repo: str, base: str) -> wire.ImageWish:
        return await image_verbs.show(self._s, repo, base)

    async def approve_image(self, body: wire.ApproveImage) -> wire.ImageWish:
        return await image_verbs.approve(self._s, body)

    async def doctor(self) -> tuple[wire.DoctorLine, ...]:
        return await checkup.doctor(self._s)

    async def look(self) -> wire.Look:
        return await written.look(self._s)

    async def settings(self, repo: str) -> tuple[wire.SettingLine, ...]:
        return await written.settings(self._s, repo)

    async def try_notices(self) -> tuple[wire.NotifyLine, ...]:
        return await notifying.test(self._s)

    async def audit(self, run: RunId | None) -> tuple[wire.AuditRow, ...]:
        return await self._s.database.read(audit.rows, run)
