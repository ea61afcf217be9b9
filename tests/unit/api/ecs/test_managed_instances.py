from __future__ import annotations

import pytest

from openecs.store.kinds import CAPACITY_PROVIDERS, CLUSTERS, CONTAINER_INSTANCES, MACHINES
from openecs.testing.builders import a_cluster, a_machine

TEMPLATE = {
    "ec2InstanceProfileArn": "arn:aws:iam::123456789012:instance-profile/ecsInstanceRole",
    "networkConfiguration": {"subnets": ["subnet-1"], "securityGroups": ["sg-1"]},
    "instanceRequirements": {"vCpuCount": {"min": 1, "max": 4}, "memoryMiB": {"min": 1024}},
}
ROLE = "arn:aws:iam::123456789012:role/ecsInfrastructureRole"
PROVIDER = {"infrastructureRoleArn": ROLE, "instanceLaunchTemplate": TEMPLATE}


@pytest.fixture(autouse=True)
async def cluster(world) -> None:
    await world.put(CLUSTERS, [a_cluster()])
    await world.put(MACHINES, [a_machine()])


@pytest.fixture
async def provider(world) -> None:
    await world.do(
        "CreateCapacityProvider", name="mi", cluster="default", managedInstancesProvider=PROVIDER
    )


async def register(world, *compatibilities: str) -> None:
    await world.do(
        "RegisterTaskDefinition",
        family="web",
        requiresCompatibilities=list(compatibilities),
        containerDefinitions=[{"name": "app", "image": "busybox", "memory": 64, "cpu": 128}],
    )


@pytest.mark.covers("ecs:CreateCapacityProvider")
async def test_created_for_a_cluster_that_has_it_at_once(world) -> None:
    answer = await world.do(
        "CreateCapacityProvider",
        name="mi",
        cluster="default",
        managedInstancesProvider=PROVIDER,
        tags=[{"key": "a", "value": "1"}],
    )
    assert answer["capacityProvider"] == {
        "capacityProviderArn": "arn:aws:ecs:eu-central-1:123456789012:capacity-provider/mi",
        "name": "mi",
        "cluster": "default",
        "type": "MANAGED_INSTANCES",
        "status": "ACTIVE",
        "updateStatus": "CREATE_COMPLETE",
        "managedInstancesProvider": PROVIDER,
        "tags": [{"key": "a", "value": "1"}],
    }
    described = await world.do("DescribeClusters")
    assert described["clusters"][0]["capacityProviders"] == ["mi"]


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        ({"managedInstancesProvider": PROVIDER}, "cluster must be specified"),
        (
            {
                "cluster": "default",
                "managedInstancesProvider": {
                    **PROVIDER,
                    "instanceLaunchTemplate": {**TEMPLATE, "networkConfiguration": {}},
                },
            },
            "subnets",
        ),
    ],
)
async def test_what_it_needs(world, request_, words: str) -> None:
    code, message = await world.refused("CreateCapacityProvider", name="mi", **request_)
    assert code == "InvalidParameterException"
    assert words in message


@pytest.mark.usefixtures("provider")
async def test_another_cluster_cannot_have_it(world) -> None:
    code, _ = await world.refused("CreateCluster", clusterName="other", capacityProviders=["mi"])
    assert code == "InvalidParameterException"


@pytest.mark.covers("ecs:DescribeCapacityProviders")
@pytest.mark.usefixtures("provider")
async def test_described_by_cluster(world) -> None:
    answer = await world.do("DescribeCapacityProviders", cluster="default")
    assert [each["name"] for each in answer["capacityProviders"]] == ["mi"]


@pytest.mark.covers("ecs:UpdateCapacityProvider")
@pytest.mark.usefixtures("provider")
async def test_update_keeps_the_members_that_are_not_given(world) -> None:
    answer = await world.do(
        "UpdateCapacityProvider",
        name="mi",
        cluster="default",
        managedInstancesProvider={
            "infrastructureRoleArn": ROLE + "2",
            "instanceLaunchTemplate": {"monitoring": "DETAILED"},
        },
    )
    managed = answer["capacityProvider"]["managedInstancesProvider"]
    assert managed["infrastructureRoleArn"] == ROLE + "2"
    assert managed["instanceLaunchTemplate"] == {**TEMPLATE, "monitoring": "DETAILED"}
    code, _ = await world.refused("UpdateCapacityProvider", name="mi", cluster="other")
    assert code == "InvalidParameterException"


@pytest.mark.covers("ecs:RunTask")
@pytest.mark.usefixtures("provider")
async def test_tasks_run_on_an_instance_of_the_provider(world) -> None:
    await register(world, "MANAGED_INSTANCES")
    strategy = [{"capacityProvider": "mi", "weight": 1}]
    answer = await world.do("RunTask", taskDefinition="web", capacityProviderStrategy=strategy)
    (task,) = answer["tasks"]
    assert (task["launchType"], task["capacityProviderName"]) == ("MANAGED_INSTANCES", "mi")
    await world.do("RunTask", taskDefinition="web", count=2)
    instances = await world.store.read(lambda view: view.scan(CONTAINER_INSTANCES, None))
    assert sorted(i.capacity_provider or "" for i in instances) == ["", "mi"]
    assert len({i.ec2_instance_id for i in instances}) == 2
    described = await world.do(
        "DescribeContainerInstances", containerInstances=[i.arn for i in instances]
    )
    left = [
        resource["integerValue"]
        for each in described["containerInstances"]
        for resource in each["remainingResources"]
        if resource["name"] == "CPU"
    ]
    # Both are the same machine: all three tasks take from both.
    assert left == [2048 - 3 * 128] * 2


@pytest.mark.usefixtures("provider")
async def test_the_definition_has_to_be_for_it(world) -> None:
    await register(world, "EC2")
    strategy = [{"capacityProvider": "mi"}]
    code, message = await world.refused(
        "RunTask", taskDefinition="web", capacityProviderStrategy=strategy
    )
    assert (code, "MANAGED_INSTANCES" in message) == ("InvalidParameterException", True)


@pytest.mark.usefixtures("provider")
async def test_no_mix_with_fargate(world) -> None:
    strategy = [{"capacityProvider": "mi"}, {"capacityProvider": "FARGATE"}]
    code, message = await world.refused(
        "PutClusterCapacityProviders",
        cluster="default",
        capacityProviders=["mi", "FARGATE"],
        defaultCapacityProviderStrategy=strategy,
    )
    assert (code, "cannot contain a mix" in message) == ("InvalidParameterException", True)


@pytest.mark.covers("ecs:DeleteCapacityProvider")
@pytest.mark.usefixtures("provider")
async def test_delete_once_nothing_runs_on_it(world) -> None:
    await register(world, "MANAGED_INSTANCES")
    strategy = [{"capacityProvider": "mi"}]
    await world.do("RunTask", taskDefinition="web", capacityProviderStrategy=strategy)
    code, message = await world.refused("DeleteCapacityProvider", capacityProvider="mi")
    assert (code, "is in use" in message) == ("ClientException", True)


@pytest.mark.usefixtures("provider")
async def test_deleted_it_is_gone_from_its_cluster(world) -> None:
    answer = await world.do("DeleteCapacityProvider", capacityProvider="mi", cluster="default")
    assert answer["capacityProvider"]["updateStatus"] == "DELETE_COMPLETE"
    assert not await world.store.read(lambda view: view.scan(CAPACITY_PROVIDERS, None))
    described = await world.do("DescribeClusters")
    assert described["clusters"][0]["capacityProviders"] == []
