"""Services: create, update, delete, describe, list. The scheduler brings about what is written.

A service has a PRIMARY deployment from its first moment; ``control.services`` starts its tasks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from openecs.api.base import Call, Members, Operation, Reads, Writes
from openecs.api.ecs import (
    deployment_configurations,
    deployment_strategies,
    errors,
    new_deployments,
    references,
    service_requests,
    tags,
)
from openecs.api.ecs.client_tokens import Tokens
from openecs.api.ecs.paging import open_page
from openecs.api.ecs.service_views import show
from openecs.decide.services.resizing import resized
from openecs.model.clusters import Cluster
from openecs.model.services import (
    DeploymentControllerType,
    SchedulingStrategy,
    Service,
    ServiceEvents,
    ServiceStatus,
)
from openecs.store.base import Transaction, View
from openecs.store.kinds import SERVICE_EVENTS, SERVICES, TASK_SETS, service_key

DESCRIBE_LIMIT = 10
#: Whoever repeats a call gets the service that is there, with a token or without.
TOKENS = Tokens(operation="CreateService", mismatch=lambda _: errors.not_idempotent())
EXTERNAL = DeploymentControllerType.EXTERNAL

#: What two requests for a service of one name must agree in.
_ASKED = (
    "scheduling_strategy",
    "desired_count",
    "deployment_controller",
    "deployment_configuration",
    "platform_version",
    "placement_constraints",
    "placement_strategy",
    "health_check_grace_period_seconds",
    "enable_ecs_managed_tags",
    "propagate_tags",
    "enable_execute_command",
    "availability_zone_rebalancing",
    "tags",
)
_ASKED_OF_REVISION = (
    "family",
    "revision",
    "launch_type",
    "capacity_provider_strategy",
    "network_configuration",
    "load_balancers",
)


def create_service(tx: Transaction, call: Call, request: Members) -> Members:
    """Create a service, with its first deployment under way."""
    cluster = references.active_cluster(tx, call, request.get("cluster"))
    name = service_requests.name(request)
    TOKENS.resources(tx, call, request)
    existing = tx.get(SERVICES, call.scope, service_key(cluster.name, name))
    service = _asked_for(tx, call, cluster, request)
    if existing is not None and existing.status is not ServiceStatus.INACTIVE:
        return {"service": show(tx, _same(existing, service), with_tags=True)}
    if service.revision is not None:
        service = new_deployments.begin(tx, call, service, service.revision)
    tx.put(SERVICES, service)
    tx.put(SERVICE_EVENTS, ServiceEvents(scope=call.scope, cluster=cluster.name, service=name))
    TOKENS.remember(tx, call, request, [service.arn])
    return {"service": show(tx, service, with_tags=True)}


def update_service(tx: Transaction, call: Call, request: Members) -> Members:
    """Change a service; what its tasks are made of changes by a new deployment."""
    cluster = references.active_cluster(tx, call, request.get("cluster"))
    service = _found(tx, call, cluster, request["service"])
    if service.status is not ServiceStatus.ACTIVE:
        raise errors.service_not_active()
    service_requests.check_built(request)
    service_requests.check_same_controller(service, request)
    service = _with_counts(call, service, request)
    service = _with_settings(service, request)
    deployment_strategies.check_express(service)
    if service.deployment_controller is EXTERNAL:
        service_requests.check_external_update(request)
        service = _with_placement(service, request)
    else:
        service = _with_launch(tx, call, cluster, service, request)
    service_requests.check_grace(service, request)
    _check_strategy(call, service)
    tx.put(SERVICES, service)
    return {"service": show(tx, service, with_tags=True)}


def delete_service(tx: Transaction, call: Call, request: Members) -> Members:
    """Have the scheduler stop every task of a service and then make it INACTIVE."""
    cluster = references.active_cluster(tx, call, request.get("cluster"))
    service = _found(tx, call, cluster, request["service"])
    if service.status is ServiceStatus.INACTIVE:
        raise errors.service_not_found()
    if service.express_gateway is not None:
        raise errors.managed_by_ecs(service.arn)
    if not request.get("force"):
        _check_deletable(tx, service)
    drained = draining(call, service)
    tx.put(SERVICES, drained)
    return {"service": show(tx, drained, with_tags=True)}


def draining(call: Call, service: Service) -> Service:
    """The service as the scheduler is to find it to stop its tasks and make it INACTIVE."""
    return replace(
        service,
        status=ServiceStatus.DRAINING,
        desired_count=0,
        deployments=tuple(
            replace(d, desired_count=0, updated_at=call.now) for d in service.deployments
        ),
    )


def describe_services(view: View, call: Call, request: Members) -> Members:
    """The named services, deleted ones too while they are remembered."""
    cluster = references.active_cluster(view, call, request.get("cluster"))
    named = request["services"]
    if not named:
        raise errors.invalid_parameter("Services cannot be empty.")
    if len(named) > DESCRIBE_LIMIT:
        raise errors.invalid_parameter(f"Services cannot have more than {DESCRIBE_LIMIT} elements.")
    with_tags = "TAGS" in (request.get("include") or ())
    found, failures = [], []
    for name in dict.fromkeys(references.service_name(call, cluster.name, each) for each in named):
        service = view.get(SERVICES, call.scope, service_key(cluster.name, name))
        if service is None:
            arn = call.scope.arn("ecs", f"service/{cluster.name}/{name}")
            failures.append(errors.failure(arn, "MISSING"))
        else:
            found.append(show(view, service, with_tags=with_tags))
    return {"services": found, "failures": failures}


def list_services(view: View, call: Call, request: Members) -> Members:
    """The ARNs of the ACTIVE services of a cluster."""
    cluster = references.active_cluster(view, call, request.get("cluster"))
    page = open_page(call, "ListServices", request, default=10)
    launch_type, strategy = request.get("launchType"), request.get("schedulingStrategy")
    managed_by = request.get("resourceManagementType")

    def fetch(after: str, limit: int) -> Sequence[Service]:
        words = (cluster.name,)
        return view.find(SERVICES, call.scope, "listed", words, after=after, limit=limit)

    def keep(service: Service) -> bool:
        its_type = service.revision.launch_type if service.revision else None
        is_express = service.express_gateway is not None
        return (
            (not managed_by or is_express is (managed_by == "ECS"))
            and (not launch_type or its_type == launch_type)
            and (not strategy or service.scheduling_strategy == strategy)
        )

    narrow = bool(launch_type or strategy or managed_by)
    shown, token = page.take(fetch, SERVICES.key, keep if narrow else None)
    return {"serviceArns": [service.arn for service in shown], "nextToken": token}


def list_services_by_namespace(_: View, call: Call, request: Members) -> Members:
    """There are no namespaces that a service could be in."""
    open_page(call, "ListServicesByNamespace", request, default=10)
    raise errors.namespace_not_found()


OPERATIONS: dict[str, Operation] = {
    "CreateService": Writes(create_service),
    "UpdateService": Writes(update_service),
    "DeleteService": Writes(delete_service),
    "DescribeServices": Reads(describe_services),
    "ListServices": Reads(list_services),
    "ListServicesByNamespace": Reads(list_services_by_namespace),
}


def _asked_for(tx: Transaction, call: Call, cluster: Cluster, request: Members) -> Service:
    """The service as the request describes it, not yet deployed."""
    service = _bare(call, cluster, request)
    if service.deployment_controller is EXTERNAL:
        service = _with_placement(service, request)
    else:
        service = _launched(tx, call, cluster, service, request)
    service_requests.check_grace(service, request)
    _check_strategy(call, service)
    rebalancing = deployment_configurations.rebalancing(request, service)
    return replace(service, availability_zone_rebalancing=rebalancing)


def _check_strategy(call: Call, service: Service) -> None:
    deployment_strategies.check_callable(call, service.deployment_configuration)
    deployment_strategies.check_pairs(service)


def _bare(call: Call, cluster: Cluster, request: Members) -> Service:
    """What a service has whoever deploys it."""
    strategy = SchedulingStrategy(request.get("schedulingStrategy") or SchedulingStrategy.REPLICA)
    service_requests.check_built(request)
    return Service(
        scope=call.scope,
        cluster=cluster.name,
        name=request["serviceName"],
        scheduling_strategy=strategy,
        desired_count=service_requests.desired_count(request, strategy),
        deployment_controller=service_requests.controller(request),
        shows_controller=bool(request.get("deploymentController")),
        deployment_configuration=deployment_configurations.parse(request, strategy),
        revision=None,
        health_check_grace_period_seconds=service_requests.grace_period(request),
        enable_ecs_managed_tags=bool(request.get("enableECSManagedTags")),
        propagate_tags=request.get("propagateTags") or "NONE",
        enable_execute_command=bool(request.get("enableExecuteCommand")),
        created_by=call.caller.arn,
        created_at=call.now,
        tags=tags.parse(request.get("tags")),
    )


def _launched(
    tx: Transaction, call: Call, cluster: Cluster, service: Service, request: Members
) -> Service:
    """The new service with what its tasks are and where they run."""
    reference = request.get("taskDefinition")
    if not reference:
        raise errors.invalid_parameter("TaskDefinition can not be blank.")
    asked = service_requests.wanted(tx, call, cluster, reference, request)
    launch, placement = service_requests.launch(
        tx, call, asked, request, service.scheduling_strategy
    )
    definition = asked.definition
    return replace(
        service,
        revision=new_deployments.new_revision(call, cluster.name, service.name, definition, launch),
        platform_version=service_requests.shown_platform(request, launch),
        placement_constraints=placement.constraints,
        placement_strategy=placement.strategy,
        role_arn=service_requests.role(call, definition),
    )


def _same(existing: Service, asked: Service) -> Service:
    """The service there is, if it is what is asked for."""
    if existing.status is ServiceStatus.DRAINING:
        raise errors.invalid_parameter("Unable to Start a service that is still Draining.")
    if existing.scheduling_strategy is SchedulingStrategy.DAEMON:
        # The scheduler keeps count of the instances there.
        asked = replace(asked, desired_count=existing.desired_count)
    alike = all(getattr(existing, each) == getattr(asked, each) for each in _ASKED)
    theirs, ours = existing.revision, asked.revision
    if theirs is None or ours is None:
        alike = alike and theirs is ours
    else:
        alike = alike and all(
            getattr(theirs, each) == getattr(ours, each) for each in _ASKED_OF_REVISION
        )
    if not alike:
        raise errors.not_idempotent()
    return existing


def _found(view: View, call: Call, cluster: Cluster, reference: str) -> Service:
    name = references.service_name(call, cluster.name, reference)
    service = view.get(SERVICES, call.scope, service_key(cluster.name, name))
    if service is None:
        raise errors.service_not_found()
    return service


def _with_counts(call: Call, service: Service, request: Members) -> Service:
    given = request.get("desiredCount")
    if given is None:
        return service
    if service.scheduling_strategy is SchedulingStrategy.DAEMON:
        service_requests.check_daemon_count(given)
        return service
    return resized(service, service_requests.checked_count(given), call.now)


def _with_placement(service: Service, request: Members) -> Service:
    """An EXTERNAL service's own: how the tasks of its task sets choose among instances."""
    given = service_requests.placement(request)
    constraints, strategy = service.placement_constraints, service.placement_strategy
    if request.get("placementConstraints") is not None:
        constraints = given.constraints
    if request.get("placementStrategy") is not None:
        strategy = given.strategy
    return replace(service, placement_constraints=constraints, placement_strategy=strategy)


