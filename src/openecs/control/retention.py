"""Forgetting what AWS forgets: stopped tasks, deleted definitions, used-up client tokens."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from openecs.decide import retention
from openecs.store.base import Store, StoreError, Transaction
from openecs.store.kinds import (
    CLUSTERS,
    IDEMPOTENCY,
    TASK_DEFINITIONS,
    TASKS,
)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """Looks at what has ended, now and then, and removes what ended long enough ago."""

    store: Store
    clock: Callable[[], datetime]
    stopped_tasks: timedelta
    interval: timedelta = timedelta(minutes=1)

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            try:
                await self.store.write(self._forget)
            except StoreError as error:
                log.warning("retention waits", reason=str(error))
            await asyncio.sleep(self.interval.total_seconds())

    def _forget(self, transaction: Transaction) -> None:
        now = self.clock()
