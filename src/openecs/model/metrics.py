"""Metrics: what is measured, and the statistics of what was measured.

CloudWatch User Guide, "CloudWatch concepts" and "Statistics definitions".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from math import copysign, exp, log

from openecs.model.identity import Scope

#: Seconds. What is kept finer than a minute, and what is not.
HIGH_RESOLUTION = 1
STANDARD_RESOLUTION = 60

#: Values beyond which neighbours are put together, and the logarithm of a bucket's growth.
_MANY, _BUCKET = 150, log(1.01)

Dimensions = tuple[tuple[str, str], ...]


def dimensions(**named: str) -> Dimensions:
    """Names and values in the order of names: the one form in which equal sets are equal."""
    return tuple(sorted(named.items()))


@dataclass(frozen=True, slots=True, order=True)
class Metric:
    """One time series: a name in a namespace with exactly these dimensions, by name."""

    scope: Scope
    namespace: str
    name: str
    dimensions: Dimensions = ()


@dataclass(frozen=True, slots=True)
class Statistics:
    """What is known of the values of one span of time.

    ``values`` are values and how often each came, ascending: what percentiles are told from. Where
    many fall together they may stand for neighbours within one percent. Empty where only the other
    four are known (a statistic set).
    """

    count: float
    sum: float
    minimum: float
    maximum: float
    values: tuple[tuple[float, float], ...] = ()


def merged(parts: Sequence[Statistics]) -> Statistics:
    """The statistics of several spans together; at least one.

    Percentiles are known only where they are of every part.
    """
    if len(parts) == 1:
        return parts[0]
    weights: dict[float, float] = {}
    if all(part.values for part in parts):
        for value, count in (each for part in parts for each in part.values):
            weights[value] = weights.get(value, 0.0) + count
    return Statistics(
        count=sum(part.count for part in parts),
        sum=sum(part.sum for part in parts),
        minimum=min(part.minimum for part in parts),
        maximum=max(part.maximum for part in parts),
        values=tuple(sorted(weights.items())),
    )


def condensed(statistics: Statistics) -> Statistics:
    """The same with fewer values where there are many: each stands for those within one percent."""
    if len(statistics.values) <= _MANY:
        return statistics
    weights: dict[float, float] = {}
    for value, count in statistics.values:
        near = _near(value)
        weights[near] = weights.get(near, 0.0) + count
    return replace(statistics, values=tuple(sorted(weights.items())))


def _near(value: float) -> float:
    """The middle of the bucket of a value: buckets grow by one percent."""
    if value == 0:
        return 0.0
    exponent = round(log(abs(value)) / _BUCKET)
    return copysign(exp(exponent * _BUCKET), value)


def of_values(values: Iterable[tuple[float, float]]) -> Statistics:
    """The statistics of values and how often each came; at least one."""
    weights: dict[float, float] = {}
    for value, count in values:
        weights[value] = weights.get(value, 0.0) + count
    known = tuple(sorted(weights.items()))
    return Statistics(
        count=sum(count for _, count in known),
        sum=sum(value * count for value, count in known),
        minimum=known[0][0],
        maximum=known[-1][0],
        values=known,
    )


def of_value(value: float) -> Statistics:
    """The statistics of one value that came once."""
    return Statistics(1.0, value, value, value, ((value, 1.0),))


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """Something measured: ``unit`` is one of CloudWatch's, ``resolution`` 1 or 60 seconds.

    Samples of one metric and unit at one time add up; none replaces another.
    """

    metric: Metric
    timestamp: datetime
    statistics: Statistics
    unit: str = "None"
    resolution: int = STANDARD_RESOLUTION


@dataclass(frozen=True, slots=True)
class Datapoint:
    """The statistics of one period, which begins at ``timestamp``, in one unit."""

    timestamp: datetime
    unit: str
    statistics: Statistics
