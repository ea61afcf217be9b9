"""Statistics of what was measured in a period, by the names that CloudWatch has for them.

CloudWatch User Guide, "Statistics definitions".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from operator import attrgetter

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
    return _teller(stat)(known)


def values(stat: str, read: Sequence[Datapoint]) -> dict[int, float]:
    """The statistic of each period, all units together, by the second that it begins with."""
    tell = _teller(stat)
    moments = [int(each.timestamp.timestamp()) for each in read]
    told: Iterable[tuple[int, Statistics]]
    if len(set(moments)) == len(moments):
        told = ((at, each.statistics) for at, each in zip(moments, read, strict=True))
    else:
        parts: dict[int, list[Statistics]] = {}
        for at, each in zip(moments, read, strict=True):
            parts.setdefault(at, []).append(each.statistics)
        told = ((at, merged(several)) for at, several in parts.items())
    return {at: number for at, known in told if (number := tell(known)) is not None}


def _teller(stat: str) -> Callable[[Statistics], float | None]:
    extended = extended_statistics.parse(stat)
    if extended is not None:
        return partial(extended_statistics.value, extended)
    return _TELLERS[stat]


_TELLERS: dict[str, Callable[[Statistics], float | None]] = {
    "SampleCount": attrgetter("count"),
    "Average": lambda known: known.sum / known.count if known.count else None,
    "Sum": attrgetter("sum"),
    "Minimum": attrgetter("minimum"),
    "Maximum": attrgetter("maximum"),
}
