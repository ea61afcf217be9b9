"""What the deployments of a service run, and how its history is asked for."""

from __future__ import annotations

import pytest

from openecs.model.task_definitions import NetworkMode
from openecs.store.kinds import CLUSTERS, SERVICES, TASK_DEFINITIONS, TASK_SETS, TASKS
from openecs.testing.builders import (
    NOW,
    SCOPE,
    SUBNET,
    a_cluster,
    a_container,
    a_container_definition,
    a_task,
    a_task_definition,
)

INVALID = "InvalidParameterException"
UNKNOWN = SCOPE.arn("ecs", "service-deployment/default/s/none")


@pytest.fixture
async def world(world):
    await world.put(CLUSTERS, [a_cluster()])
    await world.put(TASK_DEFINITIONS, [a_task_definition("web")])
    return world


async def create(world, **members):
    await world.do("CreateService", serviceName="s", desiredCount=1, **members)


async def the_service(world):
    return await world.store.read(lambda view: view.get(SERVICES, SCOPE, "default/s"))


@pytest.mark.parametrize(
    ("operation", "member"),
    [
        ("DescribeServiceDeployments", "serviceDeploymentArns"),
        ("DescribeServiceRevisions", "serviceRevisionArns"),
    ],
)
@pytest.mark.parametrize(
    "arns",
    [
        [],
        [f"{UNKNOWN}{n}" for n in range(21)],
        ["s"],
        [SCOPE.arn("ecs", "service/default/s")],
        [UNKNOWN.replace("eu-central-1", "eu-west-1")],
        [UNKNOWN.replace("123456789012", "210987654321")],
    ],
)
async def test_what_cannot_be_described(world, operation, member, arns) -> None:
    assert (await world.refused(operation, **{member: arns}))[0] == INVALID


@pytest.mark.covers("ecs:DescribeServiceRevisions")
async def test_a_revision_says_what_its_tasks_run(world) -> None:
    containers = a_container_definition("app"), a_container_definition("side", image="nginx")
    definition = a_task_definition("two", 1, *containers, network_mode=NetworkMode.AWSVPC)
    await world.put(TASK_DEFINITIONS, [definition])
    network = {"awsvpcConfiguration": {"subnets": [SUBNET]}}
    await create(world, taskDefinition="two", networkConfiguration=network)
    service = await the_service(world)
    known = a_container("app", image_digest="sha256:abc"), a_container("side")
    own = {"group": "service:s", "started_by": service.deployments[0].id}
    other = a_container("side", image_digest="sha256:def")
    await world.put(TASKS, [a_task(1, containers=known, **own), a_task(2, containers=(other,))])
    missing = SCOPE.arn("ecs", "service-revision/default/s/1")
    arns = [service.revision.arn, missing]
    answer = await world.do("DescribeServiceRevisions", serviceRevisionArns=arns)
    assert answer["failures"] == [{"arn": missing, "reason": "MISSING"}]
    (shown,) = answer["serviceRevisions"]
    shown_network = shown.pop("networkConfiguration")["awsvpcConfiguration"]
    assert shown_network["subnets"] == [SUBNET]
    assert shown == {
        "serviceRevisionArn": service.revision.arn,
        "serviceArn": service.arn,
        "clusterArn": SCOPE.arn("ecs", "cluster/default"),
        "taskDefinition": SCOPE.arn("ecs", "task-definition/two:1"),
        "launchType": "EC2",
        "loadBalancers": [],
        "serviceRegistries": [],
        "containerImages": [
            {"containerName": "app", "image": "busybox", "imageDigest": "sha256:abc"},
            {"containerName": "side", "image": "nginx"},
        ],
        "guardDutyEnabled": False,
        "createdAt": NOW,
    }


async def test_a_revision_of_a_task_set_knows_its_images(world) -> None:
    await create(world, deploymentController={"type": "EXTERNAL"})
    await world.do("CreateTaskSet", cluster="default", service="s", taskDefinition="web")
    (known,) = await world.store.read(lambda view: view.scan(TASK_SETS, SCOPE))
    pulled = a_container("app", image_digest="sha256:abc")
    task = a_task(1, group="service:s", started_by=known.id, containers=(pulled,))
    await world.put(TASKS, [task])
    arns = [known.revision.arn, known.revision.arn]
    answer = await world.do("DescribeServiceRevisions", serviceRevisionArns=arns)
    (shown,) = answer["serviceRevisions"]
    assert [image["imageDigest"] for image in shown["containerImages"]] == ["sha256:abc"]
