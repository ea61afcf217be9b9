"""The target groups a service may serve, and what of an update of them is a deployment."""

from __future__ import annotations

from dataclasses import replace

import pytest

from openecs.model.load_balancing import TargetType
from openecs.model.task_definitions import NetworkMode, PortMapping
from openecs.store.kinds import CLUSTERS, LISTENERS, TARGET_GROUPS, TASK_DEFINITIONS
from openecs.testing.builders import (
    SUBNET,
    a_cluster,
    a_container_definition,
    a_listener,
    a_target_group,
    a_task_definition,
)

INVALID = "InvalidParameterException"
APP = a_container_definition(port_mappings=(PortMapping(container_port=80),))
GROUP, OTHER, IDLE = (a_target_group(name) for name in ("one", "other", "idle"))
DATAGRAMS = a_target_group("datagrams", protocol="UDP")
BY_ADDRESS = a_target_group("addresses", target_type=TargetType.IP)
NETWORK = {"awsvpcConfiguration": {"subnets": [SUBNET]}}


@pytest.fixture
async def world(world):
    awsvpc = a_task_definition("vpc", 1, APP, network_mode=NetworkMode.AWSVPC)
    await world.put(CLUSTERS, [a_cluster()])
    await world.put(TASK_DEFINITIONS, [a_task_definition("web", 1, APP), awsvpc])
    await world.put(TARGET_GROUPS, [GROUP, OTHER, IDLE, BY_ADDRESS, DATAGRAMS])
    await world.put(LISTENERS, [a_listener(GROUP, OTHER, BY_ADDRESS, DATAGRAMS)])
    return world


def serving(*groups, container="app", port=80):
    return [
        {"targetGroupArn": group.arn, "containerName": container, "containerPort": port}
        for group in groups
    ]


async def create(world, *groups, **changes):
    request = {"serviceName": "s", "taskDefinition": "web", "desiredCount": 1}
    balanced = {"loadBalancers": serving(*groups)} if groups else {}
    return (await world.do("CreateService", **{**request, **balanced, **changes}))["service"]


async def update(world, **changes):
    return (await world.do("UpdateService", service="s", **changes))["service"]


async def test_a_service_shows_what_it_serves(world) -> None:
    service = await create(world, GROUP, OTHER, healthCheckGracePeriodSeconds=7)
    assert service["loadBalancers"] == serving(GROUP, OTHER)
    assert service["healthCheckGracePeriodSeconds"] == 7
    arn = service["currentServiceRevisions"][0]["arn"]
    told = await world.do("DescribeServiceRevisions", serviceRevisionArns=[arn])
    assert told["serviceRevisions"][0]["loadBalancers"] == serving(GROUP, OTHER)


async def test_addresses_are_for_tasks_that_have_one(world) -> None:
    changes = {"taskDefinition": "vpc", "networkConfiguration": NETWORK}
    service = await create(world, BY_ADDRESS, **changes)
    assert service["loadBalancers"] == serving(BY_ADDRESS)


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (serving(replace(GROUP, id="9".zfill(16))), "The specified target group does not exist."),
        (
            serving(IDLE),
            (
                f"The target group with targetGroupArn {IDLE.arn} does not have an associated load "
                "balancer."
            ),
        ),
        (
            serving(BY_ADDRESS),
            (
                f"The provided target group {BY_ADDRESS.arn} has target type ip, which is "
                "incompatible with the bridge network mode specified in the task definition."
            ),
        ),
        (
            serving(GROUP, container="x"),
            "The container x does not exist in the task definition.",
        ),
        (serving(GROUP, port=81), "The container app did not have a container port 81 defined."),
        (
            serving(DATAGRAMS),
            (
                "The container app did not have a container port 80 defined for the protocol UDP "
                f"of the target group {DATAGRAMS.arn}."
            ),
        ),
        ([{"targetGroupArn": GROUP.arn}], "Container name should not be null or empty."),
        (
            [serving(GROUP)[0] | {"advancedConfiguration": {"alternateTargetGroupArn": OTHER.arn}}],
            "productionListenerRule is required in advancedConfiguration.",
        ),
        (serving(*[GROUP] * 6), "load balancers can have at most 5 items."),
    ],
)
async def test_what_cannot_be_served(world, given, text) -> None:
    request = {"serviceName": "s", "taskDefinition": "web", "desiredCount": 1}
    refused = await world.refused("CreateService", **request, loadBalancers=given)
    assert refused == (INVALID, text)


async def test_another_target_group_is_another_deployment(world) -> None:
    first = await create(world, GROUP)
    assert len((await update(world, desiredCount=2))["deployments"]) == 1
    same = await update(world, loadBalancers=serving(GROUP))
    assert same["deployments"][0]["id"] == first["deployments"][0]["id"]
    changed = await update(world, loadBalancers=serving(OTHER))
    assert len(changed["deployments"]) == 2
    assert changed["loadBalancers"] == serving(OTHER)
    assert (await update(world, forceNewDeployment=True))["loadBalancers"] == serving(OTHER)
    assert (await update(world, loadBalancers=[]))["loadBalancers"] == []


async def test_the_grace_period_is_for_what_is_balanced(world) -> None:
    await create(world, GROUP)
    assert (await update(world, healthCheckGracePeriodSeconds=9))[
        "healthCheckGracePeriodSeconds"
    ] == 9
    refused = await world.refused(
        "UpdateService", service="s", loadBalancers=[], healthCheckGracePeriodSeconds=3
    )
    assert refused[1].startswith("Health check grace period is only valid")
