"""What ``benchmarks.scale`` is about: machines, services and tasks that are only records."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from itertools import islice
from typing import TypeVar

from openecs.model.clusters import ContainerInstance, Machine
from openecs.model.identity import Scope
from openecs.model.services import (
    Deployment,
    DeploymentStatus,
    RolloutState,
    Service,
    ServiceDeployment,
    ServiceDeploymentStatus,
    ServiceRevision,
)
from openecs.model.task_definitions import Attribute
from openecs.model.tasks import Container, ContainerStatus, LaunchType, Task, TaskStatus
from openecs.store.base import Kind, Revision, Store, Transaction, View
from openecs.store.kinds import (
    CLUSTERS,
    CONTAINER_INSTANCES,
    MACHINES,
    SERVICE_DEPLOYMENTS,
    SERVICE_REVISIONS,
    SERVICES,
    TASK_DEFINITIONS,
    TASKS,
)
from openecs.testing.builders import (
    a_cluster,
    a_container_definition,
    a_container_instance,
    a_machine,
    a_task_definition,
)

T = TypeVar("T")

SCOPE = Scope("000000000000", "us-east-1")
CLUSTER = "scale"
INSTANCES = 1_000
ZONES = "abc"
PER_SERVICE = 10
#: What a task asks for, and how much more than all tasks need there is.
CPU, MEMORY, SPARE = 16, 32, 2
#: Records written in one transaction.
BATCH = 500


def services_of(tasks: int) -> int:
    """How many services have so many tasks."""
    return tasks // PER_SERVICE


async def fill(store: Store, tasks: int, now: datetime) -> None:
    """The cluster, its machines with room for the tasks, and the services that want them."""
    definition = a_task_definition(
        "scale", 1, a_container_definition(cpu=CPU, memory=MEMORY), scope=SCOPE
    )
    await _put(store, CLUSTERS, [a_cluster(CLUSTER, scope=SCOPE)])
    await _put(store, TASK_DEFINITIONS, [definition])
    numbers = range(1, INSTANCES + 1)
    await _put(store, MACHINES, [_machine(number, tasks) for number in numbers])
    await _put(store, CONTAINER_INSTANCES, [_instance(number) for number in numbers])
    revisions = [_revision(number, now) for number in range(services_of(tasks))]
    await _put(store, SERVICE_REVISIONS, revisions)
    await _put(store, SERVICE_DEPLOYMENTS, map(_history, revisions))
    await _put(store, SERVICES, map(_service, revisions))


def recorded(view: View) -> tuple[Revision, int]:
    """The revision of a view, and how many tasks there are in it."""
    words = (CLUSTER, TaskStatus.PENDING)
    return view.revision, view.count(TASKS, SCOPE, "cluster_status", words)


async def run_everything(store: Store, tasks: int, now: datetime) -> None:
    """Every task's container has been started: what the nodes of all machines would tell."""
    placed = await store.read(lambda view: view.find(TASKS, None, "alive", ()))
    if len(placed) != tasks:
        raise SystemExit(f"{len(placed)} tasks are there, {tasks} were wanted")
    # Service by service: no service is to be looked at once for each of its tasks.
    in_order = sorted(placed, key=lambda task: task.group)
    await _put(store, TASKS, (_running(task, now) for task in in_order))


async def check_steady(store: Store) -> None:
    """End the benchmark unless every service has reached its steady state."""
    services = await store.read(lambda view: view.find(SERVICES, None, "present", ()))
    unsteady = [service.name for service in services if service.steady_at is None]
    if unsteady:
        raise SystemExit(f"{len(unsteady)} services are not steady: {unsteady[:5]}")


async def _put(store: Store, kind: Kind[T], values: Iterable[T]) -> None:
    remaining = iter(values)
    while batch := list(islice(remaining, BATCH)):
        await store.write(partial(_put_batch, kind, batch))


def _put_batch(kind: Kind[T], batch: Sequence[T], tx: Transaction) -> None:
    for value in batch:
        tx.put(kind, value)


def _machine(number: int, tasks: int) -> Machine:
    room = SPARE * (tasks // INSTANCES + 1)
    return a_machine(number, cpu=room * CPU, memory=room * MEMORY, joins_clusters=False)


def _instance(number: int) -> ContainerInstance:
    zone = Attribute(
        name="ecs.availability-zone", value=f"{SCOPE.region}{ZONES[number % len(ZONES)]}"
    )
    attributes = (*a_machine(number).attributes, zone)
    return a_container_instance(number, scope=SCOPE, cluster=CLUSTER, attributes=attributes)


def _revision(number: int, now: datetime) -> ServiceRevision:
    return ServiceRevision(
        scope=SCOPE,
        cluster=CLUSTER,
        service=f"service-{number:05d}",
        id=str(10**18 + number),
        family="scale",
        revision=1,
        launch_type=LaunchType.EC2,
        created_at=now,
    )


def _history(revision: ServiceRevision) -> ServiceDeployment:
    return ServiceDeployment(
        scope=SCOPE,
        cluster=CLUSTER,
        service=revision.service,
        id=f"history-{revision.id}",
        status=ServiceDeploymentStatus.PENDING,
        target_revision=revision.id,
        deployment_configuration=_service(revision).deployment_configuration,
        created_at=revision.created_at,
        updated_at=revision.created_at,
    )


def _service(revision: ServiceRevision) -> Service:
    name = f"ecs-svc/{revision.id}"
    deployment = Deployment(
        id=name,
        status=DeploymentStatus.PRIMARY,
        revision=revision,
        service_deployment=f"history-{revision.id}",
        desired_count=PER_SERVICE,
        rollout_state=RolloutState.IN_PROGRESS,
        rollout_state_reason=f"ECS deployment {name} in progress.",
        created_at=revision.created_at,
        updated_at=revision.created_at,
    )
    return Service(
        scope=SCOPE,
        cluster=CLUSTER,
        name=revision.service,
        desired_count=PER_SERVICE,
        revision=revision,
        created_by=f"arn:aws:iam::{SCOPE.account}:root",
        created_at=revision.created_at,
        deployments=(deployment,),
        current_service_deployment=deployment.service_deployment,
    )


def _running(task: Task, now: datetime) -> Task:
    return replace(
        task,
        last_status=TaskStatus.RUNNING,
        containers=tuple(_started(container, now) for container in task.containers),
        started_at=now,
        version=task.version + 1,
    )


def _started(container: Container, now: datetime) -> Container:
    return replace(container, last_status=ContainerStatus.RUNNING, started_at=now)
