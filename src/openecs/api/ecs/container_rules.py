"""What Amazon ECS asks of each container of a task definition when it is registered.

Every rule yields its complaints in AWS's words. Units and limits: API Reference,
``ContainerDefinition`` and the types it is made of.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain

from openecs.api.ecs.references import NAME
from openecs.model.task_definitions import (
    ContainerDefinition,
    NetworkMode,
    PortMapping,
    TaskDefinition,
)

_SSM_NAME = re.compile(r"[A-Za-z0-9_.\-/]{1,2048}")
_PORT_NAME = re.compile(r"[a-z0-9_][a-z0-9_-]{0,63}")
_SYSCTL = re.compile(
    r"(kernel\.(msg(max|mnb|mni)|sem|shm(all|max|mni|_rmid_forced))|(fs\.mqueue|net)\..+)"
)
_PORTS = range(1, 65536)

#: Ranges of a health check's numbers, in seconds but for the retries.
_HEALTH_RANGES = {
    "interval": range(5, 301),
    "timeout": range(2, 61),
    "retries": range(1, 11),
    "startPeriod": range(301),
}

#: Members that tell a container's own name service and host names, which awsvpc has no room for.
_NOT_IN_AWSVPC = ("hostname", "dnsServers", "dnsSearchDomains", "extraHosts")


def name_complaint(container: str, image: str) -> str | None:
    """What is wrong with a container's name or image, None if nothing is."""
    if not container:
        return "Container.name should not be null or empty."
    if not NAME.fullmatch(container):
        return "Container.name contains invalid characters."
    if not image:
        return "Container.image should not be null or empty."
    if len(image) > 255 or re.search(r"\s", image):
        return "Container.image contains invalid characters."
    return None


def complaints(definition: TaskDefinition, container: ContainerDefinition) -> Iterator[str]:
    """Everything that is wrong with a container that has a name and an image."""
    return chain(
        _memory(definition, container),
        _ports(definition, container),
        _network(definition, container),
        _logging(container),
        _secrets(definition, container),
        _environment_files(container),
        _health_check(container),
        _restart_policy(container),
        _limits(container),
    )


def port_range(text: str) -> range | None:
    """The ports of ``containerPortRange`` (``a-b``), or None where it is no range of ports."""
    match = re.fullmatch(r"([0-9]{1,5})-([0-9]{1,5})", text)
    if match is None:
        return None
    first, last = int(match[1]), int(match[2])
    if first not in _PORTS or last not in _PORTS or first > last:
        return None
    return range(first, last + 1)


def _memory(definition: TaskDefinition, container: ContainerDefinition) -> Iterator[str]:
    where = f"Invalid setting for container '{container.name}'."
    hard, soft, task = container.memory, container.memory_reservation, definition.memory
    if container.cpu < 0:
        yield f"{where} 'cpu' must not be negative."
    if not hard and not soft and not task:
        yield f"{where} At least one of 'memory' or 'memoryReservation' must be specified."
    if (hard is not None and hard < 0) or (soft is not None and soft < 0):
        yield f"{where} 'memory' and 'memoryReservation' must not be negative."
    if hard and soft and hard < soft:
        yield f"{where} 'memory' must be greater than or equal to 'memoryReservation'."
    if task and (hard or soft or 0) > task:
        yield f"The 'memory' setting for container '{container.name}' is greater than for the task."


def _ports(definition: TaskDefinition, container: ContainerDefinition) -> Iterator[str]:
    mode = definition.effective_network_mode
    if mode is NetworkMode.NONE and container.port_mappings:
        yield "Port mappings are not supported when networkMode=none."
    for mapping in container.port_mappings:
        if mapping.container_port_range is not None:
            yield from _range_mapping(mode, container.name, mapping)
        else:
            yield from _single_mapping(mode, container.name, mapping)
        if mapping.name is not None and not _PORT_NAME.fullmatch(mapping.name):
            yield f"Invalid 'name' setting in port mappings of container '{container.name}'."


def _single_mapping(mode: NetworkMode, container: str, mapping: PortMapping) -> Iterator[str]:
    if mapping.container_port not in _PORTS:
        yield f"Invalid 'containerPort' setting for container '{container}'."
    host = mapping.host_port
    if host is not None and host not in range(65536):
        yield f"Invalid 'hostPort' setting for container '{container}'."
    if mode in {NetworkMode.AWSVPC, NetworkMode.HOST} and host != mapping.container_port:
        yield (
            f"When networkMode={mode}, the host ports and container ports in port mappings "
            "must match."
        )


