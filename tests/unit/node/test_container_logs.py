"""How far containers were read, when nobody saw them go."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from openecs.app import SystemIds
from openecs.node.container_logs import ContainerLogs
from openecs.runtime.base import LABEL_AWSLOGS
from openecs.store.logs import Cursor
from openecs.store.memory import MemoryStore
from openecs.store.memory_logs import MemoryLogStore


class Event:
    name = ""
    labels = {LABEL_AWSLOGS: "{}"}  # noqa: RUF012


class Observed:
    id, labels = "here", {}


class Engine:
    """One that has the container ``here``."""

    async def watch(self, _):
        yield Event()
        await asyncio.Event().wait()

    async def observe(self, _):
        return [Observed()]


async def test_cursors_of_containers_that_went_unseen_are_forgotten():
    kept = MemoryLogStore()
    for source in ("container/mine/gone", "container/mine/here", "container/other/x", "old"):
        await kept.put_cursor(Cursor(source, "1 1"))
    logs = ContainerLogs(
        store=MemoryStore(),
        logs=kept,
        runtime=Engine(),
        clock=lambda: datetime.now(UTC),
        ids=SystemIds(),
        installation="mine",
    )
    working = asyncio.create_task(logs.run())
    async with asyncio.timeout(10):
        while await kept.cursor("container/mine/gone"):
            await asyncio.sleep(0.01)
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)
    assert await kept.sources("") == ["container/mine/here", "container/other/x", "old"]
