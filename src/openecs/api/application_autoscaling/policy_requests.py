"""What a request says of a scaling policy."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from openecs.api.application_autoscaling import errors
from openecs.api.base import Members
from openecs.decide import alarm_values, statistics
from openecs.model.alarms import MetricDataQuery, MetricStat
from openecs.model.metrics import Dimensions
from openecs.model.scaling import AdjustmentType, Step, StepScaling, TargetTracking

_PREDEFINED = {
    "ECSServiceAverageCPUUtilization",
    "ECSServiceAverageMemoryUtilization",
    "ALBRequestCountPerTarget",
}
_LABEL = re.compile(r"app/[^/]+/[^/]+/targetgroup/[^/]+/[^/]+")
_ID = re.compile(r"[a-z][a-zA-Z0-9_]*")
_MOST_STEPS = 20
_MOST_METRICS = 10


def step_scaling(given: Members | None) -> StepScaling:
    """``StepScalingPolicyConfiguration``."""
    if given is None or not given.get("AdjustmentType"):
        raise errors.validation("StepScalingPolicyConfiguration with an AdjustmentType is required")
    try:
        kind = AdjustmentType(given["AdjustmentType"])
    except ValueError as error:
        raise errors.validation("AdjustmentType is not valid") from error
    magnitude = given.get("MinAdjustmentMagnitude")
    if magnitude is not None and kind is not AdjustmentType.PERCENT:
        message = "MinAdjustmentMagnitude is only supported for PercentChangeInCapacity"
        raise errors.validation(message)
    return StepScaling(
        adjustment_type=kind,
        steps=_steps(given.get("StepAdjustments") or (), kind),
        minimum_magnitude=magnitude,
        cooldown=_seconds(given, "Cooldown", 300),
        aggregation=given.get("MetricAggregationType") or "Average",
    )


def target_tracking(given: Members | None) -> TargetTracking:
    """``TargetTrackingScalingPolicyConfiguration``."""
    if given is None:
        raise errors.validation("TargetTrackingScalingPolicyConfiguration is required")
    predefined = given.get("PredefinedMetricSpecification")
    customized = given.get("CustomizedMetricSpecification")
    if (predefined is None) == (customized is None):
        message = (
            "Exactly one of PredefinedMetricSpecification and CustomizedMetricSpecification"
            " must be specified"
        )
        raise errors.validation(message)
    if given["TargetValue"] <= 0:
        raise errors.validation("TargetValue must be greater than 0")
    metric, queries = _customized(customized) if customized else (None, ())
    kind, label = _predefined(predefined) if predefined else (None, None)
    return TargetTracking(
        target=given["TargetValue"],
        predefined=kind,
        resource_label=label,
        metric=metric,
        queries=queries,
        out_cooldown=_maybe_seconds(given, "ScaleOutCooldown"),
        in_cooldown=_maybe_seconds(given, "ScaleInCooldown"),
        scales_in=not given.get("DisableScaleIn"),
    )


def _steps(given: Sequence[Members], kind: AdjustmentType) -> tuple[Step, ...]:
    if not 1 <= len(given) <= _MOST_STEPS:
        raise errors.validation(f"StepAdjustments must have 1 to {_MOST_STEPS} items")
    steps = sorted((_step(each) for each in given), key=_from)
    if kind is AdjustmentType.EXACT and any(step.adjustment < 0 for step in steps):
        raise errors.validation("ScalingAdjustment must not be negative for ExactCapacity")
    _check_intervals(steps)
    return tuple(steps)


def _check_intervals(steps: Sequence[Step]) -> None:
    """No interval is empty, none overlap, and none is missing between or beyond them."""
    for step in steps:
        if step.lower is not None and step.upper is not None and step.lower >= step.upper:
            raise errors.validation("Step adjustment intervals must not be empty")
    _check_ends(steps[0], steps[-1])
    for before, after in pairwise(steps):
        if before.upper is None or after.lower is None or before.upper > after.lower:
            raise errors.validation("Step adjustment intervals can't overlap")
        if before.upper != after.lower:
            raise errors.validation("Step adjustment intervals can't have gaps between them")


def _check_ends(first: Step, last: Step) -> None:
    if (first.lower or 0) < 0:
        raise errors.validation("If there is a negative lower bound, one must be unspecified")
    if (last.upper or 0) > 0:
        raise errors.validation("If there is a positive upper bound, one must be unspecified")


def _step(given: Members) -> Step:
    return Step(
        lower=given.get("MetricIntervalLowerBound"),
        upper=given.get("MetricIntervalUpperBound"),
        adjustment=given["ScalingAdjustment"],
    )


def _from(step: Step) -> float:
    return float("-inf") if step.lower is None else step.lower


def _predefined(given: Members) -> tuple[str, str | None]:
    kind, label = given["PredefinedMetricType"], given.get("ResourceLabel")
    if kind not in _PREDEFINED:
        raise errors.validation(f"Predefined metric type {kind} is not supported for ecs")
    if kind == "ALBRequestCountPerTarget":
        if label is None:
            raise errors.validation(f"ResourceLabel is required for {kind}")
        if _LABEL.fullmatch(label) is None:
            raise errors.validation(f"Invalid ResourceLabel: {label}")
    return kind, label


def _customized(given: Members) -> tuple[MetricStat | None, tuple[MetricDataQuery, ...]]:
    if given.get("Metrics"):
        return None, _queries(given)
    missing = [name for name in ("MetricName", "Namespace", "Statistic") if not given.get(name)]
    if missing:
        raise errors.validation(f"{missing[0]} is required in CustomizedMetricSpecification")
    return _stat(given, given["Statistic"], given.get("Unit")), ()


def _queries(given: Members) -> tuple[MetricDataQuery, ...]:
    if any(given.get(each) for each in ("MetricName", "Namespace", "Dimensions", "Statistic")):
        raise errors.validation("Metrics can't be specified together with a single metric")
    queries = tuple(_query(each) for each in given["Metrics"])
    if len({each.id for each in queries}) < len(queries):
        raise errors.validation("The Ids of Metrics must be unique")
    if sum(each.return_data for each in queries) != 1:
        raise errors.validation("Exactly one of Metrics must return data")
    if sum(each.stat is not None for each in queries) > _MOST_METRICS:
        raise errors.validation(f"Metrics must have at most {_MOST_METRICS} metrics")
    if (problem := alarm_values.problem_of(queries)) is not None:
        raise errors.validation(problem)
    return queries


def _query(given: Members) -> MetricDataQuery:
    stat, expression = given.get("MetricStat"), given.get("Expression")
    if (stat is None) == (expression is None):
        raise errors.validation("Each of Metrics must have either a MetricStat or an Expression")
    if _ID.fullmatch(given["Id"]) is None:
        raise errors.validation(f"The Id {given['Id']} must begin with a lowercase letter")
    if stat is not None and not statistics.is_known(stat["Stat"]):
        raise errors.validation(f"The statistic {stat['Stat']} is not supported")
    return MetricDataQuery(
        id=given["Id"],
        stat=_stat(stat["Metric"], stat["Stat"], stat.get("Unit")) if stat else None,
        expression=expression,
        label=given.get("Label"),
        return_data=given.get("ReturnData") is not False,
    )


def _stat(metric: Members, stat: str, unit: str | None) -> MetricStat:
    named: Dimensions = tuple(
        sorted((each["Name"], each["Value"]) for each in metric.get("Dimensions") or ())
    )
    return MetricStat(
        namespace=metric["Namespace"],
        name=metric["MetricName"],
        dimensions=named,
        period=60,
        stat=stat,
        unit=unit,
    )


def _seconds(given: Members, name: str, usual: int) -> int:
    told = _maybe_seconds(given, name)
    return usual if told is None else told


def _maybe_seconds(given: Members, name: str) -> int | None:
    told = given.get(name)
    if told is not None and told < 0:
        raise errors.validation(f"{name} must not be negative")
    return None if told is None else int(told)
