"""A copy of a SQLite database beside it, taken before its tables are changed for good."""

import contextlib
import os
import sqlite3
from pathlib import Path
from typing import Final

import sqlalchemy as sa

KEPT: Final = 3
"""Copies of each database that stay; older ones are removed."""


def back_up(engine: sa.Engine, version: int) -> Path | None:
    """Copy the database as it is, and say where to; None where that is the server's own business.

    The copy appears whole or not at all. It opens with the version of swarm that knows that schema.
    """
    if engine.dialect.name != "sqlite" or not engine.url.database:
        return None
    source = Path(engine.url.database)
    place = source.parent / "backups"
    place.mkdir(mode=0o700, exist_ok=True)
    target = place / f"{source.stem}-schema-{version:04}{source.suffix}"
    draft = target.with_suffix(".draft")
    draft.unlink(missing_ok=True)
    draft.touch(mode=0o600)
    with (
        contextlib.closing(sqlite3.connect(source)) as old,
        contextlib.closing(sqlite3.connect(draft)) as new,
    ):
        old.backup(new)
    with draft.open("rb") as written:
        os.fsync(written.fileno())
    draft.replace(target)
    for outdated in sorted(place.glob(f"{source.stem}-schema-*{source.suffix}"))[:-KEPT]:
        outdated.unlink()
    return target
