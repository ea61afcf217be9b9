"""What users want of services, written as the API's operations write it: in one transaction each."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from openecs.model.clusters import ContainerInstanceStatus
from openecs.model.services import (
    CircuitBreaker,
    Deployment,
    DeploymentConfiguration,
    DeploymentStatus,
    RolloutState,
    Service,
    ServiceDeployment,
    ServiceDeploymentStatus,
    ServiceRevision,
    ServiceStatus,
)
from openecs.model.tasks import LaunchType, TaskProtection
from openecs.store.base import Transaction
from openecs.store.kinds import (
    CONTAINER_INSTANCES,
    SERVICE_DEPLOYMENTS,
    SERVICE_REVISIONS,
    SERVICES,
    TASKS,
)
from openecs.testing.builders import SCOPE
from simulation.world import World

CREATOR = f"arn:aws:iam::{SCOPE.account}:root"


def bounds(least: int, most: int, *, breaker: bool = False, rollback: bool = False) -> Any:
    return DeploymentConfiguration(
        minimum_healthy_percent=least,
        maximum_percent=most,
        deployment_circuit_breaker=CircuitBreaker(enable=breaker, rollback=rollback),
    )


async def create(world: World, name: str, image: str, desired: int, **members: Any) -> None:
    """Create a service."""
    service = Service(
        scope=SCOPE,
        cluster="default",
        name=name,
        desired_count=desired,
        revision=None,
        created_by=CREATOR,
        created_at=world.clock(),
        **members,
    )
    await world.store.write(lambda tx: _deploy(world, tx, service, image))


async def deploy(world: World, name: str, image: str) -> None:
    """Update a service to another image, or to the same anew."""
    service = world.service(name)
    if service is not None and service.status is ServiceStatus.ACTIVE:
        await world.store.write(lambda tx: _deploy(world, tx, service, image))


async def scale(world: World, name: str, desired: int) -> None:
    """Change the desired count of a service."""
    service = world.service(name)
    if service is not None and service.status is ServiceStatus.ACTIVE:
        changed = replace(service, desired_count=desired)
        await world.store.write(lambda tx: tx.put(SERVICES, changed))


async def delete(world: World, name: str) -> None:
    """Delete a service, whatever its desired count."""
    service = world.service(name)
    if service is not None and service.status is ServiceStatus.ACTIVE:
        changed = replace(service, status=ServiceStatus.DRAINING, desired_count=0)
        await world.store.write(lambda tx: tx.put(SERVICES, changed))


async def protect(world: World, name: str, minutes: int) -> None:
    """Protect every task of a service, or (0 minutes) none."""
    until = world.clock() + timedelta(minutes=minutes)
    protection = TaskProtection(expires_at=until) if minutes else None
    for task in world.tasks(name):
        changed = replace(task, protection=protection)
        await world.store.write(lambda tx, changed=changed: tx.put(TASKS, changed))


async def drain(world: World, instance: str, status: ContainerInstanceStatus) -> None:
    """Set an instance to DRAINING, or to ACTIVE again."""
    known = world.checks.instances[instance]
    await world.store.write(lambda tx: tx.put(CONTAINER_INSTANCES, replace(known, status=status)))


def _deploy(world: World, tx: Transaction, service: Service, image: str) -> None:
    now = world.clock()
    revision = ServiceRevision(
        scope=SCOPE,
        cluster="default",
        service=service.name,
        id=world.ids.digits(19),
        family=image,
        revision=1,
        launch_type=LaunchType.EC2,
        created_at=now,
    )
    record = ServiceDeployment(
        scope=SCOPE,
        cluster="default",
        service=service.name,
        id=world.ids.hex32(),
        status=ServiceDeploymentStatus.PENDING,
        target_revision=revision.id,
        source_revisions=tuple(d.revision.id for d in service.deployments),
        deployment_configuration=service.deployment_configuration,
        created_at=now,
        updated_at=now,
    )
    name = f"ecs-svc/{world.ids.digits(19)}"
    primary = Deployment(
        id=name,
        status=DeploymentStatus.PRIMARY,
        revision=revision,
        service_deployment=record.id,
        desired_count=service.desired_count,
        rollout_state=RolloutState.IN_PROGRESS,
        rollout_state_reason=f"ECS deployment {name} in progress.",
        created_at=now,
        updated_at=now,
    )
    older = (replace(d, status=DeploymentStatus.ACTIVE) for d in service.deployments)
    tx.put(SERVICE_REVISIONS, revision)
    tx.put(SERVICE_DEPLOYMENTS, record)
    tx.put(
        SERVICES,
        replace(
            service,
            revision=revision,
            deployments=(primary, *older),
            current_service_deployment=record.id,
        ),
    )
