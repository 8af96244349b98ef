"""The few shapes of statement that every table needs."""

from typing import Any, TypeVar

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

T = TypeVar("T")


def insert_once(c: sa.Connection, table: sa.Table, **values: Any) -> bool:
    """Insert unless a row with the same key is there; whether this call inserted it."""
    insert = postgresql.insert if c.dialect.name == "postgresql" else sqlite.insert
    statement = insert(table).values(**values).on_conflict_do_nothing()
    return c.execute(statement).rowcount == 1


def value(row: sa.Row[Any] | sa.RowMapping, type_: type[T]) -> T:
    """A row as a domain value; columns the value does not have are left out."""
    mapping = row if isinstance(row, sa.RowMapping) else row._mapping  # noqa: SLF001 - its public name
    known = {name: mapping[name] for name in type_.__struct_fields__ if name in mapping}  # type: ignore[attr-defined]
    return msgspec.convert(known, type_)


def plain(something: Any) -> Any:
    """A domain value as what JSON columns take."""
    return msgspec.to_builtins(something)
