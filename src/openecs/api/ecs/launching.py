"""Carrying out a launch: tasks where placement puts them, and failures for the rest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from openecs.api.base import Call, Members
from openecs.api.ecs import errors, placing, references
from openecs.api.ecs.launches import (
    PLATFORM_VERSION,
    Launch,
    OnFargate,
    OnInstances,
    OnManagedInstances,
)
from openecs.api.ecs.new_tasks import ARCHITECTURE, Destination, new_task
from openecs.api.ecs.task_requests import TaskRequest
from openecs.decide.placement import filters, plan
from openecs.decide.placement.ask import Ask, ask_of
from openecs.decide.placement.explain import NO_INSTANCES
from openecs.model.clusters import ContainerInstance, Machine, PlacementTicket
from openecs.model.task_definitions import Attribute
from openecs.model.tasks import LaunchType, Task
from openecs.store.base import INSTALLATION, Transaction
from openecs.store.kinds import CONTAINER_INSTANCES, PLACEMENT_TICKETS, TASKS, instance_key

NO_CAPACITY = (
    "Capacity is unavailable at this time. Please try again later or in a different "
    "availability zone"
)

#: The tasks that were recorded, and why others were not.
Launched = tuple[list[Task], list[Members]]


def launch_tasks(tx: Transaction, call: Call, wanted: TaskRequest, launch: Launch) -> Launched:
    """Record the tasks of a launch where there is room. Raises where there is no instance at all.

    A machine joins the cluster with the first task that placement puts on it.
    """
    match launch:
        case OnInstances():
            return _on_instances(tx, call, wanted, launch)
        case OnFargate():
            return _on_fargate(tx, call, wanted, launch)
        case OnManagedInstances():
            return _on_managed_instances(tx, call, wanted, launch)


def launch_on(tx: Transaction, call: Call, wanted: TaskRequest, named: Sequence[str]) -> Launched:
    """Record a task on each of the named instances that has room, whatever its constraints."""
    asked = ask_of(wanted.definition, wanted.overrides, group=wanted.group)
    ask = replace(asked, constraints=())
    tasks: list[Task] = []
    failures: list[Members] = []
    for reference in named:
        outcome = _on_named(tx, call, wanted, ask, reference)
        if isinstance(outcome, Task):
            tasks.append(outcome)
        else:
            failures.append(outcome)
    return tasks, failures


def on_instance(instance: ContainerInstance) -> Destination:
    """A container instance as the destination of a task.

    The instances that belong to a capacity provider are those of Managed Instances: there are no
    Auto Scaling groups here.
    """
    is_managed = instance.capacity_provider is not None
    return Destination(
        launch_type=LaunchType.MANAGED_INSTANCES if is_managed else LaunchType.EC2,
        machine=instance.machine,
        container_instance=instance.id,
        capacity_provider=instance.capacity_provider,
        architecture=_value(instance.attributes, ARCHITECTURE),
        availability_zone=_value(instance.attributes, placing.ZONE),
    )


def on_fargate(call: Call, machine: Machine, provider: str | None) -> Destination:
    """A machine as the destination of a FARGATE task."""
    return Destination(
        launch_type=LaunchType.FARGATE,
        machine=machine.id,
        capacity_provider=provider,
        architecture=_value(machine.attributes, ARCHITECTURE),
        availability_zone=placing.zone_of(call, machine),
        platform_version=PLATFORM_VERSION,
    )


def as_instance(call: Call, machine: Machine) -> ContainerInstance:
    """A machine as placement of a FARGATE task sees it: an instance of no cluster."""
    zone = Attribute(name=placing.ZONE, value=placing.zone_of(call, machine))
    return ContainerInstance(
        scope=call.scope,
        cluster="",
        id=machine.id,
        machine=machine.id,
        ec2_instance_id="",
        attributes=(*machine.attributes, zone),
        registered_at=machine.registered_at,
    )


def record(
    tx: Transaction, call: Call, wanted: TaskRequest, ask: Ask, instance: ContainerInstance
) -> Task:
    """The task on its instance, both written: the instance may be joining with it."""
    tx.put(CONTAINER_INSTANCES, instance)
    task = new_task(call, wanted, ask, on_instance(instance))
    _keep(tx, task)
    return task


def _on_managed_instances(
    tx: Transaction, call: Call, wanted: TaskRequest, on: OnManagedInstances
) -> Launched:
    tasks: list[Task] = []
    failures: list[Members] = []
    for provider, count in Counter(on.providers).items():
        part = OnInstances(count=count, ask=on.ask, strategies=on.strategies)
        started, refused = _on_instances(tx, call, wanted, part, provider)
        tasks += started
        failures += refused
    return tasks, failures


def _on_instances(
    tx: Transaction,
    call: Call,
    wanted: TaskRequest,
    on: OnInstances,
    provider: str | None = None,
) -> Launched:
    instances = {i.id: i for i in placing.instances(tx, call, wanted.cluster, provider)}
    if not instances:
        raise errors.invalid_parameter(NO_INSTANCES)
    candidates = [placing.candidate(tx, i) for i in instances.values()]
    tasks: list[Task] = []
    failures: list[Members] = []
    for placement in plan.plan(on.ask, on.count, candidates, on.strategies, call.request_id):
        match placement:
            case plan.Placed(candidate=chosen):
                tasks.append(record(tx, call, wanted, on.ask, instances[chosen.id]))
            case plan.Unplaced(rejections=rejections):
                failures += [errors.failure(c.arn, str(r)) for c, r in rejections]
    return tasks, failures


def _on_fargate(tx: Transaction, call: Call, wanted: TaskRequest, on: OnFargate) -> Launched:
    """FARGATE and FARGATE_SPOT are the machines of this installation, without an instance."""
    machines = {machine.id: machine for machine in placing.machines(tx)}
    candidates = [placing.candidate(tx, as_instance(call, each)) for each in machines.values()]
    placements = plan.plan(on.ask, len(on.providers), candidates, (), call.request_id)
    tasks: list[Task] = []
    failures: list[Members] = []
    for provider, placement in zip(on.providers, placements, strict=True):
        match placement:
            case plan.Placed(candidate=chosen):
                destination = on_fargate(call, machines[chosen.machine], provider)
                tasks.append(new_task(call, wanted, on.ask, destination))
                _keep(tx, tasks[-1])
            case plan.Unplaced():
                failures.append({"reason": NO_CAPACITY})
    return tasks, failures


def _on_named(
    tx: Transaction, call: Call, wanted: TaskRequest, ask: Ask, reference: str
) -> Task | Members:
    cluster = wanted.cluster.name
    identifier = references.instance_id(call, cluster, reference)
    instance = tx.get(CONTAINER_INSTANCES, call.scope, instance_key(cluster, identifier))
    if instance is None:
        arn = call.scope.arn("ecs", f"container-instance/{cluster}/{identifier}")
        return errors.failure(arn, "MISSING")
    rejection = filters.reject(ask, placing.candidate(tx, instance))
    if rejection is not None:
        return errors.failure(instance.arn, str(rejection))
    return record(tx, call, wanted, ask, instance)


def _keep(tx: Transaction, task: Task) -> None:
    """Record a task, and that it was placed here and not by the service scheduler."""
    tx.add(TASKS, task)
    ticket = tx.get(PLACEMENT_TICKETS, INSTALLATION, task.machine)
    number = ticket.number + 1 if ticket else 1
    tx.put(PLACEMENT_TICKETS, PlacementTicket(machine=task.machine, number=number))


def _value(attributes: Sequence[Attribute], name: str) -> str:
    return next((a.value or "" for a in attributes if a.name == name), "")
