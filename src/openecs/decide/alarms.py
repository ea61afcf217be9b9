"""What a metric alarm says of its datapoints.

CloudWatch User Guide, "Alarm evaluation" and "Configuring how CloudWatch alarms treat missing
data".
"""

from __future__ import annotations

import json
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from openecs.decide.alarm_messages import stamp
from openecs.model.alarms import AlarmState, Comparison, MetricAlarm, MissingData

#: Periods that are looked at beyond the evaluation periods, in case some have no data.
_SPARE_PERIODS = 2
#: How many datapoints a reason and its data tell: more would not fit into an alarm's history.
_MOST_TOLD = 5
_MOST_IN_DATA = 10

_BREACHES: dict[Comparison, Callable[[float, float], bool]] = {
    Comparison.GREATER_OR_EQUAL: operator.ge,
    Comparison.GREATER: operator.gt,
    Comparison.LESS: operator.lt,
    Comparison.LESS_OR_EQUAL: operator.le,
}
_WORDS = {
    Comparison.GREATER_OR_EQUAL: "greater than or equal to",
    Comparison.GREATER: "greater than",
    Comparison.LESS: "less than",
    Comparison.LESS_OR_EQUAL: "less than or equal to",
}
_TREATED_AS = {
    MissingData.MISSING: "Missing",
    MissingData.IGNORE: "Ignored",
    MissingData.BREACHING: "Breaching",
    MissingData.NOT_BREACHING: "NonBreaching",
}


@dataclass(frozen=True, slots=True)
class Point:
    """The value of the alarm's statistic in the period that begins at ``timestamp``."""

    timestamp: datetime
    value: float
    #: How many samples it is of; None where it is of an expression.
    samples: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """The state that the datapoints tell, and why."""

    state: AlarmState
    reason: str
    reason_data: str


@dataclass(frozen=True, slots=True)
class Range:
    """The whole periods that are looked at: from ``start`` on, before ``end``."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class _Evidence:
    """The datapoints that count, the newest first, and what is not there."""

    points: tuple[Point, ...]
    breaching: int
    filled: int
    #: Periods since the oldest datapoint of the range began, where each of them breaches.
    all_breaching_for: int | None


def evaluation_range(alarm: MetricAlarm, now: datetime) -> Range:
    """The periods that have ended by ``now``: those of the evaluation, and some to spare."""
    end = int(now.timestamp()) // alarm.period * alarm.period
    start = end - (alarm.evaluation_periods + _SPARE_PERIODS) * alarm.period
    return Range(datetime.fromtimestamp(start, UTC), datetime.fromtimestamp(end, UTC))


def next_evaluation(alarm: MetricAlarm, now: datetime) -> datetime:
    """When an alarm is judged next: each minute by the clock, of periods below one each 10 s."""
    step = 60 if alarm.period >= 60 else 10
    return datetime.fromtimestamp((int(now.timestamp()) // step + 1) * step, UTC)


def evaluate(alarm: MetricAlarm, points: Sequence[Point], now: datetime) -> Judgement | None:
    """What the alarm says of the datapoints of its evaluation range; None: what it said before.

    Where the newest N periods have data missing, older datapoints of the range take their place;
    where even these are too few, as many as lack are filled as ``missing_data`` tells.
    """
    span = evaluation_range(alarm, now)
    within = sorted(
        (p for p in points if span.start <= p.timestamp < span.end),
        key=lambda point: point.timestamp,
        reverse=True,
    )
    evidence = _evidence(alarm, within, span)
    state = _state(alarm, evidence)
    if state is None or _is_of_few_samples(alarm, evidence.points):
        return None
    return Judgement(
        state=state,
        reason=_reason(alarm, state, evidence),
        reason_data=_reason_data(alarm, evidence, now),
    )


def is_breaching(alarm: MetricAlarm, value: float) -> bool:
    """Whether a value is beyond the alarm's threshold."""
    return _BREACHES[alarm.comparison](value, alarm.threshold)


def _evidence(alarm: MetricAlarm, points: Sequence[Point], span: Range) -> _Evidence:
    counted = tuple(points[: alarm.evaluation_periods])
    breaching = sum(is_breaching(alarm, p.value) for p in counted)
    all_breaching_for = None
    if counted and breaching == len(counted) < alarm.evaluation_periods:
        all_breaching_for = (span.end - counted[-1].timestamp) // timedelta(seconds=alarm.period)
    filled = alarm.evaluation_periods - len(counted)
    return _Evidence(counted, breaching, filled, all_breaching_for)


