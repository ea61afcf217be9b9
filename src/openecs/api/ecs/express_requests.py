"""What CreateExpressGatewayService and UpdateExpressGatewayService ask for, with AWS's defaults.

API Reference, ``CreateExpressGatewayService``, ``ExpressGatewayContainer``.
"""

from __future__ import annotations

import re

from openecs.api import shapes
from openecs.api.base import Call, Members
from openecs.api.ecs import errors, references
from openecs.api.ecs.task_definitions import register_task_definition
from openecs.model.express import ExpressConfiguration, ScalingTarget
from openecs.model.task_definitions import (
    ContainerDefinition,
    LogConfiguration,
    TaskDefinition,
    TaskDefinitionStatus,
)
from openecs.store.base import Transaction, View

#: The container that is served.
CONTAINER = "Main"
#: What a task definition that ECS registers is made of; whoever names one gives none of these.
OF_DEFINITION = (
    "primaryContainer",
    "executionRoleArn",
    "taskRoleArn",
    "cpu",
    "memory",
    "cpuArchitecture",
)

#: Members of the container that are those of a task definition's.
_KEPT = ("image", "command", "environment", "secrets", "repositoryCredentials")
_ROLE = re.compile(r"arn:aws[a-z-]*:iam::[0-9]{12}:role/[\w+=,.@/-]{1,512}")
_IMAGE = re.compile(r"(?:.*/)?([^/:@]+)(?::[^/]*)?(?:@.*)?")
_PORT, _HEALTH_CHECK_PATH, _CPU, _MEMORY = 80, "/ping", "256", "512"


def check(request: Members) -> None:
    """Raise for members that may not be, alone or together."""
    for member in ("infrastructureRoleArn", "executionRoleArn", "taskRoleArn"):
        if request.get(member) is not None and not _ROLE.fullmatch(request[member]):
            raise errors.client("Role is not valid")
    if request.get("taskDefinitionArn"):
        given = [member for member in OF_DEFINITION if request.get(member) is not None]
        if given:
            raise errors.invalid_parameter(
                f"You cannot specify {', '.join(given)} together with taskDefinitionArn."
            )
    path = request.get("healthCheckPath")
    if path is not None and not path.startswith("/"):
        raise errors.invalid_parameter("healthCheckPath must start with a forward slash (/).")
    port = (request.get("primaryContainer") or {}).get("containerPort")
    if port is not None and not 1 <= port <= 65_535:
        raise errors.invalid_parameter("containerPort must be between 1 and 65535.")


def name(call: Call, request: Members) -> str:
    """The name of a new service; one made of the image's where none is given."""
    given: str | None = request.get("serviceName")
    if not given:
        image = (request.get("primaryContainer") or {}).get("image") or ""
        known = _IMAGE.fullmatch(image)
        word = known[1] if known else "express"
        return f"{re.sub('[^A-Za-z0-9_-]', '-', word)[:250]}-{call.ids.hex32()[-4:]}"
    if not references.NAME.fullmatch(given):
        raise errors.invalid_parameter(
            "Service names can have up to 255 letters, numbers, hyphens and underscores."
        )
    return given


def configuration(
    request: Members, known: ExpressConfiguration | None = None
) -> ExpressConfiguration:
    """The health check path and the scaling target: what is given over what was, or the default."""
    path = request.get("healthCheckPath") or (known.health_check_path if known else None)
    before = shapes.to_members(known.scaling_target) if known else {}
    given = {k: v for k, v in (request.get("scalingTarget") or {}).items() if v is not None}
    target = shapes.from_members(ScalingTarget, {**before, **given})
    if not 0 <= target.min_task_count <= target.max_task_count:
        raise errors.invalid_parameter(
            "minTaskCount cannot be negative, nor greater than maxTaskCount."
        )
    if target.auto_scaling_target_value < 1:
        raise errors.invalid_parameter("autoScalingTargetValue must be greater than 0.")
    is_managed = not request.get("taskDefinitionArn") and (known is None or known.is_managed)
    if any(request.get(member) is not None for member in OF_DEFINITION):
        is_managed = True
    return ExpressConfiguration(
        health_check_path=path or _HEALTH_CHECK_PATH, scaling_target=target, is_managed=is_managed
    )


