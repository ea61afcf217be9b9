"""Metric filters at work: what is logged is measured."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import timedelta

import structlog

from openecs.decide import log_metrics
from openecs.model.logs import KeptEvent, LogMetricFilter
from openecs.store.base import Store, StoreError, View
from openecs.store.logs import LOG_GROUPS, LOG_METRIC_FILTERS, Cursor, LogStore
from openecs.store.metrics import MetricStore

log = structlog.get_logger(__name__)

_SOURCE = "metric-filters"
_BATCH = 5_000

#: The filters of groups, by the groups' ids.
_Filters = Mapping[int, Sequence[LogMetricFilter]]


class LogFilters:
    """Reads all events in the order they were kept in, each once.

    Killed between the metrics and the cursor it measures a batch twice, but leaves none out.
    """

    def __init__(
        self,
        *,
        store: Store,
        logs: LogStore,
        metrics: MetricStore,
        interval: timedelta = timedelta(seconds=1),
    ) -> None:
        self._store = store
        self._logs = logs
        self._metrics = metrics
        self._interval = interval

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            try:
                await self.measure()
            except StoreError as error:
                log.warning("logs are not measured", reason=str(error))
            await asyncio.sleep(self._interval.total_seconds())

    async def measure(self) -> None:
        """Measure what is new. Raises ``StoreError``."""
        filters = await self._store.read(_filters)
        stored = await self._logs.cursor(_SOURCE)
        if not filters:
            await self._skip(stored)
            return
        after = int(stored or 0)
        while events := await self._logs.newer(after, _BATCH):
            by_group: defaultdict[int, list[KeptEvent]] = defaultdict(list)
            for group, event in events:
                by_group[group].append(event)
            samples = [
                sample
                for group, found in by_group.items()
                for each in filters.get(group, ())
                for sample in log_metrics.samples(each, found)
            ]
            await self._metrics.put(samples)
            after = events[-1][1].id
            await self._logs.put_cursor(Cursor(_SOURCE, f"{after}"))

    async def _skip(self, stored: str | None) -> None:
        newest = f"{await self._logs.newest()}"
        if newest != stored:
            await self._logs.put_cursor(Cursor(_SOURCE, newest))


def _filters(view: View) -> _Filters:
    found: defaultdict[int, list[LogMetricFilter]] = defaultdict(list)
    for each in view.find(LOG_METRIC_FILTERS, None, "present", ()):
        group = view.get(LOG_GROUPS, each.scope, each.group)
        if group is not None:
            found[group.id].append(each)
    return found