def _state(alarm: MetricAlarm, evidence: _Evidence) -> AlarmState | None:
    needed = alarm.datapoints_to_alarm or alarm.evaluation_periods
    missing = alarm.missing_data or MissingData.MISSING
    breaching = evidence.breaching
    if missing is MissingData.BREACHING:
        breaching += evidence.filled
    if breaching >= needed:
        return AlarmState.ALARM
    if missing in {MissingData.BREACHING, MissingData.NOT_BREACHING}:
        return AlarmState.OK
    ignores = missing is MissingData.IGNORE
    if not evidence.points:
        return None if ignores else AlarmState.INSUFFICIENT_DATA
    age = evidence.all_breaching_for
    if age is not None and age >= needed:
        # What the documentation calls the premature alarm state.
        return None if ignores else AlarmState.ALARM
    return AlarmState.OK


def _is_of_few_samples(alarm: MetricAlarm, points: Sequence[Point]) -> bool:
    """Whether a percentile is of too few samples to mean something, and the alarm minds.

    User Guide, "Percentile-based CloudWatch alarms and low data samples".
    """
    stat = alarm.metric.stat if alarm.metric else ""
    if alarm.low_samples != "ignore" or not stat.startswith("p"):
        return False
    share = float(stat[1:]) / 100
    rarer = min(share, 1 - share)
    least = 10 / rarer if rarer > 0 else float("inf")
    return any(p.samples is not None and p.samples < least for p in points)


def _reason(alarm: MetricAlarm, state: AlarmState, evidence: _Evidence) -> str:
    treated = _TREATED_AS[alarm.missing_data or MissingData.MISSING]
    if state is AlarmState.INSUFFICIENT_DATA:
        unknown = _counted(evidence.filled, "datapoint", "was", "were")
        return f"Insufficient Data: {unknown} unknown."
    if not evidence.points:
        periods = _counted(evidence.filled, "period")
        lacking = _counted(evidence.filled, "missing datapoint", "was", "were")
        return (
            f"Threshold Crossed: no datapoints were received for {periods} and {lacking} treated "
            f"as [{treated}]."
        )
    return f"Threshold Crossed: {_crossed(alarm, state, evidence, treated)}."


def _crossed(alarm: MetricAlarm, state: AlarmState, evidence: _Evidence, treated: str) -> str:
    breaches = state is AlarmState.ALARM
    told = [p for p in evidence.points if is_breaching(alarm, p.value) is breaches]
    # Where what is missing was filled, all that is there may speak against it.
    told = told or list(evidence.points)
    negation = "" if is_breaching(alarm, told[0].value) else "not "
    verb = f"{'was' if len(told) == 1 else 'were'} {negation}{_WORDS[alarm.comparison]}"
    happened = f"{verb} the threshold ({_number(alarm.threshold)})"
    if evidence.filled:
        lacking = _counted(evidence.filled, "missing datapoint", "was", "were")
        points = _counted(len(told), "datapoint")
        return f"{_with_values(points, happened, told)} and {lacking} treated as [{treated}]"
    periods = alarm.evaluation_periods
    if periods == 1:
        return _with_values("1 datapoint", happened, told)
    needed = alarm.datapoints_to_alarm or periods
    least = needed if breaches else periods - needed + 1
    way = "OK -> ALARM" if breaches else "ALARM -> OK"
    minimum = f"(minimum {_counted(least, 'datapoint')} for {way} transition)"
    points = f"{len(told)} out of the last {periods} datapoints"
    return f"{_with_values(points, happened, told)} {minimum}"


def _with_values(points: str, happened: str, told: Sequence[Point]) -> str:
    values = ", ".join(
        f"{_number(p.value)} ({p.timestamp:%d/%m/%y %H:%M:%S})" for p in told[:_MOST_TOLD]
    )
    if len(told) <= _MOST_TOLD:
        return f"{points} [{values}] {happened}"
    recent = "The most recent datapoints which crossed the threshold"
    return f"{points} {happened}. {recent}: [{values}]"


def _reason_data(alarm: MetricAlarm, evidence: _Evidence, now: datetime) -> str:
    points = evidence.points[:_MOST_IN_DATA]
    data = {
        "version": "1.0",
        "queryDate": stamp(now),
        "startDate": stamp(points[-1].timestamp) if points else None,
        "unit": alarm.metric.unit if alarm.metric else None,
        "statistic": alarm.metric.stat if alarm.metric else None,
        "period": alarm.period,
        "recentDatapoints": [p.value for p in reversed(points)],
        "threshold": alarm.threshold,
        "evaluatedDatapoints": [_evaluated(p) for p in points],
    }
    return json.dumps({k: v for k, v in data.items() if v is not None}, separators=(",", ":"))


def _evaluated(point: Point) -> dict[str, object]:
    told: dict[str, object] = {"timestamp": stamp(point.timestamp)}
    if point.samples is not None:
        told["sampleCount"] = point.samples
    return {**told, "value": point.value}


def _number(value: float) -> str:
    return repr(float(value))


def _counted(count: int, thing: str, one: str = "", many: str = "") -> str:
    words = (str(count), thing if count == 1 else f"{thing}s", one if count == 1 else many)
    return " ".join(word for word in words if word)
