"""IF: of two values the one that a condition tells. User Guide, "Using IF expressions"."""

from __future__ import annotations

from collections.abc import Iterator
from math import isnan

from openecs.decide.metric_math.series import Frame, Series, with_values


def chosen(
    frame: Frame,
    condition: float | Series,
    wanted: float | Series,
    otherwise: float | Series | None = None,
) -> float | Series:
    """``wanted`` where the condition is not 0, else ``otherwise``, or nothing."""
    if isinstance(condition, float):
        return _whole(frame, condition, wanted, otherwise)
    frame.effort.spend(len(condition.values))
    given = (condition, wanted, otherwise)
    labels = (each.label for each in given[1:] if isinstance(each, Series) and each.label)
    made = Series(condition.period, {}, next(labels, condition.label))
    return with_values(frame, made, _values(condition, wanted, otherwise))


def _whole(
    frame: Frame,
    condition: float,
    wanted: float | Series,
    otherwise: float | Series | None,
) -> float | Series:
    if not isnan(condition) and condition != 0:
        return wanted
    if otherwise is not None and not isnan(condition):
        return otherwise
    if isinstance(wanted, Series):
        return Series(wanted.period, {}, wanted.label)
    return Series(frame.period, {})


def _values(
    condition: Series, wanted: float | Series, otherwise: float | Series | None
) -> Iterator[tuple[int, float]]:
    for at, truth in condition.values.items():
        if truth:
            yield at, wanted.values.get(at, 0.0) if isinstance(wanted, Series) else wanted
        elif isinstance(otherwise, Series):
            if at in otherwise.values:
                yield at, otherwise.values[at]
        elif otherwise is not None:
            yield at, otherwise
