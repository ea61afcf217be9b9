"""Services as AWS shows them. API Reference, ``Service``, ``Deployment``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from openecs.api import shapes
from openecs.api.base import Members
from openecs.api.ecs import deployment_strategies, service_load_balancers, tags
from openecs.decide.services.task_sets import computed_desired_count
from openecs.model.services import (
    Deployment,
    DeploymentConfiguration,
    DeploymentControllerType,
    Service,
    ServiceDeployment,
    ServiceRevision,
    TaskSet,
)
from openecs.model.tasks import Task, TaskStatus
from openecs.store.base import View
from openecs.store.kinds import (
    SERVICE_DEPLOYMENTS,
    SERVICE_EVENTS,
    SERVICES,
    TASK_SETS,
    TASKS,
    part_key,
    service_key,
)

_PENDING = frozenset({TaskStatus.PROVISIONING, TaskStatus.PENDING, TaskStatus.ACTIVATING})


@dataclass(frozen=True, slots=True)
class Counts:
    """How many tasks run, and how many are on their way to that."""

    running: int
    pending: int


def counts_of(tasks: Iterable[Task]) -> Counts:
    """The counts that AWS shows of some tasks."""
    running = pending = 0
    for task in tasks:
        running += task.last_status is TaskStatus.RUNNING
        pending += task.last_status in _PENDING and task.desired_status is TaskStatus.RUNNING
    return Counts(running, pending)


def tasks_of(view: View, service: Service) -> Sequence[Task]:
    """The tasks of a service that its scheduler looks at."""
    return view.find(TASKS, service.scope, "service", (service.cluster, service.name))


def show(view: View, service: Service, *, with_tags: bool) -> Members:
    """The members of a service."""
    tasks = tasks_of(view, service)
    counts = counts_of(tasks)
    return {
        "serviceArn": service.arn,
        "serviceName": service.name,
        "clusterArn": service.cluster_arn,
        "loadBalancers": show_served(service.revision),
        "serviceRegistries": [],
        "status": str(service.status),
        "desiredCount": service.desired_count,
        "runningCount": counts.running,
        "pendingCount": counts.pending,
        **_launch(service),
        "deploymentConfiguration": show_configuration(service.deployment_configuration),
        "deploymentController": (
            {"type": str(service.deployment_controller)} if service.shows_controller else None
        ),
        "deployments": [_deployment(d, tasks) for d in service.deployments],
        "taskSets": _task_sets(view, service),
        "roleArn": service.role_arn,
        "events": _events(view, service),
        "createdAt": service.created_at,
        "createdBy": service.created_by,
        "placementConstraints": [shapes.to_members(c) for c in service.placement_constraints],
        "placementStrategy": [shapes.to_members(s) for s in service.placement_strategy],
        "healthCheckGracePeriodSeconds": service.health_check_grace_period_seconds,
        "schedulingStrategy": str(service.scheduling_strategy),
        "enableECSManagedTags": service.enable_ecs_managed_tags,
        "propagateTags": service.propagate_tags,
        "enableExecuteCommand": service.enable_execute_command,
        "availabilityZoneRebalancing": service.availability_zone_rebalancing,
        "resourceManagementType": "ECS" if service.express_gateway else "CUSTOMER",
        **_current(view, service, tasks),
        "tags": tags.show(service.tags) if with_tags else None,
    }


def show_task_set(view: View, service: Service, task_set: TaskSet, *, with_tags: bool) -> Members:
    """The members of a task set, with the counts of its tasks."""
    counts = counts_of(t for t in tasks_of(view, service) if t.started_by == task_set.id)
    return {
        "id": task_set.id,
        "taskSetArn": task_set.arn,
        "serviceArn": service.arn,
        "clusterArn": service.cluster_arn,
        "externalId": task_set.external_id,
        "status": task_set.status,
        "taskDefinition": task_set.revision.task_definition_arn,
        "computedDesiredCount": computed_desired_count(service, task_set),
        "pendingCount": counts.pending,
        "runningCount": counts.running,
        "createdAt": task_set.created_at,
        "updatedAt": task_set.updated_at,
        **show_launch(task_set.revision),
        "loadBalancers": show_served(task_set.revision),
        "serviceRegistries": [],
        "scale": {"value": task_set.scale, "unit": "PERCENT"},
        "stabilityStatus": task_set.stability_status,
        "stabilityStatusAt": task_set.stability_status_at,
        "tags": tags.show(task_set.tags) if with_tags else None,
    }


def show_configuration(configuration: DeploymentConfiguration) -> Members:
    """A deployment configuration, whole, as AWS always shows it."""
    members = shapes.to_members(configuration)
    hooks = members.get("lifecycleHooks")
    if hooks:
        members["lifecycleHooks"] = deployment_strategies.hooks_as_json(hooks)
    return members


def show_launch(revision: ServiceRevision) -> Members:
    """Where the tasks of a revision run, as a deployment shows it."""
    strategy = revision.capacity_provider_strategy
    network = revision.network_configuration
    return {
        "launchType": str(revision.launch_type) if revision.launch_type else None,
        "capacityProviderStrategy": [shapes.to_members(i) for i in strategy] or None,
        "platformVersion": revision.platform_version,
        "platformFamily": revision.platform_family,
        "networkConfiguration": (
            {"awsvpcConfiguration": shapes.to_members(network, ("securityGroups", "subnets"))}
            if network
            else None
        ),
    }


def show_served(revision: ServiceRevision | None) -> list[Members]:
    """The target groups that tasks of a revision serve."""
    return service_load_balancers.show(revision.load_balancers) if revision else []


def current_deployment(view: View, service: Service) -> ServiceDeployment | None:
    """The newest service deployment of a service."""
    if service.current_service_deployment is None:
        return None
    key = part_key(service.cluster, service.name, service.current_service_deployment)
    return view.get(SERVICE_DEPLOYMENTS, service.scope, key)


def _launch(service: Service) -> Members:
    if service.revision is None:
        return {}
    return {
        "taskDefinition": service.revision.task_definition_arn,
        **show_launch(service.revision),
        "platformVersion": service.platform_version,
    }


def _deployment(deployment: Deployment, tasks: Iterable[Task]) -> Members:
    counts = counts_of(t for t in tasks if t.started_by == deployment.id)
    return {
        "id": deployment.id,
        "status": str(deployment.status),
        "taskDefinition": deployment.revision.task_definition_arn,
        "desiredCount": deployment.desired_count,
        "pendingCount": counts.pending,
        "runningCount": counts.running,
        "failedTasks": deployment.failed_tasks,
        "createdAt": deployment.created_at,
        "updatedAt": deployment.updated_at,
        **show_launch(deployment.revision),
        "rolloutState": str(deployment.rollout_state),
        "rolloutStateReason": deployment.rollout_state_reason,
    }


def _task_sets(view: View, service: Service) -> list[Members] | None:
    if service.deployment_controller is not DeploymentControllerType.EXTERNAL:
        return None
    sets = view.scan(TASK_SETS, service.scope, prefix=f"{SERVICES.key(service)}/")
    return [show_task_set(view, service, each, with_tags=False) for each in sets]


def _events(view: View, service: Service) -> list[Members]:
    key = service_key(service.cluster, service.name)
    story = view.get(SERVICE_EVENTS, service.scope, key)
    events = story.events if story else ()
    return [{"id": e.id, "createdAt": e.created_at, "message": e.message} for e in events]


def _current(view: View, service: Service, tasks: Iterable[Task]) -> Members:
    """The newest service deployment, and the revisions that have tasks or are to have."""
    record = current_deployment(view, service)
    revisions = []
    for deployment in service.deployments:
        counts = counts_of(t for t in tasks if t.started_by == deployment.id)
        revisions.append(
            {
                "arn": deployment.revision.arn,
                "requestedTaskCount": deployment.desired_count,
                "runningTaskCount": counts.running,
                "pendingTaskCount": counts.pending,
            }
        )
    return {
        "currentServiceDeployment": record.arn if record else None,
        "currentServiceRevisions": revisions,
    }
