"""Tasks as AWS shows them. API Reference, ``Task``."""

from __future__ import annotations

from openecs.api import shapes
from openecs.api.base import Members
from openecs.api.ecs import tags
from openecs.model.identity import container_instance_arn
from openecs.model.tasks import Container, Task, TaskOverride

_TIMES = (
    "connectivity_at",
    "created_at",
    "execution_stopped_at",
    "pull_started_at",
    "pull_stopped_at",
    "started_at",
    "stopped_at",
    "stopping_at",
)


def show(task: Task, *, with_tags: bool) -> Members:
    """The members of a task."""
    instance = task.container_instance
    return {
        "attachments": [_attachment(a) for a in task.attachments],
        "attributes": [shapes.to_members(a) for a in task.attributes],
        "availabilityZone": task.availability_zone or None,
        "capacityProviderName": task.capacity_provider,
        "clusterArn": task.cluster_arn,
        "connectivity": "CONNECTED" if task.connectivity_at else None,
        "containerInstanceArn": (
            container_instance_arn(task.scope, task.cluster, instance) if instance else None
        ),
        "containers": [_container(task, c) for c in task.containers],
        "cpu": str(task.cpu),
        "desiredStatus": str(task.desired_status),
        "enableExecuteCommand": task.enable_execute_command,
        "ephemeralStorage": (
            shapes.to_members(task.ephemeral_storage) if task.ephemeral_storage else None
        ),
        "group": task.group,
        "healthStatus": str(task.health_status),
        "lastStatus": str(task.last_status),
        "launchType": str(task.launch_type),
        "memory": str(task.memory),
        "overrides": _overrides(task.overrides),
        "platformFamily": task.platform_family,
        "platformVersion": task.platform_version,
        "startedBy": task.started_by,
        "stopCode": str(task.stop_code) if task.stop_code else None,
        "stoppedReason": task.stopped_reason,
        "tags": tags.show(task.tags) if with_tags else [],
        "taskArn": task.arn,
        "taskDefinitionArn": task.definition_arn,
        "version": task.version,
        **{shapes.wire_name(name): getattr(task, name) for name in _TIMES},
    }


def _container(task: Task, container: Container) -> Members:
    return {
        "containerArn": task.container_arn(container),
        "taskArn": task.arn,
        "name": container.name,
        "image": container.image,
        "imageDigest": container.image_digest,
        "runtimeId": container.runtime_id,
        "lastStatus": str(container.last_status),
        "exitCode": container.exit_code,
        "reason": container.reason,
        "networkBindings": [shapes.to_members(b) for b in container.network_bindings],
        "networkInterfaces": [shapes.to_members(i) for i in container.network_interfaces],
        "healthStatus": str(container.health_status),
        "cpu": str(container.cpu),
        "managedAgents": _agents(task, container),
        "memory": _text(container.memory),
        "memoryReservation": _text(container.memory_reservation),
    }


def _agents(task: Task, container: Container) -> list[Members] | None:
    """What runs commands in a container is there exactly while the container runs."""
    if not task.enable_execute_command:
        return None
    agent = {"name": "ExecuteCommandAgent", "lastStatus": str(container.last_status)}
    return [{**agent, "lastStartedAt": container.started_at}]


def _attachment(attachment: object) -> Members:
    return shapes.to_members(attachment, always=("details",))


def _overrides(overrides: TaskOverride) -> Members:
    shown = shapes.to_members(overrides, always=("containerOverrides",))
    sizes: dict[str, str] = {n: str(shown[n]) for n in ("cpu", "memory") if n in shown}
    return {**shown, **sizes, "inferenceAcceleratorOverrides": []}


def _text(number: int | None) -> str | None:
    return None if number is None else str(number)
