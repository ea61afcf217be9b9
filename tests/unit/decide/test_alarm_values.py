"""The values that alarms are judged by."""

from __future__ import annotations

from datetime import timedelta

import pytest

from openecs.decide import alarm_values, alarms
from openecs.model.alarms import AlarmState, Comparison, MetricAlarm, MetricDataQuery, MetricStat
from openecs.model.metrics import Datapoint, Statistics, of_values
from openecs.testing.builders import NOW, SCOPE

FOUR = of_values([(1.0, 1.0), (2.0, 1.0), (3.0, 1.0), (10.0, 1.0)])


def an_alarm(stat: str, **members) -> MetricAlarm:
    metric = MetricStat(namespace="A", name="B", period=60, stat=stat)
    return MetricAlarm(
        **{
            "scope": SCOPE,
            "name": "a",
            "metric": metric,
            "comparison": Comparison.GREATER,
            "threshold": 1.0,
            "evaluation_periods": 1,
            "configured_at": NOW,
            "updated_at": NOW,
            "transitioned_at": NOW,
            **members,
        }
    )


@pytest.mark.parametrize(
    ("stat", "value"),
    [
        ("SampleCount", 4.0),
        ("Average", 4.0),
        ("Sum", 16.0),
        ("Minimum", 1.0),
        ("Maximum", 10.0),
        ("p50", 2.0),
        ("p75", 3.0),
        ("p100", 10.0),
        ("p0", 1.0),
    ],
)
def test_statistics(stat, value):
    (point,) = alarm_values.points(an_alarm(stat), {"": [Datapoint(NOW, "None", FOUR)]}, NOW)
    assert (point.timestamp, point.value, point.samples) == (NOW, value, 4.0)


def test_a_percentile_that_nobody_knows_is_no_datapoint():
    told = [
        Datapoint(NOW, "None", Statistics(2.0, 3.0, 1.0, 2.0)),
        Datapoint(NOW + timedelta(minutes=1), "None", Statistics(2.0, 4.0, 2.0, 2.0)),
    ]
    assert [p.value for p in alarm_values.points(an_alarm("p99"), {"": told}, NOW)] == [2.0]


def test_units_are_taken_together():
    both = [
        Datapoint(NOW, "Count", of_values([(1.0, 1.0)])),
        Datapoint(NOW, "None", of_values([(5.0, 1.0)])),
    ]
    (point,) = alarm_values.points(an_alarm("Average"), {"": both}, NOW)
    assert (point.value, point.samples) == (3.0, 2.0)


def test_of_several_metrics_the_one_that_returns_data_counts():
    stats = [MetricStat(namespace="A", name=name, period=60, stat="Sum") for name in "xy"]
    queries = tuple(
        MetricDataQuery(id=stat.name, stat=stat, return_data=stat.name == "y") for stat in stats
    )
    alarm = an_alarm("", metric=None, queries=queries)
    assert set(alarm_values.stats_of(alarm)) == {"x", "y"}
    read = {name: [Datapoint(NOW, "None", of_values([(n, 1.0)]))] for n, name in enumerate("xy")}
    assert [p.value for p in alarm_values.points(alarm, read, NOW)] == [1.0]


def a_stat(name: str, **members) -> MetricStat:
    return MetricStat(**{"namespace": "A", "name": name, "period": 60, "stat": "Sum", **members})


def queries(expression: str, **more) -> tuple[MetricDataQuery, ...]:
    return (
        MetricDataQuery(id="e", expression=expression, **more),
        MetricDataQuery(id="x", stat=a_stat("x"), return_data=False),
        MetricDataQuery(id="y", stat=a_stat("y"), return_data=False),
    )


def test_an_expression_is_told_over_the_whole_evaluation_range():
    alarm = an_alarm("", metric=None, queries=queries("x / FILL(y, 4)"), evaluation_periods=3)
    end = alarms.evaluation_range(alarm, NOW).end

    def ago(minutes, value):
        return Datapoint(end - timedelta(minutes=minutes), "None", of_values([(value, 1.0)]))

    read = {"x": [ago(2, 6.0), ago(1, 8.0)], "y": [ago(2, 2.0)]}
    told = alarm_values.points(alarm, read, NOW)
    assert [(p.value, p.samples) for p in told][-2:] == [(3.0, None), (2.0, None)]
    filled = an_alarm("", metric=None, queries=queries("FILL(x, 0)"), evaluation_periods=3)
    values = [p.value for p in alarm_values.points(filled, read, NOW)]
    assert values[-2:] == [6.0, 8.0]
    assert len(values) == 5
    judged = alarms.evaluate(filled, alarm_values.points(filled, read, NOW), NOW)
    assert judged.state is AlarmState.OK


@pytest.mark.parametrize(
    ("expression", "part"),
    [
        ("x + y", None),
        ("SUM(METRICS())", None),
        ("FIRST(SORT(METRICS(), AVG, DESC))", None),
        ("IF(x > 3 AND y < 2, 1, 0)", None),
        ("METRICS()", "a single time series"),
        ("[x]", "a single time series"),
        ("AVG(x)", "must tell a time series"),
        ("x +", "it ends too early"),
        ("x + z", "the id z is not that of any query"),
        ("SUM(SEARCH('{A} b', 'Sum', 60))", "SEARCH is not supported"),
        ("SEARCH('{A', 'Sum', 60)", "makes no sense"),
    ],
)
def test_which_expressions_an_alarm_can_watch(expression, part):
    problem = alarm_values.problem_of(queries(expression))
    assert problem is None if part is None else part in problem


def test_an_alarm_has_so_many_expressions_at_most():
    many = tuple(MetricDataQuery(id=f"e{n}", expression="x", return_data=n == 0) for n in range(11))
    assert "at most 10 expressions" in alarm_values.problem_of((*many, *queries("x")[1:]))


def test_an_alarm_that_would_compute_too_much_is_refused():
    long = "x" + " + x" * 500
    assert alarm_values.problem_of(queries(long), 10) is None
    assert "too many datapoints" in alarm_values.problem_of(queries(long), 8640)
