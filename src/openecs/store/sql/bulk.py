"""A database of bulk data: whatever waits for the disk is committed at once."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from queue import SimpleQueue
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, MetaData, create_engine, event, make_url
from sqlalchemy.exc import SQLAlchemyError

from openecs.store.base import StoreUnavailable

R = TypeVar("R")

_PRAGMAS = ("PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL")

_Work = Callable[[Connection], Any]


class BulkDatabase:
    """The database of a URL: a SQLite file of its own, or PostgreSQL.

    ``name`` is of what is in it, for messages. ``undone`` is called when a commit has failed.
    """

    def __init__(
        self, url: str, metadata: MetaData, name: str, undone: Callable[[], None] | None = None
    ) -> None:
        parsed = make_url(url)
        is_sqlite = parsed.get_backend_name() == "sqlite"
        self._url = parsed if is_sqlite else parsed.set(drivername="postgresql+psycopg")
        self._metadata = metadata
        self._name = name
        self._undone = undone
        self._waiting: SimpleQueue[tuple[_Work, asyncio.Future[Any]] | None] = SimpleQueue()

    async def open(self) -> None:
        """Connect, and make the tables. Raises ``StoreUnavailable``."""
        self._loop = asyncio.get_running_loop()
        try:
            self._engine = await asyncio.to_thread(self._connected)
        except SQLAlchemyError as error:
            raise StoreUnavailable(f"cannot open the {self._name}: {error}") from error
        self._thread = threading.Thread(target=self._write, name=self._name)
        self._thread.start()

    async def close(self) -> None:
        """Finish the writes under way and let go."""
        self._waiting.put(None)
        await asyncio.to_thread(self._thread.join)
        await asyncio.to_thread(self._engine.dispose)

    async def written(self, work: Callable[[Connection], R]) -> R:
        """The result of work that writes, once it is durable."""
        done: asyncio.Future[R] = self._loop.create_future()
        self._waiting.put((work, done))
        return await done

    async def asked(self, work: Callable[[Connection], R]) -> R:
        """The result of work that looks."""

        def ask() -> R:
            with self._told(), self._engine.connect() as connection:
                return work(connection)

        return await asyncio.to_thread(ask)

    def _connected(self) -> Engine:
        engine = create_engine(self._url)
        if self._url.get_backend_name() == "sqlite":

            @event.listens_for(engine, "connect")
            def connected(connection: Any, _: object) -> None:
                for pragma in _PRAGMAS:
                    connection.execute(pragma)

        self._metadata.create_all(engine)
        return engine

    def _write(self) -> None:
        """Whatever waits, in one transaction, over and over."""
        while (first := self._waiting.get()) is not None:
            group = [first]
            ends = False
            while not self._waiting.empty():
                more = self._waiting.get()
                if more is None:
                    ends = True
                    break
                group.append(more)
            self._commit(group)
            if ends:
                return

    def _commit(self, group: Sequence[tuple[_Work, asyncio.Future[Any]]]) -> None:
        results: list[Any] = []
        failure: Exception | None = None
        try:
            with self._told(), self._engine.begin() as connection:
                results = [work(connection) for work, _ in group]
        except Exception as error:  # noqa: BLE001 - whoever waits hears of it
            failure = error
            if self._undone is not None:
                self._undone()
        for number, (_, done) in enumerate(group):
            answer = (done, None if failure else results[number], failure)
            self._loop.call_soon_threadsafe(_answer, *answer)

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except SQLAlchemyError as error:
            raise StoreUnavailable(f"{self._name}: {error}") from error


def _answer(done: asyncio.Future[Any], result: Any, failure: Exception | None) -> None:
    if done.cancelled():
        return
    if failure is not None:
        done.set_exception(failure)
    else:
        done.set_result(result)
