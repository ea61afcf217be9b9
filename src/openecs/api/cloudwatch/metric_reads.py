"""Metrics told: their statistics over time, and which there are.

API Reference, GetMetricStatistics, GetMetricData, ListMetrics.
"""

from __future__ import annotations

import binascii
import re
from base64 import b64decode, urlsafe_b64encode
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice

import msgspec

from openecs.api.base import Access, Asked, Call, Measures, Members, Operation
from openecs.api.cloudwatch import metric_errors as errors
from openecs.api.cloudwatch.metric_data import dimensions
from openecs.decide import statistics
from openecs.model.alarms import SERVICE
from openecs.model.metrics import Datapoint, Metric, Statistics, merged
from openecs.store.metrics import MetricFilter, MetricStore, Span

#: Datapoints of GetMetricStatistics, and of one page of GetMetricData.
_MOST, _MOST_OF_DATA = 1440, 100_800
_MOST_QUERIES, _PAGE = 500, 500
_FINE = (1, 5, 10, 30)
_ID = re.compile(r"[a-z][a-zA-Z0-9_]*")
#: Metrics without a datapoint for so long are not listed.
_LISTED, _RECENT = timedelta(days=14), timedelta(hours=3)


async def get_metric_statistics(store: MetricStore, call: Call, request: Members) -> Members:
    """The statistics of each period that has any, of each unit."""
    plain, extended = _wanted(request)
    period = _period(request["Period"], "Period")
    start, end = _range(call, request, period)
    asked = (end - start).total_seconds() / period
    if asked > _MOST:
        raise errors.invalid_combination(
            f"You have requested up to {int(asked):,} datapoints, which exceeds the limit of "
            f"{_MOST:,}. You may reduce the datapoints requested by increasing Period, or "
            "decreasing the time range."
        )
    name = request["MetricName"]
    metric = Metric(call.scope, request["Namespace"], name, dimensions(request.get("Dimensions")))
    span = Span(metric=metric, start=start, end=end, period=period, unit=request.get("Unit"))
    (found,) = await store.read([span])
    return {"Label": name, "Datapoints": [_shown(each, plain, extended) for each in found]}


async def get_metric_data(store: MetricStore, call: Call, request: Members) -> Members:
    """A series of values for each query, page by page: as many as fit, query after query."""
    queries = [_query(call, each) for each in request["MetricDataQueries"]]
    _check_queries(queries)
    start, end = _moment(request["StartTime"]), _moment(request["EndTime"])
    if start >= end:
        raise errors.validation("The parameter StartTime must be less than the parameter EndTime.")
    spans = [
        Span(
            metric=each.metric,
            start=_rounded(call, start, each.period),
            end=_up(end, each.period),
            period=each.period,
            unit=each.unit,
        )
        for each in queries
    ]
    found = await store.read(spans)
    ascending = request.get("ScanBy") == "TimestampAscending"
    series = [_series(q, data, ascending=ascending) for q, data in zip(queries, found, strict=True)]
    return _page_of_data(request, queries, series)


async def list_metrics(store: MetricStore, call: Call, request: Members) -> Members:
    """Which metrics there are, in order, page by page."""
    since = _RECENT if request.get("RecentlyActive") else _LISTED
    wanted = MetricFilter(
        scope=call.scope,
        namespace=request.get("Namespace"),
        name=request.get("MetricName"),
        dimensions=tuple(
            (each["Name"], each.get("Value")) for each in request.get("Dimensions") or ()
        ),
        active_since=call.now - since,
    )
    token = request.get("NextToken")
    after = _metric_of(call, token) if token else None
    found = await store.metrics(wanted, after=after, limit=_PAGE + 1)
    shown = found[:_PAGE]
    more = {"NextToken": _token_of(shown[-1])} if len(found) > _PAGE else {}
    return {"Metrics": [_show_metric(each) for each in shown], **more}


