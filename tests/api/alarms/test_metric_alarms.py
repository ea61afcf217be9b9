"""Metric alarms over the wire."""

from __future__ import annotations

import asyncio
import json

import pytest
from botocore.exceptions import ClientError

from gateway_door import ACCOUNT
from openecs.store.alarms import DUE_ACTIONS

from .conftest import REGION

TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:alerts"
CPU = {
    "AlarmName": "cpu",
    "MetricName": "CPUUtilization",
    "Namespace": "AWS/ECS",
    "Dimensions": [{"Name": "ServiceName", "Value": "web"}, {"Name": "ClusterName", "Value": "c"}],
    "Statistic": "Average",
    "Period": 60,
    "EvaluationPeriods": 3,
    "Threshold": 70.0,
    "ComparisonOperator": "GreaterThanThreshold",
}


def refused(call, **members) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(**members)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def described(cloudwatch, *names, **members) -> list[dict]:
    return cloudwatch.describe_alarms(AlarmNames=list(names), **members)["MetricAlarms"]


@pytest.mark.covers("cloudwatch:PutMetricAlarm", "cloudwatch:DescribeAlarms")
def test_an_alarm_is_shown_as_it_was_put(cloudwatch):
    cloudwatch.put_metric_alarm(
        **CPU,
        AlarmDescription="too busy",
        AlarmActions=[TOPIC],
        DatapointsToAlarm=2,
        TreatMissingData="notBreaching",
        Unit="Percent",
    )
    cloudwatch.get_waiter("alarm_exists").wait(AlarmNames=["cpu"])
    (shown,) = described(cloudwatch, "cpu")
    times = {key: shown.pop(key) for key in list(shown) if key.endswith("Timestamp")}
    assert set(times) == {
        "AlarmConfigurationUpdatedTimestamp",
        "StateUpdatedTimestamp",
        "StateTransitionedTimestamp",
    }
    assert shown == {
        **CPU,
        "Dimensions": sorted(CPU["Dimensions"], key=lambda one: one["Name"]),
        "AlarmArn": f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:cpu",
        "AlarmDescription": "too busy",
        "ActionsEnabled": True,
        "AlarmActions": [TOPIC],
        "OKActions": [],
        "InsufficientDataActions": [],
        "StateValue": "INSUFFICIENT_DATA",
        "StateReason": "Unchecked: Initial alarm creation",
        "DatapointsToAlarm": 2,
        "TreatMissingData": "notBreaching",
        "Unit": "Percent",
    }


