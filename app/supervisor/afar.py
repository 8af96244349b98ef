"""Other hosts, and people who ask over the network."""

import re
from typing import Final

import sqlalchemy as sa

from app import wire
from app.domain.errors import NotAllowed, UsageError
from app.store import audit, hosts, tokens
from app.supervisor.services import Services

_NAME: Final = re.compile(r"[\w.@-]{1,64}")


class Afar:
    """The verbs about hosts and tokens."""

    def __init__(self, s: Services) -> None:
        self._s = s

    async def hosts(self) -> tuple[wire.HostLine, ...]:
        """Every host that shares this database; this one alone where there are no others."""
        if not self._s.member:
            return ()
        return await self._s.database.read(_lines, self._s.engine.host)

    async def add_token(self, body: wire.NewToken) -> wire.Token:
        if not _NAME.fullmatch(body.name):
            raise UsageError(
                f"{body.name!r} cannot be the name of a token",
                hint="Use at most 64 letters, digits, '.', '_', '@' and '-'.",
            )
        s, now = self._s, self._s.clock()

        def write(c: sa.Connection) -> wire.Token:
            made = tokens.add(c, body.name, body.role, by=body.by, at=now)
            audit.record(
                c, key=f"token/{body.name}", what="token made", actor=body.by, at=now,
                name=body.name, role=str(body.role),
            )  # fmt: skip
            return made

        return await s.database.write(write)

    async def tokens(self) -> tuple[wire.TokenLine, ...]:
        return await self._s.database.read(tokens.lines)

    async def revoke_token(self, name: str, body: wire.Act) -> None:
        now = self._s.clock()

        def write(c: sa.Connection) -> None:
            tokens.revoke(c, name, now)
            key = f"token/{name}/revoked"
            audit.record(c, key=key, what="token revoked", actor=body.by, at=now, name=name)

        await self._s.database.write(write)

    async def holder(self, token: str) -> wire.TokenLine:
        """Whose token it is. Raises `NotAllowed`."""
        found = await self._s.database.read(tokens.holder, token) if token else None
        if found is None:
            raise NotAllowed(
                "this token does not count" if token else "a token is needed here",
                hint="Ask whoever runs this supervisor for one (`swarm token add`), and set SWARM_TOKEN.",
            )
        return found


def _lines(c: sa.Connection, here: str) -> tuple[wire.HostLine, ...]:
    at, busy = hosts.now(c), [host for host, _ in hosts.busy(c)]
    return tuple(
        wire.HostLine(
            id=host.id,
            name=host.name,
            state="dead" if hosts.silent(host, at) else host.state,
            silent=max(0.0, at - host.beat),
            labels=host.labels,
            busy=busy.count(host.id),
            capacity=host.capacity,
            version=host.version,
            skew=host.skew,
            here=host.id == here,
        )
        for host in hosts.hosts(c)
    )
