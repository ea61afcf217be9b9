"""Transactions: what a group of them has written, and not yet told the database.

Many transactions share one commit. Writes are gathered here and reach the database all at once, at
the end of the group or before something is listed. To undo a transaction is to put back what its
rows were; the database, which is only ever brought to the state that is here, needs no savepoints.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Connection
from typing_extensions import override

from openecs.model.identity import Scope
from openecs.store import codec
from openecs.store.base import Change, Conflict, Kind, Revision, Transaction
from openecs.store.order import lookups_of
from openecs.store.sql import statements
from openecs.store.sql.cache import Cache, Stored
from openecs.store.sql.documents import Address
from openecs.store.sql.queries import Queries
from openecs.store.sql.statements import Cell, Row
from openecs.store.sql.view import SqlView

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a group changed: all of it between two revisions, and what is there now."""

    before: Revision
    after: Revision
    changes: Sequence[Change]
    written: Mapping[Address, Stored | None]


class Group(SqlView, Transaction):
    """A ``Transaction`` after the other on one connection, each seeing those before it."""

    def __init__(self, connection: Connection, cache: Cache) -> None:
        self._connection = connection
        self._queries = Queries(connection)
        self._cache = cache
        self._before = self._revision = cache.revision
        self._cells: dict[Address, Cell] = {}
        self._changes: list[Change] = []
        self._undo: list[tuple[Cell, Row | None]] = []

    def run(self, work: Callable[[Transaction], R]) -> R:
        """Run one transaction; what it wrote is undone if it raises."""
        self._undo = []
        try:
            return work(self)
        except BaseException:
            self._take_back()
            raise

    def finish(self) -> Outcome:
        """Bring everything to the database and say what changed. The caller commits."""
        # Also without a change: what was undone may have been told to the database already.
        self._flush()
        if self._changes:
            statements.append_changes(self._connection, self._changes)
            statements.set_revision(self._connection, self._before, self._revision)
        return Outcome(self._before, self._revision, self._changes, self._written())

    @property
    @override
    def revision(self) -> Revision:
        return self._revision

    @override
    def stored(self, kind: Kind[Any], address: Address) -> Stored | None:
        cell = self._cells.get(address)
        if cell is not None:
            return cell.row.stored if cell.row else None
        stored = self._lookup(kind, address)
        if stored is None:
            # Whoever asks for what is not there is about to make it.
            self._cells[address] = Cell(None, None)
        return stored

    @override
    def queries(self) -> Queries:
        self._flush()
        return self._queries

    @override
    def known(self, address: Address) -> Stored | None:
        cell = self._cells.get(address)
        if cell is not None and cell.row is not None:
            return cell.row.stored
        return self._cache.get(address)

    @override
    def put(self, kind: Kind[T], value: T) -> None:
        scope, key = kind.scope(value), kind.key(value)
        cell = self._cell(kind, (kind.name, scope.account, scope.region, key))
        if cell.row is None or cell.row.stored.value != value:
            self._write(cell, kind, value)

    @override
    def add(self, kind: Kind[T], value: T) -> None:
        scope, key = kind.scope(value), kind.key(value)
        address = (kind.name, scope.account, scope.region, key)
        self._write(self._cells.setdefault(address, Cell(None, None)), kind, value)

    @override
    def delete(self, kind: Kind[T], scope: Scope, key: str) -> None:
        cell = self._cell(kind, (kind.name, scope.account, scope.region, key))
        if cell.row is not None:
            self._replace(cell, None, Change(self._revision + 1, kind.name, scope, key))

    @override
    def expect(self, kind: Kind[T], scope: Scope, key: str, revision: Revision | None) -> None:
        actual = self.revision_of(kind, scope, key)
        if actual != revision:
            raise Conflict(f"{kind.name} {key} is at revision {actual}, not {revision}")

    def _write(self, cell: Cell, kind: Kind[T], value: T) -> None:
        scope, key = kind.scope(value), kind.key(value)
        stored = Stored(value, self._revision + 1)
        row = Row(stored, codec.encode(value), lookups_of(kind, scope, value))
        self._replace(cell, row, Change(stored.revision, kind.name, scope, key))

    def _cell(self, kind: Kind[Any], address: Address) -> Cell:
        cell = self._cells.get(address)
        if cell is None:
            row = self._fetch(kind, address)
            cell = self._cells[address] = Cell(row, row)
        return cell

    def _fetch(self, kind: Kind[Any], address: Address) -> Row | None:
        stored = self._lookup(kind, address)
        if stored is None:
            return None
        scope = Scope(address[1], address[2])
        return Row(stored, "", lookups_of(kind, scope, stored.value))

    def _lookup(self, kind: Kind[Any], address: Address) -> Stored | None:
        """What was there before this group of transactions."""
        stored = self._cache.get(address)
        if stored is None:
            record = self._queries.record(address)
            if record is None:
                return None
            stored = Stored(codec.decode(kind, record.document), record.revision)
            self._cache.learn(address, stored)
        return stored

    def _replace(self, cell: Cell, row: Row | None, change: Change) -> None:
        self._undo.append((cell, cell.row))
        cell.row = row
        self._revision = change.revision
        self._changes.append(change)

    def _take_back(self) -> None:
        for cell, row in reversed(self._undo):
            cell.row = row
        count = len(self._undo)
        self._revision -= count
        del self._changes[len(self._changes) - count :]

    def _flush(self) -> None:
        dirty = {a: c for a, c in self._cells.items() if c.row is not c.in_database}
        if dirty:
            statements.store(self._connection, dirty)
            for cell in dirty.values():
                cell.in_database = cell.row

    def _written(self) -> dict[Address, Stored | None]:
        written: dict[Address, Stored | None] = {}
        for change in self._changes:
            address = (change.kind, change.scope.account, change.scope.region, change.key)
            row = self._cells[address].row
            written[address] = row.stored if row else None
        return written
