"""Task sets of services that are deployed from outside."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from openecs.model.services import ServiceStatus
from openecs.model.task_definitions import NetworkMode, TaskDefinitionStatus
from openecs.model.tasks import TaskStatus
from openecs.store.kinds import (
    CLUSTERS,
    SERVICE_REVISIONS,
    SERVICES,
    TASK_DEFINITIONS,
    TASK_SETS,
    TASKS,
)
from openecs.testing.builders import (
    NOW,
    SCOPE,
    SUBNET,
    a_call,
    a_cluster,
    a_task,
    a_task_definition,
)

INVALID = "InvalidParameterException"
FULL = (
    "5 deployments exist on the service. Unable to create new TaskSet since this exceeds the "
    "maximum limit."
)
ONLY_EXTERNAL = (
    "Amazon ECS only supports task set management on services configured to use external "
    "deployment controllers."
)
HERE = {"cluster": "default", "service": "s"}
UNKNOWN = "ecs-svc/1999999999999999999"
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
    gone = a_task_definition("gone", status=TaskDefinitionStatus.INACTIVE)
    await world.put(TASK_DEFINITIONS, [a_task_definition("web"), FARGATE, gone])
    await world.do(
        "CreateService", serviceName="s", desiredCount=3, deploymentController={"type": "EXTERNAL"}
    )
    return world


def percent(value):
    return {"value": value, "unit": "PERCENT"}


async def create(world, scale=None, **members):
    request = {**HERE, "taskDefinition": "web", **members}
    if scale is not None:
        request["scale"] = percent(scale)
    return (await world.do("CreateTaskSet", **request))["taskSet"]


async def described(world, *task_sets, **members):
    return await world.do("DescribeTaskSets", **HERE, taskSets=list(task_sets), **members)


async def the_service(world):
    return (await world.do("DescribeServices", services=["s"]))["services"][0]


async def end(world, status):
    service = await world.store.read(lambda view: view.get(SERVICES, SCOPE, "default/s"))
    await world.put(SERVICES, [replace(service, status=status)])


@pytest.mark.covers("ecs:CreateTaskSet")
async def test_a_task_set_is_created(world) -> None:
    made = await create(world, 50.0, externalId="build-7", tags=[{"key": "a", "value": "b"}])
    number = made["id"]
    assert re.fullmatch("ecs-svc/[0-9]{19}", number)
    assert made == {
        "id": number,
        "taskSetArn": SCOPE.arn("ecs", f"task-set/default/s/{number}"),
        "serviceArn": SCOPE.arn("ecs", "service/default/s"),
        "clusterArn": SCOPE.arn("ecs", "cluster/default"),
        "externalId": "build-7",
        "status": "ACTIVE",
        "taskDefinition": SCOPE.arn("ecs", "task-definition/web:1"),
        "computedDesiredCount": 2,
        "pendingCount": 0,
        "runningCount": 0,
        "createdAt": NOW,
        "updatedAt": NOW,
        "launchType": "EC2",
        "loadBalancers": [],
        "serviceRegistries": [],
        "scale": percent(50.0),
        "stabilityStatus": "STABILIZING",
        "stabilityStatusAt": NOW,
        "tags": [{"key": "a", "value": "b"}],
    }
    assert (await the_service(world))["taskSets"][0]["id"] == number


async def test_without_a_scale_nothing_is_to_run(world) -> None:
    made = await create(world)
    assert (made["scale"], made["computedDesiredCount"]) == (percent(0.0), 0)


async def test_its_revision_is_on_record(world) -> None:
    await create(world)
    (revision,) = await world.store.read(lambda view: view.scan(SERVICE_REVISIONS, SCOPE))
    answer = await world.do("DescribeServiceRevisions", serviceRevisionArns=[revision.arn])
    (shown,) = answer["serviceRevisions"]
    assert shown["taskDefinition"].endswith("task-definition/web:1")


async def test_on_fargate(world) -> None:
    made = await create(
        world, taskDefinition="fargate", launchType="FARGATE", networkConfiguration=AWSVPC
    )
    assert (made["launchType"], made["platformFamily"]) == ("FARGATE", "Linux")
    assert made["platformVersion"] == "1.4.0"
    assert made["networkConfiguration"]["awsvpcConfiguration"]["subnets"] == [SUBNET]
    strategy = [{"capacityProvider": "FARGATE_SPOT", "weight": 1, "base": 0}]
    made = await create(
        world,
        taskDefinition="fargate",
        capacityProviderStrategy=strategy,
        networkConfiguration=AWSVPC,
    )
    assert made["capacityProviderStrategy"] == strategy
    assert "launchType" not in made


@pytest.mark.parametrize(
    ("members", "code", "part"),
    [
        ({"service": "x"}, "ServiceNotFoundException", "Service not found."),
        ({"cluster": "x"}, "ClusterNotFoundException", "Cluster not found."),
        ({"taskDefinition": "x"}, "ClientException", "TaskDefinition not found."),
        ({"taskDefinition": "gone:1"}, "ClientException", "TaskDefinition is inactive"),
        ({"taskDefinition": "fargate"}, INVALID, "Network Configuration must be provided"),
        ({"networkConfiguration": AWSVPC}, INVALID, "Network Configuration is not valid"),
        ({"platformVersion": "1.4.0"}, INVALID, "platform version must be null"),
        ({"launchType": "FARGATE"}, INVALID, "does not support launch_type FARGATE"),
        (
            {"launchType": "EC2", "capacityProviderStrategy": [{"capacityProvider": "FARGATE"}]},
            INVALID,
            "both a launch type and capacity provider strategy",
        ),
        (
            {
                "loadBalancers": [
                    {"targetGroupArn": "arn:x", "containerName": "app", "containerPort": 1}
                ]
            },
            INVALID,
            "target group does not exist",
        ),
        ({"serviceRegistries": [{"registryArn": "arn:x"}]}, INVALID, "registry does not exist"),
        ({"scale": percent(100.1)}, INVALID, "between 0 and 100"),
        ({"scale": percent(-1)}, INVALID, "between 0 and 100"),
        ({"clientToken": "t" * 37}, INVALID, "clientToken"),
        ({"tags": [{"key": "aws:x", "value": ""}]}, INVALID, "reserved"),
    ],
)
async def test_what_a_task_set_cannot_be(world, members, code, part) -> None:
    request = {**HERE, "taskDefinition": "web", **members}
    refused = await world.refused("CreateTaskSet", **request)
    assert refused[0] == code
    assert part in refused[1]
    assert (await described(world))["taskSets"] == []


async def test_five_at_most(world) -> None:
    for _ in range(5):
        await create(world)
    assert await world.refused("CreateTaskSet", **HERE, taskDefinition="web") == (
        INVALID,
        FULL,
    )


async def test_a_call_that_is_repeated_makes_nothing_new(world) -> None:
    first = await create(world, 50.0, clientToken="t")
    assert await create(world, 50.0, clientToken="t") == first
    assert len((await described(world))["taskSets"]) == 1
    again = {**HERE, "taskDefinition": "web", "clientToken": "t"}
    assert (await world.refused("CreateTaskSet", **again))[0] == INVALID


@pytest.mark.parametrize(
    ("operation", "members"),
    [
        ("CreateTaskSet", {"taskDefinition": "web"}),
        ("UpdateTaskSet", {"taskSet": UNKNOWN, "scale": percent(1)}),
        ("DeleteTaskSet", {"taskSet": UNKNOWN}),
        ("DescribeTaskSets", {}),
        ("UpdateServicePrimaryTaskSet", {"primaryTaskSet": UNKNOWN}),
    ],
)
async def test_only_for_external_controllers(world, operation, members) -> None:
    await world.do("CreateService", serviceName="own", taskDefinition="web", desiredCount=1)
    assert await world.refused(operation, cluster="default", service="own", **members) == (
        INVALID,
        ONLY_EXTERNAL,
    )


@pytest.mark.parametrize("status", [ServiceStatus.DRAINING, ServiceStatus.INACTIVE])
async def test_a_service_that_goes_changes_no_more(world, status) -> None:
    made = await create(world)
    await end(world, status)
    for operation, members in (
        ("CreateTaskSet", {"taskDefinition": "web"}),
        ("UpdateTaskSet", {"taskSet": made["id"], "scale": percent(1)}),
        ("UpdateServicePrimaryTaskSet", {"primaryTaskSet": made["id"]}),
    ):
        refused = await world.refused(operation, **HERE, **members)
        assert refused == ("ServiceNotActiveException", "Service was not ACTIVE.")


@pytest.mark.covers("ecs:UpdateTaskSet")
async def test_the_scale_changes(world) -> None:
    made = await create(world)
    later = a_call(now=NOW + timedelta(minutes=1))
    answer = await world.do(
        "UpdateTaskSet", call=later, **HERE, taskSet=made["taskSetArn"], scale=percent(34)
    )
    changed = answer["taskSet"]
    assert (changed["scale"], changed["computedDesiredCount"]) == (percent(34.0), 2)
    assert changed["updatedAt"] == later.now
    assert (await described(world, made["id"]))["taskSets"][0]["scale"] == percent(34.0)
    for scale in (percent(101), {}, {"unit": "PERCENT"}):
        refused = await world.refused("UpdateTaskSet", **HERE, taskSet=made["id"], scale=scale)
        assert refused[0] == INVALID


@pytest.mark.covers("ecs:DeleteTaskSet")
async def test_a_task_set_is_deleted(world) -> None:
    made = await create(world)
    gone = (await world.do("DeleteTaskSet", **HERE, taskSet=made["id"]))["taskSet"]
    assert (gone["status"], gone["computedDesiredCount"]) == ("DRAINING", 0)
    for operation, members in (
        ("UpdateTaskSet", {"taskSet": made["id"], "scale": percent(1)}),
        ("UpdateServicePrimaryTaskSet", {"primaryTaskSet": made["id"]}),
    ):
        assert (await world.refused(operation, **HERE, **members))[0] == INVALID


async def test_one_with_a_scale_is_deleted_by_force(world) -> None:
    made = await create(world, 100)
    refused = await world.refused("DeleteTaskSet", **HERE, taskSet=made["id"])
    assert refused[0] == INVALID
    assert (await described(world))["taskSets"][0]["status"] == "ACTIVE"
    gone = (await world.do("DeleteTaskSet", **HERE, taskSet=made["id"], force=True))["taskSet"]
    assert (gone["status"], gone["scale"]) == ("DRAINING", percent(0.0))


async def test_the_primary_is_deleted_by_force(world) -> None:
    made = await create(world)
    await world.do("UpdateServicePrimaryTaskSet", **HERE, primaryTaskSet=made["id"])
    assert await world.refused("DeleteTaskSet", **HERE, taskSet=made["id"]) == (
        INVALID,
        "Primary TaskSet cannot be deleted",
    )
    gone = (await world.do("DeleteTaskSet", **HERE, taskSet=made["id"], force=True))["taskSet"]
    assert gone["status"] == "DRAINING"


@pytest.mark.covers("ecs:UpdateServicePrimaryTaskSet")
async def test_the_primary_gives_the_service_its_settings(world) -> None:
    first = await create(world)
    second = await create(
        world, taskDefinition="fargate", launchType="FARGATE", networkConfiguration=AWSVPC
    )
    for chosen in (first, second):
        answer = await world.do("UpdateServicePrimaryTaskSet", **HERE, primaryTaskSet=chosen["id"])
        assert answer["taskSet"]["status"] == "PRIMARY"
    shown = {s["id"]: s["status"] for s in (await described(world))["taskSets"]}
    assert shown == {first["id"]: "ACTIVE", second["id"]: "PRIMARY"}
    service = await the_service(world)
    assert service["taskDefinition"] == second["taskDefinition"]
    assert (service["launchType"], service["platformVersion"]) == ("FARGATE", "LATEST")


@pytest.mark.covers("ecs:DescribeTaskSets")
async def test_task_sets_are_described_with_their_tasks(world) -> None:
    one, two = await create(world, 100, tags=[{"key": "a", "value": "b"}]), await create(world)
    of_service = {"group": "service:s", "started_by": one["id"]}
    running = [a_task(n, **of_service) for n in (1, 2)]
    pending = a_task(3, last_status=TaskStatus.PENDING, **of_service)
    await world.put(TASKS, [*running, pending])
    answer = await described(world, one["id"], two["taskSetArn"], UNKNOWN, include=["TAGS"])
    assert [s["id"] for s in answer["taskSets"]] == [one["id"], two["id"]]
    counts = [(s["runningCount"], s["pendingCount"]) for s in answer["taskSets"]]
    assert counts == [(2, 1), (0, 0)]
    assert answer["taskSets"][0]["tags"] == [{"key": "a", "value": "b"}]
    arn = SCOPE.arn("ecs", f"task-set/default/s/{UNKNOWN}")
    assert answer["failures"] == [{"arn": arn, "reason": "MISSING"}]
    assert "tags" not in (await described(world, one["id"]))["taskSets"][0]
    assert len((await world.do("DescribeTaskSets", **HERE))["taskSets"]) == 2


@pytest.mark.parametrize(
    "reference",
    ["x", "1999999999999999999", "ecs-svc/x", SCOPE.arn("ecs", f"task-set/default/t/{UNKNOWN}")],
)
async def test_what_names_no_task_set_of_the_service(world, reference) -> None:
    refused = await world.refused("DescribeTaskSets", **HERE, taskSets=[reference])
    assert refused == (INVALID, "Task Set Identifier is invalid")


async def test_a_task_set_that_is_not_there(world) -> None:
    for operation, members in (
        ("UpdateTaskSet", {"taskSet": UNKNOWN, "scale": percent(1)}),
        ("DeleteTaskSet", {"taskSet": UNKNOWN}),
        ("UpdateServicePrimaryTaskSet", {"primaryTaskSet": UNKNOWN}),
    ):
        assert await world.refused(operation, **HERE, **members) == (
            "TaskSetNotFoundException",
            "The specified task set does not exist.",
        )


async def test_tags_of_a_task_set_are_changed(world) -> None:
    made = await create(world)
    arn = made["taskSetArn"]
    await world.do("TagResource", resourceArn=arn, tags=[{"key": "a", "value": "b"}])
    assert await world.do("ListTagsForResource", resourceArn=arn) == {
        "tags": [{"key": "a", "value": "b"}]
    }


async def test_task_sets_keep_to_their_service(world) -> None:
    """One name that starts like another is another service."""
    controller = {"type": "EXTERNAL"}
    await world.do(
        "CreateService", serviceName="s2", desiredCount=1, deploymentController=controller
    )
    await create(world, service="s2")
    assert (await described(world))["taskSets"] == []
    (known,) = await world.store.read(lambda view: view.scan(TASK_SETS, SCOPE))
    assert known.service == "s2"
