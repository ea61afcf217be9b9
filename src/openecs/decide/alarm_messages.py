"""What is sent when an alarm changes: the event of EventBridge and the message of SNS.

CloudWatch User Guide, "Alarm events and EventBridge"; "Setting up Amazon SNS notifications".
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from openecs.model.alarms import (
    AlarmState,
    CompositeAlarm,
    MetricAlarm,
    MetricDataQuery,
    MetricStat,
)
from openecs.model.metrics import Dimensions

Alarm = MetricAlarm | CompositeAlarm

_STATISTICS = {"SampleCount", "Average", "Sum", "Minimum", "Maximum"}


def event(before: Alarm, after: Alarm, fresh: str) -> str:
    """``CloudWatch Alarm State Change``, as EventBridge delivers it."""
    return _json(
        {
            "version": "0",
            "id": fresh,
            "detail-type": "CloudWatch Alarm State Change",
            "source": "aws.cloudwatch",
            "account": after.scope.account,
            "time": f"{after.updated_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
            "region": after.scope.region,
            "resources": [after.arn],
            "detail": {
                "alarmName": after.name,
                "state": _state(after),
                "previousState": _state(before),
                "configuration": _event_configuration(after),
            },
        }
    )


def message(alarm: Alarm, came_from: AlarmState) -> str:
    """What subscribers of an SNS topic get to read."""
    told = {
        "AlarmName": alarm.name,
        "AlarmDescription": alarm.description,
        "AWSAccountId": alarm.scope.account,
        "AlarmConfigurationUpdatedTimestamp": stamp(alarm.configured_at),
        "NewStateValue": alarm.state,
        "NewStateReason": alarm.reason,
        "StateChangeTime": stamp(alarm.transitioned_at),
        "Region": alarm.scope.region,
        "AlarmArn": alarm.arn,
        "OldStateValue": came_from,
        "OKActions": alarm.actions.ok,
        "AlarmActions": alarm.actions.alarm,
        "InsufficientDataActions": alarm.actions.insufficient_data,
    }
    if isinstance(alarm, MetricAlarm):
        return _json({**told, "Trigger": _trigger(alarm)})
    return _json({**told, "AlarmRule": alarm.rule})


def configuration(alarm: Alarm) -> dict[str, Any]:
    """An alarm as its history tells it."""
    told: dict[str, Any] = {
        "alarmName": alarm.name,
        "alarmArn": alarm.arn,
        "alarmDescription": alarm.description,
        "alarmConfigurationUpdatedTimestamp": stamp(alarm.configured_at),
        "stateValue": alarm.state,
        "stateUpdatedTimestamp": stamp(alarm.updated_at),
        "actionsEnabled": alarm.actions.enabled,
        "okactions": alarm.actions.ok,
        "alarmActions": alarm.actions.alarm,
        "insufficientDataActions": alarm.actions.insufficient_data,
    }
    if isinstance(alarm, CompositeAlarm):
        return {**told, "alarmRule": alarm.rule}
    if alarm.metric is not None:
        metric = alarm.metric
        told |= {
            "metricName": metric.name,
            "namespace": metric.namespace,
            "dimensions": _pairs(metric.dimensions),
            "period": metric.period,
            _statistic_name(metric): metric.stat,
        }
    else:
        told["metrics"] = [_query(each) for each in alarm.queries]
    return {
        **told,
        "evaluationPeriods": alarm.evaluation_periods,
        "datapointsToAlarm": alarm.datapoints_to_alarm,
        "threshold": alarm.threshold,
        "comparisonOperator": alarm.comparison,
        "treatMissingData": alarm.missing_data,
    }


def stamp(moment: datetime) -> str:
    """A time as CloudWatch writes it in JSON: ``2026-01-01T00:00:00.000+0000``."""
    whole = moment.astimezone(UTC)
    return f"{whole:%Y-%m-%dT%H:%M:%S}.{whole.microsecond // 1000:03}+0000"


def _state(alarm: Alarm) -> Mapping[str, Any]:
    told = {
        "value": alarm.state,
        "reason": alarm.reason,
        "reasonData": alarm.reason_data,
        "timestamp": stamp(alarm.updated_at),
    }
    if isinstance(alarm, CompositeAlarm):
        told["actionsSuppressedBy"] = alarm.suppressed_by
        told["actionsSuppressedReason"] = alarm.suppressed_reason
    return {key: value for key, value in told.items() if value is not None}


def _event_configuration(alarm: Alarm) -> Mapping[str, Any]:
    told: dict[str, Any] = {"description": alarm.description}
    if isinstance(alarm, CompositeAlarm):
        told["alarmRule"] = alarm.rule
        told["actionsSuppressor"] = alarm.suppressor
        told["actionsSuppressorWaitPeriod"] = alarm.wait_period
        told["actionsSuppressorExtensionPeriod"] = alarm.extension_period
    elif alarm.metric is not None:
        told["metrics"] = [{"id": "m1", "metricStat": _stat(alarm.metric), "returnData": True}]
    else:
        told["metrics"] = [_query(each) for each in alarm.queries]
    return {key: value for key, value in told.items() if value is not None}


def _query(query: MetricDataQuery) -> Mapping[str, Any]:
    told = {
        "id": query.id,
        "metricStat": _stat(query.stat) if query.stat else None,
        "expression": query.expression,
        "label": query.label,
        "period": query.period,
        "returnData": query.return_data,
    }
    return {key: value for key, value in told.items() if value is not None}


def _stat(stat: MetricStat) -> Mapping[str, Any]:
    told = {
        "metric": {
            "namespace": stat.namespace,
            "name": stat.name,
            "dimensions": dict(stat.dimensions),
        },
        "period": stat.period,
        "stat": stat.stat,
        "unit": stat.unit,
    }
    return {key: value for key, value in told.items() if value is not None}


def _trigger(alarm: MetricAlarm) -> Mapping[str, Any]:
    told: dict[str, Any] = {
        "Period": alarm.period,
        "EvaluationPeriods": alarm.evaluation_periods,
        "DatapointsToAlarm": alarm.datapoints_to_alarm or alarm.evaluation_periods,
        "ComparisonOperator": alarm.comparison,
        "Threshold": alarm.threshold,
        "TreatMissingData": alarm.missing_data or "missing",
        "EvaluateLowSampleCountPercentile": alarm.low_samples or "",
    }
    metric = alarm.metric
    if metric is None:
        return {**told, "Metrics": [_query(each) for each in alarm.queries]}
    is_plain = metric.stat in _STATISTICS
    return {
        "MetricName": metric.name,
        "Namespace": metric.namespace,
        "StatisticType": "Statistic" if is_plain else "ExtendedStatistic",
        _capital(_statistic_name(metric)): metric.stat.upper() if is_plain else metric.stat,
        "Unit": metric.unit,
        "Dimensions": [{"value": value, "name": name} for name, value in metric.dimensions],
        **told,
    }


def _statistic_name(metric: MetricStat) -> str:
    return "statistic" if metric.stat in _STATISTICS else "extendedStatistic"


def _capital(word: str) -> str:
    return word[0].upper() + word[1:]


def _pairs(dimensions: Dimensions) -> list[Mapping[str, str]]:
    return [{"name": name, "value": value} for name, value in dimensions]


def _json(told: Mapping[str, Any]) -> str:
    return json.dumps(told, separators=(",", ":"))
