"""Which images a person approved for a repository, by the digest of their content."""

import sqlalchemy as sa

from app.store.sql import insert_once
from app.store.tables import APPROVED_IMAGE


def approve(c: sa.Connection, *, repo: str, digest: str, name: str, by: str, at: float) -> bool:
    """Note it; nothing when it is approved already."""
    return insert_once(c, APPROVED_IMAGE, repo=repo, digest=digest, name=name, by=by, at=at)


def approver(c: sa.Connection, repo: str, digest: str) -> str:
    """Who approved exactly this content for that repository; empty when nobody did."""
    query = sa.select(APPROVED_IMAGE.c.by).where(
        APPROVED_IMAGE.c.repo == repo, APPROVED_IMAGE.c.digest == digest
    )
    return c.execute(query).scalar() or ""
