"""The tables of who got which task, what became of it, and what one run was given of another."""

import sqlalchemy as sa

from app.store.metadata import STATE

ROUTE = sa.Table(
    "route",
    STATE,
    sa.Column("run", sa.Text, sa.ForeignKey("run.id"), primary_key=True),
    sa.Column("at", sa.Float, nullable=False, index=True),
    sa.Column("target", sa.Text, nullable=False, index=True),
    sa.Column("account", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("body", sa.JSON, nullable=False),
)
"""Who got a run, with all that was known then: `app.domain.route.Route`."""

RUN_END = sa.Table(
    "run_end",
    STATE,
    sa.Column("run", sa.Text, sa.ForeignKey("run.id"), primary_key=True),
    sa.Column("round", sa.Integer, primary_key=True),
    sa.Column("at", sa.Float, nullable=False),
    sa.Column("cause", sa.Text, nullable=False),
)
"""Why each round of a run came to rest: `policies.breaker.EndCause`."""

OUTCOME = sa.Table(
    "outcome",
    STATE,
    sa.Column("run", sa.Text, sa.ForeignKey("run.id"), primary_key=True),
    sa.Column("target", sa.Text, nullable=False, index=True),
    sa.Column("repo", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("worth", sa.Text, nullable=False),
    sa.Column("micros", sa.BigInteger, nullable=False),
    sa.Column("seconds", sa.Float, nullable=False),
    sa.Column("at", sa.Float, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
)
"""What became of runs, read off their states; `state` is the one it was read off."""

BUNDLE = sa.Table(
    "bundle",
    STATE,
    sa.Column("run", sa.Text, sa.ForeignKey("run.id"), primary_key=True),
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.Column("digest", sa.Text, nullable=False),
    sa.Column("left_out", sa.BigInteger, nullable=False, server_default="0"),
)
"""What a run was given of the ones before it, file by file; `left_out` counts bytes that were too many."""
