"""How long a task takes to RUNNING, against create and start of the same container by hand.

Taken in turns, a pair a round; the ratio told is the median of the pairs'. Then 50 tasks at once,
against the bare API at the concurrency at which it is best.

    python -m benchmarks.run_task [--rounds 15]
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

from benchmarks import servers
from benchmarks.engine_api import Body, Engine, body_like

CLUSTER = "bench"
AT_ONCE = 50
CONCURRENCIES = (1, 2, 4, 8, 16)
AWSVPC = {"awsvpcConfiguration": {"subnets": ["subnet-237866da2d7a564b6"]}}
#: RunTask takes ten at most.
A_CALL = 10
LOOK_EVERY = 0.005
#: By hand nobody asks anything while 50 are started; a client that asked as often as that would
#: take a good part of a core from the engine.
LOOK_AT_MANY_EVERY = 0.1
LABEL = "bench.com.amazonaws.ecs.cluster"


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """A network mode, the request that uses it and what the ratio may be."""

    mode: str
    request: Mapping[str, Any]
    goal: float


WAYS = (
    Way(mode="bridge", request={}, goal=1.3),
    Way(mode="awsvpc", request={"networkConfiguration": AWSVPC}, goal=1.5),
)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    with servers.data_directory() as data, servers.openecs(data, "--log-level", "error") as server:
        ecs = server.ecs()
        ecs.create_cluster(clusterName=CLUSTER)
        try:
            for way in WAYS:
                _register(ecs, way.mode)
                if rounds:
                    _one_by_one(ecs, way, rounds)
            _at_once(ecs)
        finally:
            _stop_all(ecs)
            engine = Engine()
            engine.remove(engine.labelled(LABEL))


def _one_by_one(ecs: Any, way: Way, rounds: int) -> None:
    engine = Engine()
    bodies = _bodies(ecs, engine, way)
    ratios, ours, theirs = [], [], []
    for number in range(rounds):
        pair = partial(_run, ecs, way), partial(_start, engine, bodies)
        first, second = pair if number % 2 else pair[::-1]
        taken = _timed(first), _timed(second)
        task, bare = taken if number % 2 else taken[::-1]
        ours.append(task)
        theirs.append(bare)
        ratios.append(task / bare)
        _stop_all(ecs)
        engine.remove(engine.labelled(LABEL))
    ratio = statistics.median(ratios)
    met = "met" if ratio <= way.goal else "NOT MET"
    print(
        f"{way.mode}: task {1000 * statistics.median(ours):.0f} ms, bare "
        f"{1000 * statistics.median(theirs):.0f} ms, ratio {ratio:.2f} (goal {way.goal}: {met})",
        flush=True,
    )


def _register(ecs: Any, mode: str) -> None:
    ecs.register_task_definition(
        family=mode,
        networkMode=mode,
        containerDefinitions=[
            {
                "name": "app",
                "image": "busybox",
                "memory": 16,
                "command": ["sh", "-c", "trap 'exit 0' TERM; sleep 3600 & wait"],
            }
        ],
    )


def _bodies(ecs: Any, engine: Engine, way: Way) -> list[Body]:
    """What to create by hand: the containers of a task, the one that owns the network first."""
    (task,) = _run(ecs, way)
    made = [engine.inspect(one) for one in engine.labelled(f"com.amazonaws.ecs.task-arn={task}")]
    made.sort(key=lambda known: known["HostConfig"]["NetworkMode"].startswith("container:"))
    _stop_all(ecs)
    return [body_like(known) for known in made]


def _start(engine: Engine, bodies: Sequence[Body]) -> None:
    owner = ""
    for body in bodies:
        host = dict(body["HostConfig"])
        if host["NetworkMode"].startswith("container:"):
            host["NetworkMode"] = f"container:{owner}"
        started = engine.start({**body, "HostConfig": host})
        owner = owner or started


def _run(ecs: Any, way: Way, count: int = 1, every: float = LOOK_EVERY) -> list[str]:
    started = ecs.run_task(cluster=CLUSTER, taskDefinition=way.mode, count=count, **way.request)
    if started["failures"]:
        raise RuntimeError(started["failures"])
    arns = [task["taskArn"] for task in started["tasks"]]
    _wait(ecs, arns, "RUNNING", every)
    return arns


def _wait(ecs: Any, arns: Sequence[str], status: str, every: float = LOOK_EVERY) -> None:
    while True:
        tasks = ecs.describe_tasks(cluster=CLUSTER, tasks=arns)["tasks"]
        if all(task["lastStatus"] == status for task in tasks):
            return
        failed = [task for task in tasks if task["lastStatus"] == "STOPPED"]
        if failed and status == "RUNNING":
            raise RuntimeError(failed[0].get("stoppedReason"))
        time.sleep(every)


def _stop_all(ecs: Any) -> None:
    arns = ecs.list_tasks(cluster=CLUSTER)["taskArns"]
    for arn in arns:
        ecs.stop_task(cluster=CLUSTER, task=arn)
    if arns:
        _wait(ecs, arns, "STOPPED")


def _at_once(ecs: Any) -> None:
    way, engine = WAYS[0], Engine()
    bodies = _bodies(ecs, engine, way)
    rates = {number: _by_hand(engine, bodies, number) for number in CONCURRENCIES}
    best = max(rates, key=lambda one: rates[one])
    ours, theirs = [], []
    for _ in range(3):
        ours.append(AT_ONCE / _timed(partial(_run_many, ecs, way)))
        _stop_all(ecs)
        theirs.append(_by_hand(engine, bodies, best))
    rate, bare = statistics.median(ours), statistics.median(theirs)
    ratio = statistics.median(a / b for a, b in zip(ours, theirs, strict=True))
    met = "met" if ratio >= 0.8 else "NOT MET"
    print(
        f"{AT_ONCE} at once: {rate:.1f} tasks/s, bare {bare:.1f}/s at {best} at a time, "
        f"ratio {ratio:.2f} (goal 0.8: {met})"
    )


def _by_hand(engine: Engine, bodies: Sequence[Body], concurrency: int) -> float:
    rate = AT_ONCE / _timed(partial(_start_many, bodies, concurrency))
    engine.remove(engine.labelled(LABEL))
    return rate


def _start_many(bodies: Sequence[Body], concurrency: int) -> None:
    with ThreadPoolExecutor(concurrency) as pool:
        list(pool.map(lambda _: _start(Engine(), bodies), range(AT_ONCE)))


def _run_many(ecs: Any, way: Way) -> None:
    with ThreadPoolExecutor(AT_ONCE // A_CALL) as pool:
        calls = range(AT_ONCE // A_CALL)
        list(pool.map(lambda _: _run(ecs, way, A_CALL, LOOK_AT_MANY_EVERY), calls))


def _timed(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


if __name__ == "__main__":
    main()
