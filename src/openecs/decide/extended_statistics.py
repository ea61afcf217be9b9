"""Percentiles, trimmed and winsorized means, trimmed counts and sums, and percentile ranks.

CloudWatch User Guide, "Statistics definitions".
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from math import ceil, floor, inf

from openecs.model.metrics import Statistics

_SHARE = r"100(?:\.0{1,10})?|\d{1,2}(?:\.\d{1,10})?"
_AMOUNT = r"-?\d+(?:\.\d{1,10})?"
_UP_TO = re.compile(rf"(p|tm|wm|tc|ts)({_SHARE})", re.ASCII)
_OF_SHARES = re.compile(rf"(TM|WM|TC|TS)\((?:({_SHARE})%)?:(?:({_SHARE})%)?\)", re.ASCII)
_OF_AMOUNTS = re.compile(rf"(TM|WM|TC|TS|PR)\(({_AMOUNT})?:({_AMOUNT})?\)", re.ASCII)

#: Values and how often each came, ascending.
_Counted = Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Extended:
    """A statistic of the values above ``low`` and up to ``high``: shares of them, or amounts."""

    kind: str
    low: float
    high: float
    of_shares: bool


@lru_cache(maxsize=1024)
def parse(stat: str) -> Extended | None:
    """The statistic that a text names, if it is one of these."""
    if stat in {"IQM", "iqm"}:
        return Extended("TM", 0.25, 0.75, of_shares=True)
    if found := _UP_TO.fullmatch(stat):
        return Extended(found[1].upper(), 0.0, float(found[2]) / 100, of_shares=True)
    if found := _OF_SHARES.fullmatch(stat):
        low, high = float(found[2] or 0) / 100, float(found[3] or 100) / 100
        return _ordered(Extended(found[1], low, high, of_shares=True), found)
    if found := _OF_AMOUNTS.fullmatch(stat):
        low, high = float(found[2] or -inf), float(found[3] or inf)
        return _ordered(Extended(found[1], low, high, of_shares=False), found)
    return None


def value(stat: Extended, known: Statistics) -> float | None:
    """The statistic; None where it cannot be told, as of values that nobody knows."""
    values = known.values
    if not values and known.minimum == known.maximum:
        values = ((known.minimum, known.count),)
    if not values or known.minimum < 0:
        return None
    if stat.kind == "P":
        return _percentile(stat.high, values)
    kept = _share(stat, values) if stat.of_shares else _between(stat, values)
    count = sum(times for _, times in kept)
    match stat.kind:
        case "TC":
            return count
        case "TS":
            return _sum(kept)
        case "PR":
            return 100 * count / _count(values)
        case "TM":
            return _sum(kept) / count if count else None
        case _:
            return _winsorized(stat, values, kept)


def _ordered(stat: Extended, found: re.Match[str]) -> Extended | None:
    """The same where it has a bound at least, and the low one is below the high one."""
    return stat if (found[2] or found[3]) and stat.low < stat.high else None


def _percentile(share: float, values: _Counted) -> float:
    """The value that ``share`` of the values are not above."""
    counts = accumulate(times for _, times in values)
    wanted = _exact(share * _count(values))
    reached = zip(values, counts, strict=True)
    return next((number for (number, _), so_far in reached if so_far >= wanted), values[-1][0])


def _share(stat: Extended, values: _Counted) -> _Counted:
    """The values by their ranks: what a percentile at ``high`` would reach is among them."""
    total = _count(values)
    low, high = floor(_exact(stat.low * total)), ceil(_exact(stat.high * total))
    kept, begin = [], 0.0
    for number, times in values:
        inside = min(begin + times, high) - max(begin, low)
        if inside > 0:
            kept.append((number, inside))
        begin += times
    return kept


def _between(stat: Extended, values: _Counted) -> _Counted:
    return [(number, times) for number, times in values if stat.low < number <= stat.high]


def _winsorized(stat: Extended, values: _Counted, kept: _Counted) -> float | None:
    """The mean with what is outside of the bounds brought to them."""
    if stat.of_shares:
        if not kept:
            return None
        low, high = kept[0][0], kept[-1][0]
    else:
        low, high = stat.low, stat.high
    within = [(min(max(number, low), high), times) for number, times in values]
    return _sum(within) / _count(values)


def _sum(values: _Counted) -> float:
    return sum(number * times for number, times in values)


def _count(values: _Counted) -> float:
    return sum(times for _, times in values)


def _exact(count: float) -> float:
    """Without what binary fractions add: 7 percent of 100 are 7."""
    return round(count, 9)
