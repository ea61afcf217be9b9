from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from openecs.model.clusters import CapacityProvider, ManagedInstancesProvider
from openecs.model.tasks import LaunchType
from openecs.store.kinds import CAPACITY_PROVIDERS, CLUSTERS, DAEMON_DEPLOYMENTS, TASKS
from openecs.testing.builders import NOW, SCOPE, a_cluster, a_task

ARN = "arn:aws:ecs:eu-central-1:123456789012:"
PROVIDER = ARN + "capacity-provider/mi"
DAEMON = ARN + "daemon/default/agent"


def a_provider(name: str = "mi", cluster: str = "default") -> CapacityProvider:
    managed = ManagedInstancesProvider(document="{}")
    return CapacityProvider(
        scope=SCOPE, name=name, cluster=cluster, managed_instances_provider=managed
    )


pytestmark = pytest.mark.usefixtures("ground")


@pytest.fixture
async def ground(world) -> None:
    await world.put(CLUSTERS, [a_cluster(capacity_providers=("mi", "mi2")), a_cluster("other")])
    foreign = a_provider("foreign", "other")
    await world.put(CAPACITY_PROVIDERS, [a_provider(), a_provider("mi2"), foreign])
    for _ in range(2):
        await world.do(
            "RegisterDaemonTaskDefinition",
            family="agent",
            containerDefinitions=[{"name": "agent", "image": "busybox", "memory": 64}],
        )


async def create(world, **members):
    request = {
        "daemonName": "agent",
        "clusterArn": ARN + "cluster/default",
        "daemonTaskDefinitionArn": ARN + "daemon-task-definition/agent:1",
        "capacityProviderArns": [PROVIDER],
    }
    return await world.do("CreateDaemon", **{**request, **members})


async def update(world, **members):
    request = {
        "daemonArn": DAEMON,
        "daemonTaskDefinitionArn": ARN + "daemon-task-definition/agent:2",
        "capacityProviderArns": [PROVIDER],
    }
    return await world.do("UpdateDaemon", **{**request, **members})


async def deployment(world, arn: str):
    answer = await world.do("DescribeDaemonDeployments", daemonDeploymentArns=[arn])
    (found,) = answer["daemonDeployments"]
    return found


@pytest.mark.covers("ecs:CreateDaemon", "ecs:DescribeDaemon")
async def test_created_it_is_described(world) -> None:
    created = await create(world)
    assert created["daemonArn"] == DAEMON
    assert (created["status"], created["createdAt"]) == ("ACTIVE", NOW)
    assert created["deploymentArn"].startswith(ARN + "daemon-deployment/default/agent/")
    daemon = (await world.do("DescribeDaemon", daemonArn=DAEMON))["daemon"]
    assert daemon["deploymentArn"] == created["deploymentArn"]
    (revision,) = daemon["currentRevisions"]
    assert revision["capacityProviders"] == [
        {"arn": PROVIDER, "runningCount": 0, "withoutDaemonCount": 0}
    ]


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"daemonName": "a b"}, "InvalidParameterException"),
        ({"clusterArn": "nope"}, "ClusterNotFoundException"),
        ({"daemonTaskDefinitionArn": "agent:9"}, "ClientException"),
        ({"capacityProviderArns": []}, "InvalidParameterException"),
        ({"capacityProviderArns": ["FARGATE"]}, "InvalidParameterException"),
        ({"capacityProviderArns": ["foreign"]}, "InvalidParameterException"),
        ({"deploymentConfiguration": {"drainPercent": 101.0}}, "InvalidParameterException"),
        ({"deploymentConfiguration": {"bakeTimeInMinutes": -1}}, "InvalidParameterException"),
        ({"clientToken": "x" * 37}, "InvalidParameterException"),
    ],
)
async def test_what_is_wrong_is_said(world, members, code: str) -> None:
    request = {
        "daemonName": "agent",
        "daemonTaskDefinitionArn": "agent:1",
        "capacityProviderArns": ["mi"],
    }
    refused, _ = await world.refused("CreateDaemon", **{**request, **members})
    assert refused == code
    assert (await world.do("ListDaemons"))["daemonSummariesList"] == []