def definition_members(definition: TaskDefinition) -> Members:
    """What an Express service shows of its task definition, spelled as a request gives it."""
    platform = definition.runtime_platform
    return {
        "executionRoleArn": definition.execution_role_arn,
        "taskRoleArn": definition.task_role_arn,
        "cpu": str(definition.cpu) if definition.cpu is not None else None,
        "memory": str(definition.memory) if definition.memory is not None else None,
        "cpuArchitecture": platform.cpu_architecture if platform else None,
        "primaryContainer": _shown(definition.container(CONTAINER)),
    }


def main(definition: TaskDefinition) -> ContainerDefinition:
    """The container that is served. Raises ``InvalidParameterException``: there is none."""
    found = definition.container(CONTAINER)
    mappings = found.port_mappings if found else ()
    if found is None or [(m.protocol or "tcp", bool(m.name)) for m in mappings] != [("tcp", True)]:
        raise errors.invalid_parameter(
            "The task definition must have a container named Main with a single TCP port mapping "
            "that includes a container port and port name."
        )
    return found


def port(definition: TaskDefinition) -> int:
    """Where the served container listens. Raises ``InvalidParameterException``."""
    found = main(definition).port_mappings[0].container_port
    if found is None:
        raise errors.invalid_parameter("The port mapping of Main must have a container port.")
    return found


def given_definition(view: View, call: Call, reference: str) -> TaskDefinition:
    """The task definition that a request names. Raises ``ServiceError``."""
    found = references.find_definition(view, call, reference)
    if found is None:
        raise errors.definition_not_found()
    if found.status is not TaskDefinitionStatus.ACTIVE:
        raise errors.definition_inactive_for_services()
    return found


def register(tx: Transaction, call: Call, family: str, wanted: Members) -> TaskDefinition:
    """Register the task definition of an Express service. Raises ``ServiceError``."""
    container = {k: v for k, v in (wanted.get("primaryContainer") or {}).items() if v is not None}
    for member in ("primaryContainer", "executionRoleArn"):
        if not wanted.get(member):
            raise errors.invalid_parameter(f"{member} is required.")
    request = {
        "family": family,
        "networkMode": "awsvpc",
        "requiresCompatibilities": ["FARGATE"],
        "cpu": wanted.get("cpu") or _CPU,
        "memory": wanted.get("memory") or _MEMORY,
        "executionRoleArn": wanted["executionRoleArn"],
        "taskRoleArn": wanted.get("taskRoleArn"),
        "runtimePlatform": {
            "cpuArchitecture": wanted.get("cpuArchitecture") or "X86_64",
            "operatingSystemFamily": "LINUX",
        },
        "containerDefinitions": [_registered(call, container)],
    }
    arn = register_task_definition(tx, call, request)["taskDefinition"]["taskDefinitionArn"]
    return given_definition(tx, call, arn)


def _registered(call: Call, container: Members) -> Members:
    number = container.get("containerPort") or _PORT
    mapping = {"containerPort": number, "protocol": "tcp", "name": f"main-{number}-tcp"}
    return {
        "name": CONTAINER,
        "essential": True,
        "portMappings": [mapping],
        "logConfiguration": _logs(call, container.get("awsLogsConfiguration")),
        **{member: container[member] for member in _KEPT if member in container},
    }


def _logs(call: Call, given: Members | None) -> Members | None:
    if not given:
        return None
    options = {
        "awslogs-group": given["logGroup"],
        "awslogs-region": call.scope.region,
        "awslogs-stream-prefix": given["logStreamPrefix"],
    }
    return {"logDriver": "awslogs", "options": options}


def _shown(container: ContainerDefinition | None) -> Members | None:
    """The served container; None where UpdateService has deployed a definition without one."""
    if container is None:
        return None
    members = shapes.to_members(container)
    return {
        **{member: members[member] for member in _KEPT if member in members},
        "containerPort": next((each.container_port for each in container.port_mappings), None),
        "awsLogsConfiguration": _shown_logs(container.log_configuration),
    }


def _shown_logs(logs: LogConfiguration | None) -> Members | None:
    if logs is None or logs.log_driver != "awslogs":
        return None
    options = logs.options or {}
    return {
        "logGroup": options.get("awslogs-group"),
        "logStreamPrefix": options.get("awslogs-stream-prefix"),
    }
