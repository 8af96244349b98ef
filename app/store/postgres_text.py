"""Text on its way to PostgreSQL, which takes no NUL in it; an agent may say one all the same."""

from typing import Any

NUL, SHOWN = "\0", "\N{SYMBOL FOR NULL}"


def tolerate_nul(connection: Any, _record: object) -> None:
    """Have a new connection of psycopg write the picture of a NUL in its place; SQLite keeps the sign."""
    from psycopg.types.string import StrDumperUnknown

    class Tolerant(StrDumperUnknown):
        """As psycopg's own, which would refuse the whole statement."""

        def dump(self, obj: str) -> Any:
            return super().dump(obj.replace(NUL, SHOWN))

    connection.adapters.register_dumper(str, Tolerant)
