from __future__ import annotations

from dataclasses import replace

import pytest

from openecs.model.task_definitions import TaskDefinitionStatus
from openecs.store.kinds import TASK_DEFINITIONS
from openecs.testing.builders import NOW, SCOPE, a_task_definition

ARN = "arn:aws:ecs:eu-central-1:123456789012:task-definition/{}"
APP = {"name": "app", "image": "nginx", "memory": 128}


async def register(world, family: str = "web", *containers, **members):
    request = {"family": family, "containerDefinitions": list(containers or (APP,)), **members}
    return (await world.do("RegisterTaskDefinition", **request))["taskDefinition"]


async def test_what_a_small_definition_is_filled_up_with(world) -> None:
    assert await register(world) == {
        "taskDefinitionArn": ARN.format("web:1"),
        "containerDefinitions": [
            {
                "name": "app",
                "image": "nginx",
                "cpu": 0,
                "memory": 128,
                "portMappings": [],
                "essential": True,
                "environment": [],
                "mountPoints": [],
                "volumesFrom": [],
                "systemControls": [],
            }
        ],
        "family": "web",
        "revision": 1,
        "status": "ACTIVE",
        "volumes": [],
        "requiresAttributes": [],
        "placementConstraints": [],
        "compatibilities": ["EXTERNAL", "EC2"],
        "registeredAt": NOW,
        "registeredBy": f"arn:aws:iam::{SCOPE.account}:root",
    }


FULL = {
    "name": "app",
    "image": "nginx",
    "repositoryCredentials": {"credentialsParameter": "arn:aws:secretsmanager:x:1:secret:y"},
    "cpu": 10,
    "memory": 256,
    "memoryReservation": 128,
    "portMappings": [
        {"containerPort": 80, "hostPort": 8080, "protocol": "tcp", "name": "web"},
        {"containerPortRange": "1000-1002", "protocol": "udp"},
    ],
    "essential": True,
    "restartPolicy": {"enabled": True, "ignoredExitCodes": [0], "restartAttemptPeriod": 60},
    "entryPoint": ["/bin/sh"],
    "command": ["-c", "true"],
    "environment": [{"name": "A", "value": "1"}],
    "environmentFiles": [{"value": "arn:aws:s3:::bucket/a.env", "type": "s3"}],
    "mountPoints": [
        {"sourceVolume": "v", "containerPath": "/v", "readOnly": True},
        {"sourceVolume": "d", "containerPath": "/d"},
        {"sourceVolume": "d", "containerPath": "/e", "readOnly": False},
    ],
    "volumesFrom": [{"sourceContainer": "side"}],
    "linuxParameters": {
        "capabilities": {"add": ["NET_ADMIN"], "drop": ["MKNOD"]},
        "devices": [{"hostPath": "/dev/fuse", "permissions": ["read", "write"]}],
        "initProcessEnabled": True,
        "sharedMemorySize": 64,
        "tmpfs": [{"containerPath": "/run", "size": 8, "mountOptions": ["noexec"]}],
        "maxSwap": 0,
        "swappiness": 10,
    },
    "secrets": [{"name": "S", "valueFrom": "/app/secret"}],
    "dependsOn": [{"containerName": "side", "condition": "HEALTHY"}],
    "startTimeout": 10,
    "stopTimeout": 20,
    "versionConsistency": "disabled",
    "hostname": "app",
    "user": "nobody",
    "workingDirectory": "/srv",
    "disableNetworking": False,
    "privileged": False,
    "readonlyRootFilesystem": True,
    "dnsServers": ["10.0.0.2"],
    "dnsSearchDomains": ["example.org"],
    "extraHosts": [{"hostname": "db", "ipAddress": "10.0.0.3"}],
    "dockerSecurityOptions": ["no-new-privileges"],
    "interactive": True,
    "pseudoTerminal": False,
    "dockerLabels": {"a": "b"},
    "ulimits": [{"name": "nofile", "softLimit": 1024, "hardLimit": 2048}],
    "logConfiguration": {"logDriver": "json-file", "options": {"max-size": "1m"}},
    "healthCheck": {"command": ["CMD", "true"], "interval": 10, "timeout": 5, "retries": 3},
    "systemControls": [{"namespace": "net.core.somaxconn", "value": "1024"}],
}
SIDE = {
    "name": "side",
    "image": "busybox",
    "memory": 64,
    "essential": False,
    "healthCheck": {"command": ["CMD-SHELL", "true"]},
}
TASK = {
    "taskRoleArn": "arn:aws:iam::123456789012:role/task",
    "executionRoleArn": "arn:aws:iam::123456789012:role/execution",
    "networkMode": "bridge",
    "volumes": [
        {"name": "v", "host": {"sourcePath": "/srv"}},
        {
            "name": "d",
            "dockerVolumeConfiguration": {
                "scope": "shared",
                "autoprovision": True,
                "driver": "local",
                "driverOpts": {"type": "tmpfs"},
                "labels": {"x": "y"},
            },
        },
    ],
    "placementConstraints": [{"type": "memberOf", "expression": "attribute:zone == a"}],
    "requiresCompatibilities": ["EC2"],
    "runtimePlatform": {"cpuArchitecture": "X86_64", "operatingSystemFamily": "LINUX"},
    "pidMode": "task",
    "ipcMode": "task",
    "enableFaultInjection": False,
}


