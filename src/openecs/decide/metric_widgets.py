"""What a metric widget shows: its JSON, with the shorthand of its metrics written out.

CloudWatch API Reference, "GetMetricWidgetImage: Metric Widget Structure and Syntax".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

import msgspec

Pixels = Annotated[int, msgspec.Meta(ge=1, le=2000)]
Color = Annotated[str, msgspec.Meta(pattern=r"^#([0-9a-fA-F]{3}|[0-9a-fA-F]{6})$")]
Side = Literal["left", "right"]

_MOST_METRICS = 500
_DURATION = re.compile(
    r"([+-])?P(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?", re.ASCII
)
_PARTS = (30 * 86_400, 7 * 86_400, 86_400, 3600, 60, 1)


class BadWidget(ValueError):
    """A widget that cannot be drawn, and why."""


class Scale(msgspec.Struct, frozen=True):
    """One of the two axes of values."""

    min: float | None = None
    max: float | None = None
    label: str | None = None


class Axes(msgspec.Struct, frozen=True):
    """Both of them."""

    left: Scale = Scale()
    right: Scale = Scale()


class Mark(msgspec.Struct, frozen=True, rename="camel"):
    """An annotation: at a value, or at a time."""

    value: float | str
    label: str | None = None
    color: Color | None = None
    y_axis: Side = "left"
    visible: bool = True


class _Annotations(msgspec.Struct, frozen=True):
    horizontal: tuple[Mark, ...] = ()
    vertical: tuple[Mark, ...] = ()


class _Legend(msgspec.Struct, frozen=True):
    position: Literal["bottom", "right", "hidden"] = "bottom"


class Options(msgspec.Struct, frozen=True, rename="camel"):
    """What is said of one metric, or the expression that stands in place of one."""

    id: str | None = None
    expression: str | None = None
    stat: str | None = None
    period: int | None = None
    label: str | None = None
    color: Color | None = None
    y_axis: Side = "left"
    visible: bool = True
    region: str | None = None
    account_id: str | None = None


class Widget(msgspec.Struct, frozen=True, rename="camel"):
    """A widget as its JSON says it."""

    metrics: Sequence[Sequence[Any]]
    title: str | None = None
    width: Pixels = 600
    height: Pixels = 400
    view: Literal["timeSeries", "singleValue", "gauge", "bar", "pie", "table"] = "timeSeries"
    stacked: bool = False
    stat: str = "Average"
    period: int = 300
    start: str = "-PT3H"
    end: str = "P0D"
    timezone: str = "+0000"
    region: str | None = None
    theme: Literal["light", "dark"] = "light"
    y_axis: Axes = Axes()
    annotations: _Annotations = _Annotations()
    legend: _Legend = _Legend()


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A metric or an expression: as a query of GetMetricData, and as it is drawn."""

    query: Mapping[str, Any]
    options: Options


def widget(text: str) -> Widget:
    """The widget. Raises ``BadWidget``."""
    try:
        found = msgspec.json.decode(text.encode(), type=Widget)
    except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
        raise BadWidget(str(error)) from error
    if not 0 < len(found.metrics) <= _MOST_METRICS:
        raise BadWidget(f"metrics must have 1 to {_MOST_METRICS} items")
    if found.view != "timeSeries":
        raise BadWidget(f"OpenECS does not build images of the view {found.view} yet")
    return found


def lines(shown: Widget) -> list[Line]:
    """What it draws. Raises ``BadWidget``."""
    found: list[Line] = []
    before: Sequence[str] = ()
    for number, given in enumerate(shown.metrics):
        fields, options = _split(number, given)
        if options.expression is None:
            before = _written_out(number, fields, before)
        elif fields:
            raise BadWidget(f"metrics[{number}]: an expression stands alone")
        query = _query(shown, number, before, options)
        found.append(Line(query=query, options=options))
    if not any(line.options.visible for line in found):
        raise BadWidget("at least one of metrics must be visible")
    return found


