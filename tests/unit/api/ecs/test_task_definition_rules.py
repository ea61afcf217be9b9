"""What a registration is refused for, in AWS's words."""

from __future__ import annotations

from typing import Any

import pytest

from openecs.api.base import ServiceError
from openecs.api.ecs.task_definition_members import parse
from openecs.api.ecs.task_definition_rules import complaint
from openecs.testing.builders import a_call

APP = {"name": "app", "image": "nginx", "memory": 128}
SIDE = {"name": "side", "image": "busybox", "memory": 64, "essential": False}
AWSLOGS = {"logDriver": "awslogs", "options": {"awslogs-region": "r", "awslogs-group": "g"}}
CHECK = {"command": ["CMD", "true"]}
DEPENDENCY = {"containerName": "side", "condition": "START"}


def message_of(members: dict[str, Any]) -> str | None:
    try:
        return complaint(parse(a_call(), {"family": "web", **members}))
    except ServiceError as error:
        return error.message if error.code == "ClientException" else repr(error)


def app(**members: Any) -> dict[str, Any]:
    return {"containerDefinitions": [{**APP, **members}]}


def both(app_members: dict[str, Any], side_members: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"containerDefinitions": [{**APP, **app_members}, {**SIDE, **(side_members or {})}]}


def fargate(container: dict[str, Any] | None = None, **members: Any) -> dict[str, Any]:
    return {
        **app(**(container or {})),
        "requiresCompatibilities": ["FARGATE"],
        "networkMode": "awsvpc",
        "cpu": "256",
        "memory": "512",
        **members,
    }


def port(**members: Any) -> dict[str, Any]:
    return app(portMappings=[members])


@pytest.mark.parametrize(
    "members",
    [
        app(),
        app(memory=None, memoryReservation=4),
        {**app(memory=None), "memory": "512"},
        {**app(cpu=256, memory=512), "cpu": "256", "memory": "512"},
        port(containerPort=65535, protocol="udp"),
        {**port(containerPort=80, hostPort=80), "networkMode": "host"},
        both({"dependsOn": [DEPENDENCY], "links": ["side:db"], "volumesFrom": []}),
        both({"dependsOn": [{"containerName": "side", "condition": "SUCCESS"}]}),
        fargate(),
        fargate({"logConfiguration": None}, cpu="16384", memory="122880"),
        both(
            {"portMappings": [{"containerPort": 53, "hostPort": 53}]},
            {"portMappings": [{"containerPort": 53, "hostPort": 53, "protocol": "udp"}]},
        ),
        both({"portMappings": [{"containerPort": 80}]}, {"portMappings": [{"containerPort": 80}]}),
    ],
)
def test_nothing_is_wrong(members: dict[str, Any]) -> None:
    assert message_of(members) is None


NAMES = [
    ({"family": "", **app()}, "Family should not be null or empty."),
    ({"family": "a b", **app()}, "Family contains invalid characters."),
    ({"family": "x" * 300, **app()}, "Family should not be longer than 255 characters."),
    ({"containerDefinitions": []}, "Container list cannot be empty."),
    ({"containerDefinitions": [APP] * 11}, "Too many containers."),
    (app(name=None), "Container.name should not be null or empty."),
    (app(name=""), "Container.name should not be null or empty."),
    (app(name="a b"), "Container.name contains invalid characters."),
    (app(image=None), "Container.image should not be null or empty."),
    (app(image=""), "Container.image should not be null or empty."),
    (app(image="a b"), "Container.image contains invalid characters."),
    (
        {"containerDefinitions": [APP, APP]},
        "Container names must be unique within a Task Definition.",
    ),
    (app(essential=False), "Task definition must have at least one essential container."),
    ({**app(), "taskRoleArn": ""}, "Role is not valid"),
    ({**app(), "executionRoleArn": "arn:aws:iam::1:user/x"}, "Role is not valid"),
    (app(environment=[{"value": "x"}]), "KeyValuePair.name should not be null or empty."),
]

