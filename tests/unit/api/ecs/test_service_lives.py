"""A service from its creation to its end, and what its cluster and its tags know of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from openecs.model.services import ServiceStatus
from openecs.model.task_definitions import NetworkMode
from openecs.model.tasks import TaskStatus
from openecs.store.kinds import (
    CLUSTERS,
    SERVICE_DEPLOYMENTS,
    SERVICE_EVENTS,
    SERVICE_REVISIONS,
    SERVICES,
    TASK_DEFINITIONS,
    TASKS,
)
from openecs.testing.builders import NOW, SCOPE, SUBNET, a_cluster, a_task, a_task_definition

INVALID = "InvalidParameterException"
ARN = "arn:aws:ecs:eu-central-1:123456789012:{}"


@pytest.fixture
async def world(world):
    await world.put(CLUSTERS, [a_cluster()])
    await world.put(TASK_DEFINITIONS, [a_task_definition("web"), a_task_definition("web", 2)])
    return world


async def create(world, name="s", **changes):
    request = {"serviceName": name, "taskDefinition": "web:1", "desiredCount": 2, **changes}
    request = {member: value for member, value in request.items() if value is not None}
    return (await world.do("CreateService", **request))["service"]


async def update(world, **changes):
    return (await world.do("UpdateService", service="s", **changes))["service"]


async def described(world, **changes):
    answer = await world.do("DescribeServices", services=["s"], **changes)
    return answer["services"][0]


async def bury(world, name="s"):
    """The end of a DRAINING service, as the scheduler writes it."""

    def work(tx):
        service = tx.get(SERVICES, SCOPE, f"default/{name}")
        gone = replace(service, status=ServiceStatus.INACTIVE, deleted_at=NOW, deployments=())
        tx.put(SERVICES, gone)

    await world.store.write(work)


def a_task_of(number, deployment, **changes):
    return a_task(number, group="service:s", started_by=deployment, **changes)


async def test_the_first_deployment_is_recorded_with_the_service(world) -> None:
    service = await create(world)
    (revision,) = await world.store.read(lambda view: view.scan(SERVICE_REVISIONS, SCOPE))
    (record,) = await world.store.read(lambda view: view.scan(SERVICE_DEPLOYMENTS, SCOPE))
    (story,) = await world.store.read(lambda view: view.scan(SERVICE_EVENTS, SCOPE))
    assert (record.arn, record.status) == (service["currentServiceDeployment"], "PENDING")
    assert (record.target_revision, record.source_revisions) == (revision.id, ())
    assert service["currentServiceRevisions"] == [
        {
            "arn": revision.arn,
            "requestedTaskCount": 2,
            "runningTaskCount": 0,
            "pendingTaskCount": 0,
        }
    ]
    assert story.events == ()


async def test_another_definition_is_deployed(world) -> None:
    first = (await create(world))["deployments"][0]
    service = await update(world, taskDefinition="web", desiredCount=3)
    new, old = service["deployments"]
    assert (new["status"], new["desiredCount"]) == ("PRIMARY", 3)
    assert new["taskDefinition"] == service["taskDefinition"] == ARN.format("task-definition/web:2")
    assert (old["id"], old["status"]) == (first["id"], "ACTIVE")
    await update(world, taskDefinition="web:2")
    assert len((await described(world))["deployments"]) == 2
    await update(world, forceNewDeployment=True)
    statuses = [d["status"] for d in (await described(world))["deployments"]]
    assert statuses == ["PRIMARY", "ACTIVE", "ACTIVE"]


async def test_what_does_not_deploy(world) -> None:
    await create(world)
    service = await update(
        world,
        desiredCount=4,
        enableECSManagedTags=True,
        propagateTags="SERVICE",
        placementConstraints=[{"type": "distinctInstance"}],
        placementStrategy=[{"type": "binpack", "field": "memory"}],
        availabilityZoneRebalancing="DISABLED",
        taskDefinition="web:1",
    )
    (deployment,) = service["deployments"]
    assert (service["desiredCount"], deployment["desiredCount"]) == (4, 4)
    assert (service["enableECSManagedTags"], service["propagateTags"]) == (True, "SERVICE")
    assert service["placementConstraints"] == [{"type": "distinctInstance"}]
    assert service["placementStrategy"] == [{"type": "binpack", "field": "memory"}]
    assert service["availabilityZoneRebalancing"] == "DISABLED"


async def test_tasks_are_counted_by_deployment(world) -> None:
    old = (await create(world))["deployments"][0]["id"]
    new = (await update(world, forceNewDeployment=True))["deployments"][0]["id"]
    stopping = {"last_status": TaskStatus.PENDING, "desired_status": TaskStatus.STOPPED}
    tasks = [
        a_task_of(1, old),
        a_task_of(2, old),
        a_task_of(3, new, last_status=TaskStatus.ACTIVATING),
        a_task_of(4, new, **stopping),
        a_task(5, started_by=new),
    ]
    await world.put(TASKS, tasks)
    service = await described(world)
    counts = [(d["runningCount"], d["pendingCount"]) for d in service["deployments"]]
    assert counts == [(0, 1), (2, 0)]
    assert (service["runningCount"], service["pendingCount"]) == (2, 1)


@pytest.mark.covers("ecs:DeleteService")
async def test_a_service_is_deleted_by_and_by(world) -> None:
    await create(world)
    assert await world.refused("DeleteService", service="s") == (
        INVALID,
        "The service cannot be stopped while it is scaled above 0.",
    )
    service = (await world.do("DeleteService", service="s", force=True))["service"]
    assert (service["status"], service["desiredCount"]) == ("DRAINING", 0)
    assert [d["desiredCount"] for d in service["deployments"]] == [0]
    assert await world.do("ListServices") == {"serviceArns": []}
    assert (await described(world))["status"] == "DRAINING"
    inactive = ("ServiceNotActiveException", "Service was not ACTIVE.")
    assert await world.refused("UpdateService", service="s", desiredCount=1) == inactive
    create_again = {"serviceName": "s", "taskDefinition": "web:1", "desiredCount": 2}
    assert await world.refused("CreateService", **create_again) == (
        INVALID,
        "Unable to Start a service that is still Draining.",
    )
    await bury(world)
    assert (await described(world))["status"] == "INACTIVE"
    assert await world.refused("UpdateService", service="s", desiredCount=1) == inactive
    gone = ("ServiceNotFoundException", "Service not found.")
    assert await world.refused("DeleteService", service="s") == gone
    assert await world.refused("DeleteService", service="other") == gone
    again = await create(world)
    assert (again["serviceArn"], again["status"]) == (service["serviceArn"], "ACTIVE")
    assert (again["events"], len(again["deployments"])) == ([], 1)


@pytest.mark.parametrize(
    "request_",
    [{"desiredCount": 0}, {"schedulingStrategy": "DAEMON", "desiredCount": None}],
)
async def test_nothing_to_force(world, request_) -> None:
    await create(world, **request_)
    service = (await world.do("DeleteService", service="s"))["service"]
    assert service["status"] == "DRAINING"


async def test_a_daemon_has_no_count_of_its_own(world) -> None:
    code, message = await world.refused(
        "CreateService", serviceName="s", taskDefinition="web", schedulingStrategy="DAEMON",
        desiredCount=1,
    )  # fmt: skip
    assert (code, "does not support a desired count" in message) == (INVALID, True)
    code, _ = await world.refused("CreateService", serviceName="s", taskDefinition="web")
    assert code == INVALID
    code, _ = await world.refused(
        "CreateService", serviceName="a b", taskDefinition="web", desiredCount=1
    )
    assert code == INVALID


async def test_services_are_listed_by_name(world) -> None:
    for number in range(12, 0, -1):
        await create(world, f"s{number:02}")
    await create(world, "daemon", schedulingStrategy="DAEMON", desiredCount=None)
    first = await world.do("ListServices")
    names = [arn.rpartition("/")[2] for arn in first["serviceArns"]]
    assert names == ["daemon", *(f"s{number:02}" for number in range(1, 10))]
    rest = await world.do("ListServices", nextToken=first["nextToken"])
    assert (len(rest["serviceArns"]), "nextToken" in rest) == (3, False)
    daemons = await world.do("ListServices", schedulingStrategy="DAEMON", launchType="EC2")
    assert daemons == {"serviceArns": [ARN.format("service/default/daemon")]}
    for nothing in ({"launchType": "FARGATE"}, {"resourceManagementType": "ECS"}):
        assert await world.do("ListServices", **nothing) == {"serviceArns": []}


@pytest.mark.covers("ecs:ListServicesByNamespace")
async def test_there_are_no_namespaces(world) -> None:
    code, _ = await world.refused("ListServicesByNamespace", namespace="n")
    assert code == "NamespaceNotFoundException"


async def test_a_service_is_known_by_its_arn_of_this_cluster_only(world) -> None:
    service = await create(world)
    named = ["s", service["serviceArn"], ARN.format("service/default/none")]
    answer = await world.do("DescribeServices", services=named)
    assert [each["serviceName"] for each in answer["services"]] == ["s"]
    assert answer["failures"] == [{"arn": named[2], "reason": "MISSING"}]
    elsewhere = ARN.format("service/other/s")
    assert (await world.refused("DescribeServices", services=[elsewhere]))[0] == INVALID


@pytest.mark.covers("ecs:TagResource", "ecs:UntagResource", "ecs:ListTagsForResource")
async def test_a_service_has_tags(world) -> None:
    arn = (await create(world, tags=[{"key": "a", "value": "1"}]))["serviceArn"]
    assert "tags" not in await described(world)
    assert (await described(world, include=["TAGS"]))["tags"] == [{"key": "a", "value": "1"}]
    await world.do("TagResource", resourceArn=arn, tags=[{"key": "b", "value": "2"}])
    await world.do("UntagResource", resourceArn=arn, tagKeys=["a"])
    assert (await world.do("ListTagsForResource", resourceArn=arn))["tags"] == [
        {"key": "b", "value": "2"}
    ]


async def test_tasks_are_listed_by_service(world) -> None:
    deployment = (await create(world))["deployments"][0]["id"]
    await world.put(TASKS, [a_task_of(1, deployment), a_task(2)])
    listed = await world.do("ListTasks", serviceName="s")
    assert listed["taskArns"] == [ARN.format(f"task/default/{1:032x}")]
    assert await world.refused("ListTasks", serviceName="none") == (
        "ServiceNotFoundException",
        "Service not found.",
    )


async def test_a_cluster_knows_its_services(world) -> None:
    await create(world)
    await create(world, "gone")
    await world.do("DeleteService", service="gone", force=True)
    answer = await world.do("DescribeClusters", include=["STATISTICS"])
    (cluster,) = answer["clusters"]
    assert cluster["activeServicesCount"] == 1
    statistics = {each["name"]: each["value"] for each in cluster["statistics"]}
    assert statistics["activeEC2ServiceCount"] == statistics["drainingEC2ServiceCount"] == "1"


async def test_a_provider_that_a_service_uses_stays(world) -> None:
    await world.put(CLUSTERS, [a_cluster(capacity_providers=("FARGATE", "FARGATE_SPOT"))])
    fargate = a_task_definition(
        "fargate",
        network_mode=NetworkMode.AWSVPC,
        compatibilities=("FARGATE",),
        cpu=256,
        memory=512,
    )
    await world.put(TASK_DEFINITIONS, [fargate])
    await create(
        world,
        taskDefinition="fargate",
        desiredCount=0,
        capacityProviderStrategy=[{"capacityProvider": "FARGATE"}],
        networkConfiguration={"awsvpcConfiguration": {"subnets": [SUBNET]}},
    )
    kept = {"cluster": "default", "defaultCapacityProviderStrategy": []}
    refused = await world.refused(
        "PutClusterCapacityProviders", **kept, capacityProviders=["FARGATE_SPOT"]
    )
    assert refused == (
        "ResourceInUseException",
        "The specified capacity provider is in use and cannot be removed.",
    )
    await world.do("PutClusterCapacityProviders", **kept, capacityProviders=["FARGATE"])


async def test_a_cluster_with_services_stays(world) -> None:
    await create(world)
    refusal = (
        "ClusterContainsServicesException",
        "The Cluster cannot be deleted while Services are active.",
    )
    assert await world.refused("DeleteCluster", cluster="default") == refusal
    await world.do("DeleteService", service="s", force=True)
    assert await world.refused("DeleteCluster", cluster="default") == refusal
    await bury(world)
    cluster = (await world.do("DeleteCluster", cluster="default"))["cluster"]
    assert cluster["status"] == "INACTIVE"


async def test_a_token_makes_one_service(world) -> None:
    first = await create(world, clientToken="t")
    assert (await create(world, clientToken="t"))["deployments"] == first["deployments"]
    request = {"taskDefinition": "web:1", "desiredCount": 2, "clientToken": "t"}
    assert await world.refused("CreateService", serviceName="other", **request) == (
        INVALID,
        "Creation of service was not idempotent.",
    )
    too_long = {**request, "clientToken": "t" * 37}
    assert (await world.refused("CreateService", serviceName="s", **too_long))[0] == INVALID
