"""What migrations are made of."""

import sqlalchemy as sa


def ensure(connection: sa.Connection, table: sa.Table) -> None:
    """Make the table, or the columns and indexes it lacks.

    The first migration makes every table as it is today, so that in a new database there is nothing left to do.
    """
    table.create(connection, checkfirst=True)
    found = sa.inspect(connection)
    have = {column["name"] for column in found.get_columns(table.name)}
    compiler = connection.dialect.ddl_compiler(connection.dialect, None)  # type: ignore[arg-type]
    name = connection.dialect.identifier_preparer.format_table(table)
    for column in table.columns:
        if column.name not in have:
            words = compiler.get_column_specification(column)
            connection.exec_driver_sql(f"ALTER TABLE {name} ADD COLUMN {words}")
    for index in table.indexes:
        index.create(connection, checkfirst=True)