@pytest.mark.covers("ecs:RegisterTaskDefinition")
async def test_everything_given_is_shown_again(world) -> None:
    made = await register(world, "web", FULL, SIDE, cpu="1 vCPU", memory="0.5GB", **TASK)
    assert made["containerDefinitions"][0] == FULL
    assert made["containerDefinitions"][1]["healthCheck"] == {
        "command": ["CMD-SHELL", "true"],
        "interval": 30,
        "timeout": 5,
        "retries": 3,
    }
    assert {name: made[name] for name in TASK} == TASK
    assert (made["cpu"], made["memory"]) == ("1024", "512")
    described = await world.do("DescribeTaskDefinition", taskDefinition="web")
    assert described == {"taskDefinition": made, "tags": []}


@pytest.mark.parametrize(
    ("mode", "mapping", "host_port"),
    [
        (None, {"containerPort": 80}, 0),
        ("bridge", {"containerPort": 80}, 0),
        ("bridge", {"containerPort": 80, "hostPort": 81}, 81),
        ("host", {"containerPort": 80}, 80),
        ("awsvpc", {"containerPort": 80}, 80),
    ],
)
async def test_host_ports_that_are_not_given(world, mode, mapping, host_port) -> None:
    members = {"networkMode": mode} if mode else {}
    made = await register(world, "web", {**APP, "portMappings": [mapping]}, **members)
    assert made["containerDefinitions"][0]["portMappings"] == [
        {"containerPort": 80, "hostPort": host_port, "protocol": "tcp"}
    ]


@pytest.mark.parametrize(
    ("cpu", "memory", "shown"),
    [
        ("256", "512", ("256", "512")),
        ("1 vCPU", "2 GB", ("1024", "2048")),
        (".5 vcpu", "1GB", ("512", "1024")),
        ("0.25vCPU", "0.5 gb", ("256", "512")),
    ],
)
async def test_sizes(world, cpu: str, memory: str, shown: tuple[str, str]) -> None:
    made = await register(world, cpu=cpu, memory=memory)
    assert (made["cpu"], made["memory"]) == shown


async def test_fargate_is_offered_where_it_could_run(world) -> None:
    made = await register(world, networkMode="awsvpc", cpu="256", memory="512")
    assert made["compatibilities"] == ["EC2", "FARGATE"]
    made = await register(world, networkMode="awsvpc", cpu="256", memory="4096")
    assert made["compatibilities"] == ["EC2"]


