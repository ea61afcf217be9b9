"""Subscription filters at work: what is logged is sent on, at least once.

Each filter has a cursor of its own in the store of logs, that follows the answers of its
destination: killed before it is written, a batch is sent again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import aiohttp
import structlog

from openecs.decide import log_subscriptions
from openecs.decide.log_subscriptions import Destinations
from openecs.loops.backoff import Backoff
from openecs.model.logs import DAY, KeptEvent, LogSubscriptionFilter, milliseconds
from openecs.store.base import Store, StoreError, View
from openecs.store.logs import LOG_GROUPS, LOG_SUBSCRIPTION_FILTERS, Cursor, LogStore

log = structlog.get_logger(__name__)

_PREFIX = "subscription-filter/"
_BATCH = 5_000
_BACKOFF = Backoff(first=timedelta(seconds=1), longest=timedelta(minutes=5))
_ANSWER_WITHIN = aiohttp.ClientTimeout(total=60)
#: AWS tries for so long, in milliseconds.
_GIVEN_UP_AFTER = DAY
#: Clocks of several processes that log may differ by this, in milliseconds.
_SKEW = 60_000


class NotDelivered(Exception):
    """A destination did not take what was sent."""


@dataclass(frozen=True, slots=True)
class _Active:
    """A filter, and the group it is of."""

    filter: LogSubscriptionFilter
    group: int

    @property
    def source(self) -> str:
        """What its cursor is kept as."""
        each = self.filter
        place = f"{each.scope.account}/{each.scope.region}"
        return f"{_PREFIX}{place}/{each.group}:{each.name}/{each.created}"


_Filters = Mapping[str, _Active]


class LogSubscriptions:
    """Sends for each filter on its own: a destination that is away keeps no other one waiting."""

    def __init__(
        self,
        *,
        store: Store,
        logs: LogStore,
        clock: Callable[[], datetime],
        destinations: Destinations,
        interval: timedelta = timedelta(seconds=1),
        backoff: Backoff = _BACKOFF,
    ) -> None:
        self._store = store
        self._logs = logs
        self._clock = clock
        self._destinations = destinations
        self._interval = interval
        self._backoff = backoff

    async def run(self) -> None:
        """Work until cancelled."""
        working: dict[str, asyncio.Task[None]] = {}
        known: frozenset[str] | None = None
        async with asyncio.TaskGroup() as group:
            while True:
                try:
                    filters = await self._store.read(_filters)
                    if known is None or filters.keys() != known:
                        await self._forget(filters)
                        known = frozenset(filters)
                    for source in working.keys() - filters.keys():
                        working.pop(source).cancel()
                    for source in filters.keys() - working.keys():
                        working[source] = group.create_task(self._follow(source))
                except StoreError as error:
                    log.warning("subscription filters are not read", reason=str(error))
                await asyncio.sleep(self._interval.total_seconds())

    async def _follow(self, source: str) -> None:
        """Send for one filter until cancelled."""
        failures = 0
        while True:
            wait = self._interval
            try:
                await self.deliver(source)
                failures = 0
            except (NotDelivered, StoreError) as error:
                failures += 1
                wait = self._backoff.delay(failures)
                log.warning("logs are not sent on", filter=source, reason=str(error))
            await asyncio.sleep(wait.total_seconds())

    async def deliver(self, source: str) -> None:
        """Send what is new for one filter. Raises ``NotDelivered`` and ``StoreError``."""
        active = (await self._store.read(_filters)).get(source)
        if active is None:
            return
        stored = await self._logs.cursor(source)
        after = await self._start(active) if stored is None else int(stored)
        is_full = True
        while is_full:
            # In this order: what is not found up to here is not of the group.
            newest = await self._logs.newest()
            events = await self._logs.newer(after, _BATCH, active.group)
            is_full = len(events) == _BATCH
            behind = events[-1][1].id if is_full else max(newest, after)
            told = [event for _, event in events if event.id <= behind]
            await self._send(active.filter, told)
            if stored is None or behind > after:
                await self._logs.put_cursor(Cursor(source, f"{behind}"))
            after = behind

    async def _send(self, wanted: LogSubscriptionFilter, events: Sequence[KeptEvent]) -> None:
        url = self._destinations.url(wanted.destination)
        try:
            for body in log_subscriptions.payloads(wanted, events):
                await _post(url, body)
        except NotDelivered as failure:
            if milliseconds(self._clock()) - events[0].ingested < _GIVEN_UP_AFTER:
                raise
            log.warning("logs were not sent on for a day: left out", reason=str(failure))

    async def _start(self, active: _Active) -> int:
        """Behind which id a new filter looks: ids grow as time goes on."""
        low, high = 0, await self._logs.newest()
        while low < high:
            middle = (low + high) // 2
            found = await self._logs.newer(middle, 1)
            if found and found[0][1].ingested < active.filter.created - _SKEW:
                low = found[0][1].id
            else:
                high = middle
        return low

    async def _forget(self, filters: _Filters) -> None:
        """The cursors of filters that have gone."""
        for source in await self._logs.sources(_PREFIX):
            if source not in filters:
                await self._logs.forget_cursor(source)


def _filters(view: View) -> _Filters:
    found = {}
    for each in view.find(LOG_SUBSCRIPTION_FILTERS, None, "present", ()):
        group = view.get(LOG_GROUPS, each.scope, each.group)
        if group is not None:
            active = _Active(each, group.id)
            found[active.source] = active
    return found


async def _post(url: str | None, body: bytes) -> None:
    """Raises ``NotDelivered``."""
    if url is None:
        raise NotDelivered("the destination has no URL any more: see log_destinations, lambda_url")
    headers = {"Content-Type": "application/json", "X-Amz-Invocation-Type": "Event"}
    try:
        async with (
            aiohttp.ClientSession(timeout=_ANSWER_WITHIN) as session,
            session.post(url, data=body, headers=headers) as reply,
        ):
            if reply.status >= 300:
                raise NotDelivered(f"the destination answered with status {reply.status}")
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        reason = str(error) or type(error).__name__
        raise NotDelivered(f"the destination did not answer: {reason}") from error
