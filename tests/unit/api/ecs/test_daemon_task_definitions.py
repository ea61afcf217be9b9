from __future__ import annotations

import pytest

from openecs.model.daemons import DaemonTaskDefinitionStatus
from openecs.store.kinds import DAEMON_TASK_DEFINITIONS
from openecs.testing.builders import NOW

ARN = "arn:aws:ecs:eu-central-1:123456789012:daemon-task-definition/"
CONTAINER = {
    "name": "agent",
    "image": "busybox",
    "memory": 64,
    "privileged": True,
    "linuxParameters": {"capabilities": {"add": ["NET_ADMIN"]}, "initProcessEnabled": True},
    "mountPoints": [{"sourceVolume": "logs", "containerPath": "/logs", "readOnly": True}],
}


async def register(world, family: str = "agent", **members) -> str:
    request = {"family": family, "containerDefinitions": [CONTAINER], "volumes": VOLUMES}
    answer = await world.do("RegisterDaemonTaskDefinition", **{**request, **members})
    return answer["daemonTaskDefinitionArn"]


VOLUMES = [{"name": "logs", "host": {"sourcePath": "/var/log"}}]


@pytest.mark.covers("ecs:RegisterDaemonTaskDefinition", "ecs:DescribeDaemonTaskDefinition")
async def test_what_is_registered_is_described(world) -> None:
    arn = await register(world, cpu="0.25 vCPU", memory="128", pidMode="shared", taskRoleArn="r")
    assert arn == ARN + "agent:1"
    answer = await world.do("DescribeDaemonTaskDefinition", daemonTaskDefinition="agent")
    assert answer["daemonTaskDefinition"] == {
        "daemonTaskDefinitionArn": arn,
        "family": "agent",
        "revision": 1,
        "taskRoleArn": "r",
        "containerDefinitions": [
            {**CONTAINER, "cpu": 0, "essential": True, "environment": [], "systemControls": []}
        ],
        "volumes": VOLUMES,
        "cpu": "256",
        "memory": "128",
        "status": "ACTIVE",
        "registeredAt": NOW,
        "registeredBy": "arn:aws:iam::123456789012:root",
        "pidMode": "shared",
    }


async def test_shared_namespaces_are_the_hosts(world) -> None:
    await register(world, pidMode="shared", ipcMode="none")
    (stored,) = await world.store.read(lambda view: view.scan(DAEMON_TASK_DEFINITIONS, None))
    assert (stored.runs.pid_mode, stored.runs.ipc_mode) == ("host", None)
    assert stored.runs.effective_network_mode == "bridge"


async def test_ordinary_task_definitions_are_apart(world) -> None:
    await register(world)
    assert (await world.do("ListTaskDefinitions"))["taskDefinitionArns"] == []
    assert (await world.do("ListTaskDefinitionFamilies"))["families"] == []
    await world.refused("DescribeTaskDefinition", taskDefinition="agent")


@pytest.mark.parametrize(
    "members",
    [
        {"family": "a b"},
        {"containerDefinitions": []},
        {"containerDefinitions": [{"name": "agent", "image": "busybox"}]},
        {"volumes": []},
    ],
)
async def test_what_is_wrong_is_said(world, members) -> None:
    request = {"family": "agent", "containerDefinitions": [CONTAINER], "volumes": VOLUMES}
    code, _ = await world.refused("RegisterDaemonTaskDefinition", **{**request, **members})
    assert code == "ClientException"


async def listed(world, **request) -> list[str]:
    answer = await world.do("ListDaemonTaskDefinitions", **request)
    return [each["arn"].removeprefix(ARN) for each in answer["daemonTaskDefinitions"]]


@pytest.mark.covers("ecs:ListDaemonTaskDefinitions")
async def test_listing(world) -> None:
    for family in ("agent", "agent", "agents", "logs"):
        await register(world, family)
    await world.do("DeleteDaemonTaskDefinition", daemonTaskDefinition="agent:1")
    assert await listed(world) == ["agent:2", "agents:1", "logs:1"]
    assert await listed(world, sort="DESC") == ["logs:1", "agents:1", "agent:2"]
    assert await listed(world, familyPrefix="agent") == ["agent:2", "agents:1"]
    assert await listed(world, family="agent", status="ALL") == ["agent:1", "agent:2"]
    assert await listed(world, status="DELETE_IN_PROGRESS") == ["agent:1"]
    last = await listed(world, status="ALL", revision="LAST_REGISTERED")
    assert last == ["agent:2", "agents:1", "logs:1"]
    page = await world.do("ListDaemonTaskDefinitions", maxResults=2)
    assert await listed(world, maxResults=2, nextToken=page["nextToken"]) == ["logs:1"]


@pytest.mark.covers("ecs:DeleteDaemonTaskDefinition")
async def test_deleting(world) -> None:
    arn = await register(world)
    code, _ = await world.refused("DeleteDaemonTaskDefinition", daemonTaskDefinition="agent")
    assert code == "ClientException"
    answer = await world.do("DeleteDaemonTaskDefinition", daemonTaskDefinition=arn)
    assert answer == {"daemonTaskDefinitionArn": arn}
    answer = await world.do("DescribeDaemonTaskDefinition", daemonTaskDefinition=arn)
    described = answer["daemonTaskDefinition"]
    assert described["status"] == DaemonTaskDefinitionStatus.DELETE_IN_PROGRESS
    assert described["deleteRequestedAt"] == NOW
    await world.refused("DeleteDaemonTaskDefinition", daemonTaskDefinition=arn)
    await world.refused("DescribeDaemonTaskDefinition", daemonTaskDefinition="agent")
    assert await register(world) == ARN + "agent:2"


@pytest.mark.covers("ecs:TagResource", "ecs:ListTagsForResource")
async def test_tags(world) -> None:
    arn = await register(world, tags=[{"key": "a", "value": "1"}])
    await world.do("TagResource", resourceArn=arn, tags=[{"key": "b", "value": "2"}])
    answer = await world.do("ListTagsForResource", resourceArn=arn)
    assert [tag["key"] for tag in answer["tags"]] == ["a", "b"]
