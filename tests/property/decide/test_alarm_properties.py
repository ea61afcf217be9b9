"""The evaluation of alarms agrees with a naive telling of the documentation's rules."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from openecs.decide import alarms
from openecs.decide.alarms import Point
from openecs.model.alarms import AlarmState, Comparison, MetricAlarm, MetricStat, MissingData
from openecs.model.identity import Scope

END = datetime(2026, 1, 1, 0, 0, tzinfo=UTC)


@st.composite
def cases(draw):
    n = draw(st.integers(1, 6))
    m = draw(st.integers(1, n))
    drawn = draw(st.lists(st.sampled_from("0X-"), min_size=n + 2, max_size=n + 2))
    return n, m, "".join(drawn), draw(st.sampled_from(MissingData))


def naive(n: int, m: int, drawn: str, mode: MissingData) -> AlarmState | None:
    real = [mark for mark in drawn if mark != "-"]
    used = real[-n:] if len(real) >= n else real
    if len(used) < n and mode is MissingData.BREACHING:
        used = used + ["X"] * (n - len(used))
    if len(used) < n and mode is MissingData.NOT_BREACHING:
        used = used + ["0"] * (n - len(used))
    if used.count("X") >= m:
        return AlarmState.ALARM
    if len(used) == n:
        return AlarmState.OK
    silent = None if mode is MissingData.IGNORE else AlarmState.INSUFFICIENT_DATA
    if not used:
        return silent
    if "0" not in used and len(drawn) - drawn.index("X") >= m:
        return None if mode is MissingData.IGNORE else AlarmState.ALARM
    return AlarmState.OK


def alarm_of(n: int, m: int, mode: MissingData) -> MetricAlarm:
    return MetricAlarm(
        scope=Scope("1", "r"),
        name="a",
        metric=MetricStat(namespace="A", name="B", period=60, stat="Sum"),
        comparison=Comparison.GREATER,
        threshold=0.5,
        evaluation_periods=n,
        datapoints_to_alarm=m,
        missing_data=mode,
        configured_at=END,
        updated_at=END,
        transitioned_at=END,
    )


@given(cases(), st.integers(0, 59), st.randoms(use_true_random=False))
def test_states_are_those_of_the_rules(case, seconds, chance):
    n, m, drawn, mode = case
    points = [
        Point(END - timedelta(minutes=age), float(mark == "X"), 1.0)
        for age, mark in enumerate(reversed(drawn), start=1)
        if mark != "-"
    ]
    # What is not of the range changes nothing, nor does the order.
    points += [Point(END, 1.0, 1.0), Point(END - timedelta(minutes=n + 3), 1.0, 1.0)]
    chance.shuffle(points)
    told = alarms.evaluate(alarm_of(n, m, mode), points, END + timedelta(seconds=seconds))
    assert (told.state if told else None) is naive(n, m, drawn, mode)
