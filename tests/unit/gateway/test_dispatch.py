from __future__ import annotations

import pytest

from openecs.api.base import Reads, Service, Writes
from openecs.gateway.dispatch import Dispatch
from openecs.store.base import Conflict
from openecs.store.memory import MemoryStore
from openecs.store.memory_logs import MemoryLogStore
from openecs.store.memory_metrics import MemoryMetricStore
from openecs.testing.builders import a_call


def writes_after(conflicts):
    attempts = []

    def operation(_, __, members):
        attempts.append(members)
        if len(attempts) <= conflicts:
            raise Conflict("somebody was quicker")
        return {"attempts": len(attempts)}

    return Writes(operation)


async def run(operation):
    service = Service(name="ecs", operations={"Do": operation})
    dispatch = Dispatch(MemoryStore(), MemoryMetricStore(), MemoryLogStore(), [service])
    return await dispatch.run(dispatch.find("ecs", "Do"), a_call(), {"a": 1})


async def test_reads_see_the_store():
    assert await run(Reads(lambda _, __, members: {"seen": members["a"]})) == {"seen": 1}


async def test_conflicts_are_tried_again():
    assert await run(writes_after(conflicts=4)) == {"attempts": 5}


async def test_but_not_for_ever():
    with pytest.raises(Conflict):
        await run(writes_after(conflicts=5))


def test_what_is_not_built_is_not_found():
    assert (
        Dispatch(MemoryStore(), MemoryMetricStore(), MemoryLogStore(), []).find("ecs", "RunTask")
        is None
    )