def _range_mapping(mode: NetworkMode, container: str, mapping: PortMapping) -> Iterator[str]:
    ports = port_range(mapping.container_port_range or "")
    if ports is None or len(ports) > 100:
        yield f"Invalid 'containerPortRange' setting for container '{container}'."
    if mapping.container_port is not None or mapping.host_port is not None:
        yield (
            f"Invalid 'containerPortRange' setting for container '{container}'. "
            "It cannot be specified together with 'containerPort' or 'hostPort'."
        )
    if mode is NetworkMode.HOST:
        yield "containerPortRange is not supported when networkMode=host."


def _network(definition: TaskDefinition, container: ContainerDefinition) -> Iterator[str]:
    mode = definition.effective_network_mode
    if container.links and mode is not NetworkMode.BRIDGE:
        yield f"Links are not supported when networkMode={mode}."
    if mode is not NetworkMode.AWSVPC:
        return
    values = (
        container.hostname,
        container.dns_servers,
        container.dns_search_domains,
        container.extra_hosts,
    )
    for member, value in zip(_NOT_IN_AWSVPC, values, strict=True):
        if value:
            yield f"{member} is not supported on container when networkMode=awsvpc."


def _logging(container: ContainerDefinition) -> Iterator[str]:
    log = container.log_configuration
    if log is None or log.log_driver != "awslogs":
        return
    options = log.options or {}
    missing = [name for name in ("awslogs-region", "awslogs-group") if not options.get(name)]
    if missing:
        yield f"Log driver awslogs requires options: {', '.join(missing)}"


def _secrets(definition: TaskDefinition, container: ContainerDefinition) -> Iterator[str]:
    log = container.log_configuration
    secrets = (*container.secrets, *(log.secret_options if log else ()))
    if secrets and not definition.execution_role_arn:
        yield (
            "When you are specifying container secrets, you must also specify a value for "
            "'executionRoleArn'."
        )
    taken = {variable.name for variable in container.environment}
    for secret in container.secrets:
        if secret.name in taken:
            yield (
                "The secret name must be unique and not shared with any new or existing "
                f"environment variables set on the container, such as '{secret.name}'."
            )
        taken.add(secret.name)
    for secret in secrets:
        if not secret.value_from.startswith("arn:") and not _SSM_NAME.fullmatch(secret.value_from):
            yield (
                f"The Systems Manager parameter name specified for secret {secret.name} is "
                "invalid. The parameter name can be up to 2048 characters and include the "
                "following letters and symbols: a-zA-Z0-9_.-,"
            )


def _environment_files(container: ContainerDefinition) -> Iterator[str]:
    if len(container.environment_files) > 10:
        yield f"Too many environment files for container '{container.name}'."
    for file in container.environment_files:
        if not re.fullmatch(r"arn:[a-z-]+:s3:::[^/]+/.+", file.value):
            yield f"The environment file '{file.value}' is not the ARN of an Amazon S3 object."
        elif not file.value.endswith(".env"):
            yield f"The environment file '{file.value}' must have the file extension .env."


def _health_check(container: ContainerDefinition) -> Iterator[str]:
    check = container.health_check
    if check is None:
        return
    where = f"Invalid health check for container '{container.name}'."
    if not check.command or check.command[0] not in {"CMD", "CMD-SHELL"}:
        yield f"{where} The command must start with CMD or CMD-SHELL."
    elif len(check.command) < 2:
        yield f"{where} The command must not be empty."
    values = (check.interval, check.timeout, check.retries, check.start_period)
    for (member, allowed), value in zip(_HEALTH_RANGES.items(), values, strict=True):
        if value is not None and value not in allowed:
            yield f"{where} '{member}' must be between {allowed[0]} and {allowed[-1]}."


def _restart_policy(container: ContainerDefinition) -> Iterator[str]:
    policy = container.restart_policy
    if policy is None:
        return
    where = f"Invalid restart policy for container '{container.name}'."
    if not 60 <= policy.restart_attempt_period <= 1800:
        yield f"{where} 'restartAttemptPeriod' must be between 60 and 1800."
    if len(policy.ignored_exit_codes) > 50:
        yield f"{where} 'ignoredExitCodes' cannot have more than 50 elements."


def _limits(container: ContainerDefinition) -> Iterator[str]:
    where = f"Invalid setting for container '{container.name}'."
    for member, value in (
        ("startTimeout", container.start_timeout),
        ("stopTimeout", container.stop_timeout),
    ):
        if value is not None and value < 0:
            yield f"{where} '{member}' must not be negative."
    names = [limit.name for limit in container.ulimits]
    if len(set(names)) < len(names):
        yield f"{where} 'ulimits' must be unique."
    linux = container.linux_parameters
    if linux and linux.swappiness is not None and not 0 <= linux.swappiness <= 100:
        yield f"{where} 'swappiness' must be between 0 and 100."
    for control in container.system_controls:
        if not _SYSCTL.fullmatch(control.namespace or ""):
            yield f"{where} The system control '{control.namespace}' is not supported."
