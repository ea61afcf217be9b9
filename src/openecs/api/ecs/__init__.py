"""Amazon ECS: one module per family of operations; ``SERVICE`` is all of them together."""

from __future__ import annotations

from openecs.api.base import Service
from openecs.api.ecs import (
    account_settings,
    attributes,
    capacity_providers,
    clusters,
    container_instances,
    daemon_deployments,
    daemon_task_definitions,
    daemons,
    execute_command,
    express,
    run_task,
    service_deployments,
    service_revisions,
    services,
    tags,
    task_definitions,
    task_protection,
    task_sets,
    tasks,
)
from openecs.api.ecs.access import ACCESS

SERVICE = Service(
    name="ecs",
    operations={
        **account_settings.OPERATIONS,
        **attributes.OPERATIONS,
        **capacity_providers.OPERATIONS,
        **clusters.OPERATIONS,
        **container_instances.OPERATIONS,
        **daemon_deployments.OPERATIONS,
        **daemon_task_definitions.OPERATIONS,
        **daemons.OPERATIONS,
        **execute_command.OPERATIONS,
        **express.OPERATIONS,
        **run_task.OPERATIONS,
        **service_deployments.OPERATIONS,
        **service_revisions.OPERATIONS,
        **services.OPERATIONS,
        **tags.OPERATIONS,
        **task_definitions.OPERATIONS,
        **task_protection.OPERATIONS,
        **task_sets.OPERATIONS,
        **tasks.OPERATIONS,
    },
    access=ACCESS,
)
