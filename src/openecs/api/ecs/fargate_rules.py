"""What AWS Fargate asks of a task definition beyond what Amazon ECS asks of any.

Reference: Amazon ECS Developer Guide, "Amazon ECS task definition differences for Fargate".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain

from openecs.model.task_definitions import (
    ContainerDefinition,
    LinuxParameters,
    NetworkMode,
    TaskDefinition,
)

#: CPU units, and the memory sizes in MiB each can have.
SIZES = {
    256: (512, 1024, 2048),
    512: range(1024, 4096 + 1, 1024),
    1024: range(2048, 8192 + 1, 1024),
    2048: range(4096, 16384 + 1, 1024),
    4096: range(8192, 30720 + 1, 1024),
    8192: range(16384, 61440 + 1, 4096),
    16384: range(32768, 122880 + 1, 8192),
}

ECR_IMAGE = re.compile(r"[0-9]{12}\.dkr[.-]ecr[a-z0-9.-]*\.(amazonaws|on)\.[a-z.]+/.+")

_LOG_DRIVERS = {"awslogs", "splunk", "awsfirelens"}
#: With the curly quotes AWS has here, and only here.
_NOT_AWSVPC = "Fargate only supports network mode \u2018awsvpc\u2019."
_ROLE_NEEDED = "Fargate requires task definition to have execution role ARN to support"


def fargate_complaint(definition: TaskDefinition) -> str | None:
    """Why the definition cannot run on Fargate, in AWS's words; None if it can."""
    rules = (_network_and_size, _execution_role, _namespaces, _task_members, _containers)
    return next(chain.from_iterable(rule(definition) for rule in rules), None)


def _network_and_size(definition: TaskDefinition) -> Iterator[str]:
    cpu, memory = definition.cpu, definition.memory
    if definition.network_mode is not NetworkMode.AWSVPC:
        yield _NOT_AWSVPC
    if cpu is None:
        yield "Fargate requires that 'cpu' be defined at the task level."
    elif memory is None:
        yield "Fargate requires that 'memory' be defined at the task level."
    elif memory not in SIZES.get(cpu, ()):
        yield f"No Fargate configuration exists for given values: {cpu} CPU, {memory} memory."


def _execution_role(definition: TaskDefinition) -> Iterator[str]:
    if definition.execution_role_arn:
        return
    for container in definition.container_definitions:
        if ECR_IMAGE.fullmatch(container.image):
            yield f"{_ROLE_NEEDED} ECR images."
        if container.log_configuration and container.log_configuration.log_driver == "awslogs":
            yield f"{_ROLE_NEEDED} log driver awslogs."


def _namespaces(definition: TaskDefinition) -> Iterator[str]:
    if definition.pid_mode == "host":
        yield (
            "Tasks using the Fargate launch type do not support pidMode 'host'. "
            "The supported value for pidMode is 'task'."
        )
    if definition.ipc_mode is not None:
        yield "Tasks using the Fargate launch type do not support ipcMode."


def _task_members(definition: TaskDefinition) -> Iterator[str]:
    if definition.placement_constraints:
        yield _unsupported("placement constraints")
    if definition.inference_accelerators:
        yield _unsupported("inference accelerators")
    for volume in definition.volumes:
        if volume.docker_volume_configuration:
            yield _unsupported("dockerVolumeConfiguration")
        if volume.fsx_windows_file_server_volume_configuration:
            yield _unsupported("fsxWindowsFileServerVolumeConfiguration")
        if volume.host and volume.host.source_path:
            yield _unsupported("host.sourcePath in volumes")


def _containers(definition: TaskDefinition) -> Iterator[str]:
    for container in definition.container_definitions:
        yield from _container(container)
        if container.linux_parameters:
            yield from _linux_parameters(container.linux_parameters)


def _container(container: ContainerDefinition) -> Iterator[str]:
    if container.privileged:
        yield _unsupported("privileged containers")
    if container.docker_security_options:
        yield _unsupported("dockerSecurityOptions")
    if container.resource_requirements:
        yield _unsupported("resourceRequirements")
    log = container.log_configuration
    if log and log.log_driver not in _LOG_DRIVERS:
        yield _unsupported(f"log driver {log.log_driver}")
    if log and log.log_driver == "awslogs" and "awslogs-stream-prefix" not in (log.options or {}):
        yield "Log driver awslogs requires options: awslogs-stream-prefix"
    for member, value in (
        ("startTimeout", container.start_timeout),
        ("stopTimeout", container.stop_timeout),
    ):
        if value is not None and not 2 <= value <= 120:
            yield f"Tasks using the Fargate launch type need a {member} between 2 and 120 seconds."


def _linux_parameters(parameters: LinuxParameters) -> Iterator[str]:
    for member, value in (
        ("devices", parameters.devices),
        ("sharedMemorySize", parameters.shared_memory_size),
        ("tmpfs", parameters.tmpfs),
        ("maxSwap", parameters.max_swap),
        ("swappiness", parameters.swappiness),
    ):
        if value is not None and value != ():
            yield _unsupported(f"linuxParameters.{member}")
    added = parameters.capabilities.add if parameters.capabilities else ()
    if set(added) - {"SYS_PTRACE"}:
        yield _unsupported("added Linux capabilities other than SYS_PTRACE")


def _unsupported(what: str) -> str:
    return f"Tasks using the Fargate launch type do not support {what}."
