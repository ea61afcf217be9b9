"""Statistics of what was measured in a period, by the names that CloudWatch has for them.

CloudWatch User Guide, "Statistics definitions".
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from openecs.decide import extended_statistics
from openecs.model.metrics import Datapoint, Statistics, merged

#: Those that are told apart from extended ones.
PLAIN = frozenset({"SampleCount", "Average", "Sum", "Minimum", "Maximum"})


def is_extended(stat: str) -> bool:
    """Whether ``stat`` is an extended statistic, such as a percentile or a trimmed mean."""
    return extended_statistics.parse(stat) is not None


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
            extended = extended_statistics.parse(stat)
            return extended_statistics.value(extended, known) if extended else None


def values(stat: str, read: Iterable[Datapoint]) -> dict[int, float]:
    """The statistic of each period, all units together, by the second that it begins with."""
    parts: dict[datetime, list[Statistics]] = {}
    for each in read:
        parts.setdefault(each.timestamp, []).append(each.statistics)
    told = ((at, value(stat, merged(known))) for at, known in parts.items())
    return {int(at.timestamp()): number for at, number in told if number is not None}
