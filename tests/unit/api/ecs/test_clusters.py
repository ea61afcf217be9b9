from __future__ import annotations

import pytest

from openecs.model.clusters import ContainerInstanceStatus
from openecs.model.tasks import LaunchType, TaskStatus
from openecs.store.kinds import CLUSTERS, CONTAINER_INSTANCES, MACHINES, TASKS
from openecs.testing.builders import a_cluster, a_container_instance, a_machine, a_task

ARN = "arn:aws:ecs:eu-central-1:123456789012:cluster/{}"


@pytest.mark.covers("ecs:CreateCluster")
async def test_a_new_cluster_is_empty(world) -> None:
    assert await world.do("CreateCluster") == {
        "cluster": {
            "clusterArn": ARN.format("default"),
            "clusterName": "default",
            "status": "ACTIVE",
            "registeredContainerInstancesCount": 0,
            "runningTasksCount": 0,
            "pendingTasksCount": 0,
            "activeServicesCount": 0,
            "statistics": [],
            "tags": [],
            "settings": [{"name": "containerInsights", "value": "disabled"}],
            "capacityProviders": [],
            "defaultCapacityProviderStrategy": [],
            "attachments": [],
        }
    }


async def test_creating_again_changes_nothing(world) -> None:
    first = await world.do("CreateCluster", clusterName="c", tags=[{"key": "a", "value": "1"}])
    again = await world.do("CreateCluster", clusterName="c", tags=[{"key": "b", "value": "2"}])
    assert first == again


@pytest.mark.parametrize("name", ["a b", "a/b", "x" * 256, "ä"])
async def test_a_name_that_may_not_be(world, name: str) -> None:
    code, _ = await world.refused("CreateCluster", clusterName=name)
    assert code == "InvalidParameterException"


async def test_insights_follow_the_account_setting_unless_given(world) -> None:
    await world.do("PutAccountSetting", name="containerInsights", value="enhanced")
    made = await world.do("CreateCluster", clusterName="a")
    assert made["cluster"]["settings"] == [{"name": "containerInsights", "value": "enhanced"}]
    made = await world.do(
        "CreateCluster",
        clusterName="b",
        settings=[{"name": "containerInsights", "value": "enabled"}],
    )
    assert made["cluster"]["settings"] == [{"name": "containerInsights", "value": "enabled"}]


@pytest.mark.covers("ecs:DescribeClusters")
async def test_describe_shows_what_is_asked_for(world) -> None:
    configuration = {"executeCommandConfiguration": {"kmsKeyId": "k", "logging": "DEFAULT"}}
    await world.do(
        "CreateCluster",
        clusterName="c",
        configuration=configuration,
        tags=[{"key": "a", "value": "1"}],
    )
    plain = (await world.do("DescribeClusters", clusters=["c"]))["clusters"][0]
    assert (plain["tags"], plain["settings"], "configuration" in plain) == ([], [], False)
    full = await world.do(
        "DescribeClusters", clusters=["c"], include=["TAGS", "SETTINGS", "CONFIGURATIONS"]
    )
    assert full["clusters"][0]["tags"] == [{"key": "a", "value": "1"}]
    assert full["clusters"][0]["configuration"] == configuration


async def test_unknown_clusters_are_failures(world) -> None:
    assert await world.do("DescribeClusters") == {
        "clusters": [],
        "failures": [{"arn": ARN.format("default"), "reason": "MISSING"}],
    }


