"""Metrics grow coarser as they age, and go."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from openecs.store.base import StoreError
from openecs.store.metrics import MetricStore

log = structlog.get_logger(__name__)


class MetricRetention:
    """Rolls metrics up, now and then. What is done twice is done once."""

    def __init__(
        self,
        *,
        metrics: MetricStore,
        clock: Callable[[], datetime],
        interval: timedelta = timedelta(minutes=5),
    ) -> None:
        self._metrics = metrics
        self._clock = clock
        self._interval = interval

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            try:
                await self._metrics.trim(self._clock())
            except StoreError as error:
                log.warning("metrics are not rolled up", reason=str(error))
            await asyncio.sleep(self._interval.total_seconds())
