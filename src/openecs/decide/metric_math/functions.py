"""The functions of metric math, by their names.

CloudWatch User Guide, "Functions supported for metric math".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise
from math import ceil, floor, log, log10, nan, sqrt

from openecs.decide.metric_math import calendar, filling
from openecs.decide.metric_math.conditions import chosen
from openecs.decide.metric_math.series import (
    Array,
    Frame,
    Series,
    Value,
    gathered,
    kind,
    mapped,
    with_values,
)
from openecs.decide.metric_math.syntax import MathProblem, Word

_Answer = Callable[[Frame, Sequence[Value]], Value]


@dataclass(frozen=True, slots=True)
class Function:
    """What a function answers, of at least and at most so many arguments."""

    answer: _Answer
    least: int = 1
    most: int = 1


def call(frame: Frame, name: str, arguments: Sequence[Value]) -> Value:
    """What a function says of its arguments. Raises ``MathProblem``."""
    function = _FUNCTIONS.get(name)
    if function is None:
        refused = _NOT_BUILT.get(name)
        raise MathProblem(
            f"OpenECS does not build {refused} ({name})"
            if refused
            else f"the function {name} is not known"
        )
    if not function.least <= len(arguments) <= function.most:
        raise MathProblem(f"the function {name} does not take {len(arguments)} arguments")
    try:
        return function.answer(frame, arguments)
    except _Unfit as unfit:
        kinds = ", ".join(kind(each) for each in arguments)
        raise MathProblem(f"the function {name} does not take ({kinds})") from unfit


_NOT_BUILT = {
    "ANOMALY_DETECTION_BAND": "anomaly detection",
    "DB_PERF_INSIGHTS": "Performance Insights",
    "INSIGHT_RULE_METRIC": "Contributor Insights",
    "LAMBDA": "metrics that functions make",
    "SERVICE_QUOTA": "service quotas",
}


class _Unfit(Exception):
    """Arguments that a function does not take."""


def _series(value: Value) -> Series:
    if not isinstance(value, Series):
        raise _Unfit
    return value


def _array(value: Value) -> Array:
    if not isinstance(value, tuple):
        raise _Unfit
    return value


def _number(value: Value) -> float:
    if not isinstance(value, float):
        raise _Unfit
    return value


def _word(value: Value, allowed: Sequence[str]) -> str:
    if not isinstance(value, Word) or value.value not in allowed:
        raise _Unfit
    return value.value


def _each(change: Callable[[Frame, Series], Series]) -> Function:
    """A function of a series, or of each series of an array."""

    def answer(frame: Frame, arguments: Sequence[Value]) -> Value:
        (given,) = arguments
        if isinstance(given, tuple):
            return tuple(change(frame, each) for each in given)
        return change(frame, _series(given))

    return Function(answer)


def _valued(change: Callable[[float], float]) -> Function:
    def safe(value: float) -> float:
        try:
            return float(change(value))
        except ValueError:
            return nan

    return _each(lambda frame, series: mapped(frame, series, safe))


def _joined(join: Callable[[list[float]], float]) -> Function:
    """A function of all values of a series, or of those of an array at each moment."""

    def answer(frame: Frame, arguments: Sequence[Value]) -> Value:
        (given,) = arguments
        if isinstance(given, tuple):
            return gathered(frame, given, join)
        return float(join(list(_series(given).values.values())))

    return Function(answer)


def _average(frame: Frame, arguments: Sequence[Value]) -> Value:
    """Of an array, a series without a value counts as 0."""
    (given,) = arguments
    if isinstance(given, tuple):
        return gathered(frame, given, lambda values: sum(values) / len(given))
    return _mean(list(_series(given).values.values()))


def _mean(values: list[float]) -> float:
    return sum(values) / len(values) if values else nan


def _deviation(values: list[float]) -> float:
    """Of the whole: these values are all there are."""
    mean = _mean(values)
    return sqrt(_mean([(value - mean) * (value - mean) for value in values]))


def _steps(step: Callable[[float, float], float]) -> Function:
    """A function of how much, and after how many seconds, each value differs from the last."""

    def change(frame: Frame, series: Series) -> Series:
        frame.effort.spend(len(series.values))
        told = (
            (at, step(value - before, at - then))
            for (then, before), (at, value) in pairwise(series.values.items())
        )
        return with_values(frame, series, told)

    return _each(change)


def _running_sum(frame: Frame, series: Series) -> Series:
    frame.effort.spend(len(series.values))
    return with_values(
        frame, series, zip(series.values, accumulate(series.values.values()), strict=True)
    )


def _first(frame: Frame, arguments: Sequence[Value]) -> Value:
    return next(iter(_array(arguments[0])), Series(frame.period, {}))


def _last(frame: Frame, arguments: Sequence[Value]) -> Value:
    return next(reversed(_array(arguments[0])), Series(frame.period, {}))


def _metric_count(_: Frame, arguments: Sequence[Value]) -> Value:
    return float(len(_array(arguments[0])))


def _period(_: Frame, arguments: Sequence[Value]) -> Value:
    series = _series(arguments[0])
    if series.metric is None:
        raise MathProblem("the function PERIOD takes a metric, not an expression")
    return float(series.period)


def _remove_empty(_: Frame, arguments: Sequence[Value]) -> Value:
    return tuple(each for each in _array(arguments[0]) if each.values)


def _slice(_: Frame, arguments: Sequence[Value]) -> Value:
    array, (start, *end) = _array(arguments[0]), [_number(each) for each in arguments[1:]]
    return array[_index(start) : _index(end[0]) if end else None]


def _index(number: float) -> int:
    if number != number or number < 0:  # noqa: PLR0124  # no number at all
        raise MathProblem("time series are numbered from 0")
    return int(min(number, 1e6))


_SORTED_BY: Mapping[str, Callable[[list[float]], float]] = {
    "AVG": _mean,
    "MAX": lambda values: max(values, default=nan),
    "MIN": lambda values: min(values, default=nan),
    "SUM": sum,
}


def _sort(frame: Frame, arguments: Sequence[Value]) -> Value:
    """Ordered by a statistic, with those that have no value behind."""
    array = _array(arguments[0])
    by = _SORTED_BY[_word(arguments[1], list(_SORTED_BY))]
    falls = _word(arguments[2], ("ASC", "DESC")) == "DESC"
    frame.effort.spend(sum(len(each.values) for each in array))
    told = [(by(list(each.values.values())), each) for each in array if each.values]
    full = [each for _, each in sorted(told, key=lambda pair: pair[0], reverse=falls)]
    ordered = (*full, *(each for each in array if not each.values))
    return ordered[: _index(_number(arguments[3]))] if len(arguments) > 3 else ordered


def _fill(frame: Frame, arguments: Sequence[Value]) -> Value:
    given, by = arguments
    if isinstance(by, Word):
        _word(by, ("REPEAT", "LINEAR"))
    elif not isinstance(by, float | Series):
        raise _Unfit
    if isinstance(given, tuple):
        return tuple(filling.filled(frame, each, by) for each in given)
    return filling.filled(frame, _series(given), by)


def _if(frame: Frame, arguments: Sequence[Value]) -> Value:
    if not all(isinstance(each, float | Series) for each in arguments):
        raise _Unfit
    return chosen(frame, *(each for each in arguments if isinstance(each, float | Series)))


def _time_series(frame: Frame, arguments: Sequence[Value]) -> Value:
    number = _number(arguments[0])
    made = Series(frame.period, {})
    return with_values(frame, made, ((at, number) for at in frame.moments(frame.period)))


def _of_time(told: Callable[[int], int]) -> Function:
    """A function of the time alone: it has a value at each moment."""

    def answer(frame: Frame, arguments: Sequence[Value]) -> Value:
        series = _series(arguments[0])
        values = {at: float(told(at)) for at in frame.moments(series.period)}
        return replace(series, values=values, metric=None)

    return Function(answer)


_FUNCTIONS: dict[str, Function] = {
    "ABS": _valued(abs),
    "AVG": Function(_average),
    "CEIL": _valued(ceil),
    "DATAPOINT_COUNT": _joined(lambda values: float(len(values))),
    "DATE": _of_time(calendar.date),
    "DAY": _of_time(calendar.day),
    "DIFF": _steps(lambda difference, _: difference),
    "DIFF_TIME": _steps(lambda _, seconds: seconds),
    "EPOCH": _of_time(lambda at: at),
    "FILL": Function(_fill, 2, 2),
    "FIRST": Function(_first),
    "FLOOR": _valued(floor),
    "HOUR": _of_time(calendar.hour),
    "IF": Function(_if, 2, 3),
    "LAST": Function(_last),
    "LOG": _valued(log),
    "LOG10": _valued(log10),
    "MAX": _joined(lambda values: max(values, default=nan)),
    "METRIC_COUNT": Function(_metric_count),
    "MIN": _joined(lambda values: min(values, default=nan)),
    "MINUTE": _of_time(calendar.minute),
    "MONTH": _of_time(calendar.month),
    "PERIOD": Function(_period),
    "RATE": _steps(lambda difference, seconds: difference / seconds),
    "REMOVE_EMPTY": Function(_remove_empty),
    "RUNNING_SUM": _each(_running_sum),
    "SLICE": Function(_slice, 2, 3),
    "SORT": Function(_sort, 3, 4),
    "STDDEV": _joined(_deviation),
    "SUM": _joined(sum),
    "TIME_SERIES": Function(_time_series),
    "YEAR": _of_time(calendar.year),
}