async def test_counts(world) -> None:
    await world.put(CLUSTERS, [a_cluster(), a_cluster("other")])
    await world.put(
        TASKS,
        [
            a_task(1),
            a_task(2, last_status=TaskStatus.PENDING),
            a_task(3, last_status=TaskStatus.PROVISIONING, launch_type=LaunchType.FARGATE),
            a_task(4, last_status=TaskStatus.STOPPED),
            a_task(5, cluster="other"),
        ],
    )
    await world.put(
        CONTAINER_INSTANCES,
        [
            a_container_instance(1),
            a_container_instance(2, status=ContainerInstanceStatus.DRAINING),
            a_container_instance(3, status=ContainerInstanceStatus.INACTIVE),
        ],
    )
    cluster = (await world.do("DescribeClusters", include=["STATISTICS"]))["clusters"][0]
    assert cluster["registeredContainerInstancesCount"] == 2
    assert (cluster["runningTasksCount"], cluster["pendingTasksCount"]) == (1, 2)
    statistics = {entry["name"]: entry["value"] for entry in cluster["statistics"]}
    assert len(statistics) == 12
    assert statistics["runningEC2TasksCount"] == "1"
    assert statistics["pendingEC2TasksCount"] == "1"
    assert statistics["pendingFargateTasksCount"] == "1"
    assert statistics["activeEC2ServiceCount"] == "0"


@pytest.mark.covers("ecs:ListClusters")
async def test_listing_page_by_page(world) -> None:
    for name in "abc":
        await world.do("CreateCluster", clusterName=name)
    await world.do("DeleteCluster", cluster="b")
    first = await world.do("ListClusters", maxResults=1)
    assert first["clusterArns"] == [ARN.format("a")]
    rest = await world.do("ListClusters", maxResults=1, nextToken=first["nextToken"])
    assert rest == {"clusterArns": [ARN.format("c")]}


@pytest.mark.covers("ecs:UpdateCluster", "ecs:UpdateClusterSettings")
async def test_update(world) -> None:
    await world.do("CreateCluster", clusterName="c")
    settings = [{"name": "containerInsights", "value": "enabled"}]
    answer = await world.do("UpdateClusterSettings", cluster="c", settings=settings)
    assert answer["cluster"]["settings"] == settings
    configuration = {"managedStorageConfiguration": {"kmsKeyId": "k"}}
    answer = await world.do("UpdateCluster", cluster="c", configuration=configuration)
    assert answer["cluster"]["settings"] == settings
    assert answer["cluster"]["configuration"] == configuration


async def test_update_refuses_what_it_cannot_do(world) -> None:
    await world.do("CreateCluster", clusterName="c")
    code, _ = await world.refused(
        "UpdateCluster", cluster="c", settings=[{"name": "containerInsights", "value": "maybe"}]
    )
    assert code == "InvalidParameterException"
    code, _ = await world.refused(
        "UpdateCluster", cluster="c", serviceConnectDefaults={"namespace": "shop"}
    )
    assert code == "NamespaceNotFoundException"
    logging = {"executeCommandConfiguration": {"logging": "OVERRIDE"}}
    code, _ = await world.refused("UpdateCluster", cluster="c", configuration=logging)
    assert code == "InvalidParameterException"


@pytest.mark.parametrize("operation", ["DeleteCluster", "UpdateCluster"])
async def test_a_cluster_that_is_not_there(world, operation: str) -> None:
    assert await world.refused(operation, cluster="c") == (
        "ClusterNotFoundException",
        "Cluster not found.",
    )


@pytest.mark.covers("ecs:DeleteCluster")
async def test_delete_leaves_an_inactive_cluster(world) -> None:
    await world.do("CreateCluster", clusterName="c", tags=[{"key": "a", "value": "1"}])
    assert (await world.do("DeleteCluster", cluster="c"))["cluster"]["status"] == "INACTIVE"
    found = await world.do("DescribeClusters", clusters=["c"])
    assert found["clusters"][0]["status"] == "INACTIVE"
    assert await world.refused("DeleteCluster", cluster="c") == (
        "ClusterNotFoundException",
        "The referenced cluster was inactive.",
    )
    again = await world.do("CreateCluster", clusterName="c")
    assert (again["cluster"]["status"], again["cluster"]["tags"]) == ("ACTIVE", [])