async def test_a_deleted_definition_starts_no_daemon(world) -> None:
    await world.do("DeleteDaemonTaskDefinition", daemonTaskDefinition="agent:1")
    code, _ = await world.refused(
        "CreateDaemon",
        daemonName="agent",
        daemonTaskDefinitionArn="agent:1",
        capacityProviderArns=["mi"],
    )
    assert code == "InvalidParameterException"


async def test_a_client_token_makes_repeating_harmless(world) -> None:
    first = await create(world, clientToken="t")
    assert await create(world, clientToken="t") == first
    code, _ = await world.refused(
        "CreateDaemon",
        daemonName="b",
        daemonTaskDefinitionArn="agent",
        capacityProviderArns=["mi"],
        clientToken="t",
    )
    assert code == "InvalidParameterException"


async def test_a_name_is_taken_once(world) -> None:
    await create(world)
    code, message = await world.refused(
        "CreateDaemon",
        daemonName="agent",
        daemonTaskDefinitionArn="agent",
        capacityProviderArns=["mi"],
    )
    assert (code, "idempotent" in message) == ("InvalidParameterException", True)


@pytest.mark.covers("ecs:DescribeDaemonDeployments")
async def test_the_first_deployment(world) -> None:
    created = await create(world, deploymentConfiguration={"drainPercent": 50.0})
    found = await deployment(world, created["deploymentArn"])
    assert found["status"] == "PENDING"
    assert found["deploymentConfiguration"] == {"drainPercent": 50.0, "bakeTimeInMinutes": 0}
    assert found["circuitBreaker"] == {"failureCount": 0, "status": "MONITORING", "threshold": 0}
    assert found["alarms"]["status"] == "DISABLED"
    assert found["sourceDaemonRevisions"] == []
    missing = ARN + "daemon-deployment/default/agent/nope"
    answer = await world.do("DescribeDaemonDeployments", daemonDeploymentArns=[missing])
    assert answer["failures"] == [{"arn": missing, "reason": "MISSING"}]


@pytest.mark.covers("ecs:UpdateDaemon", "ecs:DescribeDaemonRevisions")
async def test_an_update_deploys_a_new_revision(world) -> None:
    created = await create(world, propagateTags="DAEMON", critical=False)
    before = (await deployment(world, created["deploymentArn"]))["targetDaemonRevision"]["arn"]
    revision = before.rpartition("/")[2]
    task = a_task(
        1,
        launch_type=LaunchType.MANAGED_INSTANCES,
        capacity_provider="mi",
        group="daemon:agent",
        started_by=revision,
    )
    await world.put(TASKS, [task])
    updated = await update(world, enableECSManagedTags=True)
    assert updated["updatedAt"] == NOW
    old = await deployment(world, created["deploymentArn"])
    assert (old["status"], old["stoppedAt"]) == ("STOPPED", NOW)
    new = await deployment(world, updated["deploymentArn"])
    assert [each["arn"] for each in new["sourceDaemonRevisions"]] == [before]
    assert new["sourceDaemonRevisions"][0]["totalRunningInstanceCount"] == 1
    target = new["targetDaemonRevision"]["arn"]
    answer = await world.do("DescribeDaemonRevisions", daemonRevisionArns=[target])
    assert answer["daemonRevisions"] == [
        {
            "daemonRevisionArn": target,
            "clusterArn": ARN + "cluster/default",
            "daemonArn": DAEMON,
            "daemonTaskDefinitionArn": ARN + "daemon-task-definition/agent:2",
            "createdAt": NOW,
            "containerImages": [{"containerName": "agent", "image": "busybox"}],
            "propagateTags": "DAEMON",
            "enableECSManagedTags": True,
            "enableExecuteCommand": False,
            "critical": False,
        }
    ]
    daemon = (await world.do("DescribeDaemon", daemonArn=DAEMON))["daemon"]
    running = {r["arn"]: r["totalRunningCount"] for r in daemon["currentRevisions"]}
    assert running == {target: 0, before: 1}