SIZES = [
    (
        app(memory=None),
        (
            "Invalid setting for container 'app'. At least one of 'memory' or 'memoryReservation' "
            "must be specified."
        ),
    ),
    (
        app(memory=10, memoryReservation=20),
        (
            "Invalid setting for container 'app'. 'memory' must be greater than or equal to "
            "'memoryReservation'."
        ),
    ),
    (
        {**app(memory=1024), "memory": "512"},
        "The 'memory' setting for container 'app' is greater than for the task.",
    ),
    (
        {**app(cpu=300), "cpu": "256"},
        (
            "The sum of all container 'cpu' values cannot be greater than the value of the task "
            "'cpu'."
        ),
    ),
    (
        {**app(), "cpu": "lots"},
        (
            "Invalid 'cpu' setting for task. For more information, see the Troubleshooting section "
            "of the Amazon ECS Developer Guide."
        ),
    ),
    (
        {**app(), "cpu": "64"},
        (
            "Invalid 'cpu' setting for task. For more information, see the Troubleshooting section "
            "of the Amazon ECS Developer Guide."
        ),
    ),
    (
        {**app(), "memory": "-1"},
        (
            "Invalid 'memory' setting for task. For more information, see the Troubleshooting "
            "section of the Amazon ECS Developer Guide."
        ),
    ),
]

NETWORK = [
    (port(), "Invalid 'containerPort' setting for container 'app'."),
    (port(containerPort=0), "Invalid 'containerPort' setting for container 'app'."),
    (port(containerPort=65536), "Invalid 'containerPort' setting for container 'app'."),
    (port(containerPort=1, hostPort=-1), "Invalid 'hostPort' setting for container 'app'."),
    (
        {**port(containerPort=80, hostPort=81), "networkMode": "awsvpc"},
        "When networkMode=awsvpc, the host ports and container ports in port mappings must match.",
    ),
    (
        {**port(containerPort=80, hostPort=81), "networkMode": "host"},
        "When networkMode=host, the host ports and container ports in port mappings must match.",
    ),
    (
        {**port(containerPort=80), "networkMode": "none"},
        "Port mappings are not supported when networkMode=none.",
    ),
    (
        port(containerPortRange="9-8"),
        "Invalid 'containerPortRange' setting for container 'app'.",
    ),
    (
        port(containerPortRange="1-101"),
        "Invalid 'containerPortRange' setting for container 'app'.",
    ),
    (
        {**port(containerPortRange="1-2"), "networkMode": "host"},
        "containerPortRange is not supported when networkMode=host.",
    ),
    (
        both(
            {"portMappings": [{"containerPort": 80, "hostPort": 3000}]},
            {"portMappings": [{"containerPort": 81, "hostPort": 3000}]},
        ),
        "TCP host port '3000' is mapped multiple times in task.",
    ),
    (
        {**app(hostname="x"), "networkMode": "awsvpc"},
        "hostname is not supported on container when networkMode=awsvpc.",
    ),
    (
        {**both({"links": ["side"]}), "networkMode": "awsvpc"},
        "Links are not supported when networkMode=awsvpc.",
    ),
    (
        {**both({"links": ["side"]}), "networkMode": "host"},
        "Links are not supported when networkMode=host.",
    ),
    (both({"links": ["nobody"]}), "Unknown container 'nobody'."),
    (
        both({"links": ["side"]}, {"links": ["app:web"]}),
        "Container links should not have a cycle",
    ),
]

TOGETHER = [
    (
        both({"dependsOn": [{"containerName": "x", "condition": "START"}]}),
        "Cannot depend on container + 'x' because it does not exist",
    ),
    (
        both({"dependsOn": [{"containerName": "app", "condition": "START"}]}),
        "Container 'app' cannot depend on itself",
    ),
    (
        both(
            {"dependsOn": [{"containerName": "side", "condition": "SUCCESS"}]},
            {"essential": True},
        ),
        (
            "A dependency container with SUCCESS or COMPLETE condition cannot be an essential "
            "container"
        ),
    ),
    (
        both({"dependsOn": [{"containerName": "side", "condition": "HEALTHY"}]}),
        "A dependency container with HEALTHY condition must have a health check: 'side'",
    ),
    (
        both(
            {"dependsOn": [DEPENDENCY]},
            {"dependsOn": [{"containerName": "app", "condition": "START"}]},
        ),
        "Container dependencies should not have a cycle",
    ),
    (
        both({"dependsOn": [DEPENDENCY]}, {"volumesFrom": [{"sourceContainer": "app"}]}),
        "Container dependencies should not have a cycle",
    ),
    (
        app(mountPoints=[{"sourceVolume": "v", "containerPath": "/v"}]),
        "Unknown volume 'v'.",
    ),
    (app(volumesFrom=[{"sourceContainer": "x"}]), "Unknown container 'x'."),
    (
        {**app(), "volumes": [{"name": "v"}, {"name": "v"}]},
        "Volume names must be unique within a Task Definition.",
    ),
    ({**app(), "volumes": [{}]}, "Volume.name should not be null or empty."),
    (
        {
            **app(),
            "volumes": [{"name": "v", "host": {}, "dockerVolumeConfiguration": {}}],
        },
        "Only one volume configuration can be specified for volume 'v'.",
    ),
    (
        {**app(), "placementConstraints": [{"type": "memberOf"}]},
        "A placement constraint must be of type memberOf and have an expression.",
    ),
    (
        {**app(), "ephemeralStorage": {"sizeInGiB": 20}},
        "The ephemeral storage size must be between 21 and 200 GiB.",
    ),
]

