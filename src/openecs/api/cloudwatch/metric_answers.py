"""GetMetricData: time series of metrics, and of expressions over them, page by page.

API Reference, GetMetricData, MetricDataResult.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from math import ceil

from openecs.api.base import Call, Measures, Members, Operation
from openecs.api.cloudwatch import metric_errors as errors
from openecs.api.cloudwatch import metric_queries, metric_times, metric_tokens
from openecs.api.cloudwatch.metric_labels import Labels
from openecs.decide import statistics
from openecs.decide.metric_math import evaluation, search
from openecs.decide.metric_math.search import MOST_FOUND, Search
from openecs.decide.metric_math.series import Array, Series
from openecs.decide.metric_math.syntax import MathProblem
from openecs.model.alarms import MetricDataQuery, MetricStat
from openecs.model.metrics import Datapoint, Metric
from openecs.store.metrics import MetricFilter, MetricStore, Span

#: Values of one page.
_MOST_VALUES = 100_800
#: Metrics without a datapoint for so long are not found.
_SEARCHED = timedelta(days=14)
_LOST = {
    "Code": "ArithmeticError",
    "Value": "One or more data-points have been dropped due to non-numeric values "
    "(NaN, -Infinite, +Infinite)",
}
_TOO_MANY = {
    "Code": "MaxMetricsExceeded",
    "Value": f"The maximum number of allowed metrics, {MOST_FOUND}, has been exceeded",
}


async def get_metric_data(store: MetricStore, call: Call, request: Members) -> Members:
    """Series of values for each query, page by page: as many as fit, query after query."""
    asked = metric_queries.queries(call, request["MetricDataQueries"])
    labels = Labels(call, metric_queries.timezone(request))
    looked_at = _time(request)
    searches = metric_queries.searches(asked)
    found = {each: await _found(store, call, each) for each in searches}
    stats = {each.id: each.stat for each in asked if each.stat is not None}
    members = [_Member(k, m, i) for k, each in found.items() for m, i in each.shown]
    wanted = [*stats.values(), *(each.stat for each in members)]
    read = await store.read([_span(call, looked_at, each) for each in wanted])
    series = [_series(*pair) for pair in zip(wanted, read, strict=True)]
    known = evaluation.Known(
        metrics=labels.of_metrics(asked, dict(zip(stats, series, strict=False))),
        searches=_by_search(searches, members, series[len(stats) :]),
        start=int(looked_at.start.timestamp()),
        end=ceil(looked_at.end.timestamp()),
    )
    results = _results(asked, await _told(asked, known), labels)
    has_more = any(each.is_cut for each in found.values())
    return _page(request, results, [_TOO_MANY] if has_more else [])


OPERATIONS: dict[str, Operation] = {"GetMetricData": Measures(get_metric_data)}


@dataclass(frozen=True, slots=True)
class _Time:
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class _Found:
    """The metrics that a search is to tell, each with what it goes by; maybe there were more."""

    shown: Sequence[tuple[Metric, str]]
    is_cut: bool


@dataclass(frozen=True, slots=True)
class _Member:
    """A metric that a search found."""

    search: Search
    metric: Metric
    label: str

    @property
    def stat(self) -> MetricStat:
        return MetricStat(
            namespace=self.metric.namespace,
            name=self.metric.name,
            dimensions=self.metric.dimensions,
            period=self.search.period,
            stat=self.search.stat,
        )


@dataclass(frozen=True, slots=True)
class _Result:
    """A time series that is told, the oldest value first."""

    id: str
    label: str
    values: Mapping[int, float]
    has_losses: bool


def _time(request: Members) -> _Time:
    start = metric_times.moment(request["StartTime"])
    end = metric_times.moment(request["EndTime"])
    if start >= end:
        raise errors.validation("The parameter StartTime must be less than the parameter EndTime.")
    return _Time(start, end)


async def _found(store: MetricStore, call: Call, wanted: Search) -> _Found:
    schema = search.wanted(wanted).schema
    given = MetricFilter(
        scope=call.scope,
        namespace=schema.namespace if schema else None,
        dimensions=tuple((name, None) for name in sorted(schema.dimensions)) if schema else (),
        active_since=call.now - _SEARCHED,
    )
    fit = search.found(search.wanted(wanted), await store.metrics(given))
    shown = fit[:MOST_FOUND]
    return _Found(list(zip(shown, search.labels(shown), strict=True)), len(fit) > MOST_FOUND)


def _span(call: Call, looked_at: _Time, stat: MetricStat) -> Span:
    return Span(
        metric=Metric(call.scope, stat.namespace, stat.name, stat.dimensions),
        start=metric_times.down(call, looked_at.start, stat.period),
        end=metric_times.up(looked_at.end, stat.period),
        period=stat.period,
        unit=stat.unit,
    )


def _series(stat: MetricStat, read: Sequence[Datapoint]) -> Series:
    return Series(stat.period, statistics.values(stat.stat, read), stat.name, stat)


def _by_search(
    searches: Sequence[Search], members: Sequence[_Member], series: Sequence[Series]
) -> dict[Search, Array]:
    made: dict[Search, list[Series]] = {each: [] for each in searches}
    for member, each in zip(members, series, strict=True):
        made[member.search].append(replace(each, label=member.label))
    return {each: tuple(several) for each, several in made.items()}


async def _told(
    asked: Sequence[MetricDataQuery], known: evaluation.Known
) -> Mapping[str, evaluation.Told]:
    """What the queries tell; expressions elsewhere, so that nobody waits for long ones."""
    try:
        if all(each.expression is None for each in asked):
            return evaluation.evaluated(asked, known)
        return await asyncio.to_thread(evaluation.evaluated, asked, known)
    except MathProblem as problem:
        raise errors.validation(f"{problem}.") from problem


def _results(
    asked: Sequence[MetricDataQuery], told: Mapping[str, evaluation.Told], labels: Labels
) -> list[_Result]:
    results = []
    for query in asked:
        if query.return_data:
            answer = told[query.id]
            results += [
                _Result(query.id, label, series.values, answer.has_losses)
                for series, label in labels.of(query, answer.series)
            ]
    return results


def _page(request: Members, results: Sequence[_Result], messages: Sequence[Members]) -> Members:
    """So many values from where the token says: the values of all series, one after another."""
    begin = _offset(request.get("NextToken"))
    most = min(request.get("MaxDatapoints") or _MOST_VALUES, _MOST_VALUES)
    ascending = request.get("ScanBy") == "TimestampAscending"
    shown, passed, left = [], 0, most
    for each in results:
        values = list(each.values.items())
        ordered = values if ascending else values[::-1]
        part = list(islice(ordered, max(begin - passed, 0), max(begin - passed, 0) + left))
        passed += len(values)
        left -= len(part)
        shown.append(_result(each, part, is_whole=begin + most >= passed))
    more = {"NextToken": metric_tokens.encoded(str(begin + most))} if passed > begin + most else {}
    return {"MetricDataResults": shown, "Messages": list(messages), **more}


def _result(told: _Result, values: Sequence[tuple[int, float]], *, is_whole: bool) -> Members:
    return {
        "Id": told.id,
        "Label": told.label,
        "Timestamps": [datetime.fromtimestamp(at, UTC) for at, _ in values],
        "Values": [value for _, value in values],
        "StatusCode": "Complete" if is_whole else "PartialData",
        **({"Messages": [_LOST]} if told.has_losses else {}),
    }


def _offset(token: str | None) -> int:
    if not token:
        return 0
    text = metric_tokens.decoded(token)
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        raise errors.invalid_token()
    return int(text)
