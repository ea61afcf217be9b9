from __future__ import annotations

import pytest

from openecs.model.clusters import ContainerInstanceStatus
from openecs.model.identity import Scope
from openecs.model.tasks import StopCode, TaskStatus
from openecs.store.kinds import CLUSTERS, CONTAINER_INSTANCES, MACHINES, TASKS, task_key
from openecs.testing.builders import (
    NOW,
    a_cluster,
    a_container_instance,
    a_machine,
    a_task,
    an_instance_id,
)

ARN = a_container_instance().arn


@pytest.fixture
async def world(world):
    await world.put(CLUSTERS, [a_cluster()])
    await world.put(MACHINES, [a_machine(reserved_ports=("22/tcp", "53/udp"))])
    await world.put(CONTAINER_INSTANCES, [a_container_instance()])
    return world


async def described(world, *include: str):
    answer = await world.do(
        "DescribeContainerInstances", containerInstances=[ARN], include=list(include)
    )
    assert answer["failures"] == []
    (instance,) = answer["containerInstances"]
    return instance


def resource(name: str, **value):
    kind = "STRINGSET" if "stringSetValue" in value else "INTEGER"
    zeros = {"doubleValue": 0.0, "longValue": 0, "integerValue": 0}
    return {"name": name, "type": kind, **zeros, **value}


async def test_an_idle_instance(world) -> None:
    free = [
        resource("CPU", integerValue=2048),
        resource("MEMORY", integerValue=4096),
        resource("PORTS", stringSetValue=["22"]),
        resource("PORTS_UDP", stringSetValue=["53"]),
    ]
    assert await described(world) == {
        "containerInstanceArn": ARN,
        "ec2InstanceId": "i-00000000000000001",
        "version": 1,
        "versionInfo": {"agentVersion": "1.90.0", "dockerVersion": "DockerVersion: 27.0.0"},
        "remainingResources": free,
        "registeredResources": free,
        "status": "ACTIVE",
        "agentConnected": True,
        "runningTasksCount": 0,
        "pendingTasksCount": 0,
        "attributes": [
            {"name": "ecs.os-type", "value": "linux"},
            {"name": "ecs.cpu-architecture", "value": "x86_64"},
        ],
        "registeredAt": NOW,
        "attachments": [],
        "tags": [],
    }


@pytest.mark.covers("ecs:DescribeContainerInstances")
async def test_all_tasks_of_the_machine_take_from_it_wherever_they_are(world) -> None:
    elsewhere = Scope("999999999999", "us-east-1")
    await world.put(
        TASKS,
        [
            a_task(1, cpu=256, memory=512, host_ports=("8080/tcp", "5353/udp")),
            a_task(2, cpu=256, memory=512, last_status=TaskStatus.PENDING),
            a_task(3, cpu=512, memory=1024, scope=elsewhere, host_ports=("80/tcp",)),
            a_task(4, cpu=512, memory=1024, last_status=TaskStatus.STOPPED),
            a_task(5, cpu=512, memory=1024, machine="machine-2"),
        ],
    )
    instance = await described(world)
    assert instance["remainingResources"] == [
        resource("CPU", integerValue=1024),
        resource("MEMORY", integerValue=2048),
        resource("PORTS", stringSetValue=["22", "80", "8080"]),
        resource("PORTS_UDP", stringSetValue=["53", "5353"]),
    ]
    assert (instance["runningTasksCount"], instance["pendingTasksCount"]) == (1, 1)


async def test_health_is_shown_on_request(world) -> None:
    assert (await described(world, "CONTAINER_INSTANCE_HEALTH"))["healthStatus"] == {
        "overallStatus": "OK",
        "details": [{"type": "CONTAINER_RUNTIME", "status": "OK"}],
    }
    await world.put(MACHINES, [a_machine(connected=False)])
    instance = await described(world, "CONTAINER_INSTANCE_HEALTH")
    assert instance["agentConnected"] is False
    assert instance["healthStatus"]["overallStatus"] == "IMPAIRED"


async def test_an_instance_whose_machine_is_gone(world) -> None:
    await world.put(CONTAINER_INSTANCES, [a_container_instance(machine="gone")])
    instance = await described(world)
    assert instance["agentConnected"] is False
    assert instance["remainingResources"] == []


