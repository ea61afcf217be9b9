"""Statistics of what was measured in a period, by the names that CloudWatch has for them.

CloudWatch User Guide, "Statistics definitions".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial
from itertools import accumulate
from operator import attrgetter

from openecs.model.metrics import Statistics

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
    return teller(stat)(known)


def teller(stat: str) -> Callable[[Statistics], float | None]:
    """What tells the statistic of one period after another; None where it cannot be told."""
    return _TELLERS.get(stat) or partial(_percentile, float(stat[1:]) / 100)


_TELLERS: Mapping[str, Callable[[Statistics], float | None]] = {
    "SampleCount": attrgetter("count"),
    "Average": lambda known: known.sum / known.count if known.count else None,
    "Sum": attrgetter("sum"),
    "Minimum": attrgetter("minimum"),
    "Maximum": attrgetter("maximum"),
}


def _percentile(share: float, known: Statistics) -> float | None:
    """The value that ``share`` of the values are not above; None where they are not known."""
    if not known.values:
        return known.minimum if known.minimum == known.maximum else None
    counts = accumulate(count for _, count in known.values)
    reached = zip(known.values, counts, strict=True)
    wanted = share * known.count
    return next((value for (value, _), so_far in reached if so_far >= wanted), known.maximum)
