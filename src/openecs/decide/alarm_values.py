"""The datapoints an alarm is judged by: a statistic of a metric, or metric math over several."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from openecs.decide import alarms, statistics
from openecs.decide.alarms import Point
from openecs.decide.metric_math import evaluation
from openecs.decide.metric_math.series import Effort, Series
from openecs.decide.metric_math.syntax import MathProblem
from openecs.model.alarms import MetricAlarm, MetricDataQuery, MetricStat
from openecs.model.metrics import Datapoint, Statistics, merged

#: As many expressions as metrics.
_MOST_EXPRESSIONS = 10
#: Datapoints that one judgement may have computed: bounds how long other alarms wait.
_MOST_COMPUTED = 500_000


def problem_of(queries: Sequence[MetricDataQuery], periods: int = 1) -> str | None:
    """Why an alarm cannot be judged by these queries over so many periods; None where it can."""
    if sum(each.expression is not None for each in queries) > _MOST_EXPRESSIONS:
        return f"An alarm has at most {_MOST_EXPRESSIONS} expressions."
    try:
        if evaluation.searches(queries):
            return "SEARCH is not supported in the expressions of alarms."
        told = evaluation.evaluated(queries, _sample(queries, periods), Effort(_MOST_COMPUTED))
    except MathProblem as problem:
        return f"{problem}."
    if any(each.return_data and isinstance(told[each.id].series, tuple) for each in queries):
        return "The expression that returns data must tell a single time series."
    return None


def _sample(queries: Sequence[MetricDataQuery], periods: int) -> evaluation.Known:
    """Metrics with a value in each period: of what they are, expressions always tell alike."""
    stats = [(each.id, each.stat) for each in queries if each.stat is not None]
    longest = max((stat.period for _, stat in stats), default=60)
    metrics = {
        id_: Series(stat.period, {at * stat.period: 1.0 for at in range(periods)}, "", stat)
        for id_, stat in stats
    }
    return evaluation.Known(metrics=metrics, start=0, end=periods * longest)


def stats_of(alarm: MetricAlarm) -> Mapping[str, MetricStat]:
    """What is to be read for an alarm, each by the id it has in the alarm's queries."""
    if alarm.metric is not None:
        return {"": alarm.metric}
    return {each.id: each.stat for each in alarm.queries if each.stat is not None}


def points(
    alarm: MetricAlarm, read: Mapping[str, Sequence[Datapoint]], now: datetime
) -> list[Point]:
    """The alarm's datapoints, out of those of ``stats_of`` in its evaluation range.

    Raises ``MathProblem``, but not where ``problem_of`` finds none.
    """
    query = next((each for each in alarm.queries if each.return_data), None)
    if query is not None and query.expression is not None:
        return _computed(alarm, query.id, read, now)
    name = query.id if query else ""
    stat = stats_of(alarm)[name]
    told = ((at, known, statistics.value(stat.stat, known)) for at, known in _periods(read[name]))
    return [Point(at, value, known.count) for at, known, value in told if value is not None]


def _computed(
    alarm: MetricAlarm, name: str, read: Mapping[str, Sequence[Datapoint]], now: datetime
) -> list[Point]:
    within = alarms.evaluation_range(alarm, now)
    known = evaluation.Known(
        metrics={
            id_: Series(stat.period, statistics.values(stat.stat, read[id_]), "", stat)
            for id_, stat in stats_of(alarm).items()
        },
        start=int(within.start.timestamp()),
        end=int(within.end.timestamp()),
    )
    effort = Effort(2 * _MOST_COMPUTED)
    series = evaluation.evaluated(alarm.queries, known, effort)[name].series
    if isinstance(series, tuple):
        raise MathProblem("an alarm watches a single time series")
    return [Point(datetime.fromtimestamp(at, UTC), v) for at, v in series.values.items()]


def _periods(read: Sequence[Datapoint]) -> list[tuple[datetime, Statistics]]:
    """The statistics of each period, of all units together."""
    parts: dict[datetime, list[Statistics]] = {}
    for each in read:
        parts.setdefault(each.timestamp, []).append(each.statistics)
    return [(at, merged(known)) for at, known in parts.items()]