async def test_unknown_instances_are_failures(world) -> None:
    unknown = an_instance_id(9)
    answer = await world.do("DescribeContainerInstances", containerInstances=[unknown])
    assert answer == {
        "containerInstances": [],
        "failures": [
            {
                "arn": (
                    "arn:aws:ecs:eu-central-1:123456789012:container-instance/default/" + unknown
                ),
                "reason": "MISSING",
            }
        ],
    }


async def test_instances_have_to_be_named(world) -> None:
    assert await world.refused("DescribeContainerInstances", containerInstances=[]) == (
        "ClientException",
        "Container Instances cannot be empty.",
    )
    assert await world.refused("DescribeContainerInstances", containerInstances=["x"]) == (
        "InvalidParameterException",
        "containerInstanceId length should be one of [32,36]",
    )


@pytest.mark.covers("ecs:ListContainerInstances")
async def test_list(world) -> None:
    draining = a_container_instance(2, status=ContainerInstanceStatus.DRAINING)
    gone = a_container_instance(3, status=ContainerInstanceStatus.INACTIVE)
    other = a_container_instance(4, cluster="other")
    await world.put(CONTAINER_INSTANCES, [draining, gone, other])

    async def arns(**request):
        answer = await world.do("ListContainerInstances", **request)
        return answer["containerInstanceArns"]

    assert await arns() == [ARN, draining.arn]
    assert await arns(status="DRAINING") == [draining.arn]
    first = await world.do("ListContainerInstances", maxResults=1)
    assert first["containerInstanceArns"] == [ARN]
    assert await arns(maxResults=1, nextToken=first["nextToken"]) == [draining.arn]


@pytest.mark.covers("ecs:UpdateContainerInstancesState")
async def test_drain_and_back(world) -> None:
    for status, version in (("DRAINING", 2), ("DRAINING", 2), ("ACTIVE", 3)):
        answer = await world.do(
            "UpdateContainerInstancesState", containerInstances=[ARN], status=status
        )
        (instance,) = answer["containerInstances"]
        assert (instance["status"], instance["version"]) == (status, version)


async def test_only_two_states_can_be_asked_for(world) -> None:
    assert await world.refused(
        "UpdateContainerInstancesState", containerInstances=[ARN], status="REGISTERING"
    ) == (
        "InvalidParameterException",
        "Container instance status should be one of [ACTIVE, DRAINING]",
    )


@pytest.mark.covers("ecs:DeregisterContainerInstance")
async def test_deregister(world) -> None:
    answer = await world.do("DeregisterContainerInstance", containerInstance=ARN)
    assert answer["containerInstance"]["status"] == "INACTIVE"
    instance = await described(world)
    assert (instance["status"], instance["agentConnected"]) == ("INACTIVE", False)
    assert await world.do("ListContainerInstances") == {"containerInstanceArns": []}
    answer = await world.do(
        "UpdateContainerInstancesState", containerInstances=[ARN], status="ACTIVE"
    )
    assert [failure["reason"] for failure in answer["failures"]] == ["INACTIVE"]


async def test_tasks_are_in_the_way_unless_forced(world) -> None:
    await world.put(TASKS, [a_task()])
    assert await world.refused("DeregisterContainerInstance", containerInstance=ARN) == (
        "InvalidParameterException",
        "Found running tasks on the instance.",
    )
    await world.do("DeregisterContainerInstance", containerInstance=ARN, force=True)
    task = await world.store.read(
        lambda view: view.get(TASKS, world.call.scope, task_key("default", a_task().id))
    )
    assert task.desired_status is TaskStatus.STOPPED
    assert task.last_status is TaskStatus.RUNNING
    assert task.stop_code is StopCode.USER_INITIATED
    assert task.stopped_reason == "Container instance deregistration forced by user"


async def test_a_filter_keeps_what_the_query_matches(world) -> None:
    async def listed(text: str):
        return (await world.do("ListContainerInstances", filter=text))["containerInstanceArns"]

    assert await listed("agentConnected == true") == [ARN]
    assert await listed("runningTasksCount > 0") == []
    code, _ = await world.refused("ListContainerInstances", filter="agentConnected ==")
    assert code == "ClientException"
