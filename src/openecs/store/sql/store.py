"""``SqlStore``: the store in a database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, Protocol, TypeVar

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from openecs.model.sealing import Seal
from openecs.store import kinds as catalogue
from openecs.store.base import (
    Change,
    FeedTruncated,
    Kind,
    Revision,
    StoreUnavailable,
    Transaction,
    View,
)
from openecs.store.feed import Feed
from openecs.store.sql import schema, writer
from openecs.store.sql.cache import Cache
from openecs.store.sql.documents import Documents
from openecs.store.sql.queries import Queries

R = TypeVar("R")

#: How many changes a follower that is far behind gets at once.
_BATCH = 1_000


class Database(writer.Database, Protocol):
    """What differs between SQLite and PostgreSQL."""

    feed: Feed

    def open(self) -> None:
        """Connect; in a thread of its own. Holds nothing when it fails."""
        ...

    async def start(self) -> None:
        """Be ready for reads and followers, once the schema is up to date."""
        ...

    async def stop(self) -> None:
        """End what ``start`` began."""
        ...

    def forget_freed(self) -> None:
        """Leave nothing of what was overwritten, as far as that can be done at once."""
        ...

    def close(self) -> None:
        """Disconnect; in a thread of its own."""
        ...

    async def read(self, work: Callable[[View], R]) -> R:
        """Run ``work`` on a snapshot. Raises ``StoreUnavailable``."""
        ...

    async def ask(self, question: Callable[[Queries], R]) -> R:
        """The answer of a snapshot. Raises ``StoreUnavailable``."""
        ...


class SqlStore:
    """A ``Store`` in the database of a URL.

    ``sqlite:////var/lib/openecs/openecs.db`` is a file of this process alone;
    ``postgresql://user:password@host/database`` may be shared by several. ``cache_size`` is how
    many resources are kept decoded, for each of reading and writing. ``seal`` encrypts what is of
    sealed kinds.
    """

    def __init__(
        self,
        url: str,
        *,
        kinds: Sequence[Kind[Any]] = catalogue.ALL,
        cache_size: int = 16_384,
        seal: Seal | None = None,
    ) -> None:
        self._database = _database(url, cache_size, Documents(seal, kinds))
        self._kinds = kinds
        self._cache_size = cache_size
        self._writer: writer.Writer | None = None

    async def open(self) -> None:
        """Connect, bring the schema up to date, take the lock. Raises ``StoreUnavailable``."""
        try:
            await self._connect()
        except SQLAlchemyError as error:
            raise StoreUnavailable(f"cannot open the database: {error}") from error
        cache = Cache(size=self._cache_size)
        self._writer = writer.Writer(self._database, cache)

    async def close(self) -> None:
        """Finish the writes under way and let go."""
        if self._writer is None:
            return
        closing, self._writer = self._writer, None
        await closing.close()
        await self._database.stop()
        await asyncio.to_thread(self._database.close)

    async def read(self, work: Callable[[View], R]) -> R:
        """Run ``work`` on a consistent view."""
        return await self._opened().read(work)

    async def write(self, work: Callable[[Transaction], R]) -> R:
        """Run ``work`` in a transaction; on return it is durable."""
        return await self._open_writer().write(work)

    def follow(self, after: Revision) -> AsyncIterator[Sequence[Change]]:
        """Changes after a revision, in order, as they become durable."""
        return self._opened().feed.follow(after, self._older)

    async def clear(self) -> None:
        """Forget everything."""
        await self._open_writer().clear()

    def _opened(self) -> Database:
        self._open_writer()
        return self._database

    def _open_writer(self) -> writer.Writer:
        if self._writer is None:
            raise StoreUnavailable("the store is not open")
        return self._writer

    async def _connect(self) -> None:
        await asyncio.to_thread(self._database.open)
        try:
            await asyncio.to_thread(self._prepare)
            await self._database.start()
        except BaseException:
            await asyncio.to_thread(self._database.close)
            raise

    def _prepare(self) -> None:
        with self._database.transaction() as connection:
            had_plain = schema.prepare(connection, self._kinds)
        if had_plain:
            self._database.forget_freed()

    async def _older(self, after: Revision) -> Sequence[Change]:
        changes = await self._database.ask(lambda queries: queries.changes(after, _BATCH))
        if not changes or changes[0].revision != after + 1:
            raise FeedTruncated(f"changes after revision {after} are no longer kept")
        return changes


def _database(url: str, cache_size: int, documents: Documents) -> Database:
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise ValueError("the database URL cannot be read") from error
    match parsed.get_backend_name():
        case "sqlite":
            from openecs.store.sql.sqlite import SqliteDatabase

            file = parsed.set(drivername="sqlite+pysqlite")
            return SqliteDatabase(file, cache_size=cache_size, documents=documents)
        case "postgresql":
            from openecs.store.sql.postgres import PostgresDatabase

            server = parsed.set(drivername="postgresql+psycopg")
            return PostgresDatabase(server, documents=documents)
        case name:
            raise ValueError(f"no database of kind {name!r}: sqlite or postgresql")
