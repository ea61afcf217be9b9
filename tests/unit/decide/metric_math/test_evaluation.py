"""What expressions tell. ``-`` is a moment without a value."""

from __future__ import annotations

import pytest

from openecs.decide.metric_math import evaluation
from openecs.decide.metric_math.series import Effort, Series
from openecs.decide.metric_math.syntax import MathProblem
from openecs.model.alarms import MetricDataQuery, MetricStat

#: A Monday, midnight.
BEGAN = 1_767_571_200


def a_series(text: str, period: int = 60, name: str = "m") -> Series:
    values = {
        BEGAN + at * period: float(value) for at, value in enumerate(text.split()) if value != "-"
    }
    metric = MetricStat(namespace="A", name=name, period=period, stat="Sum")
    return Series(period, values, name, metric)


def shown(series: Series, count: int) -> str:
    moments = [BEGAN + at * series.period for at in range(count)]
    assert set(series.values) <= set(moments)
    assert list(series.values) == sorted(series.values)
    return " ".join(f"{series.values[at]:g}" if at in series.values else "-" for at in moments)


def told(expression: str, effort=None, count=5, **metrics: str | Series):
    series = {
        name: each if isinstance(each, Series) else a_series(each, name=name)
        for name, each in metrics.items()
    }
    queries = [
        *(MetricDataQuery(id=name, stat=each.metric) for name, each in series.items()),
        MetricDataQuery(id="e", expression=expression),
    ]
    known = evaluation.Known(metrics=series, start=BEGAN, end=BEGAN + count * 60)
    found = evaluation.evaluated(queries, known, effort)["e"].series
    if isinstance(found, tuple):
        return [shown(each, count) for each in found]
    return shown(found, count)


def problem(expression: str, **metrics: str) -> str:
    with pytest.raises(MathProblem) as caught:
        told(expression, **metrics)
    return str(caught.value)


M = {"m1": "1 2 3 4 5", "m2": "10 - 30 0 -"}


@pytest.mark.parametrize(
    ("expression", "values"),
    [
        ("m1", "1 2 3 4 5"),
        ("m1 + m2", "11 2 33 4 5"),
        ("m1 - m2", "-9 2 -27 4 5"),
        ("m1 * 2", "2 4 6 8 10"),
        ("2 * m1 + 1", "3 5 7 9 11"),
        ("2 * (m1 + 1)", "4 6 8 10 12"),
        ("m1 / m2", "0.1 - 0.1 - -"),
        ("m2 / m1", "10 0 10 0 0"),
        ("-m1", "-1 -2 -3 -4 -5"),
        ("--m1", "1 2 3 4 5"),
        ("1 - -m1", "2 3 4 5 6"),
        ("m1 ^ 2", "1 4 9 16 25"),
        ("-m1 ^ 2", "-1 -4 -9 -16 -25"),
        ("m1 ^ -1", "1 0.5 0.333333 0.25 0.2"),
        ("2 ^ 2 ^ m1", "4 16 256 65536 4.29497e+09"),
        ("(0 - m1) ^ 0.5", "- - - - -"),
        ("m2 ^ -1", "0.1 - 0.0333333 - -"),
        ("m1 > 2", "0 0 1 1 1"),
        ("m1 >= 2 AND m1 <= 4", "0 1 1 1 0"),
        ("m1 < 2 || m1 == 5", "1 0 0 0 1"),
        ("m1 != 3 && m1 > 1", "0 1 0 1 1"),
        ("m1 OR 0 AND 0", "1 1 1 1 1"),
        ("m1 < m2", "1 0 1 0 0"),
        ("m1 + AVG(m1)", "4 5 6 7 8"),
        ("m1 - MIN(m1) + MAX(m1) - SUM(m1)", "-10 -9 -8 -7 -6"),
        ("m1 / DATAPOINT_COUNT(m2)", "0.333333 0.666667 1 1.33333 1.66667"),
        ("m1 * STDDEV(m1) ^ 2", "2 4 6 8 10"),
        ("m1 / PERIOD(m1)", "0.0166667 0.0333333 0.05 0.0666667 0.0833333"),
        ("m1 * METRIC_COUNT(METRICS())", "2 4 6 8 10"),
        ("ABS(-m1)", "1 2 3 4 5"),
        ("CEIL(m1 / 2)", "1 1 2 2 3"),
        ("FLOOR(m1 / 2)", "0 1 1 2 2"),
        ("LOG10(m2)", "1 - 1.47712 - -"),
        ("LOG(m1 - m1)", "- - - - -"),
        ("DIFF(m1 ^ 2)", "- 3 5 7 9"),
        ("DIFF(m2)", "- - 20 -30 -"),
        ("DIFF_TIME(m2)", "- - 120 60 -"),
        ("RATE(m2)", "- - 0.166667 -0.5 -"),
        ("RUNNING_SUM(m2)", "10 - 40 40 -"),
        ("FILL(m2, 7)", "10 7 30 0 7"),
        ("FILL(m2, m1)", "10 2 30 0 5"),
        ("FILL(m2, REPEAT)", "10 10 30 0 0"),
        ("FILL(m2, LINEAR)", "10 20 30 0 -"),
        ("FILL(m2, MIN(m1))", "10 1 30 0 1"),
        ("TIME_SERIES(3)", "3 3 3 3 3"),
        ("TIME_SERIES(MAX(m1))", "5 5 5 5 5"),
        ("MINUTE(m2)", "0 1 2 3 4"),
        ("HOUR(m2)", "0 0 0 0 0"),
        ("DAY(m2)", "1 1 1 1 1"),
        ("DATE(m2)", "5 5 5 5 5"),
        ("MONTH(m2)", "1 1 1 1 1"),
        ("YEAR(m2)", "2026 2026 2026 2026 2026"),
        ("EPOCH(m2) - MIN(EPOCH(m1))", "0 60 120 180 240"),
        ("SUM([m1, m2])", "11 2 33 4 5"),
        ("AVG([m1, m2])", "5.5 1 16.5 2 2.5"),
        ("MIN([m1, m2])", "1 2 3 0 5"),
        ("MAX(METRICS())", "10 2 30 4 5"),
        ("STDDEV([m1, m2])", "4.5 0 13.5 2 0"),
        ("DATAPOINT_COUNT(METRICS())", "2 1 2 2 1"),
        ("SUM(METRICS('2'))", "10 - 30 0 -"),
        ('SUM(METRICS("nothing"))', "- - - - -"),
        ("SUM(100/[m1, m2])", "110 50 36.6667 25 20"),
        ("FIRST(SORT(METRICS(), AVG, DESC))", "10 - 30 0 -"),
        ("LAST(SORT(METRICS(), AVG, DESC))", "1 2 3 4 5"),
        ("FIRST(SORT(METRICS(), MIN, ASC))", "10 - 30 0 -"),
        ("FIRST(SLICE([m1, m2], 9))", "- - - - -"),
        ("IF(m1 > 2, m1)", "- - 3 4 5"),
        ("IF(m1 > 2, 10, m2)", "10 - 10 10 10"),
        ("IF(1, m1)", "1 2 3 4 5"),
        ("IF(0, m1)", "- - - - -"),
        ("IF(0, m1, m2)", "10 - 30 0 -"),
        ("IF(SUM(m1) > 3, m1, m2)", "1 2 3 4 5"),
        ("m1 + AVG(FIRST(SLICE([m1], 1)))", "- - - - -"),
    ],
)
def test_a_single_series(expression, values):
    assert told(expression, **M) == values


