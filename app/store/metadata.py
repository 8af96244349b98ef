"""The two sets of tables."""

import sqlalchemy as sa

STATE = sa.MetaData()
"""Tasks, runs, money and audit: the truth."""
LOG = sa.MetaData()
"""Events: can be rebuilt from the agents' raw output, so it lies in a file of its own on SQLite."""
