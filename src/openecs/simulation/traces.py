"""How many requests a second come when: read from a file, or one of a few shapes."""

from __future__ import annotations

import csv
import math
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path

MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0


class BadTrace(ValueError):
    """A file that is no trace; the text says where and why."""


@dataclass(frozen=True, slots=True)
class Trace:
    """Requests a second at some times, in seconds from the beginning; evenly in between."""

    points: tuple[tuple[float, float], ...]

    @property
    def seconds(self) -> float:
        """How long it goes on."""
        return self.points[-1][0]

    @property
    def peak(self) -> float:
        """The most requests a second."""
        return max(rate for _, rate in self.points)

    def at(self, seconds: float) -> float:
        """Requests a second at a time; before the first and after the last point as there."""
        after = bisect_right(self.points, (seconds, math.inf))
        if after == 0:
            return self.points[0][1]
        if after == len(self.points):
            return self.points[-1][1]
        (begin, low), (end, high) = self.points[after - 1], self.points[after]
        return low + (high - low) * (seconds - begin) / (end - begin)


@dataclass(frozen=True, slots=True)
class Shape:
    """A trace of a kind, between ``base`` and ``peak`` requests a second."""

    says: str
    base: float
    peak: float
    made: Callable[[float, float], Trace]


def _step(base: float, peak: float) -> Trace:
    m = MINUTE
    return Trace(
        (
            (0, base),
            (10 * m, base),
            (10 * m + 1, peak),
            (50 * m, peak),
            (50 * m + 1, base),
            (100 * m, base),
        )
    )


def _spike(base: float, peak: float) -> Trace:
    m = MINUTE
    return Trace(
        ((0, base), (20 * m, base), (21 * m, peak), (26 * m, peak), (27 * m, base), (80 * m, base))
    )


def _daily(base: float, peak: float) -> Trace:
    swing = (peak - base) / 2
    times = (n * 10 * MINUTE for n in range(145))
    return Trace(tuple((t, base + swing * (1 - math.cos(2 * math.pi * t / DAY))) for t in times))


def _black_friday(base: float, peak: float) -> Trace:
    h = HOUR
    return Trace(
        (
            (0, base),
            (7.75 * h, base),
            (8 * h, peak * 0.2),
            (8.25 * h, peak),
            (9 * h, peak * 0.8),
            (12 * h, peak * 0.5),
            (17 * h, peak * 0.6),
            (18.5 * h, peak * 0.9),
            (20 * h, peak * 0.5),
            (23 * h, peak * 0.05),
            (24 * h, base),
        )
    )


SHAPES: Mapping[str, Shape] = {
    "black-friday": Shape(
        "a day that begins with 100 requests a day and opens the doors at eight",
        100 / DAY,
        10_000.0,
        _black_friday,
    ),
    "daily": Shape("a day and a night, the most at noon", 50.0, 500.0, _daily),
    "spike": Shape("five minutes of ten times as much", 50.0, 500.0, _spike),
    "step": Shape(
        "forty minutes of ten times as much, from one second to the next", 50.0, 500.0, _step
    ),
}


def read(path: Path) -> Trace:
    """The trace in a CSV file of ``time,requests_per_second``.

    Times are seconds, or moments as ISO 8601 writes them. Raises ``BadTrace`` and ``OSError``.
    """
    with path.open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.reader(file) if row and not row[0].startswith("#")]
    if rows and not _is_time(rows[0][0]):
        rows = rows[1:]
    if len(rows) < 2:
        raise BadTrace(f"{path}: a trace has at least two lines of time,requests_per_second")
    return Trace(tuple(_from_zero(path, (_point(path, n, row) for n, row in enumerate(rows, 1)))))


def _from_zero(path: Path, points: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    found = list(points)
    begin = found[0][0]
    for (before, _), (after, _) in pairwise(found):
        if after <= before:
            raise BadTrace(f"{path}: times must grow, and {after:g} comes after {before:g}")
    return [(at - begin, rate) for at, rate in found]


def _point(path: Path, number: int, row: list[str]) -> tuple[float, float]:
    try:
        at, rate = _time(row[0]), float(row[1])
    except (ValueError, IndexError) as error:
        raise BadTrace(f"{path}: line {number}: not time,requests_per_second: {row}") from error
    if not (rate >= 0 and math.isfinite(rate) and math.isfinite(at)):
        raise BadTrace(f"{path}: line {number}: requests a second cannot be {row[1]}")
    return at, rate


def _is_time(text: str) -> bool:
    try:
        _time(text)
    except ValueError:
        return False
    return True


def _time(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return datetime.fromisoformat(text.strip()).timestamp()
