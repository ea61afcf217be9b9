"""Alarms as DescribeAlarms shows them."""

from __future__ import annotations

from openecs.api.base import Members
from openecs.decide.statistics import PLAIN
from openecs.model.alarms import CompositeAlarm, MetricAlarm, MetricDataQuery, MetricStat
from openecs.model.metrics import Dimensions


def metric_alarm(alarm: MetricAlarm) -> Members:
    """An alarm on metrics."""
    return {
        **_common(alarm),
        **_watched(alarm),
        "EvaluationPeriods": alarm.evaluation_periods,
        "DatapointsToAlarm": alarm.datapoints_to_alarm,
        "Threshold": alarm.threshold,
        "ComparisonOperator": alarm.comparison,
        "TreatMissingData": alarm.missing_data,
        "EvaluateLowSampleCountPercentile": alarm.low_samples,
    }


def composite_alarm(alarm: CompositeAlarm) -> Members:
    """An alarm on alarms."""
    return {
        **_common(alarm),
        "AlarmRule": alarm.rule,
        "ActionsSuppressor": alarm.suppressor,
        "ActionsSuppressorWaitPeriod": alarm.wait_period,
        "ActionsSuppressorExtensionPeriod": alarm.extension_period,
        "ActionsSuppressedBy": alarm.suppressed_by,
        "ActionsSuppressedReason": alarm.suppressed_reason,
    }


def child(alarm: MetricAlarm | CompositeAlarm) -> Members:
    """An alarm among the children of another."""
    return {
        "AlarmName": alarm.name,
        "AlarmArn": alarm.arn,
        "StateValue": alarm.state,
        "StateUpdatedTimestamp": alarm.updated_at,
    }


def parent(alarm: CompositeAlarm) -> Members:
    """An alarm among the parents of another."""
    return {"AlarmName": alarm.name, "AlarmArn": alarm.arn}


def _common(alarm: MetricAlarm | CompositeAlarm) -> Members:
    return {
        "AlarmName": alarm.name,
        "AlarmArn": alarm.arn,
        "AlarmDescription": alarm.description,
        "AlarmConfigurationUpdatedTimestamp": alarm.configured_at,
        "ActionsEnabled": alarm.actions.enabled,
        "OKActions": list(alarm.actions.ok),
        "AlarmActions": list(alarm.actions.alarm),
        "InsufficientDataActions": list(alarm.actions.insufficient_data),
        "StateValue": alarm.state,
        "StateReason": alarm.reason,
        "StateReasonData": alarm.reason_data,
        "StateUpdatedTimestamp": alarm.updated_at,
        "StateTransitionedTimestamp": alarm.transitioned_at,
    }


def _watched(alarm: MetricAlarm) -> Members:
    metric = alarm.metric
    if metric is None:
        return {"Metrics": [_query(each) for each in alarm.queries], "Dimensions": []}
    is_plain = metric.stat in PLAIN
    return {
        "MetricName": metric.name,
        "Namespace": metric.namespace,
        "Statistic": metric.stat if is_plain else None,
        "ExtendedStatistic": None if is_plain else metric.stat,
        "Dimensions": _dimensions(metric.dimensions),
        "Period": metric.period,
        "Unit": metric.unit,
    }


def _query(query: MetricDataQuery) -> Members:
    return {
        "Id": query.id,
        "MetricStat": _stat(query.stat) if query.stat else None,
        "Expression": query.expression,
        "Label": query.label,
        "ReturnData": query.return_data,
        "Period": query.period,
    }


def _stat(stat: MetricStat) -> Members:
    return {
        "Metric": {
            "Namespace": stat.namespace,
            "MetricName": stat.name,
            "Dimensions": _dimensions(stat.dimensions),
        },
        "Period": stat.period,
        "Stat": stat.stat,
        "Unit": stat.unit,
    }


def _dimensions(dimensions: Dimensions) -> list[Members]:
    return [{"Name": name, "Value": value} for name, value in dimensions]
