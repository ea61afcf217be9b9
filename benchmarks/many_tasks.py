"""ListTasks and DescribeTasks with 100,000 tasks in the store, against a store with a page of them.

Both answer the same: pages of up to 100 tasks, one task described. One connection, so that what is
told is the time of an answer and not of a queue; the two take turns, and of the rounds' p99 the
median counts.

    python -m benchmarks.many_tasks [--rounds 7] [--seconds 2]
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import load, servers
from benchmarks.load import Asked
from benchmarks.servers import Server
from openecs.model.identity import Scope
from openecs.model.tasks import Container, ContainerStatus, Task, TaskStatus
from openecs.store.base import Transaction
from openecs.store.kinds import CLUSTERS, TASKS
from openecs.store.sql import SqlStore
from openecs.testing.builders import a_cluster, a_container, a_task

MANY, PAGE, BATCH = 100_000, 100, 5_000
#: Of the many, every so-manieth runs; the others have stopped.
RUNNING_EVERY = 20
SCOPE = Scope("000000000000", servers.REGION)
GOAL = 2.0


def main() -> None:
    """Fill, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=2.0)
    given = parser.parse_args()
    with ExitStack() as stack:
        few = _start(stack, 2 * PAGE, 2)
        many = _start(stack, MANY, RUNNING_EVERY)
        for name in ("ListTasks", "ListTasks, stopped", "DescribeTasks"):
            taken = [
                (_p99(name, few, 2, given.seconds), _p99(name, many, RUNNING_EVERY, given.seconds))
                for _ in range(given.rounds)
            ]
            print(_told(name, *map(statistics.median, zip(*taken, strict=True))), flush=True)


def _told(name: str, few: float, many: float) -> str:
    ratio = many / few
    met = "met" if ratio <= GOAL else "NOT MET"
    return (
        f"{name}: p99 {1000 * many:.2f} ms with {MANY} tasks, {1000 * few:.2f} ms with {2 * PAGE}, "
        f"ratio {ratio:.2f} (goal {GOAL}: {met})"
    )


def _start(stack: ExitStack, count: int, running_every: int) -> Server:
    data = stack.enter_context(servers.data_directory())
    asyncio.run(_fill(data, count, running_every))
    return stack.enter_context(servers.openecs(data, "--log-level=error", "--no-join-clusters"))


def _p99(name: str, server: Server, running_every: int, seconds: float) -> float:
    requests = load.sign(server.ecs(), list(_asked(name, running_every)))
    load.run(server.port, requests, connections=1, seconds=0.3)
    outcome = load.run(server.port, requests, connections=1, seconds=seconds)
    if outcome.refused:
        raise SystemExit(f"{outcome.refused} refused: {name}")
    return outcome.percentile(99)


def _asked(name: str, running_every: int) -> Iterator[Asked]:
    """A hundred different requests, so that it is not one answer that is told again."""
    for number in range(1, PAGE + 1):
        match name:
            case "DescribeTasks":
                task = f"{(number - 1) * running_every:032x}"
                yield "describe_tasks", {"cluster": "many", "tasks": [task]}
            case "ListTasks":
                yield "list_tasks", {"cluster": "many", "maxResults": number}
            case _:
                asked = {"cluster": "many", "maxResults": number, "desiredStatus": "STOPPED"}
                yield "list_tasks", asked


async def _fill(data: Path, count: int, running_every: int) -> None:
    store = SqlStore(f"sqlite:///{data / 'openecs.db'}")
    await store.open()
    now = datetime.now(UTC)
    await store.write(lambda tx: tx.put(CLUSTERS, a_cluster("many", scope=SCOPE)))
    for start in range(0, count, BATCH):
        batch = range(start, min(start + BATCH, count))
        tasks = list(_tasks(batch, running_every, now))

        def put(tx: Transaction, tasks: list[Task] = tasks) -> None:
            for task in tasks:
                tx.put(TASKS, task)

        await store.write(put)
    await store.close()


def _tasks(numbers: range, running_every: int, now: datetime) -> Iterator[Task]:
    """Tasks of another machine, so that nothing here tries to run them."""
    for number in numbers:
        if number % running_every == 0:
            yield a_task(number, scope=SCOPE, cluster="many", machine="elsewhere", created_at=now)
            continue
        yield a_task(
            number,
            scope=SCOPE,
            cluster="many",
            machine="elsewhere",
            desired_status=TaskStatus.STOPPED,
            last_status=TaskStatus.STOPPED,
            containers=(_stopped(),),
            created_at=now,
            stopped_at=now,
        )


def _stopped() -> Container:
    return a_container(last_status=ContainerStatus.STOPPED, exit_code=0)


if __name__ == "__main__":
    main()
