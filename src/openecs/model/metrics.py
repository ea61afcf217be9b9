"""Metrics: what is measured, and the statistics of what was measured.

CloudWatch User Guide, "CloudWatch concepts" and "Statistics definitions".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from math import copysign, exp, log

import msgspec

from openecs.model.identity import Scope

#: Seconds. What is kept finer than a minute, and what is not.
HIGH_RESOLUTION = 1
STANDARD_RESOLUTION = 60

#: Values of one span that are kept as they are; beyond, neighbours are put together.
MANY_VALUES = 150
#: The logarithm of a bucket's growth.
_BUCKET = log(1.01)
#: Whole numbers up to this one are more than one percent apart: each is a bucket of its own.
_SMALL = 50

Dimensions = tuple[tuple[str, str], ...]


def dimensions(**named: str) -> Dimensions:
    """Names and values in the order of names: the one form in which equal sets are equal."""
    return tuple(sorted(named.items()))


class Metric(msgspec.Struct, frozen=True, order=True, cache_hash=True, gc=False):
    """One time series: a name in a namespace with exactly these dimensions, by name."""

    scope: Scope
    namespace: str
    name: str
    dimensions: Dimensions = ()


# Told by the hundred thousand and never part of a cycle: the collector passes over what has no gc.
class Statistics(msgspec.Struct, frozen=True, gc=False):
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
        for part in parts:
            for value, count in part.values:
                weights[value] = weights.get(value, 0.0) + count
    return Statistics(
        count=sum([part.count for part in parts]),
        sum=sum([part.sum for part in parts]),
        minimum=min([part.minimum for part in parts]),
        maximum=max([part.maximum for part in parts]),
        values=tuple(sorted(weights.items())),
    )


def condensed(statistics: Statistics, most: int = MANY_VALUES) -> Statistics:
    """The same with fewer values where there are many: each stands for those within one percent."""
    if len(statistics.values) <= most:
        return statistics
    weights: dict[float, float] = {}
    for value, count in statistics.values:
        near = _near(value)
        weights[near] = weights.get(near, 0.0) + count
    return msgspec.structs.replace(statistics, values=tuple(sorted(weights.items())))


def _near(value: float) -> float:
    if abs(value) <= _SMALL and value == int(value):
        return value
    return middle_of(bucket_of(value), value)


def bucket_of(value: float) -> int:
    """Which of the buckets a value other than 0 is in: each ends one percent above the last."""
    return round(log(abs(value)) / _BUCKET)


def middle_of(bucket: int, sign: float) -> float:
    """What all values in a bucket stand for."""
    return copysign(exp(bucket * _BUCKET), sign)


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


class Sample(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Something measured: ``unit`` is one of CloudWatch's, ``resolution`` 1 or 60 seconds.

    Samples of one metric and unit at one time add up; none replaces another.
    """

    metric: Metric
    timestamp: datetime
    statistics: Statistics
    unit: str = "None"
    resolution: int = STANDARD_RESOLUTION


class Datapoint(msgspec.Struct, frozen=True, gc=False):
    """The statistics of one period, which begins at ``timestamp``, in one unit."""

    timestamp: datetime
    unit: str
    statistics: Statistics
