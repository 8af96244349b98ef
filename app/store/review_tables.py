"""The tables of what a person is asked to approve, and of what they say about its lines."""

import sqlalchemy as sa

from app.store.metadata import STATE

REVIEW = sa.Table(
    "review",
    STATE,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("run", sa.Text, sa.ForeignKey("run.id"), nullable=False, index=True),
    sa.Column("round", sa.Integer, nullable=False),
    sa.Column("base", sa.Text, nullable=False),
    sa.Column("snapshot", sa.Text, nullable=False),
    sa.Column("target", sa.Text, nullable=False),
    sa.Column("tip", sa.Text, nullable=False),
    sa.Column("result_tree", sa.Text, nullable=False),
    sa.Column("left_out", sa.JSON, nullable=False, server_default="[]"),
    sa.Column("conflicts", sa.JSON, nullable=False),
    sa.Column("files", sa.JSON, nullable=False),
    sa.Column("findings", sa.JSON, nullable=False),
    sa.Column("checks", sa.JSON, nullable=False),
    sa.Column("opened", sa.Float, nullable=False),
    sa.Column("verdict", sa.Text),
    sa.Column("by", sa.Text, nullable=False, server_default=""),
    sa.Column("decided", sa.Float),
    sa.Column("note", sa.Text, nullable=False, server_default=""),
    sa.Column("message", sa.Text, nullable=False, server_default=""),
    sa.Column("style", sa.Text, nullable=False, server_default="squash"),
    sa.Column("commits", sa.JSON, nullable=False, server_default="[]"),
    sa.Column("merged", sa.Text, nullable=False, server_default=""),
)

COMMENT = sa.Table(
    "comment",
    STATE,
    sa.Column("run", sa.Text, sa.ForeignKey("run.id"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("path", sa.Text, nullable=False),
    sa.Column("line", sa.Integer, nullable=False),
    sa.Column("last", sa.Integer, nullable=False, server_default="0"),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("at", sa.Float, nullable=False),
    sa.Column("sent", sa.Boolean, nullable=False, server_default=sa.false()),
)
