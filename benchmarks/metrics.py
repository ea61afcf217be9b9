"""Metrics: taking them in, telling them, and what they take on the disk.

PutMetricData with batches of 1,000 datapoints of different metrics, durable and with signatures
verified, against moto: by the clock, and by the server's own time on the processor, which others
on the machine do not take part in. Then GetMetricData of 100 metrics over a day, a value a minute:
the first page, which has all that fits into one answer. The disk is that of a store whose samples
are of full precision, after a day of them has been folded.

    python -m benchmarks.metrics [--rounds 5] [--seconds 4] [--without-moto]
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import statistics
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks import load, servers
from benchmarks.load import Asked
from benchmarks.servers import Server
from openecs.model.identity import Scope
from openecs.model.metrics import Metric, Sample, dimensions, of_value
from openecs.store.sql import SqlMetricStore

CONNECTIONS = 8
BATCH = 1_000
#: Batches signed beforehand, sent again and again.
BATCHES = 40
DAY = 24 * 60
METRICS = 100
GOALS: Mapping[str, float] = {"rate": 20_000, "times": 5.0, "read": 0.2, "bytes": 16.0}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--without-moto", action="store_true")
    given = parser.parse_args()
    with ExitStack() as stack:
        data = stack.enter_context(servers.data_directory())
        running = [stack.enter_context(servers.openecs(data / "put", "--log-level", "error"))]
        if not given.without_moto:
            running.append(stack.enter_context(servers.moto()))
        _tell_writes(_written(running, given.rounds, given.seconds))
    with ExitStack() as stack:
        data = stack.enter_context(servers.data_directory())
        server = stack.enter_context(servers.openecs(data / "get", "--log-level", "error"))
        _tell_reads(_read(server, given.rounds))
        _tell_bytes(asyncio.run(_bytes(data / "metrics.db")))


class Rates(NamedTuple):
    """Datapoints a second of a round: by the clock and by the server's time on the processor."""

    clock: float
    processor: float


def _written(running: list[Server], rounds: int, seconds: float) -> dict[str, list[Rates]]:
    """What servers did, a pair a round."""
    rates: dict[str, list[Rates]] = {server.name: [] for server in running}
    for _ in range(rounds):
        for server in running:
            requests = load.sign(server.client("cloudwatch"), _batches())
            used = _processor(server.pid)
            outcome = load.run(server.port, requests, connections=CONNECTIONS, seconds=seconds)
            if outcome.refused:
                raise SystemExit(f"{server.name} refused {outcome.refused} batches")
            datapoints = len(outcome.latencies) * BATCH
            used = _processor(server.pid) - used
            rates[server.name].append(Rates(datapoints / outcome.seconds, datapoints / used))
    return rates


def _processor(pid: int) -> float:
    """Seconds on the processor so far."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _batches() -> Iterator[Asked]:
    now = datetime.now(UTC)
    for batch in range(BATCHES):
        at = now - timedelta(minutes=batch % 10)
        data = [_datum(f"m{number}", at) for number in range(BATCH)]
        yield "put_metric_data", {"Namespace": f"Bench{batch % 4}", "MetricData": data}


def _datum(name: str, at: datetime) -> dict[str, Any]:
    return {
        "MetricName": name,
        "Dimensions": [{"Name": "Service", "Value": "web"}, {"Name": "Zone", "Value": "a"}],
        "Timestamp": at,
        "Value": random.random() * 100,
        "Unit": "Percent",
    }


def _read(server: Server, rounds: int) -> list[float]:
    """Seconds until the first page has come, the request ready and the answer not parsed."""
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    client = server.client("cloudwatch")
    filled = load.sign(client, _a_day(now))
    if load.run_once(server.port, filled, connections=CONNECTIONS).refused:
        raise SystemExit("the day was refused")
    stat = {"Period": 60, "Stat": "Average"}
    metrics = [{"Namespace": "Day", "MetricName": f"m{number}"} for number in range(METRICS)]
    queries = [
        {"Id": f"q{number}", "MetricStat": {"Metric": metric, **stat}}
        for number, metric in enumerate(metrics)
    ]
    asked = {
        "MetricDataQueries": queries,
        "StartTime": now - timedelta(days=1),
        "EndTime": now,
    }
    requests = load.sign(client, [("get_metric_data", asked)] * rounds)
    outcome = load.run_once(server.port, requests, connections=1)
    if outcome.refused:
        raise SystemExit("the query was refused")
    return list(outcome.latencies)


def _a_day(now: datetime) -> Iterator[Asked]:
    for first in range(0, DAY, BATCH // METRICS):
        data = [
            {
                "MetricName": f"m{number}",
                "Timestamp": now - timedelta(minutes=minute + 1),
                "Value": random.random() * 100,
            }
            for minute in range(first, min(first + BATCH // METRICS, DAY))
            for number in range(METRICS)
        ]
        yield "put_metric_data", {"Namespace": "Day", "MetricData": data}


async def _bytes(path: Path) -> float:
    """Bytes on the disk for each datapoint of a day that has been folded."""
    store = SqlMetricStore(f"sqlite:///{path}")
    await store.open()
    now = datetime.now(UTC)
    named = [
        Metric(Scope("000000000000", "us-east-1"), "Day", f"m{n}", dimensions(Service="web"))
        for n in range(METRICS)
    ]
    for minute in range(DAY):
        at = now - timedelta(minutes=minute)
        await store.put(
            [
                Sample(metric=each, timestamp=at, statistics=of_value(random.random() * 100))
                for each in named
            ]
        )
    began = time.perf_counter()
    await store.trim(now)
    print(f"folded in {time.perf_counter() - began:.1f} s")
    await store.close()
    return sum(each.stat().st_size for each in path.parent.glob("metrics.db*")) / (DAY * METRICS)


def _tell_writes(rates: Mapping[str, list[Rates]]) -> None:
    own = rates["openecs"]
    for name in Rates._fields:
        mine = [getattr(each, name) for each in own]
        rate = statistics.median(mine)
        told = f"{rate:,.0f} datapoints/s {_met(holds=rate >= GOALS['rate'])}"
        if "moto" in rates:
            theirs = [getattr(each, name) for each in rates["moto"]]
            times = statistics.median(o / m for o, m in zip(mine, theirs, strict=True))
            peer = statistics.median(theirs)
            told += f", {times:.1f} times moto's {peer:,.0f} {_met(holds=times >= GOALS['times'])}"
        print(f"PutMetricData by the {name}: {told}")


def _tell_reads(latencies: list[float]) -> None:
    took = statistics.median(latencies)
    print(
        f"GetMetricData, {METRICS} metrics over a day: {took * 1000:.0f} ms "
        f"{_met(holds=took < GOALS['read'])}"
    )


def _tell_bytes(size: float) -> None:
    print(f"on the disk: {size:.1f} bytes a datapoint {_met(holds=size <= GOALS['bytes'])}")


def _met(*, holds: bool) -> str:
    return "(met)" if holds else "(NOT MET)"


if __name__ == "__main__":
    main()
