"""Views of the database: what a function given to ``read`` looks at."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, TypeVar

from typing_extensions import override

from openecs.model.identity import Scope
from openecs.store import codec
from openecs.store.base import Kind, Revision, View
from openecs.store.order import lookup
from openecs.store.sql.cache import Stored
from openecs.store.sql.documents import Address
from openecs.store.sql.queries import Queries, Range, Record

T = TypeVar("T")


class SqlView(View, ABC):
    """A ``View`` over queries; where values come from is left to the kind of view."""

    @property
    @override
    @abstractmethod
    def revision(self) -> Revision:
        """The revision of the last change in this picture."""

    @abstractmethod
    def stored(self, kind: Kind[Any], address: Address) -> Stored | None:
        """The resource at an address."""

    @abstractmethod
    def queries(self) -> Queries:
        """The database, with everything in it that this picture shows."""

    @abstractmethod
    def known(self, address: Address) -> Stored | None:
        """The resource at an address where it need not be decoded; of any revision."""

    @override
    def get(self, kind: Kind[T], scope: Scope, key: str) -> T | None:
        found = self.stored(kind, (kind.name, scope.account, scope.region, key))
        return found.value if found else None

    @override
    def revision_of(self, kind: Kind[T], scope: Scope, key: str) -> Revision | None:
        found = self.stored(kind, (kind.name, scope.account, scope.region, key))
        return found.revision if found else None

    @override
    def scan(
        self,
        kind: Kind[T],
        scope: Scope | None,
        *,
        prefix: str = "",
        after: str = "",
        limit: int | None = None,
        descending: bool = False,
    ) -> Sequence[T]:
        wanted = Range(prefix=prefix, after=after, limit=limit, descending=descending)
        records = self.queries().scan(kind.name, scope, wanted)
        return [self._value(kind, record) for record in records]

    @override
    def find(
        self,
        kind: Kind[T],
        scope: Scope | None,
        index: str,
        words: tuple[str, ...],
        *,
        after: str = "",
        limit: int | None = None,
    ) -> Sequence[T]:
        entry = lookup(kind, scope, index, words)
        records = self.queries().find(kind.name, entry, after, limit)
        return [self._value(kind, record) for record in records]

    @override
    def count(self, kind: Kind[T], scope: Scope | None, index: str, words: tuple[str, ...]) -> int:
        return self.queries().count(kind.name, lookup(kind, scope, index, words))

    def learn(self, address: Address, stored: Stored) -> None:
        """Take note of what was decoded, where that is of use later."""

    def _value(self, kind: Kind[T], record: Record) -> T:
        address = (kind.name, record.account, record.region, record.key)
        known = self.known(address)
        if known is None or known.revision != record.revision:
            known = Stored(codec.decode(kind, record.document), record.revision)
            self.learn(address, known)
        value: T = known.value
        return value


class SnapshotView(SqlView):
    """The snapshot a connection's transaction holds, read straight from the database."""

    def __init__(self, queries: Queries) -> None:
        self._queries = queries
        self._revision: Revision | None = None

    @property
    @override
    def revision(self) -> Revision:
        if self._revision is None:
            self._revision = self._queries.revision()
        return self._revision

    @override
    def stored(self, kind: Kind[Any], address: Address) -> Stored | None:
        record = self._queries.record(address)
        return Stored(codec.decode(kind, record.document), record.revision) if record else None

    @override
    def queries(self) -> Queries:
        return self._queries

    @override
    def known(self, address: Address) -> Stored | None:
        return None
