"""What OpenECS takes while 50 tasks run and nobody asks: memory and processor.

python -m benchmarks.idle [--seconds 60]
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import psutil

from benchmarks import servers
from benchmarks.engine_api import Engine

TASKS = 50
SETTLE = 10.0
MEMORY_GOAL, CPU_GOAL = 120.0, 1.0


def main() -> None:
    """Start the tasks, wait, measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    seconds = parser.parse_args().seconds
    with servers.data_directory() as data, servers.openecs(data, "--log-level", "error") as server:
        ecs = server.ecs()
        _start(ecs)
        try:
            time.sleep(SETTLE)
            memory, percent = _measure(server.pid, seconds)
        finally:
            engine = Engine()
            engine.remove(engine.labelled("com.amazonaws.ecs.cluster=idle"))
    memory_met = "met" if memory < MEMORY_GOAL else "NOT MET"
    cpu_met = "met" if percent < CPU_GOAL else "NOT MET"
    print(f"{TASKS} idle tasks: {memory:.0f} MiB resident (goal {MEMORY_GOAL:.0f}: {memory_met})")
    print(f"{percent:.2f} % of a core over {seconds:.0f} s (goal {CPU_GOAL:.0f} %: {cpu_met})")


def _start(ecs: Any) -> None:
    ecs.create_cluster(clusterName="idle")
    ecs.register_task_definition(
        family="idle",
        containerDefinitions=[
            {"name": "app", "image": "busybox", "memory": 16, "command": ["sleep", "86400"]}
        ],
    )
    for _ in range(TASKS // 10):
        ecs.run_task(cluster="idle", taskDefinition="idle", count=10)
    while ecs.describe_clusters(clusters=["idle"])["clusters"][0]["runningTasksCount"] < TASKS:
        time.sleep(0.2)


def _measure(pid: int, seconds: float) -> tuple[float, float]:
    """MiB resident, and per cent of a core."""
    process = psutil.Process(pid)
    before = process.cpu_times()
    time.sleep(seconds)
    after = process.cpu_times()
    used = after.user + after.system - before.user - before.system
    return process.memory_info().rss / 2**20, 100 * used / seconds


if __name__ == "__main__":
    main()
