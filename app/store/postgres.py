"""Where PostgreSQL differs: it takes no NUL in a text, and a server may turn into one that only reads."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy import exc

NUL, SHOWN = "\0", "\N{SYMBOL FOR NULL}"


def tolerate_nul(connection: Any, _record: object) -> None:
    """Have a new connection write the picture of a NUL, which an agent may say; SQLite keeps the sign."""
    from psycopg.types.string import StrDumperUnknown

    class Tolerant(StrDumperUnknown):
        """As psycopg's own, which would refuse the whole statement."""

        def dump(self, obj: str) -> Any:
            return super().dump(obj.replace(NUL, SHOWN))

    connection.adapters.register_dumper(str, Tolerant)


READ_ONLY, NO_SUCH_TABLE, NO_SUCH_SCHEMA = "25006", "42P01", "3F000"
"""https://www.postgresql.org/docs/current/errcodes-appendix.html"""


def read_only_is_a_pause(context: sa.engine.ExceptionContext) -> None:
    """A standby after a failover, or a server that was switched to reading, is waited for as one that is down."""
    _wait_at(context, READ_ONLY)


def tables_gone_is_a_pause(context: sa.engine.ExceptionContext) -> None:
    """So is a database whose tables were there: somebody puts it back from a copy."""
    _wait_at(context, NO_SUCH_TABLE, NO_SUCH_SCHEMA)


def _wait_at(context: sa.engine.ExceptionContext, *states: str) -> None:
    """Tell it as an outage, and give the connection up: the next one may lead to a server that is right.

    DBOS tries again only what looks like one; any other failure to record a finished step would turn the workflow
    into an error for good.
    """
    from psycopg.errors import CannotConnectNow

    if getattr(context.original_exception, "sqlstate", None) in states:
        context.is_disconnect = True
        told = CannotConnectNow(str(context.original_exception).partition("\n")[0])
        raise exc.OperationalError(context.statement, None, told, hide_parameters=True)
