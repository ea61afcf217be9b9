"""Metrics told: their statistics over time, and which there are.

API Reference, GetMetricStatistics, ListMetrics.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from openecs.api.base import Access, Asked, Call, Measures, Members, Operation
from openecs.api.cloudwatch import metric_errors as errors
from openecs.api.cloudwatch import metric_queries, metric_times
from openecs.api.cloudwatch.metric_data import dimensions
from openecs.api.cloudwatch.metric_tokens import decoded, encoded
from openecs.decide import statistics
from openecs.model.alarms import SERVICE
from openecs.model.metrics import Datapoint, Metric
from openecs.store.metrics import MetricFilter, MetricStore, Span

#: Datapoints of GetMetricStatistics, and metrics of one page of ListMetrics.
_MOST, _PAGE = 1440, 500
_MOST_EXTENDED = 10
#: Metrics without a datapoint for so long are not listed.
_LISTED, _RECENT = timedelta(days=14), timedelta(hours=3)


async def get_metric_statistics(store: MetricStore, call: Call, request: Members) -> Members:
    """The statistics of each period that has any, of each unit."""
    plain, extended = _wanted(request)
    period = metric_queries.period(request["Period"], "Period")
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
    **{name: _on_all(name) for name in ("GetMetricData", *OPERATIONS)},
}


def _wanted(request: Members) -> tuple[Sequence[str], Sequence[str]]:
    plain, extended = request.get("Statistics") or (), request.get("ExtendedStatistics") or ()
    if not plain and not extended:
        raise errors.missing(
            "At least one of the parameters Statistics and ExtendedStatistics must be specified."
        )
    for stat in extended:
        if not statistics.is_extended(stat):
            raise errors.invalid_value(
                f"The value {stat} for parameter ExtendedStatistics is not supported."
            )
    if len(extended) > _MOST_EXTENDED:
        raise errors.invalid_value(
            f"The collection ExtendedStatistics must not have more than {_MOST_EXTENDED} items."
        )
    return plain, extended


def _range(call: Call, request: Members, period: int) -> tuple[datetime, datetime]:
    start, end = metric_times.moment(request["StartTime"]), metric_times.moment(request["EndTime"])
    if start >= end:
        raise errors.invalid_combination(
            "The parameter StartTime must be less than the parameter EndTime."
        )
    return metric_times.down(call, start, period), metric_times.up(end, period)


def _shown(point: Datapoint, plain: Sequence[str], extended: Sequence[str]) -> Members:
    told = {stat: statistics.value(stat, point.statistics) for stat in extended}
    return {
        "Timestamp": point.timestamp,
        "Unit": point.unit,
        **{stat: statistics.value(stat, point.statistics) for stat in plain},
        "ExtendedStatistics": {k: v for k, v in told.items() if v is not None} or None,
    }


def _show_metric(metric: Metric) -> Members:
    return {
        "Namespace": metric.namespace,
        "MetricName": metric.name,
        "Dimensions": [{"Name": name, "Value": value} for name, value in metric.dimensions],
    }


def _token_of(metric: Metric) -> str:
    words = [metric.namespace, metric.name, metric.dimensions]
    return encoded(msgspec.json.encode(words).decode())


def _metric_of(call: Call, token: str) -> Metric:
    """The metric that the page before ended with."""
    try:
        namespace, name, pairs = msgspec.json.decode(decoded(token))
        named = tuple((str(pair[0]), str(pair[1])) for pair in pairs)
        return Metric(call.scope, str(namespace), str(name), named)
    except (ValueError, TypeError, IndexError) as error:
        raise errors.invalid_token() from error