def times(shown: Widget, now: datetime) -> tuple[datetime, datetime]:
    """From when to when it shows. Raises ``BadWidget``."""
    end = _time("end", shown.end, now)
    start = _time("start", shown.start, now)
    if start >= end:
        raise BadWidget("start must be before end")
    return start, end


def moments(shown: Widget) -> list[tuple[datetime, Mark]]:
    """The annotations at times. Raises ``BadWidget``."""
    marks = (mark for mark in shown.annotations.vertical if mark.visible)
    return [(_moment("annotations.vertical", str(mark.value)), mark) for mark in marks]


def levels(shown: Widget) -> list[tuple[float, Mark]]:
    """The annotations at values. Raises ``BadWidget``."""
    found = []
    for mark in shown.annotations.horizontal:
        if isinstance(mark.value, str):
            raise BadWidget("annotations.horizontal: value must be a number")
        if mark.visible:
            found.append((mark.value, mark))
    return found


def _split(number: int, given: Sequence[Any]) -> tuple[Sequence[str], Options]:
    last = given[-1] if given else None
    fields = given[:-1] if isinstance(last, dict) else given
    if not all(isinstance(field, str) for field in fields):
        raise BadWidget(f"metrics[{number}] must be strings, and an object at the end if any")
    try:
        options = msgspec.convert(last if isinstance(last, dict) else {}, Options)
    except msgspec.ValidationError as error:
        raise BadWidget(f"metrics[{number}]: {error}") from error
    return fields, options


def _written_out(number: int, fields: Sequence[str], before: Sequence[str]) -> Sequence[str]:
    """The fields with those of the metric above in place of ``.`` and ``...``."""
    if fields and fields[0] == "...":
        rest = fields[1:]
        fields = (*before[: max(len(before) - len(rest), 0)], *rest)
    written = list(_repeated(number, fields, before))
    if len(written) < 2 or len(written) % 2:
        message = "a namespace, a name and dimensions in pairs are expected"
        raise BadWidget(f"metrics[{number}]: {message}")
    return written


def _repeated(number: int, fields: Sequence[str], before: Sequence[str]) -> Iterator[str]:
    for place, field in enumerate(fields):
        if field == "." and place >= len(before):
            raise BadWidget(f"metrics[{number}]: there is nothing above that '.' repeats")
        yield before[place] if field == "." else field


def _query(
    shown: Widget, number: int, fields: Sequence[str], options: Options
) -> Mapping[str, Any]:
    period = options.period or shown.period
    query = {
        "Id": options.id or f"metrics{number}",
        "ReturnData": options.visible,
        **({"Label": options.label} if options.label else {}),
        **({"AccountId": options.account_id} if options.account_id else {}),
    }
    if options.expression is not None:
        return {**query, "Expression": options.expression, "Period": period}
    namespace, name, *pairs = fields
    named = [
        {"Name": key, "Value": value} for key, value in zip(pairs[::2], pairs[1::2], strict=True)
    ]
    metric = {"Namespace": namespace, "MetricName": name, "Dimensions": named}
    stat = options.stat or shown.stat
    return {**query, "MetricStat": {"Metric": metric, "Period": period, "Stat": stat}}


def _time(name: str, text: str, now: datetime) -> datetime:
    match = _DURATION.fullmatch(text)
    if match is None or text[-1] in "PT":
        return _moment(name, text)
    seconds = sum(int(n or 0) * size for n, size in zip(match.groups()[1:], _PARTS, strict=True))
    try:
        return now + timedelta(seconds=-seconds if match[1] == "-" else seconds)
    except OverflowError as error:
        raise BadWidget(f"{name} is too far away: {text}") from error


def _moment(name: str, text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
        aware = found if found.tzinfo else found.replace(tzinfo=UTC)
        return aware.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        expected = "2026-11-27T08:00:00Z or -PT3H" if name in {"start", "end"} else "an ISO time"
        raise BadWidget(f"{name}: {text!r} is not {expected}") from error
