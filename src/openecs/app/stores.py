"""Where things are kept."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from openecs.sealing import keys_of
from openecs.store.base import Store
from openecs.store.logs import LogStore
from openecs.store.memory import MemoryStore
from openecs.store.memory_logs import MemoryLogStore
from openecs.store.memory_metrics import MemoryMetricStore
from openecs.store.metrics import MetricStore
from openecs.store.sql import SqlLogStore, SqlMetricStore, SqlStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from openecs.config import Settings

_S = TypeVar("_S", Store, MetricStore, LogStore)


@dataclass(frozen=True, slots=True)
class Stores:
    """Where things are kept: resources, what is measured, and logs."""

    resources: Store
    metrics: MetricStore
    logs: LogStore

    async def clear(self) -> None:
        """Forget everything."""
        await self.resources.clear()
        await self.metrics.clear()
        await self.logs.clear()


@contextlib.asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Stores]:
    """The stores that the settings name, until the end of the block."""
    async with (
        _open(_store(settings)) as resources,
        _open(_metrics(settings)) as metrics,
        _open(_logs(settings)) as logs,
    ):
        yield Stores(resources, metrics, logs)


def _store(settings: Settings) -> Store:
    if settings.ephemeral:
        return MemoryStore()
    return SqlStore(settings.database, seal=keys_of(settings))


def _metrics(settings: Settings) -> MetricStore:
    if settings.ephemeral:
        return MemoryMetricStore()
    if settings.shares_database:
        return SqlMetricStore(settings.database)
    return SqlMetricStore(f"sqlite:///{settings.directory / 'metrics.db'}")


def _logs(settings: Settings) -> LogStore:
    if settings.ephemeral:
        return MemoryLogStore()
    if settings.shares_database:
        return SqlLogStore(settings.database)
    return SqlLogStore(f"sqlite:///{settings.directory / 'logs.db'}")


@contextlib.asynccontextmanager
async def _open(store: _S) -> AsyncIterator[_S]:
    await store.open()
    try:
        yield store
    finally:
        await store.close()
