"""What a task is told of itself. Pure.

Amazon ECS Developer Guide, "Task metadata endpoint version 4".
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from openecs.model.containers import ContainerObservation, ContainerUsage
from openecs.model.identity import container_arn
from openecs.model.task_definitions import ContainerDefinition, NetworkMode, TaskDefinition
from openecs.model.tasks import Container, Task

Json = dict[str, Any]
_DIGITS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A task with its definition and its containers as the engine sees them."""

    task: Task
    definition: TaskDefinition
    seen: Mapping[str, ContainerObservation]


def metadata_id(task: Task, container: str) -> str:
    """What a container's metadata goes by: the task's id and ten digits."""
    number = int(hashlib.sha256(container.encode()).hexdigest(), 16) % 10**_DIGITS
    return f"{task.id}-{number:0{_DIGITS}d}"


def container_of(task: Task, name: str) -> Container | None:
    """The container of a task that a metadata id means."""
    return next((c for c in task.containers if metadata_id(task, c.name) == name), None)


def of_task(known: Known, *, version: int, with_tags: bool) -> Json:
    """The answer to ``/task`` and ``/taskWithTags``."""
    task = known.task
    told = {
        "Cluster": task.cluster_arn,
        "TaskARN": task.arn,
        "Family": task.family,
        "Revision": str(task.revision),
        "DesiredStatus": str(task.desired_status),
        "KnownStatus": str(task.last_status),
        "Limits": _task_limits(known.definition),
        "PullStartedAt": _at(task.pull_started_at),
        "PullStoppedAt": _at(task.pull_stopped_at),
        "ExecutionStoppedAt": _at(task.execution_stopped_at),
        "AvailabilityZone": task.availability_zone or None,
        "LaunchType": str(task.launch_type),
        "Containers": [of_container(known, each, version=version) for each in task.containers],
        "ServiceName": task.service if version >= 4 else None,
        "TaskTags": dict(task.tags) if with_tags and task.tags else None,
    }
    return _without_absent(told)


def of_container(known: Known, container: Container, *, version: int) -> Json:
    """The answer for one container."""
    definition = known.definition.container(container.name)
    seen = known.seen.get(container.name)
    logs = definition.log_configuration if definition else None
    newest = version >= 4
    told = {
        "DockerId": seen.id if seen else container.runtime_id or "",
        "Name": container.name,
        "DockerName": seen.name if seen else "",
        "Image": container.image,
        "ImageID": seen.image_id if seen else "",
        "Ports": [*_ports(container, newest=newest)] or None,
        "Labels": dict(seen.labels) if seen else None,
        "DesiredStatus": str(known.task.desired_status),
        "KnownStatus": str(container.last_status),
        "ExitCode": container.exit_code,
        "Limits": _limits(container),
        "CreatedAt": _at(known.task.created_at),
        "StartedAt": _at(container.started_at),
        "FinishedAt": _at(container.finished_at),
        "Type": "NORMAL",
        "Health": _health(container, definition),
        "LogDriver": logs.log_driver if logs and newest else None,
        "LogOptions": dict(logs.options or {}) if logs and newest else None,
        "ContainerARN": _arn(known.task, container) if newest else None,
        "Networks": [_network(known, seen, newest=newest)],
        "RestartCount": container.restart_count or None,
    }
    return _without_absent(told)


def stats(usage: ContainerUsage, before: ContainerUsage | None, now: datetime, limit: int) -> Json:
    """What a container uses, in the words of the engine's statistics. ``limit`` in bytes."""
    network = {"rx_bytes": usage.received, "tx_bytes": usage.sent}
    return {
        "read": _at(now),
        "cpu_stats": {"cpu_usage": {"total_usage": usage.cpu}},
        "precpu_stats": {"cpu_usage": {"total_usage": before.cpu if before else 0}},
        "memory_stats": {"usage": usage.memory, **({"limit": limit} if limit else {})},
        "networks": {"eth0": network},
        "blkio_stats": {
            "io_service_bytes_recursive": [
                {"op": "Read", "value": usage.read},
                {"op": "Write", "value": usage.written},
            ]
        },
    }


def _task_limits(definition: TaskDefinition) -> Json | None:
    cpu, memory = definition.cpu, definition.memory
    limits: Json = {}
    if cpu:
        limits["CPU"] = cpu / 1024
    if memory:
        limits["Memory"] = memory
    return limits or None


def _limits(container: Container) -> Json:
    return {"CPU": container.cpu or 2, "Memory": container.memory or 0}


def _ports(container: Container, *, newest: bool) -> Iterator[Json]:
    for binding in container.network_bindings:
        if binding.container_port is None:
            continue
        told: Json = {"ContainerPort": binding.container_port, "Protocol": binding.protocol}
        if binding.host_port is not None:
            told["HostPort"] = binding.host_port
        if newest and binding.bind_ip:
            told["HostIp"] = binding.bind_ip
        yield told


def _health(container: Container, definition: ContainerDefinition | None) -> Json | None:
    if definition is None or definition.health_check is None:
        return None
    return {"status": str(container.health_status)}


def _arn(task: Task, container: Container) -> str:
    return container_arn(task.scope, task.cluster, task.id, container.id)


def _network(known: Known, seen: ContainerObservation | None, *, newest: bool) -> Json:
    mode = known.definition.effective_network_mode
    if mode is not NetworkMode.AWSVPC:
        address = seen.ip_address if seen else ""
        name = "default" if mode is NetworkMode.BRIDGE and not newest else str(mode)
        return {"NetworkMode": name, **({"IPv4Addresses": [address]} if address else {})}
    details = {each.name: each.value for one in known.task.attachments for each in one.details}
    address = details.get("privateIPv4Address", "")
    told = {
        "NetworkMode": "awsvpc",
        "IPv4Addresses": [address] if address else None,
        "AttachmentIndex": 0 if newest else None,
        "MACAddress": details.get("macAddress") if newest else None,
    }
    return _without_absent(told)


def _at(moment: datetime | None) -> str | None:
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _without_absent(told: Json) -> Json:
    return {key: value for key, value in told.items() if value is not None}
