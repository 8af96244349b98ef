"""The tables of several hosts that share one database, and of who may ask them from afar."""

import sqlalchemy as sa

from app.store.metadata import STATE

HOST = sa.Table(
    "host",
    STATE,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("epoch", sa.BigInteger, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("beat", sa.Float, nullable=False),
    sa.Column("dead_after", sa.Float, nullable=False),
    sa.Column("capacity", sa.Integer, nullable=False),
    sa.Column("labels", sa.JSON, nullable=False),
    sa.Column("version", sa.Text, nullable=False),
    sa.Column("skew", sa.Float, nullable=False, server_default="0"),
)
"""A supervisor that takes runs. `beat` is by the database's clock; `skew` is how far its own is ahead of that.

`epoch` grows each time it starts or is given up: who writes under an older one is refused.
"""

INSTALLATION = sa.Table(
    "installation",
    STATE,
    sa.Column("host", sa.Text, primary_key=True),
    sa.Column("id", sa.Text, nullable=False),
)
"""What containers and volumes of a host are labelled with: the file that says it may be lost."""

TOKEN = sa.Table(
    "token",
    STATE,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("digest", sa.Text, nullable=False, unique=True),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("made", sa.Float, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("revoked", sa.Float),
)
"""Who may ask over the network, as what. The token itself is told once and kept nowhere."""
