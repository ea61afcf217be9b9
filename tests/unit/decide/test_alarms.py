"""What a metric alarm says: the tables and texts of the documentation."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from openecs.decide import alarms
from openecs.decide.alarms import Point
from openecs.model.alarms import AlarmState, Comparison, MetricAlarm, MetricStat, MissingData
from openecs.model.identity import Scope

NOW = datetime(2026, 1, 1, 0, 10, 7, tzinfo=UTC)
END = datetime(2026, 1, 1, 0, 10, tzinfo=UTC)
OK, ALARM, UNKNOWN, KEPT = AlarmState.OK, AlarmState.ALARM, AlarmState.INSUFFICIENT_DATA, None


def an_alarm(n=3, m=None, missing=None, comparison=Comparison.GREATER, **members) -> MetricAlarm:
    stat = members.pop("stat", "Average")
    return MetricAlarm(
        scope=Scope("123456789012", "eu-central-1"),
        name="cpu",
        metric=MetricStat(namespace="A", name="B", period=members.pop("period", 60), stat=stat),
        comparison=comparison,
        threshold=70.0,
        evaluation_periods=n,
        datapoints_to_alarm=m,
        missing_data=missing,
        configured_at=NOW,
        updated_at=NOW,
        transitioned_at=NOW,
        **members,
    )


def points(drawn: str, samples=5.0) -> list[Point]:
    """``0`` within the threshold, ``X`` beyond it, ``-`` missing; the newest is the last."""
    values = {"0": 10.0, "X": 85.2}
    return [
        Point(END - timedelta(minutes=age), values[mark], samples)
        for age, mark in enumerate(reversed(drawn), start=1)
        if mark in values
    ]


THREE_OF_THREE = [
    ("0-X-X", OK, OK, OK, OK),
    ("0----", OK, OK, OK, OK),
    ("-----", UNKNOWN, KEPT, ALARM, OK),
    ("0XX-X", ALARM, ALARM, ALARM, ALARM),
    ("--X--", ALARM, KEPT, ALARM, OK),
]
TWO_OF_THREE = [
    ("0-X-X", ALARM, ALARM, ALARM, ALARM),
    ("00X0X", ALARM, ALARM, ALARM, ALARM),
    ("0-X--", OK, OK, ALARM, OK),
    ("----0", OK, OK, ALARM, OK),
    ("---X-", ALARM, KEPT, ALARM, OK),
]
TABLES = [(3, *row) for row in THREE_OF_THREE] + [(2, *row) for row in TWO_OF_THREE]
MODES = (
    MissingData.MISSING,
    MissingData.IGNORE,
    MissingData.BREACHING,
    MissingData.NOT_BREACHING,
)


@pytest.mark.parametrize(("m", "drawn", "missing", "ignore", "breaching", "within"), TABLES)
def test_the_tables_of_missing_data(m, drawn, missing, ignore, breaching, within):
    for mode, state in zip(MODES, (missing, ignore, breaching, within), strict=True):
        told = alarms.evaluate(an_alarm(3, m, mode), points(drawn), NOW)
        assert (told.state if told else None) is state, mode


@pytest.mark.parametrize("drawn", ["----X", "---X-"])
def test_a_first_breach_is_no_alarm_before_it_is_old_enough(drawn):
    assert alarms.evaluate(an_alarm(3, 3), points(drawn), NOW).state is OK


@pytest.mark.parametrize(
    ("comparison", "low", "equal", "high"),
    [
        (Comparison.GREATER, OK, OK, ALARM),
        (Comparison.GREATER_OR_EQUAL, OK, ALARM, ALARM),
        (Comparison.LESS, ALARM, OK, OK),
        (Comparison.LESS_OR_EQUAL, ALARM, ALARM, OK),
    ],
)
def test_comparisons(comparison, low, equal, high):
    alarm = an_alarm(1, comparison=comparison)
    begin = END - timedelta(minutes=1)
    for value, state in ((69.0, low), (70.0, equal), (71.0, high)):
        assert alarms.evaluate(alarm, [Point(begin, value, 1.0)], NOW).state is state


def test_the_period_under_way_does_not_count():
    assert alarms.evaluate(an_alarm(1), [Point(END, 99.0, 1.0)], NOW).state is UNKNOWN


@pytest.mark.parametrize(
    ("alarm", "drawn", "reason"),
    [
        (an_alarm(1), "X", "1 datapoint [{X:9}] was greater than the threshold (70.0)."),
        (an_alarm(1), "0", "1 datapoint [{0:9}] was not greater than the threshold (70.0)."),
        (
            an_alarm(3),
            "XXX",
            (
                "3 out of the last 3 datapoints [{X:9}, {X:8}, {X:7}] were greater than the "
                "threshold (70.0) (minimum 3 datapoints for OK -> ALARM transition)."
            ),
        ),
        (
            an_alarm(3, 2),
            "X0X",
            (
                "2 out of the last 3 datapoints [{X:9}, {X:7}] were greater than the threshold "
                "(70.0) (minimum 2 datapoints for OK -> ALARM transition)."
            ),
        ),
        (
            an_alarm(3, 3),
            "XX0",
            (
                "1 out of the last 3 datapoints [{0:9}] was not greater than the threshold (70.0) "
                "(minimum 1 datapoint for ALARM -> OK transition)."
            ),
        ),
        (
            an_alarm(6),
            "XXXXXX",
            (
                "6 out of the last 6 datapoints were greater than the threshold (70.0). The most "
                "recent datapoints which crossed the threshold: [{X:9}, {X:8}, {X:7}, {X:6}, {X:5}]"
                " (minimum 6 datapoints for OK -> ALARM transition)."
            ),
        ),
        (
            an_alarm(2, missing=MissingData.BREACHING),
            "",
            (
                "no datapoints were received for 2 periods and 2 missing datapoints were treated "
                "as [Breaching]."
            ),
        ),
        (
            an_alarm(2, missing=MissingData.NOT_BREACHING),
            "X",
            (
                "1 datapoint [{X:9}] was greater than the threshold (70.0) and 1 missing datapoint "
                "was treated as [NonBreaching]."
            ),
        ),
    ],
)
def test_reasons(alarm, drawn, reason):
    for mark, value in (("X", 85.2), ("0", 10.0)):
        for minute in range(10):
            told = f"{value} (01/01/26 00:0{minute}:00)"
            reason = reason.replace(f"{{{mark}:{minute}}}", told)
    judged = alarms.evaluate(alarm, points(drawn), NOW)
    assert judged.reason == f"Threshold Crossed: {reason}"


@pytest.mark.parametrize(("n", "told"), [(3, "3 datapoints were"), (1, "1 datapoint was")])
def test_the_reason_of_no_data(n, told):
    reason = alarms.evaluate(an_alarm(n), [], NOW).reason
    assert reason == f"Insufficient Data: {told} unknown."


def test_many_datapoints_fit_into_what_an_alarm_may_tell():
    told = alarms.evaluate(an_alarm(1000), points("X" * 1000), NOW)
    assert len(told.reason) <= 1023
    assert len(told.reason_data) <= 1900


def test_reason_data():
    told = alarms.evaluate(an_alarm(2), points("0X"), NOW)
    assert json.loads(told.reason_data) == {
        "version": "1.0",
        "queryDate": "2026-01-01T00:10:07.000+0000",
        "startDate": "2026-01-01T00:08:00.000+0000",
        "statistic": "Average",
        "period": 60,
        "recentDatapoints": [10.0, 85.2],
        "threshold": 70.0,
        "evaluatedDatapoints": [
            {"timestamp": "2026-01-01T00:09:00.000+0000", "sampleCount": 5.0, "value": 85.2},
            {"timestamp": "2026-01-01T00:08:00.000+0000", "sampleCount": 5.0, "value": 10.0},
        ],
    }


@pytest.mark.parametrize(
    ("stat", "samples", "low_samples", "judged"),
    [
        ("p99", 999.0, "ignore", False),
        ("p99", 1001.0, "ignore", True),
        ("p10", 99.0, "ignore", False),
        ("p10", 100.0, "ignore", True),
        ("p99", 5.0, "evaluate", True),
        ("p99", 5.0, None, True),
        ("Average", 5.0, "ignore", True),
        ("p100", 5.0, "ignore", False),
    ],
)
def test_percentiles_of_few_samples(stat, samples, low_samples, judged):
    alarm = an_alarm(1, stat=stat, low_samples=low_samples)
    assert (alarms.evaluate(alarm, points("X", samples), NOW) is not None) is judged


def test_when_an_alarm_is_judged():
    minute, seconds = an_alarm(period=300), an_alarm(period=10)
    assert alarms.next_evaluation(minute, NOW) == END + timedelta(minutes=1)
    assert alarms.next_evaluation(minute, END) == END + timedelta(minutes=1)
    assert alarms.next_evaluation(seconds, NOW) == END + timedelta(seconds=10)
    span = alarms.evaluation_range(minute, NOW)
    assert (span.start, span.end) == (END - timedelta(minutes=25), END)
