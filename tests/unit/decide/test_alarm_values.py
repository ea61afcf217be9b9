"""The values that alarms are judged by."""

from __future__ import annotations

from datetime import timedelta

import pytest

from openecs.decide import alarm_values, statistics
from openecs.model.alarms import Comparison, MetricAlarm, MetricDataQuery, MetricStat
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
    (point,) = alarm_values.points(an_alarm(stat), {"": [Datapoint(NOW, "None", FOUR)]})
    assert (point.timestamp, point.value, point.samples) == (NOW, value, 4.0)


def test_a_percentile_that_nobody_knows_is_no_datapoint():
    told = [
        Datapoint(NOW, "None", Statistics(2.0, 3.0, 1.0, 2.0)),
        Datapoint(NOW + timedelta(minutes=1), "None", Statistics(2.0, 4.0, 2.0, 2.0)),
    ]
    assert [p.value for p in alarm_values.points(an_alarm("p99"), {"": told})] == [2.0]


def test_units_are_taken_together():
    both = [
        Datapoint(NOW, "Count", of_values([(1.0, 1.0)])),
        Datapoint(NOW, "None", of_values([(5.0, 1.0)])),
    ]
    (point,) = alarm_values.points(an_alarm("Average"), {"": both})
    assert (point.value, point.samples) == (3.0, 2.0)


def test_of_several_metrics_the_one_that_returns_data_counts():
    stats = [MetricStat(namespace="A", name=name, period=60, stat="Sum") for name in "xy"]
    queries = tuple(
        MetricDataQuery(id=stat.name, stat=stat, return_data=stat.name == "y") for stat in stats
    )
    alarm = an_alarm("", metric=None, queries=queries)
    assert set(alarm_values.stats_of(alarm)) == {"x", "y"}
    read = {name: [Datapoint(NOW, "None", of_values([(n, 1.0)]))] for n, name in enumerate("xy")}
    assert [p.value for p in alarm_values.points(alarm, read)] == [1.0]


@pytest.mark.parametrize("stat", ["p101", "p", "p-1", "q5", "p99.12345678901"])
def test_what_is_no_statistic(stat):
    assert not statistics.is_known(stat)
