"""Time series, and what is done to their values one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import isfinite

from openecs.decide.metric_math.syntax import MathProblem, Word
from openecs.model.alarms import MetricStat

#: Datapoints that one request may have computed: bounds its time and memory.
MOST_COMPUTED = 3_000_000
#: Time series in an array: as many as a graph shows.
MOST_SERIES = 500


@dataclass(frozen=True, slots=True)
class Series:
    """Values at moments, in seconds since the epoch and ascending, ``period`` seconds each.

    ``metric`` is what it is a statistic of, where it is of one metric.
    """

    period: int
    values: Mapping[int, float]
    label: str = ""
    metric: MetricStat | None = None


#: Several time series: what functions that put series together work on.
Array = tuple[Series, ...]
Value = float | Series | Array | str | Word


@dataclass(slots=True)
class Losses:
    """Whether an operation made what is no number, and so no value."""

    any: bool = False


@dataclass(slots=True)
class Effort:
    """How much more may be computed."""

    left: int = MOST_COMPUTED

    def spend(self, points: int) -> None:
        """Raises ``MathProblem`` where it becomes too much."""
        self.left -= points
        if self.left < 0:
            raise MathProblem("it computes too many datapoints: ask for less time at once")


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """The time that is looked at, from ``start`` on and before ``end``.

    ``period`` is that of time series made of numbers alone.
    """

    start: int
    end: int
    period: int
    effort: Effort = field(default_factory=Effort)
    losses: Losses = field(default_factory=Losses)

    def numbers(self, values: Iterable[tuple[int, float]]) -> dict[int, float]:
        """The values that are numbers."""
        told = list(values)
        made = {at: value for at, value in told if isfinite(value)}
        self.losses.any |= len(made) < len(told)
        return made

    def moments(self, period: int) -> range:
        """When periods begin, whether anything was measured or not."""
        found = range(self.start // period * period, self.end, period)
        self.effort.spend(len(found))
        return found


def kind(value: Value) -> str:
    """A type as the documentation abbreviates it."""
    match value:
        case float():
            return "S"
        case Series():
            return "TS"
        case tuple():
            return "TS[]"
        case str():
            return "string"
        case Word():
            return value.value


def mapped(frame: Frame, series: Series, change: Callable[[float], float]) -> Series:
    """Each value changed; where that makes no number there is none."""
    frame.effort.spend(len(series.values))
    return with_values(frame, series, ((at, change(v)) for at, v in series.values.items()))


def with_values(frame: Frame, series: Series, values: Iterable[tuple[int, float]]) -> Series:
    """The same series of other values, without those that are no numbers."""
    return replace(series, values=frame.numbers(values))


def paired(
    frame: Frame, left: Series, right: Series, join: Callable[[float, float], float]
) -> Series:
    """Two series put together where either has a value: the other counts as 0 there."""
    period = max(left.period, right.period)
    moments = _common([left, right], period)
    frame.effort.spend(len(moments))
    one, two = left.values, right.values
    values = frame.numbers((at, join(one.get(at, 0.0), two.get(at, 0.0))) for at in moments)
    return Series(period, values, left.label or right.label)


def gathered(frame: Frame, array: Array, join: Callable[[list[float]], float]) -> Series:
    """One series of many: of the values that there are at each moment."""
    period = max((each.period for each in array), default=frame.period)
    moments = _common(array, period)
    frame.effort.spend(len(moments) * len(array))
    there = ((at, [each.values[at] for each in array if at in each.values]) for at in moments)
    return Series(period, frame.numbers((at, float(join(values))) for at, values in there))


def _common(array: Sequence[Series], period: int) -> Sequence[int]:
    """The moments of any, ascending; of series of several periods those of the longest."""
    if not array:
        return ()
    first = array[0]
    alike = all(each.period == period for each in array)
    if alike and all(each.values.keys() == first.values.keys() for each in array):
        return list(first.values)
    found = set().union(*(each.values.keys() for each in array))
    return sorted(at for at in found if alike or at % period == 0)
