"""Decoded resources, and answers made of them, as of one revision. For one thread: no locks."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Mapping
from typing import Any, NamedTuple

from openecs.store.base import Revision
from openecs.store.sql.documents import Address
from openecs.store.sql.queries import Queries

#: The most answers kept, and the most resources in one.
_ANSWERS, _ANSWER_SIZE = 1_024, 128

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
        self._answers: dict[Hashable, Any] = {}
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

    def answer(self, question: Hashable) -> Any:
        """What a listing or a count came to at ``revision``; None: it was not asked since."""
        return self._answers.get(question)

    def keep_answer(self, question: Hashable, answer: Any) -> None:
        """Remember an answer until the next change; long ones are not worth it."""
        short = isinstance(answer, int) or len(answer) <= _ANSWER_SIZE
        if short and len(self._answers) < _ANSWERS:
            self._answers[question] = answer

    def advance(
        self, before: Revision, after: Revision, written: Mapping[Address, Stored | None]
    ) -> None:
        """Go to revision ``after`` with what was written since ``before`` (None: deleted)."""
        if self.revision >= after:
            return
        self._answers.clear()
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
        self._answers.clear()
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
        self._answers.clear()
        self.revision = max(self.revision, revision)
