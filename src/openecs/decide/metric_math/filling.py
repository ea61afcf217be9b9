"""FILL: values where a series has none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from openecs.decide.metric_math.series import Frame, Series, with_values
from openecs.decide.metric_math.syntax import Word


def filled(frame: Frame, series: Series, by: float | Series | Word) -> Series:
    """A series with a value at each moment: a number, of another series, or of its neighbours.

    REPEAT takes the value before, LINEAR draws a line from there to the one behind: where there is
    none of these, it stays empty.
    """
    moments = sorted({*frame.moments(series.period), *series.values})
    if by == Word("LINEAR"):
        told = _lines(moments, series.values)
    elif by == Word("REPEAT"):
        told = _repeated(moments, series.values)
    else:
        told = _given(moments, series.values, by)
    return with_values(frame, series, told)


def _given(
    moments: Sequence[int], values: Mapping[int, float], by: float | Series | Word
) -> Iterator[tuple[int, float]]:
    for at in moments:
        if at in values:
            yield at, values[at]
        elif isinstance(by, float):
            yield at, by
        elif isinstance(by, Series) and at in by.values:
            yield at, by.values[at]


def _repeated(moments: Sequence[int], values: Mapping[int, float]) -> Iterator[tuple[int, float]]:
    last = None
    for at in moments:
        last = values.get(at, last)
        if last is not None:
            yield at, last


def _lines(moments: Sequence[int], values: Mapping[int, float]) -> Iterator[tuple[int, float]]:
    between = iter(at for at in moments if at not in values)
    gap = next(between, None)
    for (begin, first), (end, last) in pairwise(values.items()):
        yield begin, first
        while gap is not None and gap < end:
            if gap > begin:
                yield gap, first + (last - first) * (gap - begin) / (end - begin)
            gap = next(between, None)
    if values:
        end = next(reversed(list(values)))
        yield end, values[end]
