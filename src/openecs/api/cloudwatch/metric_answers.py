"""GetMetricData: time series of metrics, and of expressions over them, page by page.

API Reference, GetMetricData, MetricDataResult.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from itertools import accumulate
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
#: The place where a page begins: the number of the series, and how many of its values were told.
_PLACE = re.compile(r"(\d{1,9}):(\d{1,9})", re.ASCII)
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
    page = _page(request)
    world = _World(store, call, _time(request), Labels(call, metric_queries.timezone(request)))
    if all(each.expression is None for each in asked):
        return await _of_metrics(world, [each for each in asked if each.return_data], page)
    return await _of_expressions(world, asked, page)


OPERATIONS: dict[str, Operation] = {"GetMetricData": Measures(get_metric_data)}


@dataclass(frozen=True, slots=True)
class _Time:
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class _World:
    """Where a request looks, and when."""

    store: MetricStore
    call: Call
    time: _Time
    labels: Labels

    async def read(self, wanted: Sequence[MetricStat]) -> list[Series]:
        """The series of metrics."""
        spans = [_span(self.call, self.time, each) for each in wanted]
        read = await self.store.read(spans)
        return [_series(*pair) for pair in zip(wanted, read, strict=True)]


@dataclass(frozen=True, slots=True)
class _Page:
    """Which values are told: ``most`` at most, behind ``skipped`` ones of the series ``first``."""

    first: int
    skipped: int
    most: int
    is_ascending: bool


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
    has_losses: bool = False


def _time(request: Members) -> _Time:
    start = metric_times.moment(request["StartTime"])
    end = metric_times.moment(request["EndTime"])
    if start >= end:
        raise errors.validation("The parameter StartTime must be less than the parameter EndTime.")
    return _Time(start, end)


async def _found(world: _World, wanted: Search) -> _Found:
    schema = search.wanted(wanted).schema
    given = MetricFilter(
        scope=world.call.scope,
        namespace=schema.namespace if schema else None,
        dimensions=tuple((name, None) for name in sorted(schema.dimensions)) if schema else (),
        active_since=world.call.now - _SEARCHED,
    )
    fit = search.found(search.wanted(wanted), await world.store.metrics(given))
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
    """What the queries tell, computed elsewhere, so that nobody waits for long expressions."""
    try:
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


def _page(request: Members) -> _Page:
    first, skipped = 0, 0
    if token := request.get("NextToken"):
        found = _PLACE.fullmatch(metric_tokens.decoded(token))
        if found is None:
            raise errors.invalid_token()
        first, skipped = int(found[1]), int(found[2])
    most = min(request.get("MaxDatapoints") or _MOST_VALUES, _MOST_VALUES)
    return _Page(first, skipped, most, request.get("ScanBy") == "TimestampAscending")


async def _of_metrics(world: _World, asked: Sequence[MetricDataQuery], page: _Page) -> Members:
    """Metrics alone are read until a page is full."""
    results: list[_Result] = []
    left, number = page.most + page.skipped, page.first
    while left > 0 and number < len(asked):
        batch = _batch(world.time, asked[number:], left)
        stats = {each.id: each.stat for each in batch if each.stat is not None}
        series = dict(zip(stats, await world.read(list(stats.values())), strict=True))
        named = world.labels.of_metrics(batch, series)
        results += [_Result(id_, each.label, each.values) for id_, each in named.items()]
        left -= sum(len(each.values) for each in series.values())
        number += len(batch)
    return _answer(page, results, page.first, len(asked))


def _batch(
    looked_at: _Time, asked: Sequence[MetricDataQuery], values: int
) -> Sequence[MetricDataQuery]:
    """The queries that have so many values together, if none is missing: one at least."""
    seconds = (looked_at.end - looked_at.start).total_seconds()
    expected = accumulate(ceil(seconds / q.stat.period) if q.stat else 0 for q in asked)
    return asked[: 1 + sum(so_far < values for so_far in expected)]


async def _of_expressions(world: _World, asked: Sequence[MetricDataQuery], page: _Page) -> Members:
    """Expressions may speak of anything: all is read, and computed, for each page."""
    searches = await asyncio.to_thread(metric_queries.searches, asked)
    found = {each: await _found(world, each) for each in searches}
    stats = {each.id: each.stat for each in asked if each.stat is not None}
    members = [_Member(k, m, i) for k, each in found.items() for m, i in each.shown]
    series = await world.read([*stats.values(), *(each.stat for each in members)])
    known = evaluation.Known(
        metrics=world.labels.of_metrics(asked, dict(zip(stats, series, strict=False))),
        searches=_by_search(searches, members, series[len(stats) :]),
        start=int(world.time.start.timestamp()),
        end=ceil(world.time.end.timestamp()),
    )
    results = _results(asked, await _told(asked, known), world.labels)
    answer = _answer(page, results[page.first :], page.first, len(results))
    has_more = any(each.is_cut for each in found.values())
    return {**answer, "Messages": [_TOO_MANY] if has_more else []}


def _answer(page: _Page, results: Sequence[_Result], first: int, count: int) -> Members:
    """The page, of ``results`` that begin with number ``first`` of ``count``."""
    shown, left, skipped = [], page.most, page.skipped
    # Series have most moments in common.
    stamp = cache(partial(datetime.fromtimestamp, tz=UTC))
    for number, each in enumerate(results, first):
        values = list(each.values.items())
        ordered = values if page.is_ascending else values[::-1]
        part = ordered[skipped : skipped + left]
        told, left = skipped + len(part), left - len(part)
        state = "Complete" if told >= len(values) else "PartialData"
        shown.append(
            {
                "Id": each.id,
                "Label": each.label,
                "Timestamps": [stamp(at) for at, _ in part],
                "Values": [value for _, value in part],
                "StatusCode": state,
                **({"Messages": [_LOST]} if each.has_losses else {}),
            }
        )
        if told < len(values):
            return _with_more(shown, number, told)
        if not left and number + 1 < count:
            return _with_more(shown, number + 1, 0)
        skipped = 0
    return {"MetricDataResults": shown, "Messages": []}


def _with_more(shown: Sequence[Members], first: int, skipped: int) -> Members:
    token = metric_tokens.encoded(f"{first}:{skipped}")
    return {"MetricDataResults": shown, "Messages": [], "NextToken": token}
