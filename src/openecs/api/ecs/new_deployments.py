"""Beginning a deployment: the records that tell the scheduler to roll a service over.

Everything is written in the transaction of the call that asks for it; the scheduler does the rest.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from openecs.api.base import Call
from openecs.decide.services import traffic
from openecs.decide.services.circuit_breaker import threshold
from openecs.model.clusters import CapacityProviderStrategyItem
from openecs.model.services import (
    Deployment,
    DeploymentStatus,
    RolloutState,
    Service,
    ServiceDeployment,
    ServiceDeploymentStatus,
    ServiceLoadBalancer,
    ServiceRevision,
)
from openecs.model.task_definitions import TaskDefinition
from openecs.model.tasks import LaunchType, NetworkConfiguration
from openecs.store.base import Transaction
from openecs.store.kinds import SERVICE_DEPLOYMENTS, SERVICE_REVISIONS


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchSettings:
    """Where the tasks of a revision run: a launch type or a strategy, and what goes with it."""

    launch_type: LaunchType | None
    capacity_provider_strategy: tuple[CapacityProviderStrategyItem, ...] = ()
    platform_version: str | None = None
    platform_family: str | None = None
    network_configuration: NetworkConfiguration | None = None
    load_balancers: tuple[ServiceLoadBalancer, ...] = ()


def new_revision(
    call: Call, cluster: str, service: str, definition: TaskDefinition, launch: LaunchSettings
) -> ServiceRevision:
    """A revision of a service, not yet recorded."""
    return ServiceRevision(
        scope=call.scope,
        cluster=cluster,
        service=service,
        id=call.ids.digits(19),
        family=definition.family,
        revision=definition.revision,
        launch_type=launch.launch_type,
        capacity_provider_strategy=launch.capacity_provider_strategy,
        platform_version=launch.platform_version,
        platform_family=launch.platform_family,
        network_configuration=launch.network_configuration,
        load_balancers=launch.load_balancers,
        created_at=call.now,
    )


def begin(tx: Transaction, call: Call, service: Service, revision: ServiceRevision) -> Service:
    """The service with a deployment of the revision under way; its history is written too."""
    configuration = service.deployment_configuration
    before = service.revision
    revision = replace(
        revision,
        on_alternate=traffic.is_on_alternate(service, revision, configuration),
        express=revision.express or (before.express if before else None),
    )
    shift = traffic.begin(service, revision, configuration, call.ids.hex32(), call.now)
    record = _history(call, service, revision)
    tx.add(SERVICE_REVISIONS, revision)
    tx.add(SERVICE_DEPLOYMENTS, record)
    name = f"ecs-svc/{call.ids.digits(19)}"
    primary = Deployment(
        id=name,
        status=DeploymentStatus.PRIMARY,
        revision=revision,
        service_deployment=record.id,
        desired_count=service.desired_count,
        rollout_state=RolloutState.IN_PROGRESS,
        rollout_state_reason=f"ECS deployment {name} in progress.",
        shift=shift,
        created_at=call.now,
        updated_at=call.now,
    )
    older = (replace(d, status=DeploymentStatus.ACTIVE) for d in service.deployments)
    return replace(
        service,
        revision=revision,
        deployments=(primary, *older),
        current_service_deployment=record.id,
        steady_at=None,
    )


def adjust(tx: Transaction, service: Service, launch: LaunchSettings) -> Service:
    """The service with other launch settings for the tasks its PRIMARY starts from now on.

    They are its revision's from now on, a rollback to it included.
    """
    if service.revision is None or not service.deployments:
        return service
    revision = replace(
        service.revision,
        launch_type=launch.launch_type,
        capacity_provider_strategy=launch.capacity_provider_strategy,
        platform_version=launch.platform_version,
        platform_family=launch.platform_family,
    )
    primary, *older = service.deployments
    completed = service.completed_revision
    tx.put(SERVICE_REVISIONS, revision)
    return replace(
        service,
        revision=revision,
        completed_revision=revision if completed and completed.id == revision.id else completed,
        deployments=(replace(primary, revision=revision), *older),
    )


def _history(call: Call, service: Service, revision: ServiceRevision) -> ServiceDeployment:
    configuration = service.deployment_configuration
    watched = configuration.deployment_circuit_breaker.enable
    return ServiceDeployment(
        scope=call.scope,
        cluster=service.cluster,
        service=service.name,
        id=call.ids.hex32(),
        status=ServiceDeploymentStatus.PENDING,
        source_revisions=tuple(dict.fromkeys(d.revision.id for d in service.deployments)),
        target_revision=revision.id,
        deployment_configuration=configuration,
        breaker_status="MONITORING" if watched else "DISABLED",
        threshold=threshold(service.desired_count) if watched else 0,
        created_at=call.now,
        updated_at=call.now,
    )
