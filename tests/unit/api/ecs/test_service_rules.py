"""What a service may be, and what of an update reaches whom."""

from __future__ import annotations

from dataclasses import replace

import pytest

from openecs.model.task_definitions import NetworkMode, TaskDefinitionStatus
from openecs.store.kinds import CLUSTERS, SERVICES, TASK_DEFINITIONS
from openecs.testing.builders import SCOPE, SUBNET, a_cluster, a_task_definition

INVALID, CLIENT = "InvalidParameterException", "ClientException"
ZONES = {"type": "spread", "field": "attribute:ecs.availability-zone"}
EXTERNAL = {"type": "EXTERNAL"}
AWSVPC = {"awsvpcConfiguration": {"subnets": [SUBNET]}}
FARGATE = a_task_definition(
    "fargate",
    network_mode=NetworkMode.AWSVPC,
    compatibilities=("EC2", "FARGATE"),
    cpu=256,
    memory=512,
)


@pytest.fixture
async def world(world):
    await world.put(CLUSTERS, [a_cluster(capacity_providers=("FARGATE", "FARGATE_SPOT"))])
    await world.put(TASK_DEFINITIONS, [a_task_definition("web"), FARGATE])
    return world


def asked(**changes):
    request = {"serviceName": "s", "taskDefinition": "web", "desiredCount": 2, **changes}
    return {name: value for name, value in request.items() if value is not None}


async def create(world, **changes):
    return (await world.do("CreateService", **asked(**changes)))["service"]


async def update(world, **changes):
    return (await world.do("UpdateService", service="s", **changes))["service"]


async def deregister(world, family="web"):
    gone = a_task_definition(family, status=TaskDefinitionStatus.INACTIVE)
    await world.put(TASK_DEFINITIONS, [gone])


@pytest.mark.covers("ecs:CreateService")
async def test_what_is_not_said_is_as_amazon_has_it(world) -> None:
    service = await create(world)
    number = service["deployments"][0]["id"]
    assert number.startswith("ecs-svc/")
    assert service["deploymentConfiguration"] == {
        "deploymentCircuitBreaker": {"enable": False, "rollback": False},
        "maximumPercent": 200,
        "minimumHealthyPercent": 100,
        "strategy": "ROLLING",
        "bakeTimeInMinutes": 0,
    }
    assert (service["launchType"], service["schedulingStrategy"]) == ("EC2", "REPLICA")
    assert (service["placementStrategy"], service["placementConstraints"]) == ([], [])
    assert (service["propagateTags"], service["availabilityZoneRebalancing"]) == ("NONE", "ENABLED")
    absent = {"capacityProviderStrategy", "networkConfiguration", "platformVersion", "taskSets"}
    assert not absent & set(service)
    assert not {"healthCheckGracePeriodSeconds", "deploymentController", "roleArn"} & set(service)
    (deployment,) = service["deployments"]
    assert deployment["status"] == "PRIMARY"
    assert deployment["rolloutState"] == "IN_PROGRESS"
    assert deployment["rolloutStateReason"] == f"ECS deployment {number} in progress."


@pytest.mark.parametrize("value", ["SERVICE", "TASK_DEFINITION", "NONE"])
async def test_tags_propagate_from_what_the_service_says(world, value) -> None:
    assert (await create(world, propagateTags=value))["propagateTags"] == value
    assert (await update(world, forceNewDeployment=True, propagateTags=value))["deployments"][1:]


async def test_a_daemon_is_created_twice_without_harm(world) -> None:
    daemon = {"schedulingStrategy": "DAEMON", "desiredCount": None}
    await create(world, **daemon)

    def count_instances(tx):
        service = tx.get(SERVICES, SCOPE, "default/s")
        tx.put(SERVICES, replace(service, desired_count=3))

    await world.store.write(count_instances)
    again = await create(world, **daemon)
    assert again["desiredCount"] == 3
    assert again["deploymentConfiguration"]["maximumPercent"] == 100
    assert again["deploymentConfiguration"]["minimumHealthyPercent"] == 0


async def test_another_service_of_the_same_name(world) -> None:
    first = await create(world)
    assert (await create(world))["deployments"] == first["deployments"]
    assert await world.refused("CreateService", **asked(desiredCount=3)) == (
        INVALID,
        "Creation of service was not idempotent.",
    )


