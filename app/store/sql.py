"""The few shapes of statement that every table needs."""

import functools
from typing import Any, TypeVar

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

T = TypeVar("T")


def insert_once(c: sa.Connection, table: sa.Table, **values: Any) -> bool:
    """Insert unless a row with the same key is there; whether this call inserted it."""
    return c.execute(_insert_once(c.dialect.name, table), values).rowcount == 1


@functools.cache
def _insert_once(dialect: str, table: sa.Table) -> sa.Insert:
    # Made once: building and hashing a statement costs more than carrying it out.
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    return insert(table).on_conflict_do_nothing()


def value(row: sa.Row[Any] | sa.RowMapping, type_: type[T]) -> T:
    """A row as a domain value; columns the value does not have are left out."""
    mapping = row if isinstance(row, sa.RowMapping) else row._mapping  # noqa: SLF001 - its public name
    known = {name: mapping[name] for name in type_.__struct_fields__ if name in mapping}  # type: ignore[attr-defined]
    return msgspec.convert(known, type_)


def plain(something: Any) -> Any:
    """A domain value as what JSON columns take."""
    return msgspec.to_builtins(something)
