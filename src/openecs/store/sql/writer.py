"""The one who writes: a thread with the write connection, and a durable commit for many calls.

Whatever is asked while a commit is under way goes together into the next one; nobody is made to
wait for company. Group commit: DeWitt et al., "Implementation Techniques for Main Memory Database
Systems", SIGMOD 1984.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, Protocol, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from openecs.store.base import Revision, StoreUnavailable, Transaction
from openecs.store.sql import statements
from openecs.store.sql.cache import Cache
from openecs.store.sql.queries import Queries
from openecs.store.sql.transaction import Group, Outcome

R = TypeVar("R")

#: The most calls that share a commit: bounds how long the first of them waits for the last.
_GROUP = 256


class Database(Protocol):
    """What the writer needs of SQLite or PostgreSQL."""

    def transaction(self) -> AbstractContextManager[Connection]:
        """A transaction that begins when all others that write have ended, and ends durable."""
        ...

    def announce(self, connection: Connection) -> None:
        """Tell other processes, at commit, that something changed."""
        ...

    def published(self, outcome: Outcome) -> None:
        """A group is committed; told in the event loop, in order."""
        ...

    def cleared(self, revision: Revision) -> None:
        """Everything was removed; told in the event loop, in order."""
        ...


@dataclass(frozen=True, slots=True)
class _Answer:
    """What a call comes to. A value, because not every exception can be given to a future."""

    value: Any = None
    error: BaseException | None = None


@dataclass(frozen=True, slots=True)
class _Call:
    work: Callable[[Transaction], Any]
    answer: asyncio.Future[_Answer]


@dataclass(frozen=True, slots=True)
class _Clear:
    answer: asyncio.Future[_Answer]


@dataclass(frozen=True, slots=True)
class _Stop:
    pass


class Writer:
    """Runs what it is given, in order, in its thread; answers in the event loop's.

    The database has taken in the outcome of a group before its callers have their answers.
    """

    def __init__(self, database: Database, cache: Cache) -> None:
        self._database = database
        self._cache = cache
        self._loop = asyncio.get_running_loop()
        self._queue: SimpleQueue[_Call | _Clear | _Stop] = SimpleQueue()
        self._thread = Thread(target=self._run, name="openecs-store-writer", daemon=True)
        self._thread.start()

    async def write(self, work: Callable[[Transaction], R]) -> R:
        """Run ``work`` in a transaction; see ``Store.write``."""
        value: R = await self._ask(_Call(work, self._loop.create_future()))
        return value

    async def clear(self) -> None:
        """Remove everything; see ``Store.clear``."""
        await self._ask(_Clear(self._loop.create_future()))

    async def close(self) -> None:
        """Finish what was asked before; nothing may be asked after."""
        self._queue.put(_Stop())
        await asyncio.to_thread(self._thread.join)

    async def _ask(self, request: _Call | _Clear) -> Any:
        self._queue.put(request)
        answer = await request.answer
        if answer.error is not None:
            raise answer.error
        return answer.value

    def _run(self) -> None:
        while True:
            calls, other = self._gather()
            if calls:
                self._write(calls)
            match other:
                case _Clear(answer):
                    self._clear(answer)
                case _Stop():
                    return
                case None:
                    continue

    def _gather(self) -> tuple[list[_Call], _Clear | _Stop | None]:
        """Wait for something to do; take along the calls that wait as well."""
        calls: list[_Call] = []
        request = self._queue.get()
        with suppress(Empty):
            while isinstance(request, _Call):
                calls.append(request)
                if len(calls) == _GROUP:
                    return calls, None
                request = self._queue.get_nowait()
            return calls, request
        return calls, None

    def _write(self, calls: list[_Call]) -> None:
        futures = [call.answer for call in calls]
        try:
            answers, outcome = self._commit(calls)
        except Exception as error:  # noqa: BLE001 - whatever it was, the callers must hear of it
            self._later(_resolve, futures, [_unavailable(error) for _ in calls])
            return
        self._cache.advance(outcome.before, outcome.after, outcome.written)
        self._later(self._database.published, outcome)
        self._later(_resolve, futures, answers)

    def _commit(self, calls: list[_Call]) -> tuple[list[_Answer], Outcome]:
        with self._database.transaction() as connection:
            self._cache.catch_up(Queries(connection))
            group = Group(connection, self._cache)
            answers = [_run(group, call.work) for call in calls]
            outcome = group.finish()
            if outcome.changes:
                self._database.announce(connection)
        return answers, outcome

    def _clear(self, future: asyncio.Future[_Answer]) -> None:
        try:
            with self._database.transaction() as connection:
                # A revision without a change: whoever has cached something notices.
                revision = Queries(connection).revision() + 1
                statements.clear(connection, revision)
                self._database.announce(connection)
        except Exception as error:  # noqa: BLE001 - whatever it was, the caller must hear of it
            self._later(_resolve, [future], [_unavailable(error)])
            return
        self._later(self._database.cleared, revision)
        self._later(_resolve, [future], [_Answer()])

    def _later(self, function: Callable[..., None], *arguments: object) -> None:
        # An event loop that is closed has nobody left who waits.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(function, *arguments)


def _run(group: Group, work: Callable[[Transaction], Any]) -> _Answer:
    try:
        return _Answer(value=group.run(work))
    except SQLAlchemyError:
        raise
    except BaseException as error:  # noqa: BLE001 - raised again in the caller's task
        return _Answer(error=error)


def _unavailable(error: Exception) -> _Answer:
    unavailable = StoreUnavailable(f"nothing was written: {error}")
    unavailable.__cause__ = error
    return _Answer(error=unavailable)


def _resolve(futures: list[asyncio.Future[_Answer]], answers: list[_Answer]) -> None:
    for future, answer in zip(futures, answers, strict=True):
        if not future.done():
            future.set_result(answer)
