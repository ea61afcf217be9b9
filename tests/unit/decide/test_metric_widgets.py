"""What a metric widget says."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from openecs.decide.metric_widgets import BadWidget, levels, lines, moments, times, widget

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)


def of(*metrics, **members):
    return widget(json.dumps({"metrics": metrics, **members}))


def named(found):
    metric = found.query["MetricStat"]["Metric"]
    pairs = [word for each in metric["Dimensions"] for word in each.values()]
    return [metric["Namespace"], metric["MetricName"], *pairs]


def test_the_shorthand_repeats_the_metric_above():
    found = lines(
        of(
            ["AWS/ECS", "CPUUtilization", "ClusterName", "a", "ServiceName", "x"],
            ["...", "y"],
            [".", "MemoryUtilization", ".", ".", ".", "z", {"stat": "p99", "period": 60}],
            ["..."],
        )
    )
    tail = ["ClusterName", "a", "ServiceName"]
    assert [named(each) for each in found] == [
        ["AWS/ECS", "CPUUtilization", *tail, "x"],
        ["AWS/ECS", "CPUUtilization", *tail, "y"],
        ["AWS/ECS", "MemoryUtilization", *tail, "z"],
        ["AWS/ECS", "MemoryUtilization", *tail, "z"],
    ]
    stat = found[2].query["MetricStat"]
    assert (stat["Stat"], stat["Period"]) == ("p99", 60)
    assert found[0].query["MetricStat"]["Stat"] == "Average"


def test_an_expression_does_not_count_as_the_metric_above():
    found = lines(of(["A", "b"], [{"expression": "m1 * 2"}], [".", "c"]))
    assert found[1].query["Expression"] == "m1 * 2"
    assert named(found[2]) == ["A", "c"]


@pytest.mark.parametrize(
    ("metrics", "said"),
    [
        ([["A"]], "a namespace, a name"),
        ([["A", "b", "C"]], "dimensions in pairs"),
        ([[".", "b"]], "nothing above"),
        ([["A", 1]], "must be strings"),
        ([["A", "b", {"period": "x"}]], r"metrics\[0\]: Expected"),
        ([["A", "b", {"visible": False}]], "visible"),
        ([["A", "b", {"expression": "1"}]], "stands alone"),
        ([[]], "a namespace, a name"),
    ],
)
def test_metrics_that_are_none(metrics, said):
    with pytest.raises(BadWidget, match=said):
        lines(of(*metrics))


@pytest.mark.parametrize(
    ("start", "end", "begin", "finish"),
    [
        ("-PT3H", "P0D", timedelta(hours=3), timedelta()),
        ("-P1DT30M", "-PT1M", timedelta(days=1, minutes=30), timedelta(minutes=1)),
        ("-P1W", "2026-11-27T11:00:00Z", timedelta(weeks=1), timedelta(hours=1)),
    ],
)
def test_times(start, end, begin, finish):
    shown = of(["A", "b"], start=start, end=end)
    assert times(shown, NOW) == (NOW - begin, NOW - finish)


@pytest.mark.parametrize("start", ["P0D", "P", "-PT", "soon", "-P999999999999D", ""])
def test_times_that_are_none(start):
    with pytest.raises(BadWidget, match="start"):
        times(of(["A", "b"], start=start), NOW)


def test_annotations():
    marks = {
        "horizontal": [{"value": 5}, {"value": 6, "visible": False}],
        "vertical": [{"value": "2026-11-27T11:00:00"}],
    }
    shown = of(["A", "b"], annotations=marks)
    assert [value for value, _ in levels(shown)] == [5]
    assert [at for at, _ in moments(shown)] == [NOW - timedelta(hours=1)]
    with pytest.raises(BadWidget, match="must be a number"):
        levels(of(["A", "b"], annotations={"horizontal": [{"value": "x"}]}))
    with pytest.raises(BadWidget, match="ISO time"):
        moments(of(["A", "b"], annotations={"vertical": [{"value": "x"}]}))


@pytest.mark.parametrize("text", ["", "[]", "{", '{"metrics": []}', '{"metrics": [1]}'])
def test_what_is_no_widget(text):
    with pytest.raises(BadWidget):
        widget(text)
