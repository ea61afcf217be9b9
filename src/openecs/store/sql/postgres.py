"""PostgreSQL: several processes, one writer at a time among them all.

Whoever writes first takes an advisory lock that ends with its transaction; PostgreSQL lets it go
only when the transaction can be seen, so revisions become visible in order.
https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import TypeVar

import psycopg
from sqlalchemy import URL, Connection, create_engine, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from openecs.store.base import Change, Revision, StoreUnavailable, View
from openecs.store.feed import Feed
from openecs.store.sql.documents import OPTION, Documents
from openecs.store.sql.queries import Queries
from openecs.store.sql.transaction import Outcome
from openecs.store.sql.view import SnapshotView

R = TypeVar("R")

#: The key of the advisory lock: "openecs" in bytes.
_LOCK = text(f"SELECT pg_advisory_xact_lock({int.from_bytes(b'openecs')})")
_NOTIFY = text("NOTIFY openecs_changes")
_LISTEN = "LISTEN openecs_changes"

#: Seconds after which changes are looked for without a hint: hints may be lost.
_POLL = 1.0
#: Seconds to wait for the database to answer a new connection.
_CONNECT = 10
#: How many changes are fetched at once, and kept in memory for followers.
_RECENT = 2_000
#: How many reads run at the same time.
_READERS = 8


class PostgresDatabase:
    """A database shared with other processes; what this one has seen of its feed."""

    feed: Feed

    def __init__(self, url: URL, *, documents: Documents) -> None:
        self._engine = create_engine(
            url,
            pool_size=_READERS + 1,
            max_overflow=0,
            hide_parameters=True,
            connect_args={"connect_timeout": _CONNECT},
            isolation_level="READ COMMITTED",
            execution_options={OPTION: documents},
        )
        self._snapshots = self._engine.execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )
        self._dsn = url.set(drivername="postgresql").render_as_string(hide_password=False)
        self._tail: asyncio.Task[None] | None = None

    def open(self) -> None:
        """Connections are made when they are needed."""
        self._readers = ThreadPoolExecutor(_READERS, thread_name_prefix="openecs-store-reader")

    async def start(self) -> None:
        """Find the end of the feed and begin to follow it."""
        revision, cleared = await self.ask(lambda q: (q.revision(), q.cleared()))
        self.feed = Feed(history=_RECENT, revision=revision, cleared=cleared)
        self._tail = asyncio.create_task(self._keep_up())

    async def stop(self) -> None:
        """Stop following."""
        if self._tail is not None:
            self._tail.cancel()
            with suppress(asyncio.CancelledError):
                await self._tail

    def forget_freed(self) -> None:
        """PostgreSQL's own vacuuming writes over what was."""

    def close(self) -> None:
        """Disconnect."""
        self._readers.shutdown()
        self._engine.dispose()

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """A transaction of the only writer among all processes."""
        with self._connect() as connection:
            yield connection
            connection.commit()

    def announce(self, connection: Connection) -> None:
        """Give an empty hint, at commit, to all who follow."""
        connection.execute(_NOTIFY)

    def published(self, outcome: Outcome) -> None:
        """Followers hear of it from the database, in one order with what others write."""

    def cleared(self, revision: Revision) -> None:
        """As ``published``."""

    async def read(self, work: Callable[[View], R]) -> R:
        """Run ``work`` on a snapshot, in a thread."""
        return await self.ask(lambda queries: work(SnapshotView(queries)))

    async def ask(self, question: Callable[[Queries], R]) -> R:
        """The answer of a snapshot, sought in a thread."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._readers, self._ask, question)

    def _ask(self, question: Callable[[Queries], R]) -> R:
        try:
            try:
                return self._ask_once(question)
            except DBAPIError as error:
                if not error.connection_invalidated:
                    raise
                # It was lost while it was idle: once more with a new one.
                return self._ask_once(question)
        except SQLAlchemyError as error:
            raise StoreUnavailable(f"cannot read the database: {error}") from error

    def _ask_once(self, question: Callable[[Queries], R]) -> R:
        with self._snapshots.connect() as connection:
            return question(Queries(connection))

    def _connect(self) -> Connection:
        """A connection that holds the lock; nothing is lost by trying a second time."""
        try:
            return self._locked()
        except DBAPIError as error:
            if not error.connection_invalidated:
                raise
            return self._locked()

    def _locked(self) -> Connection:
        connection = self._engine.connect()
        try:
            connection.execute(_LOCK)
        except BaseException:
            connection.close()
            raise
        return connection

    async def _keep_up(self) -> None:
        while True:
            # Whatever is wrong with the database, following goes on when it is well again.
            with suppress(psycopg.Error, StoreUnavailable, OSError):
                await self._listen()
            await asyncio.sleep(_POLL)

    async def _listen(self) -> None:
        async with await psycopg.AsyncConnection.connect(self._dsn, autocommit=True) as connection:
            await connection.execute(_LISTEN)
            while True:
                await self._catch_up()
                async for _ in connection.notifies(timeout=_POLL, stop_after=1):
                    pass

    async def _catch_up(self) -> None:
        while True:
            now, cleared, changes = await self.ask(self._news)
            if cleared > self.feed.revision:
                self.feed.clear(cleared)
            elif changes and changes[0].revision == self.feed.revision + 1:
                self.feed.publish(changes)
            elif now > self.feed.revision:
                # Trimmed before it was seen here: followers have to observe everything anew.
                self.feed.skip(now)
            else:
                return

    def _news(self, queries: Queries) -> tuple[Revision, Revision, list[Change]]:
        changes = queries.changes(self.feed.revision, _RECENT)
        return queries.revision(), queries.cleared(), changes
