"""Questions of swarm's own about a box are told from an agent's, however the agent calls them."""

import sqlalchemy as sa

from app.store.tables import APPROVAL

_TITLES = ("May it go on writing to the disk?%", "May it go on? It looks like a %")
_NAMES = ("disk/%", "floor/%", "monitor/%")


def state(connection: sa.Connection) -> None:
    title, name = APPROVAL.c.title, APPROVAL.c.request
    ours = sa.and_(
        APPROVAL.c.tool == "",
        sa.or_(*(title.like(like) for like in _TITLES)),
        sa.or_(APPROVAL.c.turn == 0, *(name.like(like) for like in _NAMES)),
    )
    connection.execute(sa.update(APPROVAL).where(ours).values(action="box"))
    agents = sa.and_(
        APPROVAL.c.action.not_in(("raise", "box")), APPROVAL.c.turn > 0, ~name.startswith("agent/")
    )
    connection.execute(sa.update(APPROVAL).where(agents).values(request="agent/" + name))


def log(connection: sa.Connection) -> None:
    """The log stays as it is."""
