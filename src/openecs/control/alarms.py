"""The loops of CloudWatch alarms: those on metrics, those on alarms, and their actions."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime

from openecs.control.alarm_deliveries import AlarmDeliveries
from openecs.control.composite_alarms import CompositeAlarms
from openecs.control.metric_alarms import MetricAlarms
from openecs.model.identity import Ids
from openecs.store.base import Store, Transaction
from openecs.store.metrics import MetricStore


class Alarms:
    """Keeps alarms and does their actions; ``url`` is where these are sent, empty: nowhere."""

    def __init__(
        self,
        *,
        store: Store,
        metrics: MetricStore,
        clock: Callable[[], datetime],
        ids: Ids,
        url: str,
        guard: Callable[[Transaction], None] | None = None,
    ) -> None:
        publishes = bool(url)
        self._metric = MetricAlarms(
            store=store, metrics=metrics, clock=clock, ids=ids, publishes=publishes, guard=guard
        )
        self._composite = CompositeAlarms(
            store=store, clock=clock, ids=ids, publishes=publishes, guard=guard
        )
        self._deliveries = AlarmDeliveries(store=store, clock=clock, url=url, guard=guard)

    async def run(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as group:
            for loop in (self._metric, self._composite, self._deliveries):
                group.create_task(loop.run())
