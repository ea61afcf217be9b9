from __future__ import annotations

import pytest

from openecs.model.clusters import AutoScalingGroupProvider, CapacityProvider
from openecs.store.kinds import CAPACITY_PROVIDERS, CLUSTERS
from openecs.testing.builders import SCOPE, a_cluster

GROUP = (
    "arn:aws:autoscaling:eu-central-1:123456789012:autoScalingGroup:"
    "0e0ff0a1-0000-0000-0000-000000000000:autoScalingGroupName/group"
)
OWN = CapacityProvider(
    scope=SCOPE,
    name="mine",
    auto_scaling_group_provider=AutoScalingGroupProvider(auto_scaling_group_arn=GROUP),
    tags={"a": "1"},
)


async def test_the_two_of_fargate_are_always_there(world) -> None:
    answer = await world.do("DescribeCapacityProviders")
    assert [each["name"] for each in answer["capacityProviders"]] == ["FARGATE", "FARGATE_SPOT"]
    assert answer["capacityProviders"][0] == {
        "capacityProviderArn": ("arn:aws:ecs:eu-central-1:123456789012:capacity-provider/FARGATE"),
        "name": "FARGATE",
        "status": "ACTIVE",
        "type": "FARGATE",
        "tags": [],
    }


async def test_pages_hold_the_built_in_ones_too(world) -> None:
    names = ["A", "FARGATE", "FARGATE_SPOT", "mine"]
    await world.put(CAPACITY_PROVIDERS, [OWN, CapacityProvider(scope=SCOPE, name="A")])
    seen, token = [], {}
    while True:
        answer = await world.do("DescribeCapacityProviders", maxResults=1, **token)
        seen += [each["name"] for each in answer["capacityProviders"]]
        if "nextToken" not in answer:
            break
        token = {"nextToken": answer["nextToken"]}
    assert seen == names


@pytest.mark.covers("ecs:DescribeCapacityProviders")
async def test_by_name_and_arn(world) -> None:
    await world.put(CAPACITY_PROVIDERS, [OWN])
    answer = await world.do(
        "DescribeCapacityProviders", capacityProviders=[OWN.arn, "nope"], include=["TAGS"]
    )
    assert [each["name"] for each in answer["capacityProviders"]] == ["mine"]
    assert answer["capacityProviders"][0]["tags"] == [{"key": "a", "value": "1"}]
    assert [each["reason"] for each in answer["failures"]] == ["MISSING"]


@pytest.mark.parametrize("name", ["awsome", "ecs-x", "FARGATE2", "a b", "", "x" * 256])
async def test_names_that_may_not_be(world, name: str) -> None:
    code, message = await world.refused("CreateCapacityProvider", name=name)
    assert code == "ClientException"
    assert "name is invalid" in message


@pytest.mark.covers("ecs:CreateCapacityProvider")
async def test_there_is_no_auto_scaling_group_to_be_of(world) -> None:
    code, message = await world.refused(
        "CreateCapacityProvider",
        name="mine",
        autoScalingGroupProvider={"autoScalingGroupArn": GROUP},
    )
    assert code == "ClientException"
    assert "Auto Scaling group" in message
    answer = await world.do("DescribeCapacityProviders", capacityProviders=["mine"])
    assert answer["capacityProviders"] == []


@pytest.mark.covers("ecs:UpdateCapacityProvider")
async def test_update_keeps_what_is_not_given(world) -> None:
    await world.put(CAPACITY_PROVIDERS, [OWN])
    answer = await world.do(
        "UpdateCapacityProvider",
        name="mine",
        autoScalingGroupProvider={"managedScaling": {"targetCapacity": 80}},
    )
    group = answer["capacityProvider"]["autoScalingGroupProvider"]
    assert group["autoScalingGroupArn"] == GROUP
    assert group["managedScaling"]["targetCapacity"] == 80
    assert group["managedScaling"]["status"] == "DISABLED"


@pytest.mark.covers("ecs:DeleteCapacityProvider")
async def test_delete(world) -> None:
    await world.put(CAPACITY_PROVIDERS, [OWN])
    await world.put(CLUSTERS, [a_cluster(capacity_providers=("mine",))])
    code, message = await world.refused("DeleteCapacityProvider", capacityProvider="mine")
    assert (code, "is in use" in message) == ("ClientException", True)
    await world.put(CLUSTERS, [a_cluster()])
    answer = await world.do("DeleteCapacityProvider", capacityProvider=OWN.arn)
    assert answer["capacityProvider"]["updateStatus"] == "DELETE_COMPLETE"
    code, _ = await world.refused("DeleteCapacityProvider", capacityProvider="mine")
    assert code == "ClientException"


async def test_fargate_stays(world) -> None:
    code, _ = await world.refused("DeleteCapacityProvider", capacityProvider="FARGATE")
    assert code == "ClientException"
