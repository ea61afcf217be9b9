"""What Amazon ECS asks of a task definition when it is registered.

``complaint`` goes through the rules in order and gives the first message, in AWS's words where they
are known. The rules see the definition with its defaults filled in; nothing is looked up.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain

from openecs.api.ecs import container_rules
from openecs.api.ecs.fargate_rules import fargate_complaint
from openecs.api.ecs.references import NAME
from openecs.decide import dependencies
from openecs.decide.placement import filters
from openecs.model.task_definitions import (
    ContainerDefinition,
    DependencyCondition,
    NetworkMode,
    TaskDefinition,
    Volume,
)

_VOLUME = re.compile(r"[A-Za-z0-9_-]{0,255}")
_ROLE = re.compile(r"(arn:aws[a-z-]*:iam::[0-9]{12}:role/)?[\w+=,.@/-]{1,512}")
_MAX_CONTAINERS = 10
_MAX_CONSTRAINTS = 10


def complaint(definition: TaskDefinition) -> str | None:
    """What is wrong with a task definition, the first thing only; None if nothing is."""
    return next(chain.from_iterable(rule(definition) for rule in _RULES), None)


def compatibilities(definition: TaskDefinition) -> tuple[str, ...]:
    """The launch types a valid definition can run with.

    EXTERNAL instances have no awsvpc; MANAGED_INSTANCES are listed for who asks for them.
    """
    found = []
    if definition.effective_network_mode is not NetworkMode.AWSVPC:
        found.append("EXTERNAL")
    found.append("EC2")
    if fargate_complaint(definition) is None:
        found.append("FARGATE")
    if "MANAGED_INSTANCES" in definition.requires_compatibilities:
        found.append("MANAGED_INSTANCES")
    return tuple(found)


def _family(definition: TaskDefinition) -> Iterator[str]:
    if not definition.family:
        yield "Family should not be null or empty."
    elif len(definition.family) > 255:
        yield "Family should not be longer than 255 characters."
    elif not NAME.fullmatch(definition.family):
        yield "Family contains invalid characters."


def _containers(definition: TaskDefinition) -> Iterator[str]:
    containers = definition.container_definitions
    if not containers:
        yield "Container list cannot be empty."
    if len(containers) > _MAX_CONTAINERS:
        yield "Too many containers."
    for container in containers:
        if message := container_rules.name_complaint(container.name, container.image):
            yield message
    if len({container.name for container in containers}) < len(containers):
        yield "Container names must be unique within a Task Definition."
    if not any(container.essential for container in containers):
        yield "Task definition must have at least one essential container."


def _roles(definition: TaskDefinition) -> Iterator[str]:
    for role in (definition.task_role_arn, definition.execution_role_arn):
        if role is not None and not _ROLE.fullmatch(role):
            yield "Role is not valid"


def _size(definition: TaskDefinition) -> Iterator[str]:
    cpu = definition.cpu
    if cpu is None:
        return
    if not 128 <= cpu <= 196_608:
        yield (
            "Invalid 'cpu' setting for task. For more information, see the Troubleshooting "
            "section of the Amazon ECS Developer Guide."
        )
    if sum(container.cpu for container in definition.container_definitions) > cpu:
        yield (
            "The sum of all container 'cpu' values cannot be greater than the value of the "
            "task 'cpu'."
        )


def _each_container(definition: TaskDefinition) -> Iterator[str]:
    for container in definition.container_definitions:
        yield from container_rules.complaints(definition, container)


def _host_ports(definition: TaskDefinition) -> Iterator[str]:
    """Two containers of a task cannot have the same fixed port of the host or the interface."""
    seen = set()
    for container in definition.container_definitions:
        for mapping in container.port_mappings:
            port = (mapping.protocol, mapping.host_port)
            if mapping.host_port and port in seen:
                yield (
                    f"{mapping.protocol.upper()} host port '{mapping.host_port}' is mapped "
                    "multiple times in task."
                )
            seen.add(port)


def _port_names(definition: TaskDefinition) -> Iterator[str]:
    names = [
        mapping.name
        for container in definition.container_definitions
        for mapping in container.port_mappings
        if mapping.name
    ]
    if len(set(names)) < len(names):
        yield "Port mapping names must be unique within a Task Definition."


def _volumes(definition: TaskDefinition) -> Iterator[str]:
    names = [volume.name for volume in definition.volumes]
    if not all(names):
        yield "Volume.name should not be null or empty."
    if not all(_VOLUME.fullmatch(name) for name in names):
        yield "Volume.name contains invalid characters."
    if len(set(names)) < len(names):
        yield "Volume names must be unique within a Task Definition."
    for volume in definition.volumes:
        yield from _volume(volume)


def _volume(volume: Volume) -> Iterator[str]:
    configurations = (
        volume.host,
        volume.docker_volume_configuration,
        volume.efs_volume_configuration,
        volume.s3files_volume_configuration,
        volume.fsx_windows_file_server_volume_configuration,
    )
    if sum(configuration is not None for configuration in configurations) > 1:
        yield f"Only one volume configuration can be specified for volume '{volume.name}'."


def _mounts(definition: TaskDefinition) -> Iterator[str]:
    volumes = {volume.name for volume in definition.volumes}
    containers = {container.name for container in definition.container_definitions}
    for container in definition.container_definitions:
        for mount in container.mount_points:
            if mount.source_volume not in volumes:
                yield f"Unknown volume '{mount.source_volume}'."
            if not mount.container_path:
                yield "MountPoint.containerPath should not be null or empty."
        for source in container.volumes_from:
            if source.source_container not in containers - {container.name}:
                yield f"Unknown container '{source.source_container}'."


def _links(definition: TaskDefinition) -> Iterator[str]:
    if not any(container.links for container in definition.container_definitions):
        return
    names = {container.name for container in definition.container_definitions}
    links = {
        container.name: [link.partition(":")[0] for link in container.links]
        for container in definition.container_definitions
    }
    for target in chain.from_iterable(links.values()):
        if target not in names:
            yield f"Unknown container '{target}'."
    if dependencies.find_cycle(links):
        yield "Container links should not have a cycle"


def _dependencies(definition: TaskDefinition) -> Iterator[str]:
    for container in definition.container_definitions:
        for dependency in container.depends_on:
            target = definition.container(dependency.container_name)
            yield from _dependency(
                container.name, dependency.container_name, target, dependency.condition
            )
    waits = dependencies.edges(definition.container_definitions)
    if any(waits.values()) and dependencies.find_cycle(waits):
        yield "Container dependencies should not have a cycle"


def _dependency(
    name: str, on: str, target: ContainerDefinition | None, condition: DependencyCondition
) -> Iterator[str]:
    if target is None:
        yield f"Cannot depend on container + '{on}' because it does not exist"
        return
    if on == name:
        yield f"Container '{name}' cannot depend on itself"
    match condition:
        case DependencyCondition.SUCCESS | DependencyCondition.COMPLETE if target.essential:
            yield (
                "A dependency container with SUCCESS or COMPLETE condition cannot be an "
                "essential container"
            )
        case DependencyCondition.HEALTHY if target.health_check is None:
            yield (
                f"A dependency container with HEALTHY condition must have a health check: '{on}'"
            )


def _task_members(definition: TaskDefinition) -> Iterator[str]:
    if len(definition.placement_constraints) > _MAX_CONSTRAINTS:
        yield "Placement constraints cannot have more than 10 elements."
    for constraint in definition.placement_constraints:
        if constraint.type != "memberOf" or not constraint.expression:
            yield "A placement constraint must be of type memberOf and have an expression."
        elif problem := filters.problem_of(constraint):
            yield f"Invalid expression: {problem}"
    storage = definition.ephemeral_storage
    if storage and not 21 <= storage.size_in_gib <= 200:
        yield "The ephemeral storage size must be between 21 and 200 GiB."
    proxy = definition.proxy_configuration
    if proxy and definition.network_mode is not NetworkMode.AWSVPC:
        yield "proxyConfiguration is only supported when networkMode=awsvpc."
    if proxy and definition.container(proxy.container_name) is None:
        yield f"Unknown container '{proxy.container_name}'."


def _fargate(definition: TaskDefinition) -> Iterator[str]:
    if "FARGATE" in definition.requires_compatibilities:
        message = fargate_complaint(definition)
        if message is not None:
            yield message
    if (
        "EXTERNAL" in definition.requires_compatibilities
        and definition.effective_network_mode is NetworkMode.AWSVPC
    ):
        yield "The EXTERNAL launch type does not support networkMode=awsvpc."


_RULES = (
    _family,
    _containers,
    _roles,
    _fargate,
    _size,
    _each_container,
    _host_ports,
    _port_names,
    _volumes,
    _mounts,
    _links,
    _dependencies,
    _task_members,
)