@pytest.mark.parametrize(
    ("request_", "value"),
    [
        ({"placementStrategy": [ZONES, {"type": "random"}]}, "ENABLED"),
        ({"placementStrategy": [{"type": "random"}]}, "DISABLED"),
        ({"deploymentConfiguration": {"maximumPercent": 100}}, "DISABLED"),
        ({"schedulingStrategy": "DAEMON", "desiredCount": None}, "DISABLED"),
        ({"availabilityZoneRebalancing": "DISABLED"}, "DISABLED"),
    ],
)
async def test_zones_are_rebalanced_where_they_can_be(world, request_, value) -> None:
    assert (await create(world, **request_))["availabilityZoneRebalancing"] == value


async def test_zones_cannot_be_rebalanced_without_room(world) -> None:
    request = asked(
        availabilityZoneRebalancing="ENABLED", deploymentConfiguration={"maximumPercent": 100}
    )
    code, message = await world.refused("CreateService", **request)
    assert (code, message.split(" needs ")[0]) == (INVALID, "Availability Zone rebalancing")


async def test_a_definition_that_is_gone(world) -> None:
    await create(world)
    await deregister(world)
    inactive = (CLIENT, "TaskDefinition is inactive")
    assert await world.refused("CreateService", **asked(taskDefinition="web:1")) == inactive
    for changes in ({"taskDefinition": "web:1"}, {"forceNewDeployment": True}):
        assert await world.refused("UpdateService", service="s", **changes) == inactive
    missing = (CLIENT, "TaskDefinition not found.")
    assert await world.refused("CreateService", **asked(taskDefinition="nothing")) == missing


async def test_a_service_goes_on_with_a_definition_that_is_gone(world) -> None:
    await create(world)
    await deregister(world)
    service = await update(world, desiredCount=5, placementStrategy=[{"type": "random"}])
    assert (service["desiredCount"], len(service["deployments"])) == (5, 1)
    assert service["placementStrategy"] == [{"type": "random"}]


async def test_an_external_service_chooses_how_its_tasks_are_placed(world) -> None:
    external = asked(taskDefinition=None, deploymentController=EXTERNAL)
    constraint = {"type": "memberOf", "expression": "attribute:ecs.os-type == linux"}
    service = (await world.do("CreateService", **external, placementConstraints=[constraint]))[
        "service"
    ]
    assert service["placementConstraints"] == [constraint]
    assert (service["deployments"], service["taskSets"]) == ([], [])
    service = await update(world, placementStrategy=[ZONES], desiredCount=1)
    assert service["placementConstraints"] == [constraint]
    assert (service["placementStrategy"], service["desiredCount"]) == ([ZONES], 1)
    assert (await update(world, placementConstraints=[]))["placementConstraints"] == []


@pytest.mark.parametrize(
    "request_",
    [
        {"schedulingStrategy": "DAEMON", "desiredCount": None},
        {"taskDefinition": "web"},
        {"launchType": "FARGATE"},
        {"networkConfiguration": AWSVPC},
        {"placementConstraints": [{"type": "memberOf", "expression": "=="}]},
    ],
)
async def test_what_an_external_service_cannot_have(world, request_) -> None:
    external = {"taskDefinition": None, "deploymentController": EXTERNAL}
    code, _ = await world.refused("CreateService", **asked(**(external | request_)))
    assert code == INVALID


@pytest.mark.parametrize(
    ("request_", "refusal"),
    [
        ({"monitoring": {"metricConfigurations": []}}, (CLIENT, "OpenECS has no metrics")),
        ({"role": "r"}, (INVALID, "You cannot specify an IAM role for services")),
        (
            {"serviceConnectConfiguration": {"enabled": True}},
            ("NamespaceNotFoundException", "The specified namespace"),
        ),
        (
            {"loadBalancers": [{"loadBalancerName": "b"}]},
            (INVALID, "OpenECS has no Classic Load Balancers"),
        ),
        (
            {"loadBalancers": [{"targetGroupArn": "a"}, {"loadBalancerName": "b"}]},
            (INVALID, "All loadBalancers must be strictly either ELBv1"),
        ),
        ({"healthCheckGracePeriodSeconds": 5}, (INVALID, "Health check grace period is only")),
        ({"volumeConfigurations": [{"name": "v"}]}, (CLIENT, "OpenECS has no EBS volumes")),
    ],
)
async def test_what_nothing_stands_behind(world, request_, refusal) -> None:
    code, text = refusal
    actual, message = await world.refused("CreateService", **asked(**request_))
    assert (actual, message[: len(text)]) == (code, text)
    await create(world)
    assert (await world.refused("UpdateService", service="s", **request_))[0] == code


