"""Task sets: the tasks of a service whose deployments are controlled from outside (EXTERNAL).

API Reference, ``TaskSet``; Developer Guide, "Deploy Amazon ECS services using a third-party
controller". What is written here the scheduler brings about.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from openecs.api.base import Call, Members, Operation, Reads, ServiceError, Writes
from openecs.api.ecs import errors, new_deployments, references, service_requests, tags
from openecs.api.ecs.client_tokens import Tokens, used_otherwise
from openecs.api.ecs.service_views import show_task_set
from openecs.model.clusters import Cluster
from openecs.model.services import (
    DeploymentControllerType,
    SchedulingStrategy,
    Service,
    ServiceStatus,
    TaskSet,
)
from openecs.store.base import Transaction, View
from openecs.store.kinds import (
    SERVICE_REVISIONS,
    SERVICES,
    TASK_SETS,
    part_key,
    service_key,
)

LIMIT = 5
ID = re.compile(r"ecs-svc/[0-9]+")
TOKENS = Tokens(operation="CreateTaskSet", mismatch=used_otherwise)
PRIMARY, ACTIVE, DRAINING = "PRIMARY", "ACTIVE", "DRAINING"


def create_task_set(tx: Transaction, call: Call, request: Members) -> Members:
    """Add a task set to an EXTERNAL service."""
    cluster, service = _active_service(tx, call, request)
    if repeated := _repeated(tx, call, request):
        return {"taskSet": show_task_set(tx, service, repeated, with_tags=True)}
    if len(_sets(tx, service)) >= LIMIT:
        raise errors.invalid_parameter(
            f"{LIMIT} deployments exist on the service. Unable to create new TaskSet since this "
            "exceeds the maximum limit."
        )
    task_set = _asked_for(tx, call, cluster, service, request)
    tx.add(SERVICE_REVISIONS, task_set.revision)
    tx.add(TASK_SETS, task_set)
    TOKENS.remember(tx, call, request, [TASK_SETS.key(task_set)])
    return {"taskSet": show_task_set(tx, service, task_set, with_tags=True)}


def update_task_set(tx: Transaction, call: Call, request: Members) -> Members:
    """Change the scale of a task set."""
    _, service = _active_service(tx, call, request)
    task_set = _found(tx, service, request["taskSet"])
    if task_set.status == DRAINING:
        raise errors.invalid_parameter("The specified task set is draining.")
    changed = replace(task_set, scale=_scale(request["scale"]), updated_at=call.now)
    tx.put(TASK_SETS, changed)
    return {"taskSet": show_task_set(tx, service, changed, with_tags=True)}


def delete_task_set(tx: Transaction, call: Call, request: Members) -> Members:
    """Have the scheduler stop the tasks of a task set and forget it."""
    _, service = _service(tx, call, request)
    task_set = _found(tx, service, request["taskSet"])
    if not request.get("force"):
        _check_deletable(task_set)
    draining = replace(task_set, status=DRAINING, scale=0.0, updated_at=call.now)
    tx.put(TASK_SETS, draining)
    return {"taskSet": show_task_set(tx, service, draining, with_tags=True)}


def describe_task_sets(view: View, call: Call, request: Members) -> Members:
    """The named task sets of a service, or all of them."""
    _, service = _service(view, call, request)
    with_tags = "TAGS" in (request.get("include") or ())
    known = {task_set.id: task_set for task_set in _sets(view, service)}
    named = [_id(service, each) for each in request.get("taskSets") or ()] or list(known)
    shown = [
        show_task_set(view, service, known[each], with_tags=with_tags)
        for each in named
        if each in known
    ]
    missing = [
        errors.failure(_arn(service, each), "MISSING") for each in named if each not in known
    ]
    return {"taskSets": shown, "failures": missing}


def update_service_primary_task_set(tx: Transaction, call: Call, request: Members) -> Members:
    """Make a task set the one that production is on; the service takes its settings."""
    _, service = _active_service(tx, call, request)
    chosen = _found(tx, service, request["primaryTaskSet"])
    if chosen.status == DRAINING:
        raise errors.invalid_parameter("The specified task set is draining.")
    for task_set in _sets(tx, service):
        if task_set.status == PRIMARY and task_set.id != chosen.id:
            tx.put(TASK_SETS, replace(task_set, status=ACTIVE, updated_at=call.now))
    primary = replace(chosen, status=PRIMARY, updated_at=call.now)
    tx.put(TASK_SETS, primary)
    platform = chosen.platform_version
    tx.put(SERVICES, replace(service, revision=chosen.revision, platform_version=platform))
    return {"taskSet": show_task_set(tx, service, primary, with_tags=True)}


OPERATIONS: dict[str, Operation] = {
    "CreateTaskSet": Writes(create_task_set),
    "UpdateTaskSet": Writes(update_task_set),
    "DeleteTaskSet": Writes(delete_task_set),
    "DescribeTaskSets": Reads(describe_task_sets),
    "UpdateServicePrimaryTaskSet": Writes(update_service_primary_task_set),
}


def _active_service(view: View, call: Call, request: Members) -> tuple[Cluster, Service]:
    cluster, service = _service(view, call, request)
    if service.status is not ServiceStatus.ACTIVE:
        raise errors.service_not_active()
    return cluster, service


def _service(view: View, call: Call, request: Members) -> tuple[Cluster, Service]:
    cluster = references.active_cluster(view, call, request["cluster"])
    name = references.service_name(call, cluster.name, request["service"])
    service = view.get(SERVICES, call.scope, service_key(cluster.name, name))
    if service is None:
        raise errors.service_not_found()
    if service.deployment_controller is not DeploymentControllerType.EXTERNAL:
        raise errors.invalid_parameter(
            "Amazon ECS only supports task set management on services configured to use external "
            "deployment controllers."
        )
    return cluster, service


def _asked_for(
    view: View, call: Call, cluster: Cluster, service: Service, request: Members
) -> TaskSet:
    """The task set as the request describes it. Raises ``ServiceError``."""
    service_requests.check_built(request)
    asked = service_requests.wanted(view, call, cluster, request["taskDefinition"], request)
    launch, _ = service_requests.launch(view, call, asked, request, SchedulingStrategy.REPLICA)
    definition = asked.definition
    return TaskSet(
        scope=call.scope,
        cluster=cluster.name,
        service=service.name,
        id=f"ecs-svc/{call.ids.digits(19)}",
        external_id=request.get("externalId"),
        revision=new_deployments.new_revision(call, cluster.name, service.name, definition, launch),
        platform_version=service_requests.shown_platform(request, launch),
        # As the AWS CLI's example of create-task-set shows: without a scale nothing runs yet.
        scale=_scale(request.get("scale") or {"value": 0}),
        stability_status_at=call.now,
        created_at=call.now,
        updated_at=call.now,
        tags=tags.parse(request.get("tags")),
    )


def _sets(view: View, service: Service) -> Sequence[TaskSet]:
    return view.scan(TASK_SETS, service.scope, prefix=f"{SERVICES.key(service)}/")


def _found(view: View, service: Service, reference: str) -> TaskSet:
    key = part_key(service.cluster, service.name, _id(service, reference))
    task_set = view.get(TASK_SETS, service.scope, key)
    if task_set is None:
        raise ServiceError("TaskSetNotFoundException", "The specified task set does not exist.")
    return task_set


def _id(service: Service, reference: str) -> str:
    """``ecs-svc/NNN``, from an ARN of the service's task sets or as it is."""
    identifier = reference.removeprefix(_arn(service, ""))
    if not ID.fullmatch(identifier):
        raise errors.invalid_parameter("Task Set Identifier is invalid")
    return identifier


def _arn(service: Service, identifier: str) -> str:
    return service.scope.arn("ecs", f"task-set/{service.cluster}/{service.name}/{identifier}")


def _scale(given: Members) -> float:
    """The percentage of the service's desired count. Raises ``InvalidParameterException``."""
    value: float | None = given.get("value")
    if value is None or not 0 <= value <= 100:
        raise errors.invalid_parameter("The scale of a task set must be between 0 and 100 percent.")
    return float(value)


def _check_deletable(task_set: TaskSet) -> None:
    if task_set.status == PRIMARY:
        raise errors.invalid_parameter("Primary TaskSet cannot be deleted")
    if task_set.scale > 0:
        raise errors.invalid_parameter(
            "The task set cannot be deleted while its scale is above 0: scale it to 0 first, or "
            "use force."
        )


def _repeated(view: View, call: Call, request: Members) -> TaskSet | None:
    """The task set that the same client token made before."""
    keys = TOKENS.resources(view, call, request)
    return view.get(TASK_SETS, call.scope, keys[0]) if keys else None