@pytest.mark.covers("ecs:DeleteDaemon")
async def test_deleting(world) -> None:
    await create(world)
    answer = await world.do("DeleteDaemon", daemonArn=DAEMON)
    assert answer["status"] == "DELETE_IN_PROGRESS"
    found = await deployment(world, answer["deploymentArn"])
    assert "targetDaemonRevision" not in found
    assert await world.refused("DeleteDaemon", daemonArn=DAEMON) == (
        "DaemonNotActiveException",
        "Daemon was not ACTIVE.",
    )
    code, _ = await world.refused("DescribeDaemon", daemonArn=ARN + "daemon/default/nope")
    assert code == "DaemonNotFoundException"
    code, _ = await world.refused("DescribeDaemon", daemonArn="agent")
    assert code == "InvalidParameterException"


@pytest.mark.covers("ecs:ListDaemons")
async def test_listing(world) -> None:
    await create(world)
    await create(world, daemonName="logs", capacityProviderArns=["mi2"])

    async def names(**request) -> list[str]:
        answer = await world.do("ListDaemons", **request)
        return [d["daemonArn"].rpartition("/")[2] for d in answer["daemonSummariesList"]]

    assert await names() == ["agent", "logs"]
    assert await names(clusterArn="other") == []
    assert await names(capacityProviderArns=[PROVIDER]) == ["agent"]


@pytest.mark.covers("ecs:ListDaemonDeployments")
async def test_listing_deployments(world) -> None:
    created = await create(world)
    later = replace(world.call, now=NOW + timedelta(minutes=1))
    world.call = later
    updated = await update(world)

    async def listed(**request) -> list[str]:
        answer = await world.do("ListDaemonDeployments", daemonArn=DAEMON, **request)
        return [d["daemonDeploymentArn"] for d in answer["daemonDeployments"]]

    both = [updated["deploymentArn"], created["deploymentArn"]]
    assert await listed() == both
    assert await listed(status=["STOPPED"]) == both[1:]
    assert await listed(createdAt={"after": NOW}) == both[:1]
    assert await listed(createdAt={"before": later.now}) == both[1:]
    page = await world.do("ListDaemonDeployments", daemonArn=DAEMON, maxResults=1)
    assert await listed(maxResults=1, nextToken=page["nextToken"]) == both[1:]


async def test_a_provider_with_a_daemon_stays(world) -> None:
    await create(world)
    code, _ = await world.refused("DeleteCapacityProvider", capacityProvider="mi")
    assert code == "ClientException"
    await world.do("DeleteCapacityProvider", capacityProvider="mi2")


async def test_nobody_else_starts_tasks_of_a_daemon(world) -> None:
    await world.do(
        "RegisterTaskDefinition",
        family="web",
        containerDefinitions=[{"name": "app", "image": "busybox", "memory": 64}],
    )
    code, _ = await world.refused("RunTask", taskDefinition="web", group="daemon:agent")
    assert code == "InvalidParameterException"


async def test_alarms_that_are_off_are_kept_and_shown(world) -> None:
    alarms = {"alarmNames": ["cpu"], "enable": False}
    created = await create(world, deploymentConfiguration={"alarms": alarms})
    found = await deployment(world, created["deploymentArn"])
    assert found["alarms"] == {
        "status": "DISABLED",
        "alarmNames": ["cpu"],
        "triggeredAlarmNames": [],
    }
    stored = await world.store.read(lambda view: view.scan(DAEMON_DEPLOYMENTS, None))
    assert stored[0].configuration.drain_percent == 25.0


async def test_alarms_without_names_are_refused(world) -> None:
    configuration = {"alarms": {"alarmNames": [], "enable": True}}
    refusal = (
        "InvalidParameterException",
        "alarmNames cannot be empty when alarms are enabled.",
    )
    request = {
        "daemonName": "agent",
        "clusterArn": ARN + "cluster/default",
        "daemonTaskDefinitionArn": ARN + "daemon-task-definition/agent:1",
        "capacityProviderArns": [PROVIDER],
    }
    created = {**request, "deploymentConfiguration": configuration}
    assert await world.refused("CreateDaemon", **created) == refusal
    await create(world)
    changed = {
        "daemonArn": DAEMON,
        "daemonTaskDefinitionArn": ARN + "daemon-task-definition/agent:2",
        "capacityProviderArns": [PROVIDER],
        "deploymentConfiguration": configuration,
    }
    assert await world.refused("UpdateDaemon", **changed) == refusal
