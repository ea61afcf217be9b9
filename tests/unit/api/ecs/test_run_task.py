from __future__ import annotations

import pytest

from openecs.model.clusters import ContainerInstanceStatus
from openecs.model.task_definitions import (
    LogConfiguration,
    PortMapping,
    Secret,
    TaskDefinitionStatus,
)
from openecs.model.tasks import LaunchType, TaskStatus
from openecs.store.kinds import CLUSTERS, CONTAINER_INSTANCES, MACHINES, TASK_DEFINITIONS, TASKS
from openecs.testing.builders import (
    SCOPE,
    a_cluster,
    a_container_definition,
    a_container_instance,
    a_machine,
    a_task_definition,
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


async def stored(world, arn: str):
    key = arn.partition(":task/")[2]
    return await world.store.read(lambda view: view.get(TASKS, SCOPE, key))


@pytest.mark.covers("ecs:RunTask")
async def test_the_machine_joins_with_the_first_task(world) -> None:
    (task,), failures = await run(world)
    assert failures == []
    assert (task["lastStatus"], task["desiredStatus"]) == ("PENDING", "RUNNING")
    assert (task["launchType"], task["group"]) == ("EC2", "family:web")
    assert task["overrides"] == {
        "containerOverrides": [{"name": "app"}],
        "inferenceAcceleratorOverrides": [],
    }
    assert (task["cpu"], task["memory"]) == ("0", "64")
    listed = await world.do("ListContainerInstances")
    assert listed["containerInstanceArns"] == [task["containerInstanceArn"]]
    (again,), _ = await run(world)
    assert again["containerInstanceArn"] == task["containerInstanceArn"]


async def test_a_refused_task_does_not_make_the_machine_join(world) -> None:
    too_big = a_task_definition("big", 1, a_container_definition(memory=4000))
    await world.put(TASK_DEFINITIONS, [too_big])
    tasks, (failure,) = await run(world, taskDefinition="big")
    assert tasks == []
    assert failure["reason"] == "RESOURCE:MEMORY"
    assert (await world.do("ListContainerInstances"))["containerInstanceArns"] == []


async def test_a_machine_taken_out_by_hand_stays_out(world) -> None:
    (task,), _ = await run(world)
    await world.do("StopTask", task=task["taskArn"])
    await world.do(
        "DeregisterContainerInstance",
        containerInstance=task["containerInstanceArn"],
        force=True,
    )
    assert await world.refused("RunTask", taskDefinition="web") == (
        "InvalidParameterException",
        "No Container Instances were found in your cluster.",
    )


async def test_a_machine_that_does_not_join_leaves_the_cluster_empty(world) -> None:
    await world.put(MACHINES, [a_machine(joins_clusters=False)])
    code, message = await world.refused("RunTask", taskDefinition="web")
    assert code == "InvalidParameterException"
    assert message == "No Container Instances were found in your cluster."


async def test_what_fits_runs_and_the_rest_fails(world) -> None:
    half = a_task_definition("half", 1, a_container_definition(memory=400))
    await world.put(TASK_DEFINITIONS, [half])
    tasks, failures = await run(world, taskDefinition="half", count=4)
    assert len(tasks) == 2
    assert [f["reason"] for f in failures] == ["RESOURCE:MEMORY"] * 2


async def test_clusters_share_the_machine(world) -> None:
    await world.put(CLUSTERS, [a_cluster("other")])
    big = a_task_definition("big", 1, a_container_definition(memory=900))
    await world.put(TASK_DEFINITIONS, [big])
    await run(world, taskDefinition="big")
    tasks, (failure,) = await run(world, taskDefinition="big", cluster="other")
    assert (tasks, failure["reason"]) == ([], "RESOURCE:MEMORY")


async def test_ports_cpu_agent_and_attributes(world) -> None:
    ports = a_container_definition(port_mappings=(PortMapping(container_port=80, host_port=80),))
    await world.put(
        TASK_DEFINITIONS,
        [
            a_task_definition("ports", 1, ports),
            a_task_definition("cpu", 1, a_container_definition(cpu=4096)),
        ],
    )
    await run(world, taskDefinition="ports")
    assert (await run(world, taskDefinition="ports"))[1][0]["reason"] == "RESOURCE:PORTS"
    assert (await run(world, taskDefinition="cpu"))[1][0]["reason"] == "RESOURCE:CPU"
    needy = {"type": "memberOf", "expression": "attribute:color == red"}
    refused = (await run(world, placementConstraints=[needy]))[1][0]["reason"]
    assert refused == "MemberOf placement constraint unsatisfied."
    await world.put(MACHINES, [a_machine(connected=False)])
    assert (await run(world))[1][0]["reason"] == "AGENT"


async def test_distinct_instance(world) -> None:
    distinct = [{"type": "distinctInstance"}]
    tasks, failures = await run(world, placementConstraints=distinct, count=2)
    assert len(tasks) == 1
    assert failures[0]["reason"] == "DistinctInstance placement constraint unsatisfied."


async def test_overrides_reach_the_task(world) -> None:
    override = {
        "name": "app",
        "command": ["x"],
        "environment": [{"name": "A", "value": "1"}],
        "memory": 128,
    }
    overrides = {"containerOverrides": [override], "cpu": "512", "memory": "1GB"}
    (task,), _ = await run(world, overrides={**overrides, "memory": "256"})
    assert (task["cpu"], task["memory"]) == ("512", "256")
    assert task["containers"][0]["memory"] == "128"
    assert task["overrides"]["containerOverrides"] == [override]


@pytest.mark.parametrize(
    "overrides",
    [
        {"containerOverrides": [{"name": "app", "cpu": -1}]},
        {"containerOverrides": [{"name": "app", "memory": -64}]},
        {"containerOverrides": [{"name": "app", "memory": 32, "memoryReservation": 64}]},
        {"memory": "32"},
        {"cpu": "none"},
        {"ephemeralStorage": {"sizeInGiB": 1}},
    ],
)
async def test_overrides_are_held_to_the_rules_of_definitions(world, overrides) -> None:
    code, _ = await world.refused("RunTask", taskDefinition="web", overrides=overrides)
    assert code == "ClientException"


async def test_overrides_have_a_limit(world) -> None:
    long = {"containerOverrides": [{"name": "app", "command": ["x" * 8192]}]}
    assert (await world.refused("RunTask", taskDefinition="web", overrides=long))[1] == (
        "Overrides can be at most 8192 characters long."
    )


async def test_an_override_of_no_container(world) -> None:
    overrides = {"containerOverrides": [{"name": "nobody"}]}
    assert await world.refused("RunTask", taskDefinition="web", overrides=overrides) == (
        "InvalidParameterException",
        "Override for container named nobody is not a container in the TaskDefinition.",
    )


@pytest.mark.parametrize("count", [0, 11, -1])
async def test_count_has_limits(world, count) -> None:
    assert (await world.refused("RunTask", taskDefinition="web", count=count))[
        0
    ] == "InvalidParameterException"


async def test_definitions_that_are_not_there_or_inactive(world) -> None:
    assert await world.refused("RunTask", taskDefinition="nothing") == (
        "ClientException",
        "TaskDefinition not found.",
    )
    old = a_task_definition("old", status=TaskDefinitionStatus.INACTIVE)
    await world.put(TASK_DEFINITIONS, [old])
    assert await world.refused("RunTask", taskDefinition="old:1") == (
        "InvalidParameterException",
        "TaskDefinition is inactive",
    )
    assert await world.refused("RunTask", taskDefinition="web", cluster="none") == (
        "ClusterNotFoundException",
        "Cluster not found.",
    )


async def test_a_token_that_started_nothing_places_anew(world) -> None:
    await world.put(MACHINES, [a_machine(connected=False)])
    assert (await run(world, clientToken="t"))[1][0]["reason"] == "AGENT"
    await world.put(MACHINES, [a_machine()])
    tasks, failures = await run(world, clientToken="t")
    assert (len(tasks), failures) == (1, [])


@pytest.mark.parametrize(
    "request_",
    [
        {"clientToken": "not a token"},
        {"startedBy": "me!"},
        {"group": "service:web"},
        {"group": "g" * 256},
        {"referenceId": "r" * 1025},
        {"propagateTags": "SERVICE"},
        {"placementConstraints": [{"type": "memberOf"}]},
        {"placementConstraints": [{"type": "memberOf", "expression": "attribute:x =="}]},
        {"placementConstraints": [{"type": "distinctInstance"}] * 11},
        {"placementStrategy": [{"type": "binpack", "field": "disk"}]},
        {"placementStrategy": [{"type": "random"}] * 6},
    ],
)
async def test_parameters_that_are_not_valid(world, request_) -> None:
    code, _ = await world.refused("RunTask", taskDefinition="web", **request_)
    assert code == "InvalidParameterException"


async def test_a_client_token_is_good_once(world) -> None:
    (first,), _ = await run(world, clientToken="t", startedBy="me")
    (again,), _ = await run(world, clientToken="t", startedBy="me")
    assert again["taskArn"] == first["taskArn"]
    code, _ = await world.refused("RunTask", taskDefinition="web", clientToken="t")
    assert code == "ConflictException"
    assert (await world.do("ListTasks"))["taskArns"] == [first["taskArn"]]


async def test_tags_are_propagated_and_managed(world) -> None:
    tagged = a_task_definition("tagged", tags={"team": "a", "from": "definition"})
    await world.put(TASK_DEFINITIONS, [tagged])
    (task,), _ = await run(
        world,
        taskDefinition="tagged",
        propagateTags="TASK_DEFINITION",
        enableECSManagedTags=True,
        tags=[{"key": "team", "value": "b"}],
    )
    tags = {tag["key"]: tag["value"] for tag in task["tags"]}
    assert tags == {"aws:ecs:clusterName": "default", "team": "b", "from": "definition"}


@pytest.mark.parametrize(
    ("container", "words"),
    [
        ({"log_configuration": LogConfiguration(log_driver="awsfirelens")}, "awsfirelens"),
        ({"secrets": (Secret(name="S", value_from="x"),)}, "Parameter Store"),
    ],
)
async def test_what_is_not_built_is_refused_by_name(world, container, words) -> None:
    definition = a_task_definition("x", 1, a_container_definition(**container))
    await world.put(TASK_DEFINITIONS, [definition])
    code, message = await world.refused("RunTask", taskDefinition="x")
    assert code == "ClientException"
    assert words in message


@pytest.mark.covers("ecs:StartTask")
async def test_start_task_on_a_named_instance(world) -> None:
    await world.put(CONTAINER_INSTANCES, [a_container_instance()])
    missing = "f" * 32
    answer = await world.do(
        "StartTask",
        taskDefinition="web",
        containerInstances=[a_container_instance().arn, missing],
    )
    assert [t["containerInstanceArn"] for t in answer["tasks"]] == [a_container_instance().arn]
    assert [f["reason"] for f in answer["failures"]] == ["MISSING"]
    assert await world.refused("StartTask", taskDefinition="web", containerInstances=[]) == (
        "ClientException",
        "Container Instances cannot be empty.",
    )


async def test_a_draining_instance_takes_no_tasks(world) -> None:
    draining = a_container_instance(status=ContainerInstanceStatus.DRAINING)
    await world.put(CONTAINER_INSTANCES, [draining])
    assert (await world.refused("RunTask", taskDefinition="web"))[1] == (
        "No Container Instances were found in your cluster."
    )


async def test_the_record_is_complete(world) -> None:
    (task,), _ = await run(world, group="batch")
    record = await stored(world, task["taskArn"])
    assert record.last_status is TaskStatus.PENDING
    assert record.launch_type is LaunchType.EC2
    assert record.group == "batch"
    assert record.availability_zone == "eu-central-1a"
