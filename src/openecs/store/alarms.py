"""Alarms as they are stored."""

from __future__ import annotations

from openecs.model.alarms import MetricAlarm
from openecs.store.base import Kind

METRIC_ALARMS: Kind[MetricAlarm] = Kind(
    name="metric-alarm",
    type=MetricAlarm,
    key=lambda alarm: alarm.name,
    scope=lambda alarm: alarm.scope,
    global_indexes={"present": lambda _: ()},
)
