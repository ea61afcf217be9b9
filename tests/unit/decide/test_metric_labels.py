"""Dynamic labels."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from openecs.decide import metric_labels
from openecs.model.alarms import MetricStat
from openecs.testing.builders import SCOPE

BEGAN = datetime(2026, 1, 5, tzinfo=UTC)
AT = int(BEGAN.timestamp())


def told(template, values=None, offset="+0000", *, metric=True):
    stat = MetricStat(
        namespace="Shop", name="Hits", dimensions=(("Zone", "a"),), period=60, stat="p90"
    )
    facts = metric_labels.Facts(
        label="hits",
        values={AT: 4.0, AT + 60: 1.0, AT + 3720: 2.5} if values is None else values,
        metric=stat if metric else None,
        scope=SCOPE,
        now=BEGAN + timedelta(hours=2),
        timezone=metric_labels.timezone_of(offset),
    )
    return metric_labels.label(template, facts)


@pytest.mark.parametrize(
    ("variable", "wanted"),
    [
        ("LABEL", "hits"),
        ("AVG", "2.5"),
        ("SUM", "7.5"),
        ("MIN", "1"),
        ("MAX", "4"),
        ("FIRST", "4"),
        ("LAST", "2.5"),
        ("DATAPOINT_COUNT", "3"),
        ("FIRST_LAST_RANGE", "-1.5"),
        ("FIRST_LAST_TIME_RANGE", "1h 2m"),
        ("FIRST_TIME", "2026-01-05 00:00:00+00:00"),
        ("FIRST_TIME_RELATIVE", "2h"),
        ("LAST_TIME", "2026-01-05 01:02:00+00:00"),
        ("LAST_TIME_RELATIVE", "58m"),
        ("MAX_TIME", "2026-01-05 00:00:00+00:00"),
        ("MAX_TIME_RELATIVE", "2h"),
        ("MIN_TIME", "2026-01-05 00:01:00+00:00"),
        ("MIN_TIME_RELATIVE", "1h 59m"),
        ("MIN_MAX_RANGE", "3"),
        ("MIN_MAX_TIME_RANGE", "1m"),
        ("PROP('AccountId')", SCOPE.account),
        ("PROP('Region')", SCOPE.region),
        ("PROP('Namespace')", "Shop"),
        ('PROP("MetricName")', "Hits"),
        ("PROP('Period')", "60"),
        ("PROP('Stat')", "p90"),
        ("PROP('Dim.Zone')", "a"),
        ("PROP('Dim.Other')", "--"),
        ("PROP('Other')", "--"),
        ("NOTHING", "${NOTHING}"),
    ],
)
def test_variables(variable, wanted):
    assert told(f"[${{{variable}}}] of it") == f"[{wanted}] of it"


def test_what_there_is_not():
    assert told("${MAX} ${LABEL}", values={}) == "-- hits"
    assert told("${PROP('Stat')} ${LAST}", metric=False) == "-- 2.5"


def test_times_are_told_where_one_is():
    assert told("${LAST_TIME}", offset="-0130") == "2026-01-04 23:32:00-01:30"
    assert metric_labels.timezone_of("0100") is None
    assert metric_labels.timezone_of("+2400") is None


@pytest.mark.parametrize(
    ("template", "is_dynamic"),
    [("${MAX}", True), ("a ${PROP('Dim.A b')} c", True), ("plain", False), ("${", False)],
)
def test_which_labels_are_dynamic(template, is_dynamic):
    assert metric_labels.is_dynamic(template) is is_dynamic
