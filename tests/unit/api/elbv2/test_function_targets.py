"""Lambda functions as targets, over the operations."""

from __future__ import annotations

from dataclasses import replace

import pytest

from openecs.api.base import ApiSettings
from openecs.decide.default_network import default_network
from openecs.testing.builders import SCOPE

NETWORK = default_network(SCOPE)
FUNCTION = "arn:aws:lambda:eu-central-1:123456789012:function:{}"
REQUEST = {"Name": "functions", "TargetType": "lambda"}


@pytest.fixture
def world(world):
    world.call = replace(world.call, settings=ApiSettings(lambda_url="http://127.0.0.1:1"))
    return world


async def create(world, **changes):
    made = await world.do("CreateTargetGroup", **{**REQUEST, **changes})
    return made["TargetGroups"][0]


@pytest.mark.covers("elbv2:CreateTargetGroup", "elbv2:ModifyTargetGroup")
async def test_a_target_group_of_functions(world) -> None:
    group = await create(world)
    assert {key: value for key, value in group.items() if key != "TargetGroupArn"} == {
        "TargetGroupName": "functions",
        "TargetType": "lambda",
        "HealthCheckEnabled": False,
        "HealthCheckIntervalSeconds": 35,
        "HealthCheckTimeoutSeconds": 30,
        "HealthyThresholdCount": 5,
        "UnhealthyThresholdCount": 2,
        "HealthCheckPath": "/",
        "Matcher": {"HttpCode": "200"},
        "LoadBalancerArns": [],
        "IpAddressType": "ipv4",
    }
    request = {"TargetGroupArn": group["TargetGroupArn"]}
    changed = await world.do("ModifyTargetGroup", **request, HealthCheckIntervalSeconds=60)
    assert changed["TargetGroups"][0]["HealthCheckIntervalSeconds"] == 60
    for enabled in (True, False):
        await world.do("ModifyTargetGroup", **request, HealthCheckEnabled=enabled)
        changed = await world.do("ModifyTargetGroup", **request, HealthCheckPath="/ok")
        assert changed["TargetGroups"][0]["HealthCheckEnabled"] is enabled
    checked = await create(world, Name="checked", HealthCheckEnabled=True)
    assert checked["HealthCheckEnabled"]


@pytest.mark.covers(
    "elbv2:RegisterTargets",
    "elbv2:DeregisterTargets",
    "elbv2:DescribeTargetHealth",
    "elbv2:DescribeTargetGroupAttributes",
)
async def test_a_function_is_a_target(world) -> None:
    arn = (await create(world))["TargetGroupArn"]
    shown = await world.do("DescribeTargetGroupAttributes", TargetGroupArn=arn)
    expected = {"Key": "lambda.multi_value_headers.enabled", "Value": "false"}
    assert shown["Attributes"] == [expected]
    subnets = [subnet.id for subnet in NETWORK.subnets[:2]]
    made = await world.do("CreateLoadBalancer", Name="front", Subnets=subnets)
    balancer = made["LoadBalancers"][0]["LoadBalancerArn"]
    actions = [{"Type": "forward", "TargetGroupArn": arn}]
    request = {"LoadBalancerArn": balancer, "Protocol": "HTTP", "Port": 80}
    await world.do("CreateListener", **request, DefaultActions=actions)
    for name in ("one", "two"):
        targets = [{"Id": FUNCTION.format(name)}]
        await world.do("RegisterTargets", TargetGroupArn=arn, Targets=targets)
        health = await world.do("DescribeTargetHealth", TargetGroupArn=arn)
        (told,) = health["TargetHealthDescriptions"]
        assert told["Target"] == {"Id": FUNCTION.format(name)}
        await world.do("DeregisterTargets", TargetGroupArn=arn, Targets=targets)


@pytest.mark.covers("elbv2:CreateTargetGroup", "elbv2:RegisterTargets")
async def test_what_functions_cannot_be(world) -> None:
    for change in ({"Protocol": "HTTP"}, {"Port": 80}, {"VpcId": NETWORK.vpc.id}):
        refused = await world.refused("CreateTargetGroup", **REQUEST, **change)
        assert refused[0] == "ValidationError"
    arn = (await create(world))["TargetGroupArn"]
    both = [{"Id": FUNCTION.format(name)} for name in ("one", "two")]
    refused = await world.refused("RegisterTargets", TargetGroupArn=arn, Targets=both)
    assert refused[0] == "TooManyTargets"
    for target in ({"Id": "10.0.0.1"}, {**both[0], "Port": 80}):
        refused = await world.refused("RegisterTargets", TargetGroupArn=arn, Targets=[target])
        assert refused[0] == "ValidationError"


@pytest.mark.covers("elbv2:CreateTargetGroup")
async def test_functions_need_somebody_who_invokes_them(world) -> None:
    world.call = replace(world.call, settings=ApiSettings())
    code, message = await world.refused("CreateTargetGroup", **REQUEST)
    assert code == "InvalidConfigurationRequest"
    assert "lambda_url" in message
