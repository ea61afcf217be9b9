"""The loop that does the actions of alarms: notifications and events, by POST to a webhook.

Each is sent at least once: where an answer was not written down before a crash, it is sent again,
with the same id.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

import aiohttp
import structlog

from openecs.decide.alarm_notifications import GIVEN_UP_AFTER, Post, delivery
from openecs.decide.alarm_transitions import EVENT, performed
from openecs.loops.backoff import Backoff
from openecs.loops.controller import Again, Controller
from openecs.model.alarms import DueAction
from openecs.model.identity import Scope
from openecs.store.alarms import ALARM_HISTORY, DUE_ACTIONS
from openecs.store.base import Change, FeedTruncated, Revision, Store, StoreError, Transaction

log = structlog.get_logger(__name__)

RETRY = timedelta(seconds=1)
_BACKOFF = Backoff(first=timedelta(seconds=1), longest=timedelta(minutes=5))
_ANSWER_WITHIN = aiohttp.ClientTimeout(total=15)
#: So many are sent at once.
_AT_ONCE = 20

Key = tuple[Scope, str]


@dataclass(frozen=True, slots=True)
class _Failure:
    """Why an action was not done; ``is_final``: trying again would not help."""

    reason: str
    is_final: bool = False


class AlarmDeliveries:
    """Sends what is due to ``url``; where that is empty, notifications fail."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Callable[[], datetime],
        url: str,
        guard: Callable[[Transaction], None] | None = None,
        backoff: Backoff = _BACKOFF,
    ) -> None:
        self._store = store
        self._clock = clock
        self._url = url
        self._guard = guard
        self._backoff = backoff
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self._controller: Controller[Key] = Controller(
            "alarm deliveries", self._reconcile, clock=clock
        )

    async def run(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._follow())
            group.create_task(self._controller.run())

    async def _follow(self) -> None:
        while True:
            try:
                async for batch in self._store.follow(await self._observe()):
                    self._absorb(batch)
            except FeedTruncated:
                log.warning("changes were missed, looking at every action that is due")
            except StoreError as error:
                log.warning("changes cannot be followed", reason=str(error))
                await asyncio.sleep(RETRY.total_seconds())

    async def _observe(self) -> Revision:
        revision, found = await self._store.read(
            lambda view: (view.revision, view.find(DUE_ACTIONS, None, "present", ()))
        )
        self._add((due.scope, due.id) for due in found)
        return revision

    def _absorb(self, batch: Sequence[Change]) -> None:
        self._add((c.scope, c.key) for c in batch if c.kind == DUE_ACTIONS.name)

    def _add(self, keys: Iterable[Key]) -> None:
        for key in keys:
            self._controller.add(key)

    async def _reconcile(self, key: Key) -> datetime | None:
        try:
            due = await self._store.read(lambda view: view.get(DUE_ACTIONS, *key))
            if due is None:
                return None
            if due.due_at > self._clock():
                return due.due_at
            error = await self._deliver(due)
            return await self._store.write(partial(self._record, due, error, self._clock()))
        except StoreError as error:
            raise Again from error

    async def _deliver(self, due: DueAction) -> _Failure | None:
        match delivery(due, has_webhook=bool(self._url)):
            case Post() as post:
                async with self._turns:
                    return await self._post(post)
            case str(reason):
                return _Failure(reason, is_final=True)
            case None:
                return None

    async def _post(self, post: Post) -> _Failure | None:
        try:
            async with (
                aiohttp.ClientSession(timeout=_ANSWER_WITHIN) as session,
                session.post(self._url, data=post.body.encode(), headers=post.headers) as reply,
            ):
                if reply.status < 300:
                    return None
                return _Failure(f"the webhook answered with status {reply.status}")
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            return _Failure(f"the webhook did not answer: {str(error) or type(error).__name__}")

    def _record(
        self, due: DueAction, failure: _Failure | None, now: datetime, tx: Transaction
    ) -> datetime | None:
        """Write down what came of an action; when it is tried again."""
        if self._guard is not None:
            self._guard(tx)
        if tx.get(DUE_ACTIONS, due.scope, due.id) is None:
            return None
        if failure and not failure.is_final and now - due.at < GIVEN_UP_AFTER:
            again = now + self._backoff.delay(due.attempts + 1)
            tx.put(DUE_ACTIONS, replace(due, attempts=due.attempts + 1, due_at=again))
            return again
        tx.delete(DUE_ACTIONS, due.scope, due.id)
        if due.action != EVENT:
            error = failure.reason if failure else None
            tx.add(ALARM_HISTORY, performed(due, error, now))
        return None
