"""Composite alarms over the wire."""

from __future__ import annotations

import pytest

from .test_metric_alarms import CPU, TOPIC, refused


@pytest.fixture
def children(cloudwatch):
    for name in ("a", "b"):
        cloudwatch.put_metric_alarm(**{**CPU, "AlarmName": name})


def composite(cloudwatch, **members) -> list[dict]:
    found = cloudwatch.describe_alarms(AlarmTypes=["CompositeAlarm", "MetricAlarm"], **members)
    return found["CompositeAlarms"]


@pytest.mark.usefixtures("children")
@pytest.mark.covers("cloudwatch:PutCompositeAlarm")
def test_a_composite_alarm_is_shown_as_it_was_put(cloudwatch):
    given = {
        "AlarmName": "x",
        "AlarmRule": 'ALARM("a") AND NOT OK(b)',
        "ActionsSuppressor": "b",
        "ActionsSuppressorWaitPeriod": 60,
        "ActionsSuppressorExtensionPeriod": 30,
        "AlarmActions": [TOPIC],
    }
    cloudwatch.put_composite_alarm(**given)
    cloudwatch.get_waiter("composite_alarm_exists").wait(
        AlarmNames=["x"], AlarmTypes=["CompositeAlarm"]
    )
    (shown,) = composite(cloudwatch)
    assert {key: shown[key] for key in given} == given
    assert shown["StateValue"] == "INSUFFICIENT_DATA"
    assert [one["AlarmName"] for one in cloudwatch.describe_alarms()["MetricAlarms"]] == ["a", "b"]
    assert refused(cloudwatch.put_metric_alarm, **{**CPU, "AlarmName": "x"})[0] == "ValidationError"


@pytest.mark.usefixtures("children")
def test_children_and_parents(cloudwatch):
    cloudwatch.put_composite_alarm(AlarmName="x", AlarmRule="ALARM(a) OR ALARM(b)")
    cloudwatch.put_composite_alarm(AlarmName="y", AlarmRule="ALARM(a) OR ALARM(x)")
    found = cloudwatch.describe_alarms(ChildrenOfAlarmName="y")
    assert [one["AlarmName"] for one in found["CompositeAlarms"]] == ["x"]
    assert [one["AlarmName"] for one in found["MetricAlarms"]] == ["a"]
    parents = cloudwatch.describe_alarms(ParentsOfAlarmName="a")["CompositeAlarms"]
    assert [one["AlarmName"] for one in parents] == ["x", "y"]
    code, _ = refused(cloudwatch.describe_alarms, ParentsOfAlarmName="a", StateValue="OK")
    assert code == "ValidationError"


@pytest.mark.usefixtures("children")
def test_what_others_depend_on_is_not_deleted(cloudwatch):
    cloudwatch.put_composite_alarm(AlarmName="x", AlarmRule="ALARM(a)")
    code, message = refused(cloudwatch.delete_alarms, AlarmNames=["a"])
    assert code == "ValidationError"
    assert message.endswith("depending on it: x")
    cloudwatch.delete_alarms(AlarmNames=["a", "x"])
    assert composite(cloudwatch) == []


@pytest.mark.usefixtures("children")
@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"AlarmRule": "ALARM(a"}, "Error in alarm rule: it ends too early"),
        (
            {"AlarmRule": "ALARM(c)"},
            ("Could not save the composite alarm as alarms [c] in the alarm rule do not exist"),
        ),
        ({"AlarmRule": "ALARM(x)"}, "Cycle detected: the alarm x would depend on itself."),
        (
            {"AlarmRule": "TRUE", "ActionsSuppressor": "a"},
            "ActionsSuppressorWaitPeriod is required with ActionsSuppressor.",
        ),
        (
            {"AlarmRule": "TRUE", "ActionsSuppressorWaitPeriod": 1},
            "ActionsSuppressorWaitPeriod requires ActionsSuppressor.",
        ),
        (
            {"AlarmRule": "TRUE", "AlarmActions": ["arn:aws:automate:eu-central-1:ec2:stop"]},
            "Invalid action for a composite alarm: arn:aws:automate:eu-central-1:ec2:stop",
        ),
    ],
)
def test_what_no_composite_alarm_may_be(cloudwatch, members, message):
    answer = refused(cloudwatch.put_composite_alarm, AlarmName="x", **members)
    assert answer == ("ValidationError", message)


@pytest.mark.usefixtures("children")
def test_cycles_over_others_are_refused(cloudwatch):
    cloudwatch.put_composite_alarm(AlarmName="x", AlarmRule="ALARM(a)")
    cloudwatch.put_composite_alarm(AlarmName="y", AlarmRule="ALARM(x)")
    answer = refused(cloudwatch.put_composite_alarm, AlarmName="x", AlarmRule="ALARM(y)")
    assert answer[0] == "ValidationError"
