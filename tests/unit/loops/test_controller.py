import asyncio
import contextlib
from datetime import UTC, datetime, timedelta

from openecs.loops.backoff import Backoff
from openecs.loops.controller import Again, Controller


def clock() -> datetime:
    return datetime.now(UTC)


@contextlib.asynccontextmanager
async def running(controller):
    task = asyncio.create_task(controller.run())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


QUICK = Backoff(first=timedelta(milliseconds=1), longest=timedelta(milliseconds=5))


async def test_a_key_is_reconciled_once_per_burst():
    seen: list[str] = []
    done = asyncio.Event()

    async def reconcile(key: str) -> None:
        seen.append(key)
        if len(seen) == 2:
            done.set()

    controller = Controller("test", reconcile, clock=clock)
    for _ in range(5):
        controller.add("a")
    controller.add("b")
    async with running(controller):
        await asyncio.wait_for(done.wait(), 5)
    assert sorted(seen) == ["a", "b"]


async def test_a_key_added_while_it_is_worked_on_is_worked_on_again_and_never_twice_at_once():
    active = 0
    most = 0
    runs = 0
    done = asyncio.Event()

    async def reconcile(_: str) -> None:
        nonlocal active, most, runs
        active += 1
        most = max(most, active)
        runs += 1
        if runs == 1:
            controller.add("a")
            await asyncio.sleep(0)
        active -= 1
        if runs == 2:
            done.set()

    controller = Controller("test", reconcile, clock=clock)
    controller.add("a")
    async with running(controller):
        await asyncio.wait_for(done.wait(), 5)
    assert (most, runs) == (1, 2)


async def test_errors_are_retried_and_other_keys_go_on():
    tries: list[str] = []
    done = asyncio.Event()

    async def reconcile(key: str) -> None:
        tries.append(key)
        if key == "bad" and tries.count("bad") < 4:
            raise Again if tries.count("bad") % 2 else ValueError(key)
        if "good" in tries and tries.count("bad") == 4:
            done.set()

    controller = Controller("test", reconcile, clock=clock, backoff=QUICK)
    controller.add("bad")
    controller.add("good")
    async with running(controller):
        await asyncio.wait_for(done.wait(), 5)
    assert tries.count("good") == 1


async def test_a_wake_up_time_brings_the_key_back():
    runs = 0
    done = asyncio.Event()

    async def reconcile(_: str) -> datetime | None:
        nonlocal runs
        runs += 1
        if runs == 2:
            done.set()
            return None
        return clock() + timedelta(milliseconds=5)

    controller = Controller("test", reconcile, clock=clock)
    controller.add("a")
    async with running(controller):
        await asyncio.wait_for(done.wait(), 5)


def test_backoff_grows_to_its_longest():
    backoff = Backoff(first=timedelta(seconds=1), longest=timedelta(seconds=30))
    assert [backoff.delay(n).total_seconds() for n in (1, 2, 3, 5, 6, 1000)] == [
        1,
        2,
        4,
        16,
        30,
        30,
    ]