CONTAINER = [
    (
        app(logConfiguration={"logDriver": "awslogs"}),
        "Log driver awslogs requires options: awslogs-region, awslogs-group",
    ),
    (
        app(logConfiguration={"logDriver": "awslogs", "options": {"awslogs-region": "r"}}),
        "Log driver awslogs requires options: awslogs-group",
    ),
    (
        app(secrets=[{"name": "S", "valueFrom": "x"}]),
        (
            "When you are specifying container secrets, you must also specify a value for "
            "'executionRoleArn'."
        ),
    ),
    (
        {
            **app(
                secrets=[{"name": "S", "valueFrom": "x"}],
                environment=[{"name": "S", "value": "y"}],
            ),
            "executionRoleArn": "role",
        },
        (
            "The secret name must be unique and not shared with any new or existing environment "
            "variables set on the container, such as 'S'."
        ),
    ),
    (
        {**app(secrets=[{"name": "S", "valueFrom": "a b"}]), "executionRoleArn": "role"},
        (
            "The Systems Manager parameter name specified for secret S is invalid. The parameter "
            "name can be up to 2048 characters and include the following letters and symbols: "
            "a-zA-Z0-9_.-,"
        ),
    ),
    (
        app(environmentFiles=[{"value": "arn:aws:s3:::b/x.txt", "type": "s3"}]),
        "The environment file 'arn:aws:s3:::b/x.txt' must have the file extension .env.",
    ),
    (
        app(healthCheck={"command": ["curl"]}),
        "Invalid health check for container 'app'. The command must start with CMD or CMD-SHELL.",
    ),
    (
        app(healthCheck={**CHECK, "interval": 4}),
        "Invalid health check for container 'app'. 'interval' must be between 5 and 300.",
    ),
    (
        app(healthCheck={**CHECK, "startPeriod": 301}),
        "Invalid health check for container 'app'. 'startPeriod' must be between 0 and 300.",
    ),
    (
        app(restartPolicy={"enabled": True, "restartAttemptPeriod": 59}),
        (
            "Invalid restart policy for container 'app'. 'restartAttemptPeriod' must be between 60 "
            "and 1800."
        ),
    ),
    (
        app(systemControls=[{"namespace": "vm.swappiness", "value": "1"}]),
        (
            "Invalid setting for container 'app'. The system control 'vm.swappiness' is not "
            "supported."
        ),
    ),
]

FARGATE = [
    (fargate(networkMode="bridge"), "Fargate only supports network mode \u2018awsvpc\u2019."),
    (fargate(cpu=None), "Fargate requires that 'cpu' be defined at the task level."),
    (fargate(memory=None), "Fargate requires that 'memory' be defined at the task level."),
    (
        fargate(cpu="4096", memory="4096"),
        "No Fargate configuration exists for given values: 4096 CPU, 4096 memory.",
    ),
    (
        fargate({"image": "123456789012.dkr.ecr.eu-central-1.amazonaws.com/app:1"}),
        "Fargate requires task definition to have execution role ARN to support ECR images.",
    ),
    (
        fargate({"logConfiguration": AWSLOGS}),
        (
            "Fargate requires task definition to have execution role ARN to support log driver "
            "awslogs."
        ),
    ),
    (
        fargate({"logConfiguration": AWSLOGS}, executionRoleArn="role"),
        "Log driver awslogs requires options: awslogs-stream-prefix",
    ),
    (
        fargate(pidMode="host"),
        (
            "Tasks using the Fargate launch type do not support pidMode 'host'. The supported "
            "value for pidMode is 'task'."
        ),
    ),
    (
        fargate({"privileged": True}),
        "Tasks using the Fargate launch type do not support privileged containers.",
    ),
    (
        fargate({"linuxParameters": {"maxSwap": 0}}),
        "Tasks using the Fargate launch type do not support linuxParameters.maxSwap.",
    ),
    (
        fargate({"stopTimeout": 121}),
        "Tasks using the Fargate launch type need a stopTimeout between 2 and 120 seconds.",
    ),
]


@pytest.mark.parametrize(
    ("members", "message"), [*NAMES, *SIZES, *NETWORK, *TOGETHER, *CONTAINER, *FARGATE]
)
def test_what_is_wrong(members: dict[str, Any], message: str) -> None:
    assert message_of(members) == message