def test_examples_of_the_user_guide():
    compared = {"metric1": "30 20 0 0", "metric2": "20 - 20 -"}
    assert told("(metric1 < metric2)", count=4, **compared) == "0 0 1 0"
    assert told("(metric1 >= 30)", count=4, **compared) == "1 0 0 0"
    assert told("(metric1 > 15 AND metric2 > 15)", count=4, **compared) == "1 0 0 0"
    chosen = {"metric1": "1 1 0 0 -", "metric2": "30 - 0 0 30", "metric3": "0 0 20 - 20"}
    assert told("IF(metric1, metric2, metric3)", **chosen) == "30 0 20 - -"
    assert told("IF(metric1, 5, metric3)", **chosen) == "5 5 20 - -"
    assert told("IF(metric1, metric2, 5)", **chosen) == "30 0 5 5 -"


@pytest.mark.parametrize(
    ("expression", "values"),
    [
        ("METRICS()", ["1 2 3 4 5", "10 - 30 0 -"]),
        ("METRICS() * 2", ["2 4 6 8 10", "20 - 60 0 -"]),
        ("m1 - [m1, m2]", ["0 0 0 0 0", "-9 2 -27 4 5"]),
        ("-[m1]", ["-1 -2 -3 -4 -5"]),
        ("[m1, METRICS('2')]", ["1 2 3 4 5", "10 - 30 0 -"]),
        ("FILL(METRICS(), 0)", ["1 2 3 4 5", "10 0 30 0 0"]),
        ("ABS(METRICS())", ["1 2 3 4 5", "10 - 30 0 -"]),
        ("SORT(METRICS(), SUM, DESC, 1)", ["10 - 30 0 -"]),
        ("SLICE(SORT(METRICS(), MAX, ASC), 0, 1)", ["1 2 3 4 5"]),
        ("SLICE(METRICS(), 1)", ["10 - 30 0 -"]),
        ("REMOVE_EMPTY([m1, IF(0, m2)])", ["1 2 3 4 5"]),
        ("RUNNING_SUM([m1])", ["1 3 6 10 15"]),
    ],
)
def test_arrays(expression, values):
    assert told(expression, **M) == values


