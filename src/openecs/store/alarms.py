"""Alarms as they are stored, what happened to them, and the actions that are due."""

from __future__ import annotations

from openecs.model.alarms import CompositeAlarm, DueAction, HistoryItem, MetricAlarm
from openecs.model.metrics import Dimensions
from openecs.store.base import Kind

METRIC_ALARMS: Kind[MetricAlarm] = Kind(
    name="metric-alarm",
    type=MetricAlarm,
    key=lambda alarm: alarm.name,
    scope=lambda alarm: alarm.scope,
    indexes={
        "metric": lambda a: (
            metric_words(a.metric.namespace, a.metric.name, a.metric.dimensions)
            if a.metric
            else None
        )
    },
    global_indexes={"present": lambda _: ()},
)

COMPOSITE_ALARMS: Kind[CompositeAlarm] = Kind(
    name="composite-alarm",
    type=CompositeAlarm,
    key=lambda alarm: alarm.name,
    scope=lambda alarm: alarm.scope,
    global_indexes={"present": lambda _: ()},
)

#: In the order of time.
ALARM_HISTORY: Kind[HistoryItem] = Kind(
    name="alarm-history",
    type=HistoryItem,
    key=lambda item: f"{item.at:%Y%m%dT%H%M%S.%f}-{item.id}",
    scope=lambda item: item.scope,
    indexes={"alarm": lambda item: (item.alarm,)},
)

DUE_ACTIONS: Kind[DueAction] = Kind(
    name="alarm-action",
    type=DueAction,
    key=lambda due: due.id,
    scope=lambda due: due.scope,
    global_indexes={"present": lambda _: ()},
)

KINDS = (METRIC_ALARMS, COMPOSITE_ALARMS, ALARM_HISTORY, DUE_ACTIONS)


def metric_words(namespace: str, name: str, dimensions: Dimensions) -> tuple[str, ...]:
    """The words of a metric in the index ``metric``."""
    return (namespace, name, *(word for pair in dimensions for word in pair))
