"""What a run was given of the runs before it."""

import hashlib
from typing import Any

import sqlalchemy as sa

from app.domain.bundle import Part
from app.domain.ids import RunId
from app.store.sql import insert_once, value
from app.store.tables import BUNDLE


def add(c: sa.Connection, run: RunId, parts: tuple[Part, ...]) -> None:
    """Keep it; what is there is never changed."""
    for number, part in enumerate(parts):
        digest = hashlib.sha256(part.body).hexdigest()
        insert_once(
            c, BUNDLE, run=run, number=number, name=part.name, body=part.body, digest=digest,
            left_out=part.left_out,
        )  # fmt: skip


def parts_of(c: sa.Connection, run: RunId) -> tuple[Part, ...]:
    """Its files, in the order in which they are meant to be read."""
    query: sa.Select[Any] = sa.select(BUNDLE.c.name, BUNDLE.c.body, BUNDLE.c.left_out)
    rows = c.execute(query.where(BUNDLE.c.run == run).order_by(BUNDLE.c.number))
    return tuple(value(row, Part) for row in rows)
