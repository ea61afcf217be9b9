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

_MIB = 1024 * 1024
#: So long is told that something was dropped.
_TOLD = timedelta(days=1)


class LogRetention:
    """Drops what is not kept any more, now and then. What is done twice is done once.

    ``most``: the bytes that all events may have; 0: any.
    """

    def __init__(
        self,
        *,
        store: Store,
        logs: LogStore,
        clock: Callable[[], datetime],
        most: int = 0,
        interval: timedelta = timedelta(minutes=1),
    ) -> None:
        self._store = store
        self._logs = logs
        self._clock = clock
        self._most = most
        self._interval = interval
        self._dropped_at: datetime | None = None

    def notices(self) -> list[str]:
        """What somebody should know: logs were dropped lately that were to be kept."""
        if self._dropped_at is None or self._clock() - self._dropped_at > _TOLD:
            return []
        told = (
            f"The logs were larger than the setting log_max_mib ({self._most // _MIB}), and the "
            f"oldest were dropped, last at {self._dropped_at:%Y-%m-%d %H:%M} UTC."
        )
        return [told]

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
        if self._most and (dropped := await self._logs.shrink(self._most)):
            self._dropped_at = self._clock()
            log.warning("logs were too large: the oldest were dropped", bytes=dropped)


def _groups(view: View) -> Sequence[LogGroup]:
    return view.find(LOG_GROUPS, None, "present", ())
