"""The latest changes, kept in memory for those who follow them in this process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

from openecs.store.base import Change, Revision


class Feed:
    """At least the last ``history`` changes in order, and a wake-up for those who wait for more.

    Revisions have no holes, so a cursor is a position. To be used in the event loop's thread.
    """

    def __init__(self, *, history: int, revision: Revision = 0, cleared: Revision = 0) -> None:
        self._history = history
        self._changes: list[Change] = []
        self._forgotten = revision
        self._cleared = cleared
        self._moved = asyncio.Event()

    @property
    def revision(self) -> Revision:
        """The revision of the last change."""
        return self._forgotten + len(self._changes)

    def publish(self, changes: Sequence[Change]) -> None:
        """Append the changes that follow on the last one."""
        if not changes:
            return
        self._changes += changes
        if len(self._changes) > 2 * self._history:
            self._forgotten = self._changes[-self._history].revision - 1
            del self._changes[: -self._history]
        self._wake()

    def skip(self, revision: Revision) -> None:
        """Go on after ``revision``; changes up to it are no longer kept here."""
        self._changes = []
        self._forgotten = revision
        self._wake()

    def clear(self, revision: Revision) -> None:
        """Everything up to ``revision`` never was: followers go on with what comes next."""
        self._cleared = revision
        self.skip(revision)

    async def follow(
        self, after: Revision, older: Callable[[Revision], Awaitable[Sequence[Change]]]
    ) -> AsyncIterator[Sequence[Change]]:
        """Changes after a revision in batches; ``older`` fetches those that are not kept here."""
        while True:
            after = max(after, self._cleared)
            moved = self._moved
            if after < self._forgotten:
                batch = await older(after)
            else:
                batch = self._changes[after - self._forgotten :]
            if batch:
                after = batch[-1].revision
                yield batch
            else:
                await moved.wait()

    def _wake(self) -> None:
        self._moved.set()
        self._moved = asyncio.Event()
