"""The store in plain dictionaries: for tests, simulation and ``--ephemeral``. Nothing outlives it.

It keeps every promise of ``store.base`` but durability, and passes the same contract suite as the
databases. Work runs at once in the event loop's thread, so transactions are serial by nature.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, TypeVar

from sortedcontainers import SortedSet

from openecs.model.identity import Scope
from openecs.store.base import (
    Change,
    Conflict,
    FeedTruncated,
    Kind,
    Revision,
    Transaction,
    View,
)
from openecs.store.feed import Feed
from openecs.store.order import Lookup, end_of_prefix, lookup, lookups_of

T = TypeVar("T")
R = TypeVar("R")

#: A key and the scope it is in: what listings are ordered by.
_Place = tuple[str, Scope]


class MemoryStore:
    """A ``Store`` that keeps at least the last ``history`` changes for followers."""

    def __init__(self, *, history: int = 20_000) -> None:
        self._state = _State()
        self._feed = Feed(history=history)

    async def open(self) -> None:
        """Nothing to connect to."""

    async def close(self) -> None:
        """Nothing to let go of."""

    async def read(self, work: Callable[[View], R]) -> R:
        """Run ``work`` on the state as it is."""
        return work(self._state)

    async def write(self, work: Callable[[Transaction], R]) -> R:
        """Run ``work``; undo what it did if it raises."""
        transaction = _MemoryTransaction(self._state)
        try:
            result = work(transaction)
        except BaseException:
            transaction.undo()
            raise
        self._feed.publish(transaction.changes)
        return result

    def follow(self, after: Revision) -> AsyncIterator[Sequence[Change]]:
        """Changes after a revision, as they are made."""
        return self._feed.follow(after, _truncated)

    async def clear(self) -> None:
        """Forget everything; revisions go on."""
        self._state = _State(revision=self._state.revision + 1)
        self._feed.clear(self._state.revision)


async def _truncated(after: Revision) -> Sequence[Change]:
    raise FeedTruncated(f"changes after revision {after} are no longer kept")


@dataclass(frozen=True, slots=True)
class _Row:
    value: Any
    revision: Revision
    lookups: frozenset[Lookup]


def _places() -> defaultdict[Any, SortedSet[_Place]]:
    return defaultdict(SortedSet)


@dataclass(slots=True)
class _Table:
    """The rows of one kind; ``scopes`` has those of a scope, and of None all."""

    rows: dict[_Place, _Row] = field(default_factory=dict)
    scopes: defaultdict[Scope | None, SortedSet[_Place]] = field(default_factory=_places)
    lookups: defaultdict[Lookup, SortedSet[_Place]] = field(default_factory=_places)

    def replace(self, place: _Place, row: _Row | None) -> _Row | None:
        """Put ``row`` in its place, or nothing; returns what was there."""
        old = self.rows.pop(place, None)
        before = old.lookups if old else frozenset()
        after = row.lookups if row else frozenset()
        for entry in before - after:
            _discard(self.lookups, entry, place)
        for entry in after - before:
            self.lookups[entry].add(place)
        self._list(place, was=old is not None, is_there=row is not None)
        if row is not None:
            self.rows[place] = row
        return old

    def _list(self, place: _Place, *, was: bool, is_there: bool) -> None:
        if was == is_there:
            return
        for scope in (place[1], None):
            if is_there:
                self.scopes[scope].add(place)
            else:
                _discard(self.scopes, scope, place)


def _discard(entries: defaultdict[Any, SortedSet[_Place]], entry: object, place: _Place) -> None:
    entries[entry].remove(place)
    if not entries[entry]:
        del entries[entry]


class _State:
    """All tables at one revision, as a ``View``."""

    def __init__(self, *, revision: Revision = 0) -> None:
        self.revision = revision
        self.tables: defaultdict[str, _Table] = defaultdict(_Table)

    def get(self, kind: Kind[T], scope: Scope, key: str) -> T | None:
        row = self.tables[kind.name].rows.get((key, scope))
        return row.value if row else None

    def revision_of(self, kind: Kind[T], scope: Scope, key: str) -> Revision | None:
        row = self.tables[kind.name].rows.get((key, scope))
        return row.revision if row else None

    def scan(
        self,
        kind: Kind[T],
        scope: Scope | None,
        *,
        prefix: str = "",
        after: str = "",
        limit: int | None = None,
        descending: bool = False,
    ) -> list[T]:
        table = self.tables[kind.name]
        places = table.scopes.get(scope, SortedSet())
        if descending:
            chosen = _descending(places, prefix, after)
        else:
            chosen = _ascending(places, prefix, after)
        return [table.rows[place].value for place in islice(chosen, limit)]

    def find(
        self,
        kind: Kind[T],
        scope: Scope | None,
        index: str,
        words: tuple[str, ...],
        *,
        after: str = "",
        limit: int | None = None,
    ) -> list[T]:
        table = self.tables[kind.name]
        places = table.lookups.get(lookup(kind, scope, index, words), SortedSet())
        chosen = _ascending(places, "", after)
        return [table.rows[place].value for place in islice(chosen, limit)]

    def count(self, kind: Kind[T], scope: Scope | None, index: str, words: tuple[str, ...]) -> int:
        entry = lookup(kind, scope, index, words)
        return len(self.tables[kind.name].lookups.get(entry, ()))


_FIRST = Scope("", "")
_LAST = Scope("\U0010ffff", "")


def _ascending(places: SortedSet[_Place], prefix: str, after: str) -> Iterator[_Place]:
    start, stop = _bounds(places, prefix)
    if after:
        start = max(start, places.bisect_right((after, _LAST)))
    return places.islice(start, stop)


def _descending(places: SortedSet[_Place], prefix: str, after: str) -> Iterator[_Place]:
    start, stop = _bounds(places, prefix)
    if after:
        stop = min(stop, places.bisect_left((after, _FIRST)))
    return places.islice(start, stop, reverse=True)


def _bounds(places: SortedSet[_Place], prefix: str) -> tuple[int, int]:
    end = end_of_prefix(prefix)
    stop = len(places) if end is None else places.bisect_left((end, _FIRST))
    return places.bisect_left((prefix, _FIRST)), stop


class _MemoryTransaction:
    """A view of the state that changes it, remembering how to take that back."""

    def __init__(self, state: _State) -> None:
        self._state = state
        self._undo: list[tuple[_Table, _Place, _Row | None]] = []
        self.changes: list[Change] = []
        self.get = state.get
        self.revision_of = state.revision_of
        self.scan = state.scan
        self.find = state.find
        self.count = state.count

    @property
    def revision(self) -> Revision:
        return self._state.revision

    def put(self, kind: Kind[T], value: T) -> None:
        place = (kind.key(value), kind.scope(value))
        old = self._state.tables[kind.name].rows.get(place)
        if old is None or old.value != value:
            row = _Row(value, self._state.revision + 1, lookups_of(kind, place[1], value))
            self._replace(kind, place, row)

    def add(self, kind: Kind[T], value: T) -> None:
        self.put(kind, value)

    def delete(self, kind: Kind[T], scope: Scope, key: str) -> None:
        if (key, scope) in self._state.tables[kind.name].rows:
            self._replace(kind, (key, scope), None)

    def expect(self, kind: Kind[T], scope: Scope, key: str, revision: Revision | None) -> None:
        actual = self.revision_of(kind, scope, key)
        if actual != revision:
            raise Conflict(f"{kind.name} {key} is at revision {actual}, not {revision}")

    def undo(self) -> None:
        """Take everything back, the last first."""
        for table, place, old in reversed(self._undo):
            table.replace(place, old)
        self._state.revision -= len(self.changes)

    def _replace(self, kind: Kind[T], place: _Place, row: _Row | None) -> None:
        table = self._state.tables[kind.name]
        old = table.replace(place, row)
        self._undo.append((table, place, old))
        self._state.revision += 1
        self.changes.append(Change(self._state.revision, kind.name, place[1], place[0]))
