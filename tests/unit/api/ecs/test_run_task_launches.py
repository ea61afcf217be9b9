from __future__ import annotations

import pytest

from openecs.model.clusters import CapacityProviderStrategyItem
from openecs.model.task_definitions import (
    Attribute,
    NetworkMode,
    RuntimePlatform,
)
from openecs.store.kinds import CLUSTERS, MACHINES, TASK_DEFINITIONS
from openecs.testing.builders import (
    SECURITY_GROUP,
    SUBNET,
    a_cluster,
    a_machine,
    a_task_definition,
)

AWSVPC = {"awsvpcConfiguration": {"subnets": [SUBNET], "securityGroups": [SECURITY_GROUP]}}
FARGATE = a_task_definition(
    "fargate",
    network_mode=NetworkMode.AWSVPC,
    compatibilities=("EC2", "FARGATE"),
    cpu=256,
    memory=512,
)


@pytest.fixture
async def world(world):
    await world.put(CLUSTERS, [a_cluster()])
    await world.put(MACHINES, [a_machine(cpu=2048, memory=1000)])
    await world.put(TASK_DEFINITIONS, [a_task_definition("web")])
    return world


async def run(world, **request):
    answer = await world.do("RunTask", **{"taskDefinition": "web", **request})
    return answer["tasks"], answer["failures"]


async def test_network_configuration_goes_with_awsvpc(world) -> None:
    vpc = a_task_definition("vpc", network_mode=NetworkMode.AWSVPC)
    await world.put(TASK_DEFINITIONS, [vpc])
    assert await world.refused("RunTask", taskDefinition="vpc") == (
        "InvalidParameterException",
        "Network Configuration must be provided when networkMode 'awsvpc' is specified.",
    )
    assert await world.refused("RunTask", taskDefinition="web", networkConfiguration=AWSVPC) == (
        "InvalidParameterException",
        "Network Configuration is not valid for the given networkMode of this task definition.",
    )
    (task,), _ = await run(world, taskDefinition="vpc", networkConfiguration=AWSVPC)
    assert task["lastStatus"] == "PROVISIONING"
    (attachment,) = task["attachments"]
    assert (attachment["type"], attachment["status"]) == ("ElasticNetworkInterface", "PRECREATED")


async def test_fargate_is_this_machine_without_an_instance(world) -> None:
    await world.put(TASK_DEFINITIONS, [FARGATE])
    assert await world.refused("RunTask", taskDefinition="web", launchType="FARGATE") == (
        "InvalidParameterException",
        "Task definition does not support launch_type FARGATE.",
    )
    request = {
        "taskDefinition": "fargate",
        "launchType": "FARGATE",
        "networkConfiguration": AWSVPC,
    }
    (task,), failures = await run(world, **request, count=2)
    assert (task["launchType"], task["platformVersion"]) == ("FARGATE", "1.4.0")
    assert "containerInstanceArn" not in task
    assert task["ephemeralStorage"] == {"sizeInGiB": 20}
    assert failures[0]["reason"].startswith("Capacity is unavailable at this time.")


