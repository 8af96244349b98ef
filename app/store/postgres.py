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


READ_ONLY = "25006"


def read_only_is_a_pause(context: sa.engine.ExceptionContext) -> None:
    """A standby after a failover, or a server that was switched to reading, is waited for as one that is down.

    The connection is given up: the next one may lead to a server that writes. DBOS tries again only what looks
    like an outage; any other failure to record a finished step would turn the workflow into an error for good.
    """
    from psycopg.errors import CannotConnectNow

    if getattr(context.original_exception, "sqlstate", None) == READ_ONLY:
        context.is_disconnect = True
        told = CannotConnectNow(str(context.original_exception))
        raise exc.OperationalError(context.statement, None, told, hide_parameters=True)