async def test_a_cluster_in_use_is_not_deleted(world) -> None:
    await world.put(CLUSTERS, [a_cluster()])
    await world.put(CONTAINER_INSTANCES, [a_container_instance()])
    assert await world.refused("DeleteCluster", cluster="default") == (
        "ClusterContainsContainerInstancesException",
        "The Cluster cannot be deleted while Container Instances are active or draining.",
    )
    await world.put(
        CONTAINER_INSTANCES, [a_container_instance(status=ContainerInstanceStatus.INACTIVE)]
    )
    await world.put(TASKS, [a_task(last_status=TaskStatus.STOPPING)])
    assert await world.refused("DeleteCluster", cluster="default") == (
        "ClusterContainsTasksException",
        "The Cluster cannot be deleted while Tasks are active.",
    )
    await world.put(TASKS, [a_task(last_status=TaskStatus.STOPPED)])
    await world.do("DeleteCluster", cluster="default")
    await world.do("CreateCluster")
    forgotten = await world.store.read(
        lambda view: view.scan(CONTAINER_INSTANCES, world.call.scope)
    )
    assert list(forgotten) == []


async def test_a_machine_that_joined_by_itself_leaves_with_the_cluster(world) -> None:
    await world.put(CLUSTERS, [a_cluster()])
    await world.put(MACHINES, [a_machine()])
    await world.put(CONTAINER_INSTANCES, [a_container_instance()])
    await world.put(TASKS, [a_task()])
    assert (await world.refused("DeleteCluster", cluster="default"))[0] == (
        "ClusterContainsTasksException"
    )
    await world.put(TASKS, [a_task(last_status=TaskStatus.STOPPED)])
    gone = (await world.do("DeleteCluster", cluster="default"))["cluster"]
    assert (gone["status"], gone["registeredContainerInstancesCount"]) == ("INACTIVE", 0)


@pytest.mark.covers("ecs:PutClusterCapacityProviders")
async def test_capacity_providers_of_a_cluster(world) -> None:
    await world.do("CreateCluster", clusterName="c")
    strategy = [{"capacityProvider": "FARGATE", "weight": 1, "base": 2}]
    answer = await world.do(
        "PutClusterCapacityProviders",
        cluster="c",
        capacityProviders=["FARGATE", "FARGATE_SPOT"],
        defaultCapacityProviderStrategy=strategy,
    )
    assert answer["cluster"]["capacityProviders"] == ["FARGATE", "FARGATE_SPOT"]
    assert answer["cluster"]["defaultCapacityProviderStrategy"] == strategy


@pytest.mark.parametrize(
    ("providers", "strategy", "message"),
    [
        (["nope"], [], "The specified capacity provider was not found"),
        (["FARGATE"], ["FARGATE_SPOT"], "not associated with the cluster"),
        (["FARGATE"], ["FARGATE", "FARGATE"], "duplicate capacity providers"),
    ],
)
async def test_a_strategy_that_cannot_be(world, providers, strategy, message) -> None:
    await world.do("CreateCluster", clusterName="c")
    code, text = await world.refused(
        "PutClusterCapacityProviders",
        cluster="c",
        capacityProviders=providers,
        defaultCapacityProviderStrategy=[{"capacityProvider": name} for name in strategy],
    )
    assert code == "InvalidParameterException"
    assert message in text


async def test_a_provider_with_tasks_stays(world) -> None:
    await world.put(CLUSTERS, [a_cluster(capacity_providers=("FARGATE",))])
    await world.put(TASKS, [a_task(capacity_provider="FARGATE")])
    request = {
        "cluster": "default",
        "capacityProviders": [],
        "defaultCapacityProviderStrategy": [],
    }
    code, _ = await world.refused("PutClusterCapacityProviders", **request)
    assert code == "ResourceInUseException"
    await world.put(TASKS, [a_task(last_status=TaskStatus.STOPPED)])
    await world.do("PutClusterCapacityProviders", **request)
