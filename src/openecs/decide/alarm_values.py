"""The datapoints an alarm is judged by: a statistic of a metric, or metric math over several."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from openecs.decide import statistics
from openecs.decide.alarms import Point
from openecs.model.alarms import MetricAlarm, MetricDataQuery, MetricStat
from openecs.model.metrics import Datapoint, Statistics, merged


def problem_of(queries: Sequence[MetricDataQuery]) -> str | None:
    """Why an alarm cannot be judged by these queries, or None where it can."""
    if any(each.expression is not None for each in queries):
        return "OpenECS does not build alarms on metric math yet."
    return None


def stats_of(alarm: MetricAlarm) -> Mapping[str, MetricStat]:
    """What is to be read for an alarm, each by the id it has in the alarm's queries."""
    if alarm.metric is not None:
        return {"": alarm.metric}
    return {each.id: each.stat for each in alarm.queries if each.stat is not None}


def points(alarm: MetricAlarm, read: Mapping[str, Sequence[Datapoint]]) -> list[Point]:
    """The alarm's datapoints, out of those of ``stats_of``."""
    name = next((each.id for each in alarm.queries if each.return_data), "")
    stat = stats_of(alarm)[name]
    told = ((at, known, statistics.value(stat.stat, known)) for at, known in _periods(read[name]))
    return [Point(at, value, known.count) for at, known, value in told if value is not None]


def _periods(read: Sequence[Datapoint]) -> list[tuple[datetime, Statistics]]:
    """The statistics of each period, of all units together."""
    parts: dict[datetime, list[Statistics]] = {}
    for each in read:
        parts.setdefault(each.timestamp, []).append(each.statistics)
    return [(at, merged(known)) for at, known in parts.items()]
