"""The event log: append-only, numbered over all runs, each key once."""

from collections.abc import Sequence
from typing import Final

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from app.domain.events import Body, Event
from app.domain.ids import RunId
from app.store.tables import EVENT
from policies.secrets import masked


class Entry(msgspec.Struct, frozen=True):
    """An event before it has its number."""

    run: RunId
    key: str
    """The same each time its source is read again."""
    at: float
    body: Body


_APPENDING: Final = 7_245_302
"""The advisory lock of whoever appends."""
_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Body)


def append(c: sa.Connection, entries: Sequence[Entry]) -> None:
    """Add what is not there yet; a secret that somebody said or wrote is not kept."""
    if c.dialect.name == "postgresql":
        # Numbers are given before they are seen: two hosts that write at once would let a reader skip the slower.
        c.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _APPENDING})
    insert = postgresql.insert if c.dialect.name == "postgresql" else sqlite.insert
    rows = [
        {"run": e.run, "key": e.key, "at": e.at, "body": masked(_encoder.encode(e.body).decode())}
        for e in entries
    ]
    c.execute(insert(EVENT).on_conflict_do_nothing(), rows)


def after(c: sa.Connection, seq: int, *, run: str = "", limit: int = 500) -> list[Event]:
    """Events with a greater number, in order."""
    query = sa.select(EVENT.c.seq, EVENT.c.run, EVENT.c.at, EVENT.c.body).where(EVENT.c.seq > seq)
    if run:
        query = query.where(EVENT.c.run == run)
    return [
        Event(seq=row.seq, run=RunId(row.run), at=row.at, body=_decoder.decode(row.body))
        for row in c.execute(query.order_by(EVENT.c.seq).limit(limit))
    ]


def of_type(c: sa.Connection, run: RunId, tag: str) -> list[Event]:
    """The run's events of one type, in order."""
    query = sa.select(EVENT.c.seq, EVENT.c.at, EVENT.c.body).where(
        EVENT.c.run == run, EVENT.c.body.startswith(f'{{"type":"{tag}"', autoescape=True)
    )
    return [
        Event(seq=row.seq, run=run, at=row.at, body=_decoder.decode(row.body))
        for row in c.execute(query.order_by(EVENT.c.seq))
    ]


def was_said(c: sa.Connection, run: RunId, turn: int, tag: str) -> bool:
    """Whether the agent said anything of that type in that turn."""
    query = sa.select(EVENT.c.seq).where(
        EVENT.c.run == run,
        EVENT.c.key.startswith(f"turn-{turn}/", autoescape=True),
        EVENT.c.body.startswith(f'{{"type":"{tag}"', autoescape=True),
    )
    return c.execute(query.limit(1)).first() is not None


def read_until(c: sa.Connection, run: RunId, turn: int) -> int:
    """Where in the raw output of that turn the last event that is kept was read; -1 before the first."""
    prefix = f"turn-{turn}/"
    query = sa.select(EVENT.c.key).where(
        EVENT.c.run == run, EVENT.c.key.startswith(prefix, autoescape=True)
    )
    for key in c.execute(query.order_by(EVENT.c.seq.desc())).scalars():
        place = key.removeprefix(prefix).partition(".")[0]
        if place.isdecimal():
            return int(place)
    return -1


def newest_of(c: sa.Connection, run: RunId, tags: Sequence[str]) -> Event | None:
    """The run's last event of these types."""
    wanted = (EVENT.c.body.startswith(f'{{"type":"{tag}"', autoescape=True) for tag in tags)
    query = sa.select(EVENT.c.seq, EVENT.c.at, EVENT.c.body).where(
        EVENT.c.run == run, sa.or_(*wanted)
    )
    row = c.execute(query.order_by(EVENT.c.seq.desc()).limit(1)).one_or_none()
    return row and Event(seq=row.seq, run=run, at=row.at, body=_decoder.decode(row.body))


def number(c: sa.Connection, run: RunId, key: str) -> int:
    """Where in the log the run's event of that key stands; 0 when it is not there."""
    query = sa.select(EVENT.c.seq).where(EVENT.c.run == run, EVENT.c.key == key)
    return int(c.execute(query).scalar_one_or_none() or 0)


def last(c: sa.Connection) -> int:
    return int(c.execute(sa.select(sa.func.coalesce(sa.func.max(EVENT.c.seq), 0))).scalar_one())
