"""Metric alarms as PutMetricAlarm tells them: what may be said, and what it means.

API Reference, PutMetricAlarm.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from openecs.api.base import Call, Members
from openecs.api.cloudwatch import alarm_errors as errors
from openecs.decide import alarm_values, statistics
from openecs.model.alarms import (
    AlarmActions,
    Comparison,
    MetricAlarm,
    MetricDataQuery,
    MetricStat,
    MissingData,
)
from openecs.model.identity import parse_arn
from openecs.model.metrics import Dimensions

_DAY = 86_400
_WEEK = 7 * _DAY
_SHORT_PERIODS = (10, 20, 30)
_MOST_TAGS = 50
_MOST_METRICS = 10
_ID = re.compile(r"[a-z][a-zA-Z0-9_]*")
#: What describes one metric, and so does not go with a list of them.
_OF_ONE_METRIC = (
    "MetricName",
    "Namespace",
    "Dimensions",
    "Period",
    "Unit",
    "Statistic",
    "ExtendedStatistic",
)
_NOT_BUILT = {
    "ThresholdMetricId": "alarms on anomaly detection bands (ThresholdMetricId)",
    "EvaluationWindow": "evaluation windows (EvaluationWindow)",
    "WarmUpConfiguration": "warm-up periods (WarmUpConfiguration)",
    "EvaluationCriteria": "alarms on PromQL (EvaluationCriteria)",
    "EvaluationInterval": "evaluation intervals (EvaluationInterval)",
}


def metric_alarm(call: Call, request: Members, existing: MetricAlarm | None) -> MetricAlarm:
    """The alarm a request tells; one that exists keeps its state and its tags."""
    for member, what in _NOT_BUILT.items():
        if request.get(member) is not None:
            raise errors.not_built(what)
    metric, queries = _watched(call, request)
    alarm = MetricAlarm(
        scope=call.scope,
        name=request["AlarmName"],
        description=request.get("AlarmDescription"),
        actions=actions(request),
        metric=metric,
        queries=queries,
        comparison=_comparison(request),
        threshold=_threshold(request),
        evaluation_periods=_evaluation_periods(request),
        datapoints_to_alarm=request.get("DatapointsToAlarm"),
        missing_data=_missing_data(request),
        low_samples=_low_samples(request),
        configured_at=call.now,
        updated_at=existing.updated_at if existing else call.now,
        transitioned_at=existing.transitioned_at if existing else call.now,
        tags=existing.tags if existing else tags(request.get("Tags")),
    )
    _check_range(alarm)
    if existing is None:
        return alarm
    return _with_state(alarm, existing)


def actions(request: Members) -> AlarmActions:
    """What is done in each state."""
    enabled = request.get("ActionsEnabled")
    return AlarmActions(
        enabled=True if enabled is None else enabled,
        ok=_arns(request.get("OKActions")),
        alarm=_arns(request.get("AlarmActions")),
        insufficient_data=_arns(request.get("InsufficientDataActions")),
    )


def tags(
    given: Sequence[Members] | None, existing: Mapping[str, str] | None = None
) -> dict[str, str]:
    """The tags of a request, added to the ``existing`` ones; at most 50."""
    merged = {**(existing or {}), **{tag["Key"]: tag.get("Value") or "" for tag in given or ()}}
    if any(key.lower().startswith("aws:") for key in merged):
        raise errors.invalid_parameter("Tag keys must not begin with aws:")
    if len(merged) > _MOST_TAGS:
        raise errors.invalid_parameter(f"A resource has at most {_MOST_TAGS} tags.")
    return merged


def dimensions(given: Sequence[Members] | None) -> Dimensions:
    """Names and values, by name. A name comes once."""
    named = {one["Name"]: one["Value"] for one in given or ()}
    if len(named) < len(given or ()):
        raise errors.validation("Duplicate dimension name.")
    return tuple(sorted(named.items()))


def _arns(given: Sequence[str] | None) -> tuple[str, ...]:
    for arn in given or ():
        if parse_arn(arn) is None:
            raise errors.validation(f"Invalid arn syntax: {arn}")
    return tuple(given or ())


def _watched(call: Call, request: Members) -> tuple[MetricStat | None, tuple[MetricDataQuery, ...]]:
    given = request.get("Metrics")
    if not given:
        return _metric(request), ()
    if any(request.get(member) is not None for member in _OF_ONE_METRIC):
        raise errors.validation(
            "Metrics list cannot be combined with MetricName, Namespace, Dimensions, Period, Unit, "
            "Statistic or ExtendedStatistic."
        )
    queries = tuple(_query(call, one) for one in given)
    _check_queries(queries, _evaluation_periods(request))
    return None, queries


def _metric(request: Members) -> MetricStat:
    for member in ("MetricName", "Namespace", "Period"):
        if request.get(member) is None:
            raise errors.validation(f"{member} must be specified for an alarm on one metric.")
    plain, extended = request.get("Statistic"), request.get("ExtendedStatistic")
    if (plain is None) is (extended is None):
        raise errors.validation("Exactly one of Statistic or ExtendedStatistic must be specified.")
    if extended is not None and not statistics.is_extended(extended):
        raise errors.validation(
            f"The value {extended} for parameter ExtendedStatistic is not supported."
        )
    return MetricStat(
        namespace=request["Namespace"],
        name=request["MetricName"],
        dimensions=dimensions(request.get("Dimensions")),
        period=_period(request["Period"]),
        stat=str(plain or extended),
        unit=request.get("Unit"),
    )


def _query(call: Call, given: Members) -> MetricDataQuery:
    if given.get("AccountId") not in {None, call.scope.account}:
        raise errors.not_built("alarms on metrics of other accounts (AccountId)")
    stat, expression = given.get("MetricStat"), given.get("Expression")
    if (stat is None) is (expression is None):
        raise errors.validation(
            "Exactly one of MetricStat or Expression must be specified in each of Metrics."
        )
    if not _ID.fullmatch(given["Id"]):
        raise errors.validation(
            f"The value {given['Id']} for parameter Id is not matching the "
            "expected pattern ^[a-z][a-zA-Z0-9_]*$."
        )
    returns = given.get("ReturnData")
    return MetricDataQuery(
        id=given["Id"],
        stat=_stat(stat) if stat else None,
        expression=expression,
        label=given.get("Label"),
        return_data=True if returns is None else returns,
        period=_period(given["Period"]) if given.get("Period") else None,
    )


def _stat(given: Members) -> MetricStat:
    metric, stat = given["Metric"], given["Stat"]
    if not metric.get("Namespace") or not metric.get("MetricName"):
        raise errors.validation("Namespace and MetricName must be specified for each metric.")
    if not statistics.is_known(stat):
        raise errors.validation(f"The value {stat} for parameter Stat is not supported.")
    return MetricStat(
        namespace=metric["Namespace"],
        name=metric["MetricName"],
        dimensions=dimensions(metric.get("Dimensions")),
        period=_period(given["Period"]),
        stat=stat,
        unit=given.get("Unit"),
    )


def _check_queries(queries: Sequence[MetricDataQuery], periods: int) -> None:
    if len({each.id for each in queries}) < len(queries):
        raise errors.validation("The values for parameter Id in Metrics are not unique.")
    if sum(each.stat is not None for each in queries) > _MOST_METRICS:
        raise errors.validation(f"An alarm watches at most {_MOST_METRICS} metrics.")
    returned = [each for each in queries if each.return_data]
    if len(returned) != 1:
        raise errors.validation("Exactly one element of the metrics list should return data.")
    if len({each.stat.period for each in queries if each.stat}) > 1:
        raise errors.validation("All metrics of an alarm must have the same period.")
    # More than a day of the shortest periods is refused elsewhere.
    if problem := alarm_values.problem_of(queries, min(periods, _DAY // _SHORT_PERIODS[0])):
        raise errors.validation(problem)


def _period(seconds: int) -> int:
    if seconds in _SHORT_PERIODS or (seconds > 0 and seconds % 60 == 0):
        return seconds
    raise errors.validation("Period must be 10, 20, 30 or a multiple of 60.")


def _comparison(request: Members) -> Comparison:
    given = request.get("ComparisonOperator")
    if given is None:
        raise errors.validation("ComparisonOperator must be specified.")
    if given not in set(Comparison):
        raise errors.not_built(f"alarms on anomaly detection bands ({given})")
    return Comparison(given)


def _threshold(request: Members) -> float:
    given = request.get("Threshold")
    if given is None:
        raise errors.validation("Threshold must be specified.")
    return float(given)


def _evaluation_periods(request: Members) -> int:
    periods = request.get("EvaluationPeriods")
    if periods is None:
        raise errors.validation("EvaluationPeriods must be specified.")
    if (request.get("DatapointsToAlarm") or 1) > periods:
        raise errors.validation(
            "DatapointsToAlarm must be less than or equal to EvaluationPeriods."
        )
    return int(periods)


def _missing_data(request: Members) -> MissingData | None:
    given = request.get("TreatMissingData")
    if given is None:
        return None
    if given not in set(MissingData):
        raise errors.validation(
            f"Unsupported treat missing data value [{given}]: it is one of breaching, "
            "notBreaching, ignore, missing."
        )
    return MissingData(given)


def _low_samples(request: Members) -> str | None:
    given = request.get("EvaluateLowSampleCountPercentile")
    if given is None:
        return None
    if given not in {"evaluate", "ignore"}:
        raise errors.validation(
            f"Option unsupported for EvaluateLowSampleCountPercentile: {given}. It is evaluate or "
            "ignore."
        )
    if not (request.get("ExtendedStatistic") or "").startswith("p"):
        raise errors.validation(
            "EvaluateLowSampleCountPercentile can be specified for percentiles only."
        )
    return str(given)


def _check_range(alarm: MetricAlarm) -> None:
    seconds = alarm.evaluation_periods * alarm.period
    if seconds > (_WEEK if alarm.period >= 3600 else _DAY):
        kind, most = ("seven days", _WEEK) if alarm.period >= 3600 else ("a day", _DAY)
        raise errors.validation(
            f"Metrics cannot be checked across more than {kind} "
            f"(EvaluationPeriods * Period must be <= {most})."
        )


def _with_state(alarm: MetricAlarm, existing: MetricAlarm) -> MetricAlarm:
    return replace(
        alarm, state=existing.state, reason=existing.reason, reason_data=existing.reason_data
    )
