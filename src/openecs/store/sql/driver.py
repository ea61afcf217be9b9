"""Statements on their way to the database; to SQLite by the shortest one.

SQLAlchemy spends more on a short statement than SQLite does. For SQLite its part is done once per
statement, the text; the driver of the same connection, in the same transaction, gets it directly.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, Executable, Select
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import SQLAlchemyError

_SQLITE = sqlite.dialect(paramstyle="named")


def rows_of(
    connection: Connection, statement: Executable, parameters: Mapping[str, Any]
) -> Sequence[Sequence[Any]]:
    """All rows of the answer. Raises ``SQLAlchemyError``."""
    if connection.dialect.name != "sqlite":
        return connection.execute(statement, parameters).all()
    try:
        text, literals = _compiled(statement)
        answer = _driver(connection).execute(text, {**literals, **parameters})
        rows: list[tuple[Any, ...]] = answer.fetchall()
    except sqlite3.Error as error:
        raise SQLAlchemyError(str(error)) from error
    return rows


def fetched(connection: Connection, query: Select[Any]) -> Sequence[Sequence[Any]]:
    """All rows of a query that is made anew each time. Raises ``SQLAlchemyError``."""
    if connection.dialect.name != "sqlite":
        return connection.execute(query).all()
    compiled: Any = query.compile(dialect=_SQLITE, compile_kwargs={"render_postcompile": True})
    try:
        rows: list[tuple[Any, ...]] = (
            _driver(connection).execute(str(compiled), compiled.params).fetchall()
        )
    except sqlite3.Error as error:
        raise SQLAlchemyError(str(error)) from error
    return rows


def run_many(
    connection: Connection, statement: Executable, rows: Sequence[Mapping[str, Any]]
) -> None:
    """Run the statement once for each row of parameters. Raises ``SQLAlchemyError``."""
    if connection.dialect.name != "sqlite":
        connection.execute(statement, rows)
        return
    try:
        _driver(connection).executemany(_compiled(statement)[0], rows)
    except sqlite3.Error as error:
        raise SQLAlchemyError(str(error)) from error


def _driver(connection: Connection) -> Any:
    return connection.connection.driver_connection


@cache
def _compiled(statement: Any) -> tuple[str, Mapping[str, Any]]:
    """The text of a statement, and the values that stand in it."""
    compiled = statement.compile(dialect=_SQLITE)
    literals = {name: value for name, value in compiled.params.items() if value is not None}
    return str(compiled), literals
