"""The loop that judges alarms, on stores in memory."""

from __future__ import annotations

from datetime import timedelta

from openecs.control.metric_alarms import MetricAlarms
from openecs.model.alarms import AlarmState, Comparison, MetricAlarm, MetricDataQuery, MetricStat
from openecs.model.metrics import Metric, Sample, of_value
from openecs.store.alarms import METRIC_ALARMS
from openecs.store.memory import MemoryStore
from openecs.store.memory_metrics import MemoryMetricStore
from openecs.testing.builders import NOW, SCOPE, CountingIds


async def test_an_alarm_on_metric_math_is_raised():
    store, metrics = MemoryStore(), MemoryMetricStore()
    stats = {
        name: MetricStat(namespace="A", name=name, period=60, stat="Sum")
        for name in ("errors", "requests")
    }
    alarm = MetricAlarm(
        scope=SCOPE,
        name="rate",
        queries=(
            MetricDataQuery(id="e", expression="errors / requests"),
            *(MetricDataQuery(id=k, stat=each, return_data=False) for k, each in stats.items()),
        ),
        comparison=Comparison.GREATER,
        threshold=0.5,
        evaluation_periods=1,
        configured_at=NOW,
        updated_at=NOW,
        transitioned_at=NOW,
    )
    await store.write(lambda tx: tx.put(METRIC_ALARMS, alarm))
    loop = MetricAlarms(
        store=store, metrics=metrics, clock=lambda: NOW, ids=CountingIds(), publishes=False
    )
    then = NOW - timedelta(minutes=1)
    for name, value in (("errors", 3.0), ("requests", 4.0)):
        sample = Sample(metric=Metric(SCOPE, "A", name), timestamp=then, statistics=of_value(value))
        await metrics.put([sample])
    await loop.judge([alarm], NOW)
    found = await store.read(lambda view: view.get(METRIC_ALARMS, SCOPE, "rate"))
    assert found.state is AlarmState.ALARM
    assert "0.75" in found.reason