def _with_settings(service: Service, request: Members) -> Service:
    """What an update changes without a deployment; what is not given stays."""
    grace = service_requests.grace_period(request)
    managed = request.get("enableECSManagedTags")
    can_execute = request.get("enableExecuteCommand")
    return replace(
        service,
        deployment_configuration=deployment_configurations.parse(
            request, service.scheduling_strategy, service.deployment_configuration
        ),
        health_check_grace_period_seconds=(
            service.health_check_grace_period_seconds if grace is None else grace
        ),
        enable_ecs_managed_tags=service.enable_ecs_managed_tags if managed is None else managed,
        propagate_tags=request.get("propagateTags") or service.propagate_tags,
        # For the tasks that are started from then on.
        enable_execute_command=(
            service.enable_execute_command if can_execute is None else can_execute
        ),
        availability_zone_rebalancing=(
            request.get("availabilityZoneRebalancing") or service.availability_zone_rebalancing
        ),
    )


def _with_launch(
    tx: Transaction, call: Call, cluster: Cluster, service: Service, request: Members
) -> Service:
    """What an update changes of the tasks themselves: for later ones, or by a deployment."""
    current = service.revision
    if current is None or not service_requests.touches_launch(request):
        return service
    reference = request.get("taskDefinition") or current.task_definition_arn
    whole = service_requests.over_current(service, current, request)
    asked = service_requests.wanted(tx, call, cluster, reference, whole)
    launch, placement = service_requests.launch(tx, call, asked, whole, service.scheduling_strategy)
    revision = new_deployments.new_revision(
        call, cluster.name, service.name, asked.definition, launch
    )
    changed = replace(
        service,
        platform_version=service_requests.shown_platform(whole, launch),
        placement_constraints=placement.constraints,
        placement_strategy=placement.strategy,
        role_arn=service_requests.role(call, asked.definition),
    )
    if service_requests.deploys(service, request, asked, launch):
        return new_deployments.begin(tx, call, changed, revision)
    return new_deployments.adjust(tx, changed, launch)


def _check_deletable(view: View, service: Service) -> None:
    if service.scheduling_strategy is SchedulingStrategy.REPLICA and service.desired_count > 0:
        raise errors.invalid_parameter("The service cannot be stopped while it is scaled above 0.")
    if view.scan(TASK_SETS, service.scope, prefix=f"{SERVICES.key(service)}/", limit=1):
        raise errors.invalid_parameter("The service cannot be stopped while it has task sets.")
