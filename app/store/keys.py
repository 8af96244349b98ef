"""The runs' own keys for the gateway."""

import secrets

import sqlalchemy as sa

from app.domain.ids import Mint, RunId
from app.store.sql import insert_once
from app.store.tables import RUN_KEY


def mint() -> str:
    """A new key; its form says that it is no provider's."""
    return f"swarm-run-{secrets.token_urlsafe(24)}"


def ensure_key(c: sa.Connection, run: RunId, dialect: str, mint: Mint = mint) -> str:
    """The run's key: the one it has, or a new one when it has none or its last was revoked."""
    key = mint()
    if insert_once(c, RUN_KEY, run=run, key=key, dialect=dialect):
        return key
    fresh = sa.update(RUN_KEY).where(RUN_KEY.c.run == run, RUN_KEY.c.revoked.is_not(None))
    c.execute(fresh.values(key=key, dialect=dialect, revoked=None))
    stored: str = c.execute(sa.select(RUN_KEY.c.key).where(RUN_KEY.c.run == run)).scalar_one()
    return stored


def key_of(c: sa.Connection, run: RunId) -> str | None:
    """The run's key; None when it has none that is valid."""
    valid = sa.select(RUN_KEY.c.key).where(RUN_KEY.c.run == run, RUN_KEY.c.revoked.is_(None))
    return c.execute(valid).scalar()


def revoke(c: sa.Connection, run: RunId, now: float) -> None:
    """Make the run's key worthless; the first time counts."""
    valid = sa.update(RUN_KEY).where(RUN_KEY.c.run == run, RUN_KEY.c.revoked.is_(None))
    c.execute(valid.values(revoked=now))