async def test_the_attributes_an_instance_needs(world) -> None:
    made = await register(
        world,
        "web",
        {
            **APP,
            "image": "123456789012.dkr.ecr.eu-central-1.amazonaws.com/app:1",
            "secrets": [
                {"name": "A", "valueFrom": "parameter"},
                {"name": "B", "valueFrom": "arn:aws:secretsmanager:eu-central-1:1:secret:x"},
            ],
            "logConfiguration": {
                "logDriver": "awslogs",
                "options": {"awslogs-region": "eu-central-1", "awslogs-group": "g"},
            },
        },
        networkMode="awsvpc",
        executionRoleArn="role",
        taskRoleArn="role",
    )
    assert [each["name"] for each in made["requiresAttributes"]] == [
        "com.amazonaws.ecs.capability.docker-remote-api.1.21",
        "com.amazonaws.ecs.capability.ecr-auth",
        "com.amazonaws.ecs.capability.logging-driver.awslogs",
        "com.amazonaws.ecs.capability.task-iam-role",
        "ecs.capability.execution-role-awslogs",
        "ecs.capability.execution-role-ecr-pull",
        "ecs.capability.secrets.asm.environment-variables",
        "ecs.capability.secrets.ssm.environment-variables",
        "ecs.capability.task-eni",
    ]


async def test_tags_are_shown_beside_the_definition(world) -> None:
    tags = [{"key": "a", "value": "1"}]
    made = await world.do(
        "RegisterTaskDefinition", family="web", containerDefinitions=[APP], tags=tags
    )
    assert made["tags"] == tags
    plain = await world.do("DescribeTaskDefinition", taskDefinition="web:1")
    assert plain["tags"] == []
    full = await world.do("DescribeTaskDefinition", taskDefinition="web:1", include=["TAGS"])
    assert full["tags"] == tags


async def test_a_revision_number_is_never_used_again(world) -> None:
    await register(world)
    await world.do("DeregisterTaskDefinition", taskDefinition="web:1")
    await world.do("DeleteTaskDefinitions", taskDefinitions=["web:1"])
    await world.store.write(lambda tx: tx.delete(TASK_DEFINITIONS, SCOPE, "web:0000001"))
    assert (await register(world))["revision"] == 2


@pytest.mark.covers("ecs:DescribeTaskDefinition")
async def test_describe_by_family_and_revision(world) -> None:
    for _ in range(2):
        await register(world)
    await world.do("DeregisterTaskDefinition", taskDefinition="web:2")

    async def revision(name: str) -> int:
        answer = await world.do("DescribeTaskDefinition", taskDefinition=name)
        return answer["taskDefinition"]["revision"]

    assert await revision("web") == 1
    assert await revision("web:2") == 2
    assert await revision(ARN.format("web:1")) == 1
    for unknown in ("shop", "web:3"):
        assert await world.refused("DescribeTaskDefinition", taskDefinition=unknown) == (
            "ClientException",
            "Unable to describe task definition.",
        )


@pytest.mark.covers("ecs:DeregisterTaskDefinition")
async def test_deregister(world) -> None:
    await register(world)
    answer = await world.do("DeregisterTaskDefinition", taskDefinition="web:1")
    assert answer["taskDefinition"]["status"] == "INACTIVE"
    assert answer["taskDefinition"]["deregisteredAt"] == NOW
    again = await world.do("DeregisterTaskDefinition", taskDefinition="web:1")
    assert again == answer
    assert await world.refused("DeregisterTaskDefinition", taskDefinition="web") == (
        "ClientException",
        "Revision is missing.",
    )
    assert await world.refused("DeregisterTaskDefinition", taskDefinition="web:7") == (
        "ClientException",
        "Unable to describe task definition.",
    )


