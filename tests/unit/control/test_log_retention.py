"""Logs that are too large."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from openecs.control.log_retention import LogRetention
from openecs.model.identity import Scope
from openecs.model.logs import LogEvent, LogGroup
from openecs.store.logs import LOG_GROUPS, EventRange
from openecs.store.memory import MemoryStore
from openecs.store.memory_logs import MemoryLogStore


async def test_logs_that_are_too_large_are_dropped_and_it_is_told():
    now = datetime(2026, 1, 1, tzinfo=UTC)
    kept = MemoryLogStore()
    await kept.create_stream(1, "s", 0)
    store = MemoryStore()
    group = LogGroup(scope=Scope("123456789012", "us-east-1"), name="g", id=1, created=0)
    await store.write(lambda tx: tx.put(LOG_GROUPS, group))
    moments = [now]
    size = 1024 * 1024
    retention = LogRetention(store=store, logs=kept, clock=lambda: moments[-1], most=size)
    await kept.append(1, "s", [LogEvent(1, "x" * 1_000), LogEvent(2, "y" * (size - 500))], 1)
    assert retention.notices() == []
    await retention.sweep()
    assert [e.timestamp for e in await kept.read(EventRange(group=1), 5)] == [2]
    (notice,) = retention.notices()
    assert "log_max_mib (1)" in notice
    moments.append(now + timedelta(days=2))
    assert retention.notices() == []