@pytest.mark.parametrize(
    "configuration",
    [
        {"strategy": "BLUE_GREEN"},
        {"lifecycleHooks": [{"hookTargetArn": "a"}]},
        {"alarms": {"alarmNames": [], "enable": True, "rollback": False}},
        {"earlySuccessCriteria": {"enable": True, "healthyPercent": 50}},
        {
            "deploymentCircuitBreaker": {
                "enable": True,
                "rollback": True,
                "thresholdConfiguration": {"type": "COUNT", "value": 10},
            }
        },
        {
            "deploymentCircuitBreaker": {
                "enable": True,
                "rollback": True,
                "resetOnHealthyTask": False,
            }
        },
        {"minimumHealthyPercent": 101, "maximumPercent": 100},
        {"bakeTimeInMinutes": 1441},
    ],
)
async def test_deployments_that_cannot_be(world, configuration) -> None:
    request = asked(deploymentConfiguration=configuration)
    assert (await world.refused("CreateService", **request))[0] == INVALID


async def test_the_defaults_of_newer_members_may_be_said(world) -> None:
    breaker = {
        "enable": True,
        "rollback": True,
        "resetOnHealthyTask": True,
        "thresholdConfiguration": {"type": "BOUNDED_PERCENT", "value": 50},
    }
    alarms = {"alarmNames": [], "enable": False, "rollback": False}
    configuration = {"deploymentCircuitBreaker": breaker, "alarms": alarms}
    shown = (await create(world, deploymentConfiguration=configuration))["deploymentConfiguration"]
    assert shown["deploymentCircuitBreaker"] == {"enable": True, "rollback": True}
    assert shown["alarms"] == alarms


@pytest.mark.covers("ecs:UpdateService")
async def test_a_deployment_configuration_is_changed_member_by_member(world) -> None:
    await create(world, deploymentConfiguration={"maximumPercent": 150})
    service = await update(world, deploymentConfiguration={"minimumHealthyPercent": 50})
    configuration = service["deploymentConfiguration"]
    assert configuration["maximumPercent"] == 150
    assert configuration["minimumHealthyPercent"] == 50
    assert len(service["deployments"]) == 1


async def test_the_controller_stays(world) -> None:
    await create(world)
    refused = await world.refused("UpdateService", service="s", deploymentController=EXTERNAL)
    assert refused[0] == INVALID
    service = await update(world, deploymentController={"type": "ECS"}, desiredCount=1)
    assert service["desiredCount"] == 1


async def test_fargate_is_shown_twice(world) -> None:
    service = await create(
        world, taskDefinition="fargate", launchType="FARGATE", networkConfiguration=AWSVPC
    )
    assert (service["platformVersion"], service["platformFamily"]) == ("LATEST", "Linux")
    (deployment,) = service["deployments"]
    assert (deployment["platformVersion"], deployment["platformFamily"]) == ("1.4.0", "Linux")
    shown = {"subnets": [SUBNET], "securityGroups": [], "assignPublicIp": "DISABLED"}
    assert service["networkConfiguration"]["awsvpcConfiguration"] == shown
    assert service["roleArn"].endswith(
        ":role/aws-service-role/ecs.amazonaws.com/" + "AWSServiceRoleForECS"
    )
    service = await update(world, platformVersion="LATEST", networkConfiguration=AWSVPC)
    assert len(service["deployments"]) == 1
    service = await update(world, platformVersion="1.4.0")
    assert [d["status"] for d in service["deployments"]] == ["PRIMARY", "ACTIVE"]


async def test_no_launch_type_to_fall_back_to(world) -> None:
    strategy = [{"capacityProvider": "FARGATE", "weight": 1, "base": 1}]
    service = await create(
        world,
        taskDefinition="fargate",
        capacityProviderStrategy=strategy,
        networkConfiguration=AWSVPC,
    )
    assert service["capacityProviderStrategy"] == strategy
    assert "launchType" not in service
    assert await world.refused("UpdateService", service="s", capacityProviderStrategy=[]) == (
        INVALID,
        (
            "No launch type to fall back to for empty capacity provider strategy. Your service was "
            "not created with a launch type."
        ),
    )
    spot = [{"capacityProvider": "FARGATE_SPOT", "weight": 1, "base": 0}]
    service = await update(world, capacityProviderStrategy=spot)
    (deployment,) = service["deployments"]
    assert service["capacityProviderStrategy"] == deployment["capacityProviderStrategy"] == spot
    arn = service["currentServiceRevisions"][0]["arn"]
    told = await world.do("DescribeServiceRevisions", serviceRevisionArns=[arn])
    assert told["serviceRevisions"][0]["capacityProviderStrategy"] == spot
