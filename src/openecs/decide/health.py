"""Health of containers and tasks, from what the engine says of health checks.

Rule: Amazon ECS Developer Guide, "Determine Amazon ECS task health using container health checks".
"""

from __future__ import annotations

from openecs.model.containers import Health
from openecs.model.task_definitions import ContainerDefinition, TaskDefinition
from openecs.model.tasks import Container, HealthStatus


def container_health(definition: ContainerDefinition, observed: Health) -> HealthStatus:
    """A container's health: UNKNOWN without a health check in the definition, or while starting."""
    if definition.health_check is None:
        return HealthStatus.UNKNOWN
    match observed:
        case Health.HEALTHY:
            return HealthStatus.HEALTHY
        case Health.UNHEALTHY:
            return HealthStatus.UNHEALTHY
        case Health.NONE | Health.STARTING:
            return HealthStatus.UNKNOWN


def task_health(definition: TaskDefinition, containers: tuple[Container, ...]) -> HealthStatus:
    """A task's health: only essential containers with health checks matter.

    UNHEALTHY if one of them is; else UNKNOWN if one is, or there is none; else HEALTHY.
    """
    checked = {c.name for c in definition.container_definitions if c.essential and c.health_check}
    found = {c.health_status for c in containers if c.name in checked}
    if HealthStatus.UNHEALTHY in found:
        return HealthStatus.UNHEALTHY
    return HealthStatus.HEALTHY if found == {HealthStatus.HEALTHY} else HealthStatus.UNKNOWN
