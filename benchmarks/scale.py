"""The service scheduler on many: 10,000 tasks of 1,000 services on 1,000 container instances.

Nothing runs them: machines and services are put straight into a durable SQLite store, and what is
measured is the control loop itself, in this process, on one core. How fast it places; what a pass
over everything costs once all is steady; whether a task costs the same among many as among few.

    python -m benchmarks.scale [--sizes 10000 1000 100000] [--profile]
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import gc
import os
import pstats
import statistics
import threading
import time
from collections.abc import AsyncIterator, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

import uvloop

from benchmarks import scale_world, servers
from openecs.app import SystemIds, now
from openecs.control.services import Services
from openecs.decide.services.state import SchedulerSettings
from openecs.store.base import FeedTruncated, Revision, Store
from openecs.store.kinds import SERVICES, TASKS
from openecs.store.sql import SqlStore

T = TypeVar("T")

MAIN = 10_000
SIZES = (MAIN, 1_000, 100_000)
RATE_GOAL, PASS_GOAL, FLAT_GOAL = 2_000, 1.0, 1.5
PASSES = 3
LOOK_EVERY = 0.005
#: Looks in a row at which there was nothing to do.
QUIET = 5
WITHIN = 600.0
#: Lines of a profile.
SHOWN = 45


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What so many tasks took, in seconds."""

    tasks: int
    #: From the start of the loop to the last task's record, by the clock and of processor.
    placed_in: float
    placing_cpu: float
    #: Of processor, to look at every service when there is nothing to do.
    pass_cpu: float

    @property
    def cost(self) -> float:
        """Microseconds of processor to place a task."""
        return 1e6 * self.placing_cpu / self.tasks


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--profile", action="store_true", help="tell where placing spends its time")
    given = parser.parse_args()
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    if given.profile:
        _profile(given.sizes[0])
        return
    measured = [_measure(size) for size in given.sizes]
    if len(measured) > 1:
        print(_flatness(measured))


def _measure(size: int) -> Measured:
    with _prepared(size) as url:
        measured = _run(_simulate(url, size))
    gc.collect()
    print(_told(measured), flush=True)
    return measured


@contextmanager
def _prepared(size: int) -> Iterator[str]:
    """A database in which everything is wanted and nothing has been placed."""
    with servers.data_directory() as data:
        url = f"sqlite:///{data / 'openecs.db'}"
        _run(_fill(url, size))
        yield url


def _run(work: Coroutine[None, None, T]) -> T:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)


async def _fill(url: str, size: int) -> None:
    async with _open(url) as store:
        await scale_world.fill(store, size, now())


async def _simulate(url: str, size: int) -> Measured:
    async with _open(url) as store:
        begun, spent = time.perf_counter(), time.process_time()
        async with _scheduling(store) as services:
            await _placed(store, size)
            placed_in, placing_cpu = time.perf_counter() - begun, time.process_time() - spent
            await _idle(services)
            await scale_world.run_everything(store, size, now())
            await _idle(services)
            await scale_world.check_steady(store)
            passes = [await _look_at_all(store, services) for _ in range(PASSES)]
    return Measured(
        tasks=size,
        placed_in=placed_in,
        placing_cpu=placing_cpu,
        pass_cpu=statistics.median(passes),
    )


@asynccontextmanager
async def _open(url: str) -> AsyncIterator[Store]:
    store = SqlStore(url)
    await store.open()
    try:
        yield store
    finally:
        await store.close()


@asynccontextmanager
async def _scheduling(store: Store) -> AsyncIterator[Services]:
    """The loop, at work; a task that runs is healthy at once, so nothing has to be waited for."""
    settings = SchedulerSettings(healthy_after=timedelta(0))
    services = Services(store=store, clock=now, ids=SystemIds(), settings=settings)
    work = asyncio.create_task(services.run())
    try:
        yield services
    finally:
        work.cancel()
        with suppress(asyncio.CancelledError):
            await work


async def _placed(store: Store, size: int) -> None:
    """Wait until so many tasks are on the disk."""
    async with asyncio.timeout(WITHIN):
        while True:
            revision, recorded = await store.read(scale_world.recorded)
            if recorded >= size:
                return
            with suppress(FeedTruncated):
                await _recorded(store, revision, size - recorded)


async def _recorded(store: Store, revision: Revision, missing: int) -> None:
    """Wait for so many tasks more. Raises ``FeedTruncated`` where it is too slow to count them."""
    async for batch in store.follow(revision):
        missing -= sum(change.kind == TASKS.name for change in batch)
        if missing <= 0:
            return


async def _idle(services: Services) -> None:
    controller = services._controller  # noqa: SLF001 - only a benchmark asks whether it has work
    quiet = 0
    async with asyncio.timeout(WITHIN):
        while quiet < QUIET:
            await asyncio.sleep(LOOK_EVERY)
            busy = controller._waiting or controller._active  # noqa: SLF001 - as above
            quiet = 0 if busy else quiet + 1


async def _look_at_all(store: Store, services: Services) -> float:
    """Seconds of processor for what the loop does every few minutes though nothing has changed."""
    begun = time.process_time()
    present = await store.read(lambda view: view.find(SERVICES, None, "present", ()))
    services._add(present)  # noqa: SLF001 - what the loop's own resync calls
    await _idle(services)
    return time.process_time() - begun


def _told(measured: Measured) -> str:
    rate = measured.tasks / measured.placed_in
    told = (
        f"{measured.tasks} tasks of {scale_world.services_of(measured.tasks)} services on "
        f"{scale_world.INSTANCES} instances: {rate:.0f} placements/s{{}}, "
        f"{measured.cost:.0f} us of processor a task, "
        f"{measured.pass_cpu:.2f} s of processor a steady pass{{}}"
    )
    if measured.tasks != MAIN:
        return told.format("", "")
    return told.format(
        _goal(f"{RATE_GOAL}", met=rate >= RATE_GOAL),
        _goal(f"{PASS_GOAL} s", met=measured.pass_cpu < PASS_GOAL),
    )


def _flatness(measured: Sequence[Measured]) -> str:
    costs = [each.cost for each in sorted(measured, key=lambda each: each.tasks)]
    ratio = max(costs) / costs[0]
    sizes = [each.tasks for each in measured]
    return (
        f"a task costs at most {ratio:.2f} times what it costs among {min(sizes)}, "
        f"up to {max(sizes)}{_goal(str(FLAT_GOAL), met=ratio <= FLAT_GOAL)}"
    )


def _goal(goal: str, *, met: bool) -> str:
    return f" (goal {goal}: {'met' if met else 'NOT MET'})"


def _profile(size: int) -> None:
    """Print where the time goes, of all threads: the store writes in one of its own."""
    profiles = [cProfile.Profile()]

    def begin(*_: object) -> None:
        profiles.append(cProfile.Profile())
        profiles[-1].enable()

    with _prepared(size) as url:
        threading.setprofile(begin)
        profiles[0].runcall(_run, _place(url, size))
        threading.setprofile(None)
    stats = pstats.Stats(profiles[0])
    stats.add(*profiles[1:])
    for order in ("tottime", "cumulative"):
        stats.sort_stats(order).print_stats(SHOWN)


async def _place(url: str, size: int) -> None:
    async with _open(url) as store, _scheduling(store):
        await _placed(store, size)


if __name__ == "__main__":
    main()
