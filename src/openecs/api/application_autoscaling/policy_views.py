"""How scaling policies are shown."""

from __future__ import annotations

from collections.abc import Iterable

from openecs.api.base import Members
from openecs.model.alarms import MetricAlarm, MetricDataQuery, MetricStat
from openecs.model.identity import Scope
from openecs.model.scaling import DIMENSION, NAMESPACE, ScalingPolicy, StepScaling, TargetTracking


def policy(shown: ScalingPolicy, alarms: Iterable[MetricAlarm]) -> Members:
    """``ScalingPolicy``; ``alarms`` are those that name it."""
    step, tracking = shown.step, shown.tracking
    return {
        "PolicyARN": shown.arn,
        "PolicyName": shown.name,
        "ServiceNamespace": NAMESPACE,
        "ResourceId": shown.resource_id,
        "ScalableDimension": DIMENSION,
        "PolicyType": "StepScaling" if step else "TargetTrackingScaling",
        "StepScalingPolicyConfiguration": _step(step) if step else None,
        "TargetTrackingScalingPolicyConfiguration": _tracking(tracking) if tracking else None,
        "Alarms": alarm_names(shown.scope, (alarm.name for alarm in alarms)),
        "CreationTime": shown.created_at,
    }


def alarm_names(scope: Scope, named: Iterable[str]) -> list[Members]:
    """``Alarms``."""
    return [
        {"AlarmName": name, "AlarmARN": scope.arn("cloudwatch", f"alarm:{name}")} for name in named
    ]


def _step(step: StepScaling) -> Members:
    return {
        "AdjustmentType": str(step.adjustment_type),
        "StepAdjustments": [
            {
                "MetricIntervalLowerBound": each.lower,
                "MetricIntervalUpperBound": each.upper,
                "ScalingAdjustment": each.adjustment,
            }
            for each in step.steps
        ],
        "MinAdjustmentMagnitude": step.minimum_magnitude,
        "Cooldown": step.cooldown,
        "MetricAggregationType": step.aggregation,
    }


def _tracking(tracking: TargetTracking) -> Members:
    predefined = {
        "PredefinedMetricType": tracking.predefined,
        "ResourceLabel": tracking.resource_label,
    }
    return {
        "TargetValue": tracking.target,
        "PredefinedMetricSpecification": predefined if tracking.predefined else None,
        "CustomizedMetricSpecification": None if tracking.predefined else _customized(tracking),
        "ScaleOutCooldown": tracking.out_cooldown,
        "ScaleInCooldown": tracking.in_cooldown,
        "DisableScaleIn": not tracking.scales_in,
    }


def _customized(tracking: TargetTracking) -> Members:
    if tracking.metric is not None:
        stat = tracking.metric
        return {**_metric(stat), "Statistic": stat.stat, "Unit": stat.unit}
    return {"Metrics": [_query(each) for each in tracking.queries]}


def _query(query: MetricDataQuery) -> Members:
    stat = query.stat
    shown = {"Metric": _metric(stat), "Stat": stat.stat, "Unit": stat.unit} if stat else None
    return {
        "Id": query.id,
        "Expression": query.expression,
        "MetricStat": shown,
        "Label": query.label,
        "ReturnData": query.return_data,
    }


def _metric(stat: MetricStat) -> Members:
    return {
        "MetricName": stat.name,
        "Namespace": stat.namespace,
        "Dimensions": [{"Name": name, "Value": value} for name, value in stat.dimensions],
    }
