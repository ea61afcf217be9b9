"""The datapoints an alarm is judged by: a statistic of a metric, or metric math over several."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import accumulate

from openecs.decide.alarms import Point
from openecs.model.alarms import MetricAlarm, MetricDataQuery, MetricStat
from openecs.model.metrics import Datapoint, Statistics, merged

_PERCENTILE = re.compile(r"p(100|\d{1,2}(\.\d{1,10})?)")
_PLAIN = {"SampleCount", "Average", "Sum", "Minimum", "Maximum"}


def is_extended(stat: str) -> bool:
    """Whether ``stat`` is an extended statistic: a percentile."""
    return _PERCENTILE.fullmatch(stat) is not None


def is_known(stat: str) -> bool:
    """Whether ``stat`` can be told of datapoints."""
    return stat in _PLAIN or is_extended(stat)


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
    told = ((at, known, _value(stat.stat, known)) for at, known in _periods(read[name]))
    return [Point(at, value, known.count) for at, known, value in told if value is not None]


def _periods(read: Sequence[Datapoint]) -> list[tuple[datetime, Statistics]]:
    """The statistics of each period, of all units together."""
    parts: dict[datetime, list[Statistics]] = {}
    for each in read:
        parts.setdefault(each.timestamp, []).append(each.statistics)
    return [(at, merged(known)) for at, known in parts.items()]


def _value(stat: str, known: Statistics) -> float | None:
    """The statistic; None where it cannot be told."""
    match stat:
        case "SampleCount":
            return known.count
        case "Average":
            return known.sum / known.count if known.count else None
        case "Sum":
            return known.sum
        case "Minimum":
            return known.minimum
        case "Maximum":
            return known.maximum
        case _:
            return _percentile(float(stat[1:]) / 100, known)


def _percentile(share: float, known: Statistics) -> float | None:
    """The value that ``share`` of the values are not above; None where they are not known."""
    if not known.values:
        return known.minimum if known.minimum == known.maximum else None
    counts = accumulate(count for _, count in known.values)
    reached = zip(known.values, counts, strict=True)
    wanted = share * known.count
    return next((value for (value, _), so_far in reached if so_far >= wanted), known.maximum)
