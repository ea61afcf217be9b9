"""A database of bulk data: whatever waits for the disk is committed at once."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any, TypeVar

from sqlalchemy import Connection, create_engine, event, make_url
from sqlalchemy.exc import SQLAlchemyError

from openecs.store.base import StoreUnavailable

R = TypeVar("R")

#: Pages that are free can be given back; of a new file only, and before anything else is said.
_PRAGMAS = (
    "PRAGMA auto_vacuum = INCREMENTAL",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
)

_Work = Callable[[Connection], Any]


@dataclass(frozen=True, slots=True)
class _Call:
    work: _Work
    done: asyncio.Future[Any]
    #: Its transaction is its own.
    alone: bool


class BulkDatabase:
    """The database of a URL: a SQLite file of its own, or PostgreSQL.

    ``prepare`` brings the schema up to date. ``name`` is of what is in it, for messages. ``undone``
    is called when a commit has failed. Work is a function of nothing but the connection: it may be
    run again when others in its transaction have failed.
    """

    def __init__(
        self,
        url: str,
        prepare: Callable[[Connection], None],
        name: str,
        undone: Callable[[], None] | None = None,
    ) -> None:
        parsed = make_url(url)
        is_sqlite = parsed.get_backend_name() == "sqlite"
        self._url = parsed if is_sqlite else parsed.set(drivername="postgresql+psycopg")
        self._prepare = prepare
        self._name = name
        self._undone = undone
        self._waiting: SimpleQueue[_Call | None] = SimpleQueue()

    async def open(self) -> None:
        """Connect, and make the tables. Raises ``StoreUnavailable``."""
        self._loop = asyncio.get_running_loop()
        try:
            await asyncio.to_thread(self._connected)
        except SQLAlchemyError as error:
            raise StoreUnavailable(f"cannot open the {self._name}: {error}") from error
        self._thread = threading.Thread(target=self._write, name=self._name, daemon=True)
        self._thread.start()

    async def close(self) -> None:
        """Finish the writes under way and let go."""
        self._waiting.put(None)
        await asyncio.to_thread(self._thread.join)
        await asyncio.to_thread(self._engine.dispose)

    async def written(self, work: Callable[[Connection], R], *, alone: bool = False) -> R:
        """The result of work that writes, once it is durable.

        ``alone``: in a transaction of its own.
        """
        done: asyncio.Future[R] = self._loop.create_future()
        self._waiting.put(_Call(work, done, alone))
        return await done

    async def asked(self, work: Callable[[Connection], R]) -> R:
        """The result of work that looks, all at one moment."""

        def ask() -> R:
            with self._told(), self._snapshots.connect() as connection, connection.begin():
                return work(connection)

        return await asyncio.to_thread(ask)

    def _connected(self) -> None:
        if self._url.get_backend_name() == "sqlite":
            self._engine = create_engine(self._url)
            self._snapshots = self._engine
            event.listen(self._engine, "connect", _configure)
            event.listen(self._engine, "begin", lambda c: c.exec_driver_sql("BEGIN"))
        else:
            self._engine = create_engine(self._url, isolation_level="READ COMMITTED")
            self._snapshots = self._engine.execution_options(isolation_level="REPEATABLE READ")
        with self._engine.begin() as connection:
            self._prepare(connection)

    def _write(self) -> None:
        """Whatever waits, in one transaction, over and over."""
        behind: list[_Call | None] = []
        while (call := behind.pop() if behind else self._waiting.get()) is not None:
            group = [call]
            while not (call.alone or behind or self._waiting.empty()):
                more = self._waiting.get()
                if more is None or more.alone:
                    behind.append(more)
                else:
                    group.append(more)
            self._commit(group)

    def _commit(self, group: Sequence[_Call]) -> None:
        results: list[Any] = []
        failure: Exception | None = None
        try:
            with self._told(), self._engine.begin() as connection:
                results.extend(call.work(connection) for call in group)
        except Exception as error:  # noqa: BLE001 - whoever waits hears of it
            failure = error
            if self._undone is not None:
                self._undone()
        if failure is not None and len(results) < len(group) > 1:
            # Nothing was committed: who is to blame fails, the others do not.
            for call in group:
                self._commit([call])
            return
        for number, call in enumerate(group):
            answer = (call.done, None if failure else results[number], failure)
            self._loop.call_soon_threadsafe(_answer, *answer)

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except SQLAlchemyError as error:
            raise StoreUnavailable(f"{self._name}: {error}") from error


def _configure(connection: Any, _record: object) -> None:
    # The driver must not begin transactions by itself; the engine's "begin" does.
    connection.isolation_level = None
    for pragma in _PRAGMAS:
        connection.execute(pragma)


def _answer(done: asyncio.Future[Any], result: Any, failure: Exception | None) -> None:
    if done.cancelled():
        return
    if failure is not None:
        done.set_exception(failure)
    else:
        done.set_result(result)
