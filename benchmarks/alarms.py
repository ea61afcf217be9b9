"""What 5,000 alarms cost: the processor time of judging them all, as happens each minute.

``python -m benchmarks.alarms [--alarms N]``. On a store on disk, with 5 datapoints of each metric:
once when nothing changes, and once when every alarm changes its state.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from openecs.app import SystemIds
from openecs.control.composite_alarms import CompositeAlarms
from openecs.control.metric_alarms import MetricAlarms
from openecs.model.alarms import AlarmState, Comparison, MetricAlarm, MetricStat
from openecs.model.identity import Scope
from openecs.model.metrics import Metric, Sample, of_value
from openecs.store.alarms import METRIC_ALARMS
from openecs.store.base import Transaction
from openecs.store.memory_metrics import MemoryMetricStore
from openecs.store.sql import SqlStore

SCOPE = Scope("000000000000", "us-east-1")
NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
PERIODS = 3
#: Percent of a core, each minute.
GOAL = 5.0
#: Seconds in which the loops that follow the changes have taken them in.
CATCH_UP = 3.0


def an_alarm(number: int) -> MetricAlarm:
    """One that is OK, on a metric of its own."""
    return MetricAlarm(
        scope=SCOPE,
        name=f"alarm-{number:05}",
        metric=MetricStat(
            namespace="AWS/ECS",
            name="CPUUtilization",
            dimensions=(("ClusterName", "default"), ("ServiceName", f"service-{number:05}")),
            period=60,
            stat="Average",
        ),
        comparison=Comparison.GREATER,
        threshold=70.0,
        evaluation_periods=PERIODS,
        configured_at=NOW,
        updated_at=NOW,
        transitioned_at=NOW,
        state=AlarmState.OK,
    )


def samples(alarms: Sequence[MetricAlarm], value: float) -> list[Sample]:
    """A datapoint of each metric in each period that the alarms look at."""
    found: list[Sample] = []
    for alarm in alarms:
        assert alarm.metric is not None
        metric = Metric(SCOPE, alarm.metric.namespace, alarm.metric.name, alarm.metric.dimensions)
        for age in range(1, PERIODS + 3):
            at = NOW - age * MINUTE
            found.append(Sample(metric=metric, timestamp=at, statistics=of_value(value)))
    return found


async def measure(count: int, database: str) -> None:
    """Judge the alarms twice and print what it took."""
    store = SqlStore(database)
    await store.open()
    alarms = [an_alarm(number) for number in range(count)]

    def put(tx: Transaction) -> None:
        for alarm in alarms:
            tx.add(METRIC_ALARMS, alarm)

    await store.write(put)
    for title, value in (("nothing changes", 10.0), ("every alarm changes", 90.0)):
        metrics = MemoryMetricStore()
        await metrics.put(samples(alarms, value))
        loop = MetricAlarms(
            store=store, metrics=metrics, clock=lambda: NOW, ids=SystemIds(), publishes=False
        )
        composite = CompositeAlarms(
            store=store, clock=lambda: NOW, ids=SystemIds(), publishes=False
        )
        followers = [asyncio.create_task(each.run()) for each in (loop, composite)]
        await asyncio.sleep(CATCH_UP)
        began, worked = time.perf_counter(), time.process_time()
        await loop.judge(alarms, NOW)
        took = time.perf_counter() - began
        await asyncio.sleep(CATCH_UP)
        used = time.process_time() - worked
        for follower in followers:
            follower.cancel()
        await asyncio.gather(*followers, return_exceptions=True)
        share = 100 * used / 60
        met = "met" if share < GOAL else "NOT MET"
        print(
            f"{title}: {took:.2f} s, {used:.2f} s of the processor, {share:.1f} % of a core "
            f"(goal {GOAL:.0f} %: {met})"
        )
    await store.close()


def main() -> None:
    """Measure in a directory of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--alarms", type=int, default=5000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        asyncio.run(measure(given.alarms, f"sqlite:///{Path(directory) / 'openecs.db'}"))


if __name__ == "__main__":
    main()
