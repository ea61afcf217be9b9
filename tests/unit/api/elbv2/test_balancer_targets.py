"""Application load balancers as targets, over the operations."""

from __future__ import annotations

import pytest

from openecs.decide.default_network import default_network
from openecs.store.kinds import LOAD_BALANCERS, TARGETS
from openecs.testing.builders import SCOPE

NETWORK = default_network(SCOPE)
GROUP = {"Protocol": "TCP", "Port": 80, "VpcId": NETWORK.vpc.id, "TargetType": "alb"}
FIXED = [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200"}}]


async def balancer(world, name, type_="application"):
    subnets = [subnet.id for subnet in NETWORK.subnets[:2]]
    made = await world.do("CreateLoadBalancer", Name=name, Subnets=subnets, Type=type_)
    return made["LoadBalancers"][0]["LoadBalancerArn"]


async def group(world, name="inner", **changes):
    made = await world.do("CreateTargetGroup", Name=name, **{**GROUP, **changes})
    return made["TargetGroups"][0]


@pytest.fixture
async def setting(world):
    """An application load balancer that listens on port 80, and a target group for it."""
    arn = await balancer(world, "inner")
    request = {"LoadBalancerArn": arn, "Protocol": "HTTP", "Port": 80}
    await world.do("CreateListener", **request, DefaultActions=FIXED)
    return world, arn, (await group(world))["TargetGroupArn"]


@pytest.mark.covers("elbv2:CreateTargetGroup", "elbv2:RegisterTargets", "elbv2:DeregisterTargets")
async def test_a_load_balancer_is_a_target(setting) -> None:
    world, arn, inner = setting
    shown = await group(world, "other")
    assert (shown["TargetType"], shown["HealthCheckProtocol"]) == ("alb", "HTTP")
    assert shown["Matcher"] == {"HttpCode": "200-399"}
    await world.do("RegisterTargets", TargetGroupArn=inner, Targets=[{"Id": arn}])
    balancers, targets = await world.store.read(
        lambda view: (view.scan(LOAD_BALANCERS, SCOPE), view.scan(TARGETS, SCOPE))
    )
    assert [each.address for each in targets] == [balancers[0].loopback_address]
    health = await world.do("DescribeTargetHealth", TargetGroupArn=inner)
    assert health["TargetHealthDescriptions"][0]["Target"] == {"Id": arn, "Port": 80}
    assert (await world.refused("DeleteLoadBalancer", LoadBalancerArn=arn))[0] == "ResourceInUse"
    await world.do("DeregisterTargets", TargetGroupArn=inner, Targets=[{"Id": arn}])
    await world.do("DeleteLoadBalancer", LoadBalancerArn=arn)


@pytest.mark.covers("elbv2:RegisterTargets", "elbv2:CreateListener", "elbv2:CreateTargetGroup")
async def test_what_a_target_cannot_be(setting) -> None:
    world, arn, inner = setting
    network = await balancer(world, "outer", "network")
    silent, second = await balancer(world, "silent"), await balancer(world, "second")
    for target, code in (
        ({"Id": network}, "InvalidTarget"),
        ({"Id": silent}, "InvalidTarget"),
        ({"Id": arn, "Port": 81}, "InvalidTarget"),
        ({"Id": "10.0.0.1"}, "ValidationError"),
    ):
        request = {"TargetGroupArn": inner, "Targets": [target]}
        assert (await world.refused("RegisterTargets", **request))[0] == code
    both = [{"Id": arn}, {"Id": second}]
    refused = await world.refused("RegisterTargets", TargetGroupArn=inner, Targets=both)
    assert refused[0] == "TooManyTargets"
    request = {"Name": "web", **GROUP, "Protocol": "HTTP"}
    assert (await world.refused("CreateTargetGroup", **request))[0] == "ValidationError"
    listening = {"LoadBalancerArn": network, "Port": 80, "Protocol": "UDP"}
    actions = [{"Type": "forward", "TargetGroupArn": inner}]
    refused = await world.refused("CreateListener", **listening, DefaultActions=actions)
    assert refused[0] == "IncompatibleProtocols"
    await world.do("CreateListener", **{**listening, "Protocol": "TCP"}, DefaultActions=actions)