def test_a_changed_alarm_keeps_its_state_and_its_tags(cloudwatch):
    cloudwatch.put_metric_alarm(**CPU, Tags=[{"Key": "a", "Value": "b"}])
    cloudwatch.set_alarm_state(AlarmName="cpu", StateValue="ALARM", StateReason="so")
    (before,) = described(cloudwatch, "cpu")
    cloudwatch.put_metric_alarm(**{**CPU, "Threshold": 80})
    (after,) = described(cloudwatch, "cpu")
    assert (after["Threshold"], after["StateValue"], after["StateReason"]) == (80.0, "ALARM", "so")
    assert after["StateUpdatedTimestamp"] == before["StateUpdatedTimestamp"]
    tags = cloudwatch.list_tags_for_resource(ResourceARN=after["AlarmArn"])["Tags"]
    assert tags == [{"Key": "a", "Value": "b"}]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"Period": 15}, "Period must be 10, 20, 30 or a multiple of 60."),
        (
            {"Period": 60, "EvaluationPeriods": 1441},
            (
                "Metrics cannot be checked across more than a day "
                "(EvaluationPeriods * Period must be <= 86400)."
            ),
        ),
        (
            {"Period": 3600, "EvaluationPeriods": 169},
            (
                "Metrics cannot be checked across more than seven days "
                "(EvaluationPeriods * Period must be <= 604800)."
            ),
        ),
        (
            {"DatapointsToAlarm": 4},
            "DatapointsToAlarm must be less than or equal to EvaluationPeriods.",
        ),
        ({"AlarmActions": ["mail"]}, "Invalid arn syntax: mail"),
        ({"Threshold": None}, "Threshold must be specified."),
        ({"EvaluationPeriods": None}, "EvaluationPeriods must be specified."),
        ({"Period": None}, "Period must be specified for an alarm on one metric."),
        (
            {"ExtendedStatistic": "p99"},
            "Exactly one of Statistic or ExtendedStatistic must be specified.",
        ),
        ({"Statistic": None}, "Exactly one of Statistic or ExtendedStatistic must be specified."),
        (
            {"Statistic": None, "ExtendedStatistic": "p101"},
            "The value p101 for parameter ExtendedStatistic is not supported.",
        ),
        (
            {"TreatMissingData": "good"},
            (
                "Unsupported treat missing data value [good]: it is one of breaching, "
                "notBreaching, ignore, missing."
            ),
        ),
        (
            {"EvaluateLowSampleCountPercentile": "ignore"},
            "EvaluateLowSampleCountPercentile can be specified for percentiles only.",
        ),
        ({"Dimensions": [{"Name": "a", "Value": "b"}] * 2}, "Duplicate dimension name."),
        (
            {"ComparisonOperator": "GreaterThanUpperThreshold"},
            (
                "OpenECS does not build alarms on anomaly detection bands "
                "(GreaterThanUpperThreshold)."
            ),
        ),
        (
            {"WarmUpConfiguration": {"WarmUpPeriodDurationInMinutes": 1}},
            "OpenECS does not build warm-up periods (WarmUpConfiguration).",
        ),
    ],
)
def test_what_no_alarm_may_be(cloudwatch, changes, message):
    members = {key: value for key, value in {**CPU, **changes}.items() if value is not None}
    assert refused(cloudwatch.put_metric_alarm, **members) == ("ValidationError", message)
    assert described(cloudwatch) == []


def test_alarms_are_found_by_prefix_state_and_action(cloudwatch):
    for name in ("b", "a-1", "a-2"):
        cloudwatch.put_metric_alarm(**{**CPU, "AlarmName": name}, OKActions=[f"{TOPIC}-{name}"])
    cloudwatch.set_alarm_state(AlarmName="a-2", StateValue="OK", StateReason="so")

    def names(**members):
        return [one["AlarmName"] for one in cloudwatch.describe_alarms(**members)["MetricAlarms"]]

    assert names() == ["a-1", "a-2", "b"]
    assert names(AlarmNamePrefix="a-") == ["a-1", "a-2"]
    assert names(StateValue="OK") == ["a-2"]
    assert names(ActionPrefix=f"{TOPIC}-a") == ["a-1", "a-2"]
    assert names(AlarmNames=["b", "gone"]) == ["b"]
    assert names(AlarmTypes=["CompositeAlarm"]) == []
    pages = cloudwatch.get_paginator("describe_alarms").paginate(PaginationConfig={"PageSize": 2})
    sizes = [[one["AlarmName"] for one in page["MetricAlarms"]] for page in pages]
    assert sizes == [["a-1", "a-2"], ["b"]]
    assert refused(cloudwatch.describe_alarms, NextToken="?")[0] == "InvalidNextToken"


@pytest.mark.covers("cloudwatch:DescribeAlarmsForMetric")
def test_the_alarms_of_a_metric(cloudwatch):
    cloudwatch.put_metric_alarm(**CPU)
    cloudwatch.put_metric_alarm(**{**CPU, "AlarmName": "other", "Dimensions": []})
    metric = {key: CPU[key] for key in ("MetricName", "Namespace", "Dimensions")}

    def names(**members):
        found = cloudwatch.describe_alarms_for_metric(**{**metric, **members})
        return [one["AlarmName"] for one in found["MetricAlarms"]]

    assert names() == ["cpu"]
    assert names(Dimensions=[]) == ["other"]
    assert names(Statistic="Average", Period=60) == ["cpu"]
    assert names(Statistic="Sum") == []