@pytest.mark.covers("ecs:DeleteTaskDefinitions")
async def test_delete(world) -> None:
    for _ in range(2):
        await register(world)
    await world.do("DeregisterTaskDefinition", taskDefinition="web:1")
    answer = await world.do("DeleteTaskDefinitions", taskDefinitions=["web:1", "web:2", "web:3"])
    (deleted,) = answer["taskDefinitions"]
    assert (deleted["status"], deleted["deleteRequestedAt"]) == ("DELETE_IN_PROGRESS", NOW)
    assert answer["failures"] == [
        {
            "arn": ARN.format("web:2"),
            "reason": "The specified task definition is still in ACTIVE status. "
            "Please deregister the target and try again.",
        },
        {"arn": ARN.format("web:3"), "reason": "MISSING"},
    ]
    code, message = await world.refused("DeregisterTaskDefinition", taskDefinition="web:1")
    assert (code, "in the process of being deleted" in message) == ("ClientException", True)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ([], "size of TaskDefinition references list must be greater than 0"),
        (
            [f"web:{revision}" for revision in range(11)],
            "Size of TaskDefinition references list cannot exceed 10",
        ),
    ],
)
async def test_one_to_ten_are_deleted(world, names, message) -> None:
    assert await world.refused("DeleteTaskDefinitions", taskDefinitions=names) == (
        "InvalidParameterException",
        message,
    )


def definitions_of(*names: str):
    for name in names:
        family, revision, status = name.split(":")
        yield replace(a_task_definition(family, int(revision)), status=TaskDefinitionStatus(status))


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        ({}, ["a:1", "a:10", "web:2"]),
        ({"status": "INACTIVE"}, ["a:9", "web-2:1"]),
        ({"status": "DELETE_IN_PROGRESS"}, ["web:1"]),
        ({"sort": "DESC"}, ["web:2", "a:10", "a:1"]),
        ({"familyPrefix": "a"}, ["a:1", "a:10"]),
        ({"familyPrefix": "a", "sort": "DESC"}, ["a:10", "a:1"]),
        ({"familyPrefix": "we"}, []),
    ],
)
@pytest.mark.parametrize("size", [1, 2, 100])
@pytest.mark.covers("ecs:ListTaskDefinitions")
async def test_list(world, request_, expected, size) -> None:
    await world.put(
        TASK_DEFINITIONS,
        definitions_of(
            "a:1:ACTIVE",
            "a:9:INACTIVE",
            "a:10:ACTIVE",
            "web:1:DELETE_IN_PROGRESS",
            "web:2:ACTIVE",
            "web-2:1:INACTIVE",
        ),
    )
    seen: list[str] = []
    token: dict[str, str] = {}
    while True:
        answer = await world.do("ListTaskDefinitions", **request_, maxResults=size, **token)
        assert len(answer["taskDefinitionArns"]) <= size
        seen += answer["taskDefinitionArns"]
        if "nextToken" not in answer:
            break
        token = {"nextToken": answer["nextToken"]}
    assert seen == [ARN.format(name) for name in expected]


@pytest.mark.covers("ecs:ListTaskDefinitionFamilies")
async def test_families(world) -> None:
    for family in ("api", "web", "web-old", "gone"):
        await register(world, family)
    for family in ("web-old", "gone"):
        await world.do("DeregisterTaskDefinition", taskDefinition=f"{family}:1")
    await world.store.write(lambda tx: tx.delete(TASK_DEFINITIONS, SCOPE, "gone:0000001"))

    async def families(**request: str) -> list[str]:
        return (await world.do("ListTaskDefinitionFamilies", **request))["families"]

    assert await families() == ["api", "web", "web-old"]
    assert await families(status="ACTIVE") == ["api", "web"]
    assert await families(status="INACTIVE") == ["web-old"]
    assert await families(familyPrefix="web") == ["web", "web-old"]
    await register(world, "web-old")
    assert await families(status="INACTIVE") == []


async def test_a_definition_that_is_too_long(world) -> None:
    code, message = await world.refused(
        "RegisterTaskDefinition",
        family="web",
        containerDefinitions=[{**APP, "command": ["x" * 70_000]}],
    )
    assert code == "ClientException"
    assert message.endswith("Max allowed length is '65536' bytes.")


async def test_what_is_refused_leaves_no_trace(world) -> None:
    await world.refused(
        "RegisterTaskDefinition",
        family="web",
        containerDefinitions=[APP],
        tags=[{"key": "aws:x", "value": ""}],
    )
    assert (await register(world))["revision"] == 1
