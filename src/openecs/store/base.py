"""The contract of the store.

Work on the store is a plain synchronous function: ``read`` hands it a consistent view, ``write`` a
transaction. Functions rather than ``with`` blocks because the store may then run them where it
likes (another thread), group many into one durable commit, and run one again after a conflict; a
function given to ``write`` must therefore have no effect but on the transaction.

Transactions are serial: each sees all before it. When ``write`` returns, the change is durable.
Every put and delete also writes one row of the change feed in the same transaction; revisions
become visible in order.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from openecs.model.identity import Scope

T = TypeVar("T")
R = TypeVar("R")

Revision = int

#: What a resource is found by: maps a value to the words of one index, or None to leave it out.
IndexFunction = Callable[[Any], "tuple[str, ...] | None"]

#: The scope of what belongs to the installation and to no account (machines).
INSTALLATION = Scope("", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind(Generic[T]):
    """A kind of resource: its type, what identifies it, and what it is found by.

    ``key`` is unique within the scope and orders listings. Each index maps a value to a tuple of
    words; ``find`` matches a whole tuple. ``indexes`` are looked up within one scope,
    ``global_indexes`` over all scopes. What is ``sealed`` holds secrets and is encrypted on disk,
    but for its key and the words of its indexes.
    """

    name: str
    type: type[T]
    key: Callable[[T], str]
    scope: Callable[[T], Scope]
    indexes: Mapping[str, IndexFunction] = field(default_factory=dict)
    global_indexes: Mapping[str, IndexFunction] = field(default_factory=dict)
    sealed: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """That a resource was put or deleted, and nothing more: look for yourself."""

    revision: Revision
    kind: str
    scope: Scope
    key: str


class StoreError(Exception):
    """The store could not do its work; nothing of the transaction was kept."""


class Conflict(StoreError):
    """A row is not at the revision a plan was made from: look again and decide again."""


class StoreUnavailable(StoreError):
    """The disk is full, the database is gone: nothing was written, the call may be repeated."""


class FeedTruncated(StoreError):
    """Changes after the cursor have been trimmed: observe everything anew and follow from now."""


class View(Protocol):
    """A consistent picture of the store."""

    @property
    def revision(self) -> Revision:
        """The revision of the last change in this picture."""
        ...

    def get(self, kind: Kind[T], scope: Scope, key: str) -> T | None:
        """The resource, or None."""
        ...

    def revision_of(self, kind: Kind[T], scope: Scope, key: str) -> Revision | None:
        """The revision that last put the resource, or None where there is none."""
        ...

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
        """The resources of a scope (None: of all scopes) in key order.

        ``prefix`` keeps keys that start so; ``after`` skips keys up to and including it (from the
        other end when descending; empty: from the start). Work is proportional to the answer.
        """
        ...

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
        """The resources whose index maps to ``words``, in key order, after key ``after``.

        ``scope`` is None for an index of ``global_indexes`` and given for one of ``indexes``.
        """
        ...

    def count(self, kind: Kind[T], scope: Scope | None, index: str, words: tuple[str, ...]) -> int:
        """How many resources ``find`` would return, without decoding them."""
        ...


class Transaction(View, Protocol):
    """A view that sees its own writes, all kept or none."""

    def put(self, kind: Kind[T], value: T) -> None:
        """Write a resource, new or in place of the one with its key. No change: no revision."""
        ...

    def add(self, kind: Kind[T], value: T) -> None:
        """Write a resource under a key that was made for it and nobody has had: as ``put``, faster.

        With a key that is taken the whole write fails, or the resource there is replaced.
        """
        ...

    def delete(self, kind: Kind[T], scope: Scope, key: str) -> None:
        """Remove a resource; nothing happens where there is none."""
        ...

    def expect(self, kind: Kind[T], scope: Scope, key: str, revision: Revision | None) -> None:
        """Raise ``Conflict`` unless the resource is at ``revision`` (None: unless it is absent)."""
        ...


class Store(Protocol):
    """A place to remember. Open it once, close it once."""

    async def open(self) -> None:
        """Connect, bring the schema up to date, take the lock. Raises ``StoreUnavailable``."""
        ...

    async def close(self) -> None:
        """Finish the writes under way and let go."""
        ...

    async def read(self, work: Callable[[View], R]) -> R:
        """Run ``work`` on a consistent view."""
        ...

    async def write(self, work: Callable[[Transaction], R]) -> R:
        """Run ``work`` in a transaction; on return it is durable.

        An exception from ``work`` undoes its transaction alone and is raised here unchanged.
        """
        ...

    def follow(self, after: Revision) -> AsyncIterator[Sequence[Change]]:
        """Changes after a revision, in order, in batches, as they become durable, for ever.

        With ``view.revision`` of an earlier read there is no gap. Raises ``FeedTruncated``.
        """
        ...

    async def clear(self) -> None:
        """Forget everything: ``--ephemeral`` reset. Followers go on from the next revision."""
        ...
