"""Statistics of what was measured in a period, by the names that CloudWatch has for them.

CloudWatch User Guide, "Statistics definitions".
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from itertools import accumulate

from openecs.model.metrics import Datapoint, Statistics, merged

_PERCENTILE = re.compile(r"p(100|\d{1,2}(\.\d{1,10})?)")
#: Those that are told apart from extended ones.
PLAIN = frozenset({"SampleCount", "Average", "Sum", "Minimum", "Maximum"})


def is_extended(stat: str) -> bool:
    """Whether ``stat`` is an extended statistic: a percentile."""
    return _PERCENTILE.fullmatch(stat) is not None


def is_known(stat: str) -> bool:
    """Whether ``stat`` can be told of datapoints."""
    return stat in PLAIN or is_extended(stat)


def value(stat: str, known: Statistics) -> float | None:
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


def values(stat: str, read: Iterable[Datapoint]) -> dict[int, float]:
    """The statistic of each period, all units together, by the second that it begins with."""
    parts: dict[datetime, list[Statistics]] = {}
    for each in read:
        parts.setdefault(each.timestamp, []).append(each.statistics)
    told = ((at, value(stat, merged(known))) for at, known in parts.items())
    return {int(at.timestamp()): number for at, number in told if number is not None}


def _percentile(share: float, known: Statistics) -> float | None:
    """The value that ``share`` of the values are not above; None where they are not known."""
    if not known.values:
        return known.minimum if known.minimum == known.maximum else None
    counts = accumulate(count for _, count in known.values)
    reached = zip(known.values, counts, strict=True)
    wanted = share * known.count
    return next((value for (value, _), so_far in reached if so_far >= wanted), known.maximum)