async def test_a_capacity_provider_strategy(world) -> None:
    await world.put(MACHINES, [a_machine(memory=4096)])
    await world.put(TASK_DEFINITIONS, [FARGATE])
    await world.put(CLUSTERS, [a_cluster(capacity_providers=("FARGATE", "FARGATE_SPOT"))])
    strategy = [
        {"capacityProvider": "FARGATE", "base": 1, "weight": 1},
        {"capacityProvider": "FARGATE_SPOT", "weight": 3},
    ]
    request = {"taskDefinition": "fargate", "networkConfiguration": AWSVPC}
    tasks, _ = await run(world, **request, capacityProviderStrategy=strategy, count=5)
    names = [task["capacityProviderName"] for task in tasks]
    assert sorted(names) == ["FARGATE", "FARGATE", "FARGATE_SPOT", "FARGATE_SPOT", "FARGATE_SPOT"]
    code, message = await world.refused(
        "RunTask", **request, capacityProviderStrategy=strategy, launchType="FARGATE"
    )
    assert message.startswith("Specifying both a launch type and capacity provider strategy")
    assert code == "InvalidParameterException"


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (
            {"placementConstraints": [{"type": "distinctInstance"}]},
            "Placement constraints are not supported with FARGATE launch type.",
        ),
        (
            {"placementStrategy": [{"type": "random"}]},
            "Placement strategies are not supported with FARGATE launch type.",
        ),
        ({"platformVersion": "1.3.0"}, "The platform version 1.3.0 is not valid: use LATEST."),
        (
            {"overrides": {"memory": "600"}},
            "No Fargate configuration exists for given values: 256 CPU, 600 memory.",
        ),
    ],
)
async def test_what_fargate_does_not_take(world, request_, message) -> None:
    await world.put(TASK_DEFINITIONS, [FARGATE])
    refused = await world.refused(
        "RunTask",
        taskDefinition="fargate",
        launchType="FARGATE",
        networkConfiguration=AWSVPC,
        **request_,
    )
    assert refused[1] == message


async def test_what_instances_do_not_take(world) -> None:
    await world.put(TASK_DEFINITIONS, [a_task_definition("vpc", network_mode=NetworkMode.AWSVPC)])
    public = {"awsvpcConfiguration": {"subnets": [SUBNET], "assignPublicIp": "ENABLED"}}
    refused = await world.refused("RunTask", taskDefinition="vpc", networkConfiguration=public)
    assert refused[1] == "Assign public IP is not supported for this launch type."
    refused = await world.refused("RunTask", taskDefinition="web", platformVersion="LATEST")
    assert refused[1] == "The platform version must be null when specifying an EC2 launch type."
    refused = await world.refused("RunTask", taskDefinition="web", launchType="EXTERNAL")
    assert refused[1] == "No Container Instances were found in your cluster."


async def test_a_strategy_needs_a_weight_among_several(world) -> None:
    await world.put(TASK_DEFINITIONS, [FARGATE])
    await world.put(CLUSTERS, [a_cluster(capacity_providers=("FARGATE", "FARGATE_SPOT"))])
    request = {"taskDefinition": "fargate", "networkConfiguration": AWSVPC}
    spot, plain = {"capacityProvider": "FARGATE_SPOT"}, {"capacityProvider": "FARGATE"}
    code, _ = await world.refused("RunTask", **request, capacityProviderStrategy=[spot, plain])
    assert code == "InvalidParameterException"
    (task,), _ = await run(world, **request, capacityProviderStrategy=[spot])
    assert task["capacityProviderName"] == "FARGATE_SPOT"


async def test_the_default_strategy_of_the_cluster(world) -> None:
    await world.put(TASK_DEFINITIONS, [FARGATE])
    item = CapacityProviderStrategyItem(capacity_provider="FARGATE_SPOT", weight=1)
    cluster = a_cluster(
        capacity_providers=("FARGATE_SPOT",), default_capacity_provider_strategy=(item,)
    )
    await world.put(CLUSTERS, [cluster])
    (task,), _ = await run(world, taskDefinition="fargate", networkConfiguration=AWSVPC)
    assert task["capacityProviderName"] == "FARGATE_SPOT"
    (task,), _ = await run(world, launchType="EC2")
    assert "capacityProviderName" not in task


async def test_a_task_has_the_architecture_of_its_machine(world) -> None:
    arm = (Attribute(name="ecs.cpu-architecture", value="arm64"),)
    await world.put(MACHINES, [a_machine(attributes=arm)])
    (task,), _ = await run(world)
    assert task["attributes"] == [{"name": "ecs.cpu-architecture", "value": "arm64"}]
    intel = RuntimePlatform(cpu_architecture="X86_64")
    await world.put(TASK_DEFINITIONS, [a_task_definition("intel", runtime_platform=intel)])
    assert (await run(world, taskDefinition="intel"))[1][0]["reason"] == "ATTRIBUTE"
