"""A task definition from the members of a registration, and as the members that are shown.

What AWS fills in on registration is filled in here: host ports by network mode, sizes as numbers
(``1 vCPU`` is 1024 CPU units, ``1 GB`` 1024 MiB), defaults of the model.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, TypeVar

from openecs.api import shapes
from openecs.api.base import Call, Members
from openecs.api.ecs import errors
from openecs.model.task_definitions import (
    ContainerDefinition,
    EphemeralStorage,
    InferenceAccelerator,
    NetworkMode,
    PlacementConstraint,
    ProxyConfiguration,
    RuntimePlatform,
    TaskDefinition,
    TaskDefinitionStatus,
    Volume,
)

T = TypeVar("T")

#: Lists of a container that are shown even where they are empty.
_ALWAYS_SHOWN = ("portMappings", "environment", "mountPoints", "volumesFrom", "systemControls")

#: What AWS calls a class of ours in its messages, where that is another name.
_AWS_NAMES = {"ContainerDefinition": "Container", "NamedValue": "KeyValuePair"}

_TROUBLESHOOTING = (
    "For more information, see the Troubleshooting section of the Amazon ECS Developer Guide."
)


def parse(call: Call, request: Members) -> TaskDefinition:
    """The definition a registration describes, not yet checked; its revision is still 0.

    Raises ``ClientException`` for a size that is none and for what lacks a name or an image.
    """
    try:
        return _parse(call, request)
    except shapes.MissingMember as missing:
        name = _AWS_NAMES.get(missing.type.__name__, missing.type.__name__)
        message = f"{name}.{missing.member} should not be null or empty."
        raise errors.client(message) from missing


def show(definition: TaskDefinition) -> dict[str, Any]:
    """The members of a definition, without its tags, which AWS shows beside it."""
    members: dict[str, Any] = {
        "taskDefinitionArn": definition.arn,
        "containerDefinitions": [
            shapes.to_members(container, always=_ALWAYS_SHOWN)
            for container in definition.container_definitions
        ],
        "family": definition.family,
        "revision": definition.revision,
        "status": str(definition.status),
        "taskRoleArn": definition.task_role_arn,
        "executionRoleArn": definition.execution_role_arn,
        "networkMode": str(definition.network_mode) if definition.network_mode else None,
        "volumes": _show_all(definition.volumes),
        "requiresAttributes": _show_all(definition.requires_attributes),
        "placementConstraints": _show_all(definition.placement_constraints),
        "compatibilities": list(definition.compatibilities),
        "requiresCompatibilities": list(definition.requires_compatibilities) or None,
        "cpu": str(definition.cpu) if definition.cpu is not None else None,
        "memory": str(definition.memory) if definition.memory is not None else None,
        "runtimePlatform": _show_one(definition.runtime_platform),
        "pidMode": definition.pid_mode,
        "ipcMode": definition.ipc_mode,
        "proxyConfiguration": _show_one(definition.proxy_configuration),
        "ephemeralStorage": _show_one(definition.ephemeral_storage),
        "inferenceAccelerators": _show_all(definition.inference_accelerators) or None,
        "enableFaultInjection": definition.enable_fault_injection,
        "registeredAt": definition.registered_at,
        "registeredBy": definition.registered_by,
        "deregisteredAt": definition.deregistered_at,
        "deleteRequestedAt": definition.delete_requested_at,
    }
    return {name: value for name, value in members.items() if value is not None}


def _parse(call: Call, request: Members) -> TaskDefinition:
    mode = NetworkMode(request["networkMode"]) if request.get("networkMode") else None
    return TaskDefinition(
        scope=call.scope,
        family=request.get("family") or "",
        revision=0,
        status=TaskDefinitionStatus.ACTIVE,
        container_definitions=tuple(
            _container(members, mode) for members in request.get("containerDefinitions") or ()
        ),
        network_mode=mode,
        task_role_arn=request.get("taskRoleArn"),
        execution_role_arn=request.get("executionRoleArn"),
        volumes=_all(Volume, request, "volumes"),
        placement_constraints=_all(PlacementConstraint, request, "placementConstraints"),
        requires_compatibilities=tuple(request.get("requiresCompatibilities") or ()),
        cpu=size(request, "cpu", "vcpu"),
        memory=size(request, "memory", "gb"),
        runtime_platform=_one(RuntimePlatform, request, "runtimePlatform"),
        pid_mode=request.get("pidMode"),
        ipc_mode=request.get("ipcMode"),
        proxy_configuration=_one(ProxyConfiguration, request, "proxyConfiguration"),
        ephemeral_storage=_one(EphemeralStorage, request, "ephemeralStorage"),
        inference_accelerators=_all(InferenceAccelerator, request, "inferenceAccelerators"),
        enable_fault_injection=request.get("enableFaultInjection"),
        registered_at=call.now,
        registered_by=call.caller.arn,
    )


def _container(members: Members, mode: NetworkMode | None) -> ContainerDefinition:
    mappings = members.get("portMappings")
    if mappings:
        filled = [_with_host_port(mapping, mode) for mapping in mappings]
        members = {**members, "portMappings": filled}
    return shapes.from_members(ContainerDefinition, members)


def _with_host_port(mapping: Members, mode: NetworkMode | None) -> Members:
    """0 asks for a dynamic port; where there is no bridge the port is the container's own."""
    if mapping.get("hostPort") is not None or mapping.get("containerPortRange") is not None:
        return mapping
    if mode in {NetworkMode.AWSVPC, NetworkMode.HOST}:
        return {**mapping, "hostPort": mapping.get("containerPort")}
    return {**mapping, "hostPort": 0}


def size(request: Members, member: str, unit: str) -> int | None:
    """CPU units or MiB, of a plain number of them or of one with a unit of 1024 each."""
    text = request.get(member)
    if text is None:
        return None
    match = re.fullmatch(rf"([0-9]+)|([0-9]*\.?[0-9]+) ?{unit}", text.strip(), re.IGNORECASE)
    size = 0 if match is None else int(match[1] or float(match[2]) * 1024)
    if not 0 < size < 1 << 31:
        raise errors.client(f"Invalid '{member}' setting for task. {_TROUBLESHOOTING}")
    return size


def _one(cls: type[T], request: Members, member: str) -> T | None:
    members = request.get(member)
    return None if members is None else shapes.from_members(cls, members)


def _all(cls: type[T], request: Members, member: str) -> tuple[T, ...]:
    return tuple(shapes.from_members(cls, members) for members in request.get(member) or ())


def _show_one(value: object | None) -> dict[str, Any] | None:
    return None if value is None else shapes.to_members(value)


def _show_all(values: Sequence[object]) -> list[dict[str, Any]]:
    return [shapes.to_members(value) for value in values]
