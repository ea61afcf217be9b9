"""What operations on alarms ask of policies."""

from __future__ import annotations

import pytest

from openecs.api.cloudwatch import SERVICE
from openecs.testing.builders import a_call
from operations_world import World

ALARM = "arn:aws:cloudwatch:eu-central-1:123456789012:alarm:"
DASHBOARD = "arn:aws:cloudwatch::123456789012:dashboard/"
TOPIC = "arn:aws:sns:eu-central-1:123456789012:alerts"
CPU = {
    "AlarmName": "cpu",
    "MetricName": "CPUUtilization",
    "Namespace": "A",
    "Statistic": "Average",
    "Period": 60,
    "EvaluationPeriods": 1,
    "Threshold": 1.0,
    "ComparisonOperator": "GreaterThanThreshold",
}


@pytest.fixture
def world() -> World:
    return World(SERVICE)


async def asked(world: World, operation: str, **request):
    asks = SERVICE.access[operation]
    return await world.store.read(lambda view: list(asks(view, a_call(), request)))


@pytest.mark.parametrize(
    ("operation", "request_", "resources"),
    [
        ("SetAlarmState", {"AlarmName": "cpu"}, [f"{ALARM}cpu"]),
        ("DeleteAlarms", {"AlarmNames": ["a", "b"]}, [f"{ALARM}a", f"{ALARM}b"]),
        ("DescribeAlarms", {}, [f"{ALARM}*"]),
        ("DescribeAlarmHistory", {}, [f"{ALARM}*"]),
        ("DescribeAlarmsForMetric", {"MetricName": "B", "Namespace": "A"}, ["*"]),
        ("PutDashboard", {"DashboardName": "a", "DashboardBody": "{}"}, [f"{DASHBOARD}a"]),
        ("DeleteDashboards", {"DashboardNames": ["a", "b"]}, [f"{DASHBOARD}a", f"{DASHBOARD}b"]),
        ("ListDashboards", {}, ["*"]),
        ("ListTagsForResource", {"ResourceARN": f"{DASHBOARD}a"}, [f"{DASHBOARD}a"]),
        ("ListTagsForResource", {"ResourceARN": f"{ALARM}cpu"}, [f"{ALARM}cpu"]),
    ],
)
async def test_resources(world, operation, request_, resources):
    found = await asked(world, operation, **request_)
    assert [one.resource for one in found] == resources
    assert {one.action for one in found} == {f"cloudwatch:{operation}"}


async def test_conditions(world):
    tags = [{"Key": "Team", "Value": "a"}]
    (put,) = await asked(world, "PutMetricAlarm", **CPU, Tags=tags, AlarmActions=[TOPIC])
    assert put.context == {
        "aws:requesttag/team": ("a",),
        "aws:tagkeys": ("Team",),
        "cloudwatch:alarmactions": (TOPIC,),
    }
    operation = SERVICE.operations["PutMetricAlarm"]
    await world.store.write(lambda tx: operation.function(tx, world.call, {**CPU, "Tags": tags}))
    (deleted,) = await asked(world, "DeleteAlarms", AlarmNames=["cpu"])
    assert deleted.context["aws:resourcetag/team"] == ("a",)


def test_every_operation_says_what_it_asks():
    assert set(SERVICE.access) == set(SERVICE.operations)
