"""Decoded resources as of one revision. A cache belongs to one thread and needs no lock."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, NamedTuple

from openecs.store.base import Revision
from openecs.store.sql.queries import Address, Queries

#: More changes than this are not looked at one by one: everything is forgotten instead.
_CATCH_UP = 1_000


class Stored(NamedTuple):
    """A resource and the revision that put it."""

    value: Any
    revision: Revision


class Cache:
    """The most recently used resources; whatever it has is as the database had it at ``revision``.

    It never says that a resource does not exist.
    """

    def __init__(self, *, size: int) -> None:
        self._size = size
        self._entries: OrderedDict[Address, Stored] = OrderedDict()
        self.revision: Revision = 0

    def get(self, address: Address) -> Stored | None:
        """What is known of an address."""
        entry = self._entries.get(address)
        if entry is not None:
            self._entries.move_to_end(address)
        return entry

    def learn(self, address: Address, stored: Stored) -> None:
        """Keep what the database has at ``revision``."""
        self._entries[address] = stored
        self._entries.move_to_end(address)
        if len(self._entries) > self._size:
            self._entries.popitem(last=False)

    def advance(
        self, before: Revision, after: Revision, written: Mapping[Address, Stored | None]
    ) -> None:
        """Go to revision ``after`` with what was written since ``before`` (None: deleted)."""
        if self.revision >= after:
            return
        if self.revision != before:
            self._entries.clear()
        self.revision = after
        for address, stored in written.items():
            if stored is None:
                self._entries.pop(address, None)
            else:
                self.learn(address, stored)

    def catch_up(self, queries: Queries) -> bool:
        """Go to the revision the database is at, forgetting what changed; whether any did."""
        now = queries.revision()
        if now == self.revision:
            return False
        changes = queries.changes(self.revision, _CATCH_UP + 1)
        if len(changes) != now - self.revision or len(changes) > _CATCH_UP:
            self._entries.clear()
        for change in changes:
            scope = change.scope
            self._entries.pop((change.kind, scope.account, scope.region, change.key), None)
        self.revision = now
        return True

    def clear(self, revision: Revision) -> None:
        """Forget everything; at ``revision`` there was nothing."""
        self._entries.clear()
        self.revision = max(self.revision, revision)
