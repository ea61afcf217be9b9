"""The lease on a store in memory, with a clock that is moved by hand."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from openecs.control import lease
from openecs.control.lease import Leader, LeaseLost
from openecs.store.base import Conflict, StoreUnavailable
from openecs.store.memory import MemoryStore
from openecs.testing.builders import NOW


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self):
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def store():
    store = MemoryStore()
    await store.open()
    yield store
    await store.close()


@pytest.fixture(autouse=True)
def quick(monkeypatch) -> None:
    monkeypatch.setattr(lease, "RENEWAL", timedelta(milliseconds=5))


class Running:
    """A leader at work, and whether its loop runs."""

    def __init__(self, store, clock, holder: str) -> None:
        self.leader = Leader(store=store, clock=clock, holder=holder)
        self.leading = asyncio.Event()
        self.stopped = asyncio.Event()
        self._task = asyncio.create_task(self.leader.run(lambda: [self._loop()]))

    async def _loop(self) -> None:
        self.leading.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.stopped.set()

    async def stop(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


async def test_one_leads_and_the_other_follows_when_it_stops(store, clock):
    first = Running(store, clock, "first")
    await first.leading.wait()
    second = Running(store, clock, "second")
    await asyncio.sleep(0.05)
    assert not second.leading.is_set()
    await first.stop()
    await asyncio.wait_for(second.leading.wait(), 5)
    await second.stop()


async def test_a_dead_holder_is_succeeded_when_its_term_is_over(store, clock):
    await store.write(lambda tx: lease._take("dead", clock(), tx))
    heir = Running(store, clock, "heir")
    await asyncio.sleep(0.05)
    assert not heir.leading.is_set()
    clock.now += lease.TERM
    await asyncio.wait_for(heir.leading.wait(), 5)
    await heir.stop()


async def test_who_lost_the_lease_stops_its_loops_and_writes_nothing_more(store, clock):
    loser = Running(store, clock, "loser")
    await loser.leading.wait()
    later = clock.now + 2 * lease.TERM
    assert await store.write(lambda tx: lease._take("winner", later, tx))
    with pytest.raises(LeaseLost):
        await store.write(loser.leader.guard)
    await asyncio.wait_for(loser.stopped.wait(), 5)
    await loser.stop()


async def test_a_restarted_holder_goes_on_at_once(store, clock):
    await store.write(lambda tx: lease._take("same", clock(), tx))
    again = Running(store, clock, "same")
    await asyncio.wait_for(again.leading.wait(), 5)
    await store.write(again.leader.guard)
    await again.stop()


async def test_a_store_that_is_away_is_asked_again(store, clock, monkeypatch):
    write, refusals = store.write, [StoreUnavailable("away"), Conflict("moved")]

    async def refusing(work):
        if refusals:
            raise refusals.pop()
        return await write(work)

    monkeypatch.setattr(store, "write", refusing)
    running = Running(store, clock, "a")
    async with asyncio.timeout(5):
        await running.leading.wait()
    await running.stop()
