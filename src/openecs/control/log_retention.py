"""Logs go when they are old, or when their group has gone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import structlog

from openecs.model.logs import LogGroup, milliseconds
from openecs.store.base import Store, StoreError, View
from openecs.store.logs import LOG_GROUPS, LogStore

log = structlog.get_logger(__name__)


class LogRetention:
    """Drops what is not kept any more, now and then. What is done twice is done once."""

    def __init__(
        self,
        *,
        store: Store,
        logs: LogStore,
        clock: Callable[[], datetime],
        interval: timedelta = timedelta(minutes=1),
    ) -> None:
        self._store = store
        self._logs = logs
        self._clock = clock
        self._interval = interval

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            try:
                await self.sweep()
            except StoreError as error:
                log.warning("old logs are not dropped", reason=str(error))
            await asyncio.sleep(self._interval.total_seconds())

    async def sweep(self) -> None:
        """Look at all groups once. Raises ``StoreError``."""
        # In this order: a group that is made meanwhile is not among those that have events.
        filled = await self._logs.groups()
        groups = {group.id: group for group in await self._store.read(_groups)}
        now = milliseconds(self._clock())
        for id_ in filled:
            group = groups.get(id_)
            if group is None:
                await self._logs.drop(id_)
            elif group.retention is not None:
                await self._logs.trim(id_, group.oldest(now))


def _groups(view: View) -> Sequence[LogGroup]:
    return view.find(LOG_GROUPS, None, "present", ())
