"""SQLite: one file, one process, no waiting for a reader or by one.

Reads run where they are asked, in the event loop's thread: what is known decoded answers in
microseconds, and the database is only asked for the rest. Modes: https://sqlite.org/wal.html,
https://sqlite.org/pragma.html#pragma_synchronous.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TextIO, TypeVar

from sqlalchemy import URL, Connection, NullPool, create_engine, event
from sqlalchemy.exc import SQLAlchemyError
from typing_extensions import override

from openecs.model.identity import Scope
from openecs.store import codec
from openecs.store.base import Kind, Revision, StoreUnavailable, View
from openecs.store.feed import Feed
from openecs.store.sql.cache import Cache, Stored
from openecs.store.sql.documents import OPTION, Address, Documents
from openecs.store.sql.queries import Queries
from openecs.store.sql.transaction import Outcome
from openecs.store.sql.view import SqlView

R = TypeVar("R")
T = TypeVar("T")

#: Changes kept in memory for followers; older ones come from the database.
_RECENT = 2_000

_PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA temp_store = MEMORY",
    f"PRAGMA cache_size = {-8 << 10}",
    # Some distributions build SQLite to write zeros over all it frees.
    "PRAGMA secure_delete = FAST",
    f"PRAGMA journal_size_limit = {64 << 20}",
)


class SqliteDatabase:
    """A database file and the lock that keeps other processes from it."""

    feed: Feed

    def __init__(self, url: URL, *, cache_size: int, documents: Documents) -> None:
        self._url = url
        self._documents = documents
        self._path = Path(url.database or "")
        self._cache = Cache(size=cache_size)

    def open(self) -> None:
        """Take the lock and connect. Raises ``StoreUnavailable``."""
        with ExitStack() as held:
            held.enter_context(_lock(self._path))
            self._writing = held.enter_context(self._connect("BEGIN IMMEDIATE"))
            self._reading = held.enter_context(self._connect("BEGIN"))
            self._held = held.pop_all()

    def forget_freed(self) -> None:
        """Leave nothing in the file of what was overwritten in it."""
        driver: Any = self._writing.connection.driver_connection
        driver.execute("VACUUM")
        driver.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    async def start(self) -> None:
        """Be ready for reads and followers; the schema is up to date."""
        with self._reading.begin():
            queries = Queries(self._reading)
            self._cache.catch_up(queries)
            cleared = queries.cleared()
        self.feed = Feed(history=_RECENT, revision=self._cache.revision, cleared=cleared)

    async def stop(self) -> None:
        """Nothing goes on in the background."""

    def close(self) -> None:
        """Disconnect and let go of the lock."""
        self._held.close()

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """A transaction of the only writer."""
        with self._writing.begin():
            yield self._writing
            driver: Any = self._writing.connection.driver_connection
            if not driver.in_transaction:
                # SQLite has undone it (disk full, for one), and the error did not get here.
                raise StoreUnavailable("SQLite rolled the transaction back")

    def announce(self, connection: Connection) -> None:
        """There is nobody else to tell."""

    def published(self, outcome: Outcome) -> None:
        """Take in what the writer has committed."""
        self._cache.advance(outcome.before, outcome.after, outcome.written)
        self.feed.publish(outcome.changes)

    def cleared(self, revision: Revision) -> None:
        """Take in that everything was removed."""
        self._cache.clear(revision)
        self.feed.clear(revision)

    async def read(self, work: Callable[[View], R]) -> R:
        """Run ``work`` here and now."""
        view = _InlineView(self._reading, self._cache)
        try:
            return work(view)
        except _Moved:
            # The snapshot is newer than what was answered from the cache; now both are the same.
            return work(view)
        except SQLAlchemyError as error:
            raise StoreUnavailable(f"cannot read {self._path}: {error}") from error
        finally:
            view.close()

    async def ask(self, question: Callable[[Queries], R]) -> R:
        """The answer of a snapshot."""
        try:
            with self._reading.begin():
                return question(Queries(self._reading))
        except SQLAlchemyError as error:
            raise StoreUnavailable(f"cannot read {self._path}: {error}") from error

    def _connect(self, begin: str) -> Connection:
        engine = create_engine(
            self._url,
            poolclass=NullPool,
            hide_parameters=True,
            connect_args={"check_same_thread": False},
            execution_options={OPTION: self._documents},
        )
        event.listen(engine, "connect", _configure)
        event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(begin))
        return engine.connect()


class _Moved(BaseException):
    """Not an error: what the work has seen so far and what it asks for now are not one picture."""


class _InlineView(SqlView):
    """The cache and, from the first question it cannot answer, a snapshot of the same revision."""

    def __init__(self, connection: Connection, cache: Cache) -> None:
        self._connection = connection
        self._cache = cache
        self._snapshot: Queries | None = None
        self._has_answered = False

    @property
    @override
    def revision(self) -> Revision:
        self._has_answered = True
        return self._cache.revision

    @override
    def stored(self, kind: Kind[Any], address: Address) -> Stored | None:
        found = self._cache.get(address)
        if found is not None:
            self._has_answered = True
            return found
        record = self.queries().record(address)
        if record is None:
            return None
        found = Stored(codec.decode(kind, record.document), record.revision)
        self._cache.learn(address, found)
        return found

    @override
    def known(self, address: Address) -> Stored | None:
        return self._cache.get(address)

    @override
    def learn(self, address: Address, stored: Stored) -> None:
        self._cache.learn(address, stored)

    @override
    def queries(self) -> Queries:
        if self._snapshot is None:
            self._connection.begin()
            self._snapshot = Queries(self._connection)
            if self._cache.catch_up(self._snapshot) and self._has_answered:
                raise _Moved
        return self._snapshot

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
        question = ("scan", kind.name, scope, prefix, after, limit, descending)
        listing = partial(super().scan, kind, scope, prefix=prefix, after=after)
        return self._answered(question, partial(listing, limit=limit, descending=descending))

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
        question = ("find", kind.name, scope, index, words, after, limit)
        listing = partial(super().find, kind, scope, index, words)
        return self._answered(question, partial(listing, after=after, limit=limit))

    @override
    def count(self, kind: Kind[T], scope: Scope | None, index: str, words: tuple[str, ...]) -> int:
        question = ("count", kind.name, scope, index, words)
        return self._answered(question, partial(super().count, kind, scope, index, words))

    def _answered(self, question: Hashable, ask: Callable[[], R]) -> R:
        """The answer from the cache, or a new one to keep there."""
        known: R | None = self._cache.answer(question)
        if known is not None:
            self._has_answered = True
            return known
        answer = ask()
        self._cache.keep_answer(question, answer)
        return answer

    def close(self) -> None:
        """End the snapshot."""
        if self._snapshot is not None:
            self._connection.rollback()


def _lock(path: Path) -> TextIO:
    """Hold ``path``.lock, with our process id in it, for as long as the file is open."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Documents may hold secrets: for the owner's eyes only, like the files SQLite adds.
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        lock = Path(f"{path}.lock").open("a+", encoding="ascii")  # noqa: SIM115 - held while open
    except OSError as error:
        raise StoreUnavailable(f"cannot open {path}: {error}") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.seek(0)
        holder = lock.read().strip() or "unknown"
        lock.close()
        raise StoreUnavailable(f"{path} is in use by process {holder}") from error
    lock.truncate(0)
    lock.write(str(os.getpid()))
    lock.flush()
    return lock


def _configure(connection: Any, _record: object) -> None:
    # The driver must not begin transactions by itself; the engine's "begin" does.
    connection.isolation_level = None
    for pragma in _PRAGMAS:
        connection.execute(pragma)
