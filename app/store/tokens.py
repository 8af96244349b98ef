"""Who may ask over the network: names, roles, and digests of tokens that nobody can read back."""

import hashlib
import secrets

import sqlalchemy as sa

from app.domain.errors import NotFound, NotNow
from app.domain.role import Role
from app.store.host_tables import TOKEN
from app.store.sql import insert_once, value
from app.wire_hosts import Token, TokenLine


def digest_of(token: str) -> str:
    # Plain, because a token is 256 random bits: there is nothing to guess.
    return hashlib.sha256(token.encode()).hexdigest()


def add(c: sa.Connection, name: str, role: Role, *, by: str, at: float) -> Token:
    """A new token. A name is used once, also when its token was revoked: the audit stays clear."""
    token = f"swarm_{secrets.token_urlsafe(32)}"
    row = {"digest": digest_of(token), "role": str(role), "made": at, "by": by}
    if not insert_once(c, TOKEN, name=name, **row):
        raise NotNow(f"there was a token {name!r} already", hint="Take another name.")
    return Token(name=name, role=role, token=token)


def lines(c: sa.Connection) -> tuple[TokenLine, ...]:
    """All there ever were, the oldest first."""
    return tuple(
        value(row, TokenLine) for row in c.execute(sa.select(TOKEN).order_by(TOKEN.c.made))
    )


def holder(c: sa.Connection, token: str) -> TokenLine | None:
    """Whose token that is, if it counts."""
    query = sa.select(TOKEN).where(TOKEN.c.digest == digest_of(token), TOKEN.c.revoked.is_(None))
    row = c.execute(query).fetchone()
    return value(row, TokenLine) if row else None


def revoke(c: sa.Connection, name: str, at: float) -> None:
    """From now on it counts for nothing."""
    still = sa.update(TOKEN).where(TOKEN.c.name == name, TOKEN.c.revoked.is_(None))
    if c.execute(still.values(revoked=at)).rowcount != 1:
        raise NotFound(
            f"there is no token {name!r} that counts", hint="`swarm token list` lists them."
        )