@pytest.mark.covers(
    "cloudwatch:SetAlarmState",
    "cloudwatch:EnableAlarmActions",
    "cloudwatch:DisableAlarmActions",
)
def test_a_state_that_is_set_has_its_actions(cloudwatch, door):
    cloudwatch.put_metric_alarm(**CPU, AlarmActions=[TOPIC])

    def due():
        return asyncio.run(door.store.read(lambda view: view.scan(DUE_ACTIONS, None)))

    cloudwatch.disable_alarm_actions(AlarmNames=["cpu"])
    cloudwatch.set_alarm_state(AlarmName="cpu", StateValue="ALARM", StateReason="drill")
    assert [one.action for one in due()] == ["events"]
    cloudwatch.enable_alarm_actions(AlarmNames=["cpu"])
    cloudwatch.set_alarm_state(AlarmName="cpu", StateValue="OK", StateReason="over")
    cloudwatch.set_alarm_state(
        AlarmName="cpu", StateValue="ALARM", StateReason="drill", StateReasonData='{"a":1}'
    )
    told = next(one for one in due() if one.action == TOPIC)
    body = json.loads(told.body)
    assert (body["OldStateValue"], body["NewStateValue"]) == ("OK", "ALARM")
    assert body["Trigger"]["Statistic"] == "AVERAGE"
    (shown,) = described(cloudwatch, "cpu")
    assert shown["StateReasonData"] == '{"a":1}'
    code, _ = refused(
        cloudwatch.set_alarm_state,
        AlarmName="cpu",
        StateValue="OK",
        StateReason="",
        StateReasonData="{",
    )
    assert code == "InvalidFormat"
    unknown = {"AlarmName": "gone", "StateValue": "OK", "StateReason": ""}
    assert refused(cloudwatch.set_alarm_state, **unknown)[0] == "ResourceNotFound"


@pytest.mark.covers("cloudwatch:DescribeAlarmHistory", "cloudwatch:DeleteAlarms")
def test_the_history_outlives_the_alarm(cloudwatch):
    cloudwatch.put_metric_alarm(**CPU)
    cloudwatch.put_metric_alarm(**{**CPU, "Threshold": 5})
    cloudwatch.set_alarm_state(AlarmName="cpu", StateValue="OK", StateReason="so")
    cloudwatch.delete_alarms(AlarmNames=["cpu", "gone"])
    assert described(cloudwatch) == []
    items = cloudwatch.describe_alarm_history(AlarmName="cpu")["AlarmHistoryItems"]
    assert [(one["HistoryItemType"], one["HistorySummary"]) for one in items] == [
        ("ConfigurationUpdate", 'Alarm "cpu" deleted'),
        ("StateUpdate", "Alarm updated from INSUFFICIENT_DATA to OK"),
        ("ConfigurationUpdate", 'Alarm "cpu" updated'),
        ("ConfigurationUpdate", 'Alarm "cpu" created'),
    ]
    data = json.loads(items[1]["HistoryData"])
    assert data["newState"] == {"stateValue": "OK", "stateReason": "so"}
    created = json.loads(items[3]["HistoryData"])
    assert (created["type"], created["createdAlarm"]["threshold"]) == ("Create", 70.0)
    only = cloudwatch.describe_alarm_history(HistoryItemType="StateUpdate")["AlarmHistoryItems"]
    assert [one["HistoryItemType"] for one in only] == ["StateUpdate"]
    paged = cloudwatch.get_paginator("describe_alarm_history").paginate(
        ScanBy="TimestampAscending", PaginationConfig={"PageSize": 3}
    )
    oldest = [one["HistorySummary"] for page in paged for one in page["AlarmHistoryItems"]]
    assert oldest == [one["HistorySummary"] for one in reversed(items)]
    assert refused(cloudwatch.delete_alarms, AlarmNames=["cpu"])[0] == "ResourceNotFound"