OPERATIONS: dict[str, Operation] = {
    "GetMetricStatistics": Measures(get_metric_statistics),
    "GetMetricData": Measures(get_metric_data),
    "ListMetrics": Measures(list_metrics),
}


def _on_all(operation: str, member: str | None = None) -> Access:
    """Metrics are no resources; their namespace is a condition."""

    def asks(_: object, __: Call, request: Members) -> Sequence[Asked]:
        given = request.get(member) if member else None
        context = {"cloudwatch:namespace": (given,)} if given else {}
        return (Asked(action=f"{SERVICE}:{operation}", resource="*", context=context),)

    return asks


ACCESS: dict[str, Access] = {
    "PutMetricData": _on_all("PutMetricData", "Namespace"),
    **{name: _on_all(name) for name in OPERATIONS},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Query:
    id: str
    metric: Metric
    period: int
    stat: str
    unit: str | None
    label: str
    is_returned: bool


def _wanted(request: Members) -> tuple[Sequence[str], Sequence[str]]:
    plain, extended = request.get("Statistics") or (), request.get("ExtendedStatistics") or ()
    if not plain and not extended:
        raise errors.missing(
            "At least one of the parameters Statistics and ExtendedStatistics must be specified."
        )
    for stat in extended:
        if not statistics.is_extended(stat):
            raise errors.invalid_value(f"OpenECS does not build the statistic {stat}.")
    return plain, extended


def _period(seconds: int, where: str) -> int:
    if seconds not in _FINE and seconds % 60:
        raise errors.invalid_value(
            f"The parameter {where} must be 1, 5, 10, 30 or a multiple of 60."
        )
    return seconds


def _range(call: Call, request: Members, period: int) -> tuple[datetime, datetime]:
    start, end = _moment(request["StartTime"]), _moment(request["EndTime"])
    if start >= end:
        raise errors.invalid_combination(
            "The parameter StartTime must be less than the parameter EndTime."
        )
    return _rounded(call, start, period), _up(end, period)


def _moment(given: datetime) -> datetime:
    return given.astimezone(UTC)


def _rounded(call: Call, start: datetime, period: int) -> datetime:
    """The begin of the period, of the coarser ones that are left of what is old."""
    age = call.now - start
    kept = 1 if period < 60 else 60
    if age > timedelta(days=63):
        kept = 3600
    elif age > timedelta(days=15):
        kept = 300
    step = max(period, kept)
    return datetime.fromtimestamp(start.timestamp() // step * step, UTC)


def _up(end: datetime, period: int) -> datetime:
    step = min(period, 60)
    return datetime.fromtimestamp(-(-end.timestamp() // step) * step, UTC)


def _shown(point: Datapoint, plain: Sequence[str], extended: Sequence[str]) -> Members:
    told = {stat: statistics.value(stat, point.statistics) for stat in extended}
    return {
        "Timestamp": point.timestamp,
        "Unit": point.unit,
        **{stat: statistics.value(stat, point.statistics) for stat in plain},
        "ExtendedStatistics": {k: v for k, v in told.items() if v is not None} or None,
    }


def _query(call: Call, given: Members) -> _Query:
    if not _ID.fullmatch(given["Id"]):
        raise errors.validation(
            f"The value {given['Id']} for parameter MetricDataQueries.member.Id is not matching "
            "the expected pattern ^[a-z][a-zA-Z0-9_]*$."
        )
    stat = given.get("MetricStat")
    if given.get("Expression") is not None or stat is None:
        raise errors.validation("OpenECS does not build metric math (Expression) yet.")
    if not statistics.is_known(stat["Stat"]):
        raise errors.validation(f"OpenECS does not build the statistic {stat['Stat']}.")
    metric = stat["Metric"]
    return _Query(
        id=given["Id"],
        metric=Metric(
            call.scope,
            metric.get("Namespace") or "",
            metric.get("MetricName") or "",
            dimensions(metric.get("Dimensions")),
        ),
        period=_period(stat["Period"], "Period"),
        stat=stat["Stat"],
        unit=stat.get("Unit"),
        label=given.get("Label") or metric.get("MetricName") or "",
        is_returned=given.get("ReturnData") is not False,
    )


def _check_queries(queries: Sequence[_Query]) -> None:
    if len(queries) > _MOST_QUERIES:
        raise errors.validation(
            f"The collection MetricDataQueries must not have more than {_MOST_QUERIES} items."
        )
    if len({each.id for each in queries}) < len(queries):
        raise errors.validation("The values for parameter Id are not unique.")
    if not any(each.is_returned for each in queries):
        raise errors.validation("At least one query must return data.")


def _series(
    query: _Query, found: Sequence[Datapoint], *, ascending: bool
) -> list[tuple[datetime, float]]:
    """The values of a query, all units of a period together."""
    tell = statistics.teller(query.stat)
    values = [(at, value) for at, known in _by_period(found) if (value := tell(known)) is not None]
    return values if ascending else values[::-1]


def _by_period(found: Sequence[Datapoint]) -> Iterable[tuple[datetime, Statistics]]:
    """The periods, the oldest first; found in that order, those of each unit on their own."""
    if len({each.timestamp for each in found}) == len(found):
        return ((each.timestamp, each.statistics) for each in found)
    parts: defaultdict[datetime, list[Statistics]] = defaultdict(list)
    for each in found:
        parts[each.timestamp].append(each.statistics)
    return ((at, merged(known)) for at, known in parts.items())


def _page_of_data(
    request: Members,
    queries: Sequence[_Query],
    series: Sequence[Sequence[tuple[datetime, float]]],
) -> Members:
    """So many values from where the token says: the values of all queries, one after another."""
    begin = _offset(request.get("NextToken"))
    most = min(request.get("MaxDatapoints") or _MOST_OF_DATA, _MOST_OF_DATA)
    results, passed, left = [], 0, most
    for query, values in zip(queries, series, strict=True):
        if not query.is_returned:
            continue
        skipped = max(begin - passed, 0)
        shown = list(islice(values, skipped, skipped + left))
        passed += len(values)
        left -= len(shown)
        is_whole = begin + most >= passed
        results.append(_result(query, shown, is_whole=is_whole))
    more = {"NextToken": _encoded(str(begin + most))} if passed > begin + most else {}
    return {"MetricDataResults": results, "Messages": [], **more}


def _result(
    query: _Query, values: Sequence[tuple[datetime, float]], *, is_whole: bool
) -> Mapping[str, object]:
    return {
        "Id": query.id,
        "Label": query.label,
        "Timestamps": [at for at, _ in values],
        "Values": [value for _, value in values],
        "StatusCode": "Complete" if is_whole else "PartialData",
    }


def _offset(token: str | None) -> int:
    text = _decoded(token) if token else "0"
    if not text.isdecimal():
        raise errors.invalid_token()
    return int(text)


def _show_metric(metric: Metric) -> Members:
    return {
        "Namespace": metric.namespace,
        "MetricName": metric.name,
        "Dimensions": [{"Name": name, "Value": value} for name, value in metric.dimensions],
    }


def _token_of(metric: Metric) -> str:
    words = [metric.namespace, metric.name, metric.dimensions]
    return _encoded(msgspec.json.encode(words).decode())


def _metric_of(call: Call, token: str) -> Metric:
    """The metric that the page before ended with."""
    try:
        namespace, name, pairs = msgspec.json.decode(_decoded(token))
        named = tuple((str(pair[0]), str(pair[1])) for pair in pairs)
        return Metric(call.scope, str(namespace), str(name), named)
    except (ValueError, TypeError, IndexError) as error:
        raise errors.invalid_token() from error


def _encoded(text: str) -> str:
    return urlsafe_b64encode(text.encode()).decode()


def _decoded(token: str) -> str:
    try:
        return b64decode(token, altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError) as error:
        raise errors.invalid_token() from error
