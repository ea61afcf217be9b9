"""PutMetricData: what users measure themselves.

API Reference, PutMetricData, MetricDatum.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from math import isfinite
from typing import Any

from openecs.api.base import Call, Measures, Members, Operation
from openecs.api.cloudwatch import metric_errors as errors
from openecs.model.metrics import (
    HIGH_RESOLUTION,
    STANDARD_RESOLUTION,
    Dimensions,
    Metric,
    Sample,
    Statistics,
    of_value,
    of_values,
)
from openecs.store.metrics import MetricStore

_MOST, _MOST_VALUES, _MOST_DIMENSIONS = 1000, 150, 30
_LARGEST = 2.0**360
_MEMBERS = ("Value", "Values", "StatisticValues")
_OLDEST, _NEWEST = timedelta(days=14), timedelta(hours=2)


async def put_metric_data(store: MetricStore, call: Call, request: Members) -> Members:
    """Keep what was measured: all of it or nothing."""
    namespace = request["Namespace"]
    if namespace.startswith("AWS/"):
        raise errors.invalid_value(
            "The value AWS/ for parameter Namespace is invalid: it is reserved for AWS."
        )
    data = list(_data(request))
    if not data:
        raise errors.missing("The parameter MetricData is required.")
    if len(data) > _MOST:
        raise errors.invalid_value(
            f"The collection MetricData must not have more than {_MOST} items."
        )
    await store.put([_sample(call, namespace, where, datum) for where, datum in data])
    return {}


OPERATIONS: dict[str, Operation] = {"PutMetricData": Measures(put_metric_data)}


def dimensions(given: Sequence[Members] | None) -> Dimensions:
    """Names and values, by name. Raises ``InvalidParameterValue``: a name comes once."""
    if not given:
        return ()
    named = {each["Name"]: each.get("Value") or "" for each in given}
    if len(named) < len(given):
        raise errors.invalid_value("A dimension may be named once only.")
    return tuple(sorted(named.items()))


def _data(request: Members) -> Iterator[tuple[str, Members]]:
    """Each datum, and how AWS names it in messages; entities are not told apart."""
    for number, datum in enumerate(request.get("MetricData") or (), 1):
        yield f"MetricData.member.{number}", datum
    for number, entity in enumerate(request.get("EntityMetricData") or (), 1):
        for inner, datum in enumerate(entity.get("MetricData") or (), 1):
            yield f"EntityMetricData.member.{number}.MetricData.member.{inner}", datum


def _sample(call: Call, namespace: str, where: str, datum: Members) -> Sample:
    named = datum.get("Dimensions") or ()
    if len(named) > _MOST_DIMENSIONS:
        raise errors.invalid_value(
            f"The collection {where}.Dimensions must not have more than {_MOST_DIMENSIONS} items."
        )
    return Sample(
        metric=Metric(call.scope, namespace, datum["MetricName"], dimensions(named)),
        timestamp=_timestamp(call, where, datum),
        statistics=_statistics(where, datum),
        unit=datum.get("Unit") or "None",
        resolution=_resolution(where, datum),
    )


def _timestamp(call: Call, where: str, datum: Members) -> datetime:
    given: datetime = datum.get("Timestamp") or call.now
    if not call.now - _OLDEST <= given <= call.now + _NEWEST:
        raise errors.invalid_value(
            f"The parameter {where}.Timestamp must specify a time no more than two weeks in the "
            "past, and no more than two hours in the future."
        )
    return given.astimezone(UTC)


def _resolution(where: str, datum: Members) -> int:
    given = datum.get("StorageResolution") or STANDARD_RESOLUTION
    if given not in {HIGH_RESOLUTION, STANDARD_RESOLUTION}:
        raise errors.invalid_value(f"The parameter {where}.StorageResolution must be 1 or 60.")
    return int(given)


def _statistics(where: str, datum: Members) -> Statistics:
    given = [name for name in _MEMBERS if datum.get(name) is not None]
    if not given:
        raise errors.missing(
            f"At least one of the parameters {where}.Value, {where}.Values and "
            f"{where}.StatisticValues must be specified."
        )
    if len(given) > 1:
        named = " and ".join(f"{where}.{name}" for name in given)
        raise errors.invalid_combination(f"The parameters {named} are mutually exclusive.")
    match given[0]:
        case "Value":
            return of_value(_number(f"{where}.Value", datum["Value"]))
        case "Values":
            return of_values(_counted(where, datum))
        case _:
            return _set(where, datum["StatisticValues"])


def _counted(where: str, datum: Members) -> list[tuple[float, float]]:
    values = datum["Values"]
    counts = datum.get("Counts") or [1.0] * len(values)
    if not values:
        raise errors.missing(f"The parameter {where}.Values is required.")
    if len(values) > _MOST_VALUES:
        raise errors.invalid_value(
            f"The collection {where}.Values must not have more than {_MOST_VALUES} items."
        )
    if len(values) != len(counts):
        raise errors.invalid_value(
            f"The parameters {where}.Values and {where}.Counts must be of the same size."
        )
    pairs = [
        (_number(f"{where}.Values.member.{n}", v), _number(f"{where}.Counts.member.{n}", c))
        for n, (v, c) in enumerate(zip(values, counts, strict=True), 1)
    ]
    for number, (_, count) in enumerate(pairs, 1):
        if count <= 0:
            raise errors.invalid_value(
                f"The value {count} for parameter {where}.Counts.member.{number} is invalid."
            )
    return pairs


def _set(where: str, given: Mapping[str, Any]) -> Statistics:
    names = ("SampleCount", "Sum", "Minimum", "Maximum")
    told = [_number(f"{where}.StatisticValues.{name}", given[name]) for name in names]
    count, total, minimum, maximum = told
    if count <= 0 or minimum > maximum:
        raise errors.invalid_value(f"The parameter {where}.StatisticValues is not consistent.")
    # Of equal values, percentiles are known.
    values = ((minimum, count),) if minimum == maximum else ()
    return Statistics(count, total, minimum, maximum, values)


def _number(where: str, value: float) -> float:
    if not isfinite(value) or abs(value) > _LARGEST:
        raise errors.invalid_value(f"The value {value} for parameter {where} is invalid.")
    return float(value)
