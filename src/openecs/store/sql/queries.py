"""What is asked of the database: each question one statement, answered from one index range."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Connection, Select, bindparam, func, select

from openecs.model.identity import Scope
from openecs.store.base import Change, Revision
from openecs.store.order import Lookup, end_of_prefix
from openecs.store.sql.documents import Address, documents_of
from openecs.store.sql.driver import rows_of
from openecs.store.sql.tables import changes, lookups, meta, resources


class Record(NamedTuple):
    """A row of ``resources``, its document open."""

    account: str
    region: str
    key: str
    revision: Revision
    document: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """Which of the keys of a listing are wanted, see ``View.scan``."""

    prefix: str = ""
    after: str = ""
    limit: int | None = None
    descending: bool = False


class Queries:
    """Questions to the database in the transaction of a connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._documents = documents_of(connection)

    def revision(self) -> Revision:
        """The revision of the last change."""
        return int(self.meta("revision") or 0)

    def cleared(self) -> Revision:
        """The revision at which everything was last forgotten."""
        return int(self.meta("cleared") or 0)

    def meta(self, name: str) -> str | None:
        """A value of the table ``meta``."""
        rows = rows_of(self._connection, _META, {"name": name})
        return rows[0][0] if rows else None

    def record(self, address: Address) -> Record | None:
        """The resource at an address."""
        kind, account, region, key = address
        if "\0" in key:
            return None  # PostgreSQL has no such text, not even to compare with
        where = {"kind": kind, "account": account, "region": region, "key": key}
        rows = rows_of(self._connection, _RECORD, where)
        return self._record(kind, *rows[0]) if rows else None

    def scan(self, kind: str, scope: Scope | None, wanted: Range) -> list[Record]:
        """The resources of a kind in key order."""
        low, is_past, high = _bounds(wanted)
        statement = _scan(
            scoped=scope is not None,
            low="" if not low else ">" if is_past else ">=",
            has_high=high is not None,
            has_limit=wanted.limit is not None,
            descending=wanted.descending,
        )
        parameters = {"kind": kind, "low": low, "high": high, "limit": wanted.limit}
        if scope is not None:
            parameters |= {"account": scope.account, "region": scope.region}
        return self._records(kind, statement, parameters)

    def find(self, kind: str, entry: Lookup, after: str, limit: int | None) -> list[Record]:
        """The resources an index has under some words, in key order."""
        statement = _find(has_after=bool(after), has_limit=limit is not None)
        return self._records(
            kind, statement, {**_entry(kind, entry), "after": after, "limit": limit}
        )

    def count(self, kind: str, entry: Lookup) -> int:
        """How many resources an index has under some words."""
        count: int = rows_of(self._connection, _COUNT, _entry(kind, entry))[0][0]
        return count

    def scopes(self, kind: str) -> list[Scope]:
        """The scopes with resources of a kind. Reads them all."""
        return [Scope(*row) for row in rows_of(self._connection, _SCOPES, {"kind": kind})]

    def changes(self, after: Revision, limit: int) -> list[Change]:
        """The changes after a revision, in order."""
        rows = rows_of(self._connection, _CHANGES, {"after": after, "limit": limit})
        return [
            Change(revision, kind, Scope(account, region), key)
            for revision, kind, account, region, key in rows
        ]

    def _records(
        self, kind: str, statement: Select[Any], parameters: dict[str, Any]
    ) -> list[Record]:
        rows = rows_of(self._connection, statement, parameters)
        return [self._record(kind, *row) for row in rows]

    def _record(
        self, kind: str, account: str, region: str, key: str, revision: Revision, text: str
    ) -> Record:
        document = self._documents.read((kind, account, region, key), text)
        return Record(account, region, key, revision, document)


def spell(words: Sequence[str]) -> str:
    """Words of an index as the database has them."""
    return msgspec.json.encode(words).decode()


def _entry(kind: str, entry: Lookup) -> dict[str, Any]:
    return {"kind": kind, "lookup": entry.name, "words": spell(entry.words)}


_COLUMNS = (
    resources.c.account,
    resources.c.region,
    resources.c.key,
    resources.c.revision,
    resources.c.document,
)

_RECORD = select(*_COLUMNS).where(
    resources.c.kind == bindparam("kind"),
    resources.c.account == bindparam("account"),
    resources.c.region == bindparam("region"),
    resources.c.key == bindparam("key"),
)

_SCOPES = (
    select(resources.c.account, resources.c.region)
    .where(resources.c.kind == bindparam("kind"))
    .distinct()
)

_COUNT = (
    select(func.count())
    .select_from(lookups)
    .where(
        lookups.c.kind == bindparam("kind"),
        lookups.c.lookup == bindparam("lookup"),
        lookups.c.words == bindparam("words"),
    )
)

_CHANGES = (
    select(changes)
    .where(changes.c.revision > bindparam("after"))
    .order_by(changes.c.revision)
    .limit(bindparam("limit"))
)

_META = select(meta.c.value).where(meta.c.name == bindparam("name"))


def _bounds(wanted: Range) -> tuple[str, bool, str | None]:
    """The lowest key, whether it is itself left out, and the key to end before.

    One bound a side: SQLite takes only one of two into the index and would read on from there.
    """
    high = end_of_prefix(wanted.prefix)
    if wanted.descending and wanted.after:
        return wanted.prefix, False, wanted.after if high is None else min(wanted.after, high)
    if wanted.after and wanted.after >= wanted.prefix:
        return wanted.after, True, high
    return wanted.prefix, False, high


@cache
def _scan(
    *, scoped: bool, low: str, has_high: bool, has_limit: bool, descending: bool
) -> Select[Any]:
    key = resources.c.key
    statement = select(*_COLUMNS).where(resources.c.kind == bindparam("kind"))
    if scoped:
        statement = statement.where(
            resources.c.account == bindparam("account"), resources.c.region == bindparam("region")
        )
    if low:
        statement = statement.where(key.op(low, is_comparison=True)(bindparam("low")))
    if has_high:
        statement = statement.where(key < bindparam("high"))
    order = (key, resources.c.account, resources.c.region)
    statement = statement.order_by(*(c.desc() if descending else c for c in order))
    return statement.limit(bindparam("limit")) if has_limit else statement


@cache
def _find(*, has_after: bool, has_limit: bool) -> Select[Any]:
    is_same = (
        (resources.c.kind == lookups.c.kind)
        & (resources.c.account == lookups.c.account)
        & (resources.c.region == lookups.c.region)
        & (resources.c.key == lookups.c.key)
    )
    statement = (
        select(*_COLUMNS)
        .select_from(lookups.join(resources, is_same))
        .where(
            lookups.c.kind == bindparam("kind"),
            lookups.c.lookup == bindparam("lookup"),
            lookups.c.words == bindparam("words"),
        )
        .order_by(lookups.c.key, lookups.c.account, lookups.c.region)
    )
    if has_after:
        statement = statement.where(lookups.c.key > bindparam("after"))
    return statement.limit(bindparam("limit")) if has_limit else statement
