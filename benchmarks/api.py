"""The API under 16 connections: OpenECS, durable and verifying signatures, against its peers.

Reads ask for the same again and again; writes are all different. Servers take turns within every
round; the ratio of a round is of two measurements a moment apart, and what is told is their median.

    python -m benchmarks.api [--rounds 5] [--seconds 2]
"""

from __future__ import annotations

import argparse
import itertools
import statistics
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from benchmarks import load, servers
from benchmarks.load import Asked
from benchmarks.servers import Server

CONNECTIONS = 16
WARM_UP = 0.5
#: Writes signed for a second of a round; no server here takes more.
WRITES_A_SECOND = 6000

DEFINITION = {
    "family": "bench",
    "networkMode": "bridge",
    "containerDefinitions": [
        {
            "name": "app",
            "image": "nginx",
            "cpu": 256,
            "memory": 512,
            "essential": True,
            "portMappings": [{"containerPort": 80, "hostPort": 0, "protocol": "tcp"}],
            "environment": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
        }
    ],
}

READS: Mapping[str, Asked] = {
    "DescribeClusters": ("describe_clusters", {"clusters": ["bench"]}),
    "DescribeTaskDefinition": ("describe_task_definition", {"taskDefinition": "bench:1"}),
    "ListTasks": ("list_tasks", {"cluster": "bench"}),
    "DescribeServices": ("describe_services", {"cluster": "bench", "services": ["none"]}),
}

#: What is asked of OpenECS: times moto, times ministack.
GOALS: Mapping[str, tuple[float, float]] = dict.fromkeys(READS, (6.0, 2.0)) | {
    "CreateCluster": (4.0, 1.2),
    "RegisterTaskDefinition": (4.0, 1.2),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How much is measured."""

    rounds: int
    seconds: float


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0)
    given = parser.parse_args()
    plan = Plan(rounds=given.rounds, seconds=given.seconds)
    with ExitStack() as stack:
        data = stack.enter_context(servers.data_directory())
        running = [
            stack.enter_context(servers.openecs(data, "--log-level", "error")),
            stack.enter_context(servers.moto()),
            stack.enter_context(servers.ministack()),
        ]
        for server in running:
            _prepare(server.ecs())
        print(f"{CONNECTIONS} connections, {plan.rounds} rounds of {plan.seconds} s, medians\n")
        print("| Operation | openecs /s | moto /s | ministack /s | x moto | x ministack | goals |")
        print("| --- | ---: | ---: | ---: | ---: | ---: | --- |")
        for name in GOALS:
            print(_row(name, _measure(name, running, plan)), flush=True)


def _prepare(ecs: Any) -> None:
    ecs.create_cluster(clusterName="bench")
    ecs.register_task_definition(**DEFINITION)


def _measure(name: str, running: list[Server], plan: Plan) -> dict[str, list[float]]:
    """Answers a second, by server, a number a round."""
    rates: dict[str, list[float]] = {server.name: [] for server in running}
    numbers = itertools.count()
    for number in range(-1, plan.rounds):
        for server in running:
            seconds = plan.seconds if number >= 0 else WARM_UP
            requests = load.sign(server.ecs(), _asked(name, seconds, numbers))
            outcome = load.run(server.port, requests, connections=CONNECTIONS, seconds=seconds)
            if outcome.refused:
                raise SystemExit(f"{server.name} refused {outcome.refused} of {name}")
            if number >= 0:
                rates[server.name].append(outcome.rate)
    return rates


def _asked(name: str, seconds: float, numbers: Iterator[int]) -> Iterator[Asked]:
    if name in READS:
        yield READS[name]
        return
    for number in itertools.islice(numbers, int(seconds * WRITES_A_SECOND)):
        if name == "CreateCluster":
            yield "create_cluster", {"clusterName": f"c{number}"}
        else:
            yield "register_task_definition", DEFINITION | {"family": f"f{number}"}


def _row(name: str, rates: Mapping[str, list[float]]) -> str:
    own = rates["openecs"]
    ratios = [
        statistics.median(ours / theirs for ours, theirs in zip(own, rates[peer], strict=True))
        for peer in ("moto", "ministack")
    ]
    medians = [f"{statistics.median(rates[each]):.0f}" for each in ("openecs", "moto", "ministack")]
    goals = GOALS[name]
    met = "met" if all(r >= g for r, g in zip(ratios, goals, strict=True)) else "**not met**"
    shown = [name, *medians, *(f"{ratio:.1f}" for ratio in ratios)]
    return f"| {' | '.join(shown)} | {goals[0]} and {goals[1]}: {met} |"


if __name__ == "__main__":
    main()