def test_series_of_several_periods_meet_in_the_longest():
    long = a_series("1 2", period=120)
    metrics = {"m1": a_series("1 2 3 4"), "long": long}
    queries = [MetricDataQuery(id="e", expression="m1 + long")]
    queries += [MetricDataQuery(id=name, stat=each.metric) for name, each in metrics.items()]
    known = evaluation.Known(metrics=metrics, start=BEGAN, end=BEGAN + 240)
    assert shown(evaluation.evaluated(queries, known)["e"].series, 2) == "2 5"


def test_numbers_alone_have_the_period_that_is_told():
    queries = [MetricDataQuery(id="e", expression="TIME_SERIES(1)", period=120)]
    known = evaluation.Known(metrics={}, start=BEGAN, end=BEGAN + 240)
    assert shown(evaluation.evaluated(queries, known)["e"].series, 2) == "1 1"


def test_expressions_speak_of_each_other():
    queries = [
        MetricDataQuery(id="b", expression="a * 2"),
        MetricDataQuery(id="a", expression="m + 1"),
        MetricDataQuery(id="m", stat=a_series("1").metric),
    ]
    known = evaluation.Known(metrics={"m": a_series("1 2 3")}, start=BEGAN, end=BEGAN + 180)
    found = evaluation.evaluated(queries, known)
    assert {name: shown(each.series, 3) for name, each in found.items()} == {
        "m": "1 2 3",
        "a": "2 3 4",
        "b": "4 6 8",
    }


@pytest.mark.parametrize(
    ("expression", "part"),
    [
        ("", "it ends too early"),
        ("m1 +", "it ends too early"),
        ("m1 m2", "unexpected 'm2' at character 4"),
        ("m1 # 2", "unexpected '#'"),
        ("sum(m1)", "unexpected '(m1)'"),
        ("m3 + 1", "the id m3 is not that of any query"),
        ("e + 1", "it depends on itself"),
        ("AVG(m1)", "must tell a time series"),
        ("1 + 1", "must tell a time series"),
        ("'text'", "must tell a time series"),
        ("AVG", "must tell a time series"),
        ("-AVG", "unsupported operand"),
        ("METRICS() + METRICS()", "unsupported operands for +: TS[] and TS[]"),
        ("m1 + 'a'", "unsupported operands for +: TS and string"),
        ("[m1, 1]", "an array is made of time series, not of S"),
        ("NOTHING(m1)", "the function NOTHING is not known"),
        ("ABS()", "the function ABS does not take 0 arguments"),
        ("ABS(1)", "the function ABS does not take (S)"),
        ("SUM(1)", "the function SUM does not take (S)"),
        ("FIRST(m1)", "the function FIRST does not take (TS)"),
        ("SORT(METRICS(), AVG, UP)", "does not take (TS[], AVG, UP)"),
        ("SORT(METRICS(), LOG, ASC)", "does not take"),
        ("SLICE(METRICS(), -1)", "numbered from 0"),
        ("FILL(m1, AVG)", "does not take"),
        ("FILL(m1, 'a')", "does not take"),
        ("FILL(m1, METRICS())", "does not take"),
        ("IF(METRICS(), 1, 0)", "does not take"),
        ("m1 * PERIOD(m1 + m2)", "the function PERIOD takes a metric"),
        ("METRICS(m1)", "METRICS takes a string"),
        ("ANOMALY_DETECTION_BAND(m1, 2)", "OpenECS does not build anomaly detection"),
        ("INSIGHT_RULE_METRIC('a', 'b')", "Contributor Insights"),
        ("DB_PERF_INSIGHTS('RDS', 'a', 'b')", "Performance Insights"),
        ("LAMBDA('a')", "OpenECS does not build"),
        ("SERVICE_QUOTA(m1)", "service quotas"),
        ("SELECT AVG(CPUUtilization) FROM SCHEMA(A)", "Metrics Insights"),
        ("(" * 31 + "m1" + ")" * 31, "brackets within one another"),
        ("m1" + " + 1" * 600, "2048 characters"),
    ],
)
def test_what_makes_no_sense(expression, part):
    found = problem(expression, **M)
    assert found.startswith("Error in expression 'e': ")
    assert part in found


def test_what_would_take_too_long_is_refused():
    with pytest.raises(MathProblem, match="too many datapoints"):
        told("m1 + 1", effort=Effort(3), **M)


def test_numbers_that_are_none_are_no_values():
    assert told("m1 * 1e308 * 10", m1="1 0") == "- 0 - - -"
    assert told("FILL(m1, 1e999)", m1="1 -") == "1 - - - -"


@pytest.mark.parametrize(
    ("expression", "has_losses"),
    [("m1 / m2", True), ("m2 / m1", False), ("LOG(m2)", True), ("IF(m1 > 3, m1)", False)],
)
def test_losses_are_told(expression, has_losses):
    metrics = {name: a_series(text) for name, text in M.items()}
    queries = [MetricDataQuery(id="e", expression=expression)]
    queries += [MetricDataQuery(id=name, stat=each.metric) for name, each in metrics.items()]
    known = evaluation.Known(metrics=metrics, start=BEGAN, end=BEGAN + 300)
    assert evaluation.evaluated(queries, known)["e"].has_losses is has_losses