@pytest.mark.covers(
    "cloudwatch:TagResource", "cloudwatch:UntagResource", "cloudwatch:ListTagsForResource"
)
def test_tags(cloudwatch):
    cloudwatch.put_metric_alarm(**CPU)
    arn = f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:cpu"
    cloudwatch.tag_resource(ResourceARN=arn, Tags=[{"Key": k, "Value": k} for k in "ab"])
    cloudwatch.untag_resource(ResourceARN=arn, TagKeys=["a"])
    tags = cloudwatch.list_tags_for_resource(ResourceARN=arn)["Tags"]
    assert tags == [{"Key": "b", "Value": "b"}]
    many = [{"Key": str(n), "Value": ""} for n in range(51)]
    code, _ = refused(cloudwatch.tag_resource, ResourceARN=arn, Tags=many)
    assert code in {"InvalidParameterValue", "InvalidParameterValueException"}
    unknown = refused(cloudwatch.list_tags_for_resource, ResourceARN=f"{arn}x")
    assert unknown[0] == "ResourceNotFoundException"


def test_alarms_on_several_metrics(cloudwatch):
    stat = {
        "Metric": {"Namespace": "A", "MetricName": "B"},
        "Period": 60,
        "Stat": "p90",
    }
    alarm = {
        "AlarmName": "many",
        "EvaluationPeriods": 1,
        "Threshold": 1,
        "ComparisonOperator": "LessThanThreshold",
    }
    metrics = [{"Id": "m1", "MetricStat": stat, "ReturnData": True}]
    cloudwatch.put_metric_alarm(**alarm, Metrics=metrics)
    (shown,) = described(cloudwatch, "many")
    stat["Metric"]["Dimensions"] = []
    assert shown["Metrics"] == metrics
    for broken in (
        [{"Id": "M1", "MetricStat": stat}],
        [{"Id": "m1", "MetricStat": stat}, {"Id": "m1", "MetricStat": stat, "ReturnData": False}],
        [{"Id": "m1", "MetricStat": stat}, {"Id": "m2", "MetricStat": stat}],
        [{"Id": "m1"}],
    ):
        assert refused(cloudwatch.put_metric_alarm, **alarm, Metrics=broken)[0] == "ValidationError"


@pytest.mark.covers("cloudwatch:PutMetricAlarm")
def test_alarms_on_metric_math(cloudwatch):
    def metric(id_):
        asked = {"Namespace": "A", "MetricName": id_, "Dimensions": []}
        stat = {"Metric": asked, "Period": 60, "Stat": "Sum"}
        return {"Id": id_, "MetricStat": stat, "ReturnData": False}

    alarm = {
        "AlarmName": "math",
        "EvaluationPeriods": 2,
        "Threshold": 5,
        "ComparisonOperator": "GreaterThanThreshold",
    }
    expression = {"Id": "rate", "Expression": "100 * errors / requests", "Label": "percent"}
    metrics = [{**expression, "ReturnData": True}, metric("errors"), metric("requests")]
    cloudwatch.put_metric_alarm(**alarm, Metrics=metrics)
    (shown,) = described(cloudwatch, "math")
    assert shown["Metrics"] == metrics
    for broken, part in (
        ("errors /", "Error in expression 'rate': it ends too early."),
        ("METRICS()", "a single time series"),
        ("SUM(SEARCH('{A} b', 'Sum', 60))", "SEARCH is not supported"),
    ):
        changed = [{**metrics[0], "Expression": broken}, *metrics[1:]]
        code, message = refused(cloudwatch.put_metric_alarm, **alarm, Metrics=changed)
        assert code == "ValidationError"
        assert part in message


@pytest.mark.parametrize("stat", ["p99.9", "tm90", "TM(10%:90%)", "PR(100:2000)", "IQM", "WM(:5)"])
def test_alarms_on_extended_statistics(cloudwatch, stat):
    cloudwatch.put_metric_alarm(
        AlarmName="slow",
        Namespace="A",
        MetricName="B",
        Period=60,
        ExtendedStatistic=stat,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="LessThanThreshold",
    )
    (shown,) = described(cloudwatch, "slow")
    assert shown["ExtendedStatistic"] == stat
