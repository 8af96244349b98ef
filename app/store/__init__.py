"""Durable state: SQLite by default, PostgreSQL by configuration. Plain functions over a connection."""
