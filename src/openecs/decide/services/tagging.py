"""The tags that a service's tasks are born with.

Developer Guide, "Tagging your Amazon ECS resources": managed tags name the cluster and the service;
``propagateTags`` copies those of the service or of the task definition.
"""

from __future__ import annotations

from openecs.model.services import Service
from openecs.model.task_definitions import TaskDefinition


def task_tags(service: Service, definition: TaskDefinition) -> dict[str, str]:
    """The tags of a new task of the service."""
    managed: dict[str, str] = {}
    if service.enable_ecs_managed_tags:
        managed = {"aws:ecs:clusterName": service.cluster, "aws:ecs:serviceName": service.name}
    match service.propagate_tags:
        case "SERVICE":
            return {**managed, **service.tags}
        case "TASK_DEFINITION":
            return {**managed, **definition.tags}
        case _:
            return managed
