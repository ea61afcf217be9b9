"""What is told the database: many rows a statement."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Executable,
    Table,
    and_,
    bindparam,
    delete,
    insert,
)
from sqlalchemy.dialects import postgresql, sqlite

from openecs.store import codec
from openecs.store.base import Change, Revision
from openecs.store.order import Lookup
from openecs.store.sql.cache import Stored
from openecs.store.sql.documents import Address, Documents, documents_of
from openecs.store.sql.driver import run_many
from openecs.store.sql.queries import spell
from openecs.store.sql.tables import changes, lookups, meta, resources

#: How many changes are kept for those who come back after a while, and how often that is looked at.
HISTORY = 20_000
_TRIM_EVERY = 1_000


@dataclass(frozen=True, slots=True)
class Row:
    """A resource as it is to be stored; one that came from the database has no document."""

    stored: Stored
    document: str
    lookups: frozenset[Lookup]


@dataclass(slots=True)
class Cell:
    """An address a group has touched: what it holds now, and what the database has there."""

    row: Row | None
    in_database: Row | None


def store(connection: Connection, cells: Mapping[Address, Cell]) -> None:
    """Bring the database from ``in_database`` to ``row`` at each address."""
    documents = documents_of(connection)
    puts = [_resource(address, cell.row, documents) for address, cell in cells.items() if cell.row]
    gone = [_place(address) for address, cell in cells.items() if not cell.row]
    _many(connection, _UPSERT[connection.dialect.name], puts)
    _many(connection, _DELETE, gone)
    _many(connection, _DELETE_LOOKUP, _entries(cells, removed=True))
    _many(connection, _INSERT_LOOKUP, _entries(cells, removed=False))


def insert_lookups(connection: Connection, entries: Mapping[Address, frozenset[Lookup]]) -> None:
    """Add index entries where there are none."""
    rows = [_entry(address, entry) for address, found in entries.items() for entry in found]
    _many(connection, _INSERT_LOOKUP, rows)


def delete_lookups(connection: Connection, kind: str) -> None:
    """Remove all index entries of a kind."""
    connection.execute(delete(lookups).where(lookups.c.kind == kind))


def append_changes(connection: Connection, made: Sequence[Change]) -> None:
    """Write the change feed."""
    rows = [
        {
            "revision": change.revision,
            "kind": change.kind,
            "account": change.scope.account,
            "region": change.scope.region,
            "key": change.key,
        }
        for change in made
    ]
    _many(connection, _INSERT_CHANGE, rows)


def set_revision(connection: Connection, before: Revision, after: Revision) -> None:
    """Write the revision of the last change; now and then let go of the oldest changes."""
    set_meta(connection, "revision", str(after))
    if before // _TRIM_EVERY != after // _TRIM_EVERY:
        connection.execute(_TRIM, {"last": after - HISTORY})


def set_meta(connection: Connection, name: str, value: str) -> None:
    """Write a value of the table ``meta``."""
    run_many(connection, _SET_META[connection.dialect.name], [{"name": name, "value": value}])


def clear(connection: Connection, revision: Revision) -> None:
    """Remove all resources and changes; ``revision`` is the first of the empty world."""
    for table in (lookups, resources, changes):
        connection.execute(delete(table))
    set_meta(connection, "revision", str(revision))
    set_meta(connection, "cleared", str(revision))


def _many(connection: Connection, statement: Executable, rows: list[dict[str, Any]]) -> None:
    if rows:
        run_many(connection, statement, rows)


def _resource(address: Address, row: Row, documents: Documents) -> dict[str, Any]:
    kind, account, region, key = address
    return {
        "kind": kind,
        "account": account,
        "region": region,
        "key": key,
        "revision": row.stored.revision,
        "document": documents.written(address, row.document or codec.encode(row.stored.value)),
    }


def _place(address: Address) -> dict[str, Any]:
    kind, account, region, key = address
    return {"kind": kind, "account": account, "region": region, "key": key}


def _entries(cells: Mapping[Address, Cell], *, removed: bool) -> list[dict[str, Any]]:
    rows = []
    for address, cell in cells.items():
        old = cell.in_database.lookups if cell.in_database else frozenset()
        new = cell.row.lookups if cell.row else frozenset()
        rows += [_entry(address, entry) for entry in (old - new if removed else new - old)]
    return rows


def _entry(address: Address, entry: Lookup) -> dict[str, Any]:
    return {**_place(address), "lookup": entry.name, "words": spell(entry.words)}


def _same(table: Table) -> ColumnElement[bool]:
    return and_(*(column == bindparam(column.name) for column in table.primary_key))


def _upsert(insert: Callable[[Table], Any], table: Table, *columns: str) -> Executable:
    statement = insert(table)
    upsert: Executable = statement.on_conflict_do_update(
        index_elements=list(table.primary_key),
        set_={column: statement.excluded[column] for column in columns},
    )
    return upsert


_INSERTS: dict[str, Callable[[Table], Any]] = {
    "sqlite": sqlite.insert,
    "postgresql": postgresql.insert,
}
_UPSERT = {
    dialect: _upsert(insert_, resources, "revision", "document")
    for dialect, insert_ in _INSERTS.items()
}
_SET_META = {dialect: _upsert(insert_, meta, "value") for dialect, insert_ in _INSERTS.items()}
_DELETE = delete(resources).where(_same(resources))
_INSERT_LOOKUP = insert(lookups)
_DELETE_LOOKUP = delete(lookups).where(_same(lookups))
_INSERT_CHANGE = insert(changes)
_TRIM = delete(changes).where(changes.c.revision <= bindparam("last"))
