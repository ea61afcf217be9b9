"""ListTasks and DescribeTasks with 100,000 tasks in the store, against a store with a page of them.

Both answer the same: a page of 100 tasks, one task described. One connection, so that what is told
is the time of an answer and not of a queue.

    python -m benchmarks.many_tasks [--seconds 5]
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import load, servers
from benchmarks.load import Asked, Outcome
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

ASKED: Mapping[str, Asked] = {
    "ListTasks": ("list_tasks", {"cluster": "many"}),
    "ListTasks, stopped": ("list_tasks", {"cluster": "many", "desiredStatus": "STOPPED"}),
    "DescribeTasks": ("describe_tasks", {"cluster": "many", "tasks": [f"{RUNNING_EVERY:032x}"]}),
}


def main() -> None:
    """Fill, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5.0)
    seconds = parser.parse_args().seconds
    few = _measure(2 * PAGE, 2, seconds)
    many = _measure(MANY, RUNNING_EVERY, seconds)
    for name in ASKED:
        ratio = many[name].percentile(99) / few[name].percentile(99)
        met = "met" if ratio <= GOAL else "NOT MET"
        print(
            f"{name}: p99 {_ms(many[name])} with {MANY} tasks, {_ms(few[name])} with {2 * PAGE}, "
            f"ratio {ratio:.2f} (goal {GOAL}: {met})"
        )


def _ms(outcome: Outcome) -> str:
    return f"{1000 * outcome.percentile(99):.2f} ms"


def _measure(count: int, running_every: int, seconds: float) -> dict[str, Outcome]:
    with servers.data_directory() as data:
        asyncio.run(_fill(data, count, running_every))
        with servers.openecs(data, "--log-level=error", "--no-join-clusters") as server:
            found = {}
            for name, asked in ASKED.items():
                requests = load.sign(server.ecs(), [asked])
                load.run(server.port, requests, connections=1, seconds=0.5)
                found[name] = load.run(server.port, requests, connections=1, seconds=seconds)
                if found[name].refused:
                    raise SystemExit(f"refused: {name}")
            return found


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
