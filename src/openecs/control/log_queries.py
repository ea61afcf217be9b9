"""Queries of logs at work: each that was started is answered, and told for a week."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from time import monotonic

import structlog

from openecs.decide import log_results
from openecs.decide.insights import QueryProblem, compiled
from openecs.model.identity import Scope
from openecs.model.log_queries import LogQuery, QueryStatus, Question
from openecs.model.logs import DAY, milliseconds
from openecs.store.base import Store, StoreError, Transaction, View
from openecs.store.log_questions import QuestionFailed, QuestionStopped
from openecs.store.logs import LOG_GROUPS, LOG_QUERIES, LogStore

log = structlog.get_logger(__name__)

_KEPT = 7 * DAY
#: So many are told besides, the newest.
_MOST = 1_000
#: What the rows of a query come to, in characters.
_LARGEST = 8_000_000
_AT_ONCE = 4

Key = tuple[Scope, str]


class LogQueries:
    """Answers a few at once. What was not answered when the process was killed is asked again."""

    def __init__(
        self,
        *,
        store: Store,
        logs: LogStore,
        clock: Callable[[], datetime],
        guard: Callable[[Transaction], None] | None = None,
        interval: timedelta = timedelta(seconds=0.2),
        limit: timedelta = timedelta(minutes=15),
    ) -> None:
        self._store = store
        self._logs = logs
        self._clock = clock
        self._guard = guard
        self._interval = interval
        self._limit = limit

    async def run(self) -> None:
        """Work until cancelled."""
        working: dict[Key, tuple[asyncio.Task[None], list[bool]]] = {}
        try:
            async with asyncio.TaskGroup() as group:
                while True:
                    with suppress(StoreError):
                        waiting = await self._waiting()
                        for key in [k for k, (task, _) in working.items() if task.done()]:
                            del working[key]
                        for key, (_, over) in working.items():
                            over[0] = key not in waiting
                        for key in [k for k in waiting if k not in working][:_AT_ONCE]:
                            if len(working) < _AT_ONCE:
                                over = [False]
                                task = group.create_task(self.answer(waiting[key], over))
                                working[key] = (task, over)
                    await asyncio.sleep(self._interval.total_seconds())
        finally:
            for _, over in working.values():
                over[0] = True

    async def _waiting(self) -> dict[Key, LogQuery]:
        found = await self._store.read(lambda v: v.find(LOG_QUERIES, None, "present", ()))
        return {(q.scope, q.id): q for q in found if q.status is QueryStatus.SCHEDULED}

    async def answer(self, query: LogQuery, over: Sequence[bool] = (False,)) -> None:
        """Answer one; ``over`` tells that nobody wants to know any more."""
        begun = monotonic()
        deadline = begun + self._limit.total_seconds()
        try:
            done = await self._answered(query, lambda: over[0] or monotonic() > deadline)
            took = int((monotonic() - begun) * 1000)
            await self._store.write(partial(self._record, replace(done, took=took)))
        except StoreError as error:
            log.warning("a query of logs is not answered", query=query.id, reason=str(error))

    async def _answered(self, query: LogQuery, is_over: Callable[[], bool]) -> LogQuery:
        try:
            made = compiled(query.text, query.limit, query.created)
            groups = await self._store.read(partial(_groups, query))
            question = Question(made, groups, query.start, query.end)
            answer = await self._logs.ask(question, is_over)
            rows = log_results.told(made, answer.rows)
            _check(rows)
        except QuestionStopped:
            return replace(query, status=QueryStatus.TIMEOUT)
        except (QuestionFailed, QueryProblem) as error:
            log.warning("a query of logs failed", query=query.id, reason=str(error))
            return replace(query, status=QueryStatus.FAILED)
        return replace(
            query,
            status=QueryStatus.COMPLETE,
            rows=rows,
            scanned=answer.scanned,
            size=answer.size,
        )

    def _record(self, done: LogQuery, tx: Transaction) -> None:
        if self._guard is not None:
            self._guard(tx)
        known = tx.get(LOG_QUERIES, done.scope, done.id)
        if known is None or known.status is not QueryStatus.SCHEDULED:
            return
        tx.put(LOG_QUERIES, done)
        found = sorted(tx.find(LOG_QUERIES, None, "present", ()), key=lambda q: -q.created)
        oldest = milliseconds(self._clock()) - _KEPT
        for number, each in enumerate(found):
            if each.status is not QueryStatus.SCHEDULED and (
                number >= _MOST or each.created < oldest
            ):
                tx.delete(LOG_QUERIES, each.scope, each.id)


def _groups(query: LogQuery, view: View) -> dict[int, str]:
    """The groups that are there still, with what ``@log`` calls them."""
    found = (view.get(LOG_GROUPS, query.scope, name) for name in query.groups)
    return {group.id: f"{query.scope.account}:{group.name}" for group in found if group}


def _check(rows: Sequence[log_results.Row]) -> None:
    if sum(len(value) for row in rows for _, value in row) > _LARGEST:
        raise QuestionFailed("its results are too large")
