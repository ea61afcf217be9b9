"""Reading what a pass over a service looks at, and writing what it decided, all or nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace

from openecs.api.base import Call
from openecs.api.ecs.service_story import tell
from openecs.control import service_traffic
from openecs.control.capacity import Where
from openecs.control.deployment_alarms import SeenAlarms, deployment_alarms
from openecs.control.service_targets import verdicts
from openecs.decide import lifecycle
from openecs.decide.placement import resources
from openecs.decide.services import history
from openecs.decide.services.state import Forwards, ServicePlan, Stop, TargetVerdict
from openecs.model.clusters import Cluster, ContainerInstance, ContainerInstanceStatus
from openecs.model.services import (
    DeploymentControllerType,
    Service,
    ServiceEvents,
    ServiceRevision,
    TaskSet,
)
from openecs.model.task_definitions import TaskDefinition
from openecs.model.tasks import HealthStatus, StopCode, Task, TaskStatus
from openecs.store.base import INSTALLATION, Conflict, Revision, Transaction, View
from openecs.store.kinds import (
    CLUSTERS,
    CONTAINER_INSTANCES,
    MACHINES,
    PLACEMENT_TICKETS,
    SERVICE_DEPLOYMENTS,
    SERVICES,
    TASK_DEFINITIONS,
    TASK_SETS,
    TASKS,
    instance_key,
    part_key,
    task_definition_key,
    task_key,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A service as a pass found it."""

    service: Service
    #: The revision of its record in the store.
    at: Revision
    cluster: Cluster
    tasks: tuple[Task, ...]
    task_sets: tuple[TaskSet, ...]
    #: By ``task_definition_key``: those of its tasks, deployments and task sets that still exist.
    definitions: Mapping[str, TaskDefinition]
    #: What the target groups of its tasks say.
    targets: Mapping[str, TargetVerdict]
    #: The deployment alarms that are in ALARM, and the longest time that one looks back.
    alarms: SeenAlarms
    #: What the rules forward to that the newest deployment shifts traffic with.
    forwards: Forwards

    @property
    def checked(self) -> frozenset[str]:
        """The definitions with a health check on an essential container, as ``family:revision``."""
        return frozenset(
            f"{d.family}:{d.revision}" for d in self.definitions.values() if _is_checked(d)
        )

    def definition_of(self, revision: ServiceRevision) -> TaskDefinition | None:
        """The task definition of a service revision, None once it has been deleted."""
        return self.definitions.get(task_definition_key(revision.family, revision.revision))


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """Everything a pass over a service writes."""

    seen: Seen
    plan: ServicePlan
    #: The service once its starts were tried.
    service: Service
    tasks: tuple[Task, ...]
    #: Instances that come into being with the tasks.
    instances: tuple[ContainerInstance, ...]
    events: tuple[str, ...]
    #: The placement tickets of the machines that got tasks, as the picture knew them.
    tickets: Mapping[str, int]

    @property
    def is_idle(self) -> bool:
        """Whether there is nothing to write."""
        plan = self.plan
        changes = self.tasks or plan.stops or plan.accounted or plan.forwards or self.events
        same = self.service == self.seen.service and plan.task_sets == self.seen.task_sets
        return same and not changes


def look(where: Where, view: View) -> Seen | None:
    """The service with all a pass needs; None where there is nothing to look after."""
    scope, key = where
    service = view.get(SERVICES, scope, key)
    cluster = view.get(CLUSTERS, scope, service.cluster) if service else None
    if service is None or cluster is None:
        return None
    tasks = tuple(view.find(TASKS, scope, "service", (service.cluster, service.name)))
    external = service.deployment_controller is DeploymentControllerType.EXTERNAL
    sets = tuple(view.scan(TASK_SETS, scope, prefix=f"{key}/")) if external else ()
    at = view.revision_of(SERVICES, scope, key)
    return Seen(
        service=service,
        at=at or 0,
        cluster=cluster,
        tasks=tasks,
        task_sets=sets,
        definitions=_definitions(view, service, tasks, sets),
        targets=verdicts(view, tasks),
        alarms=deployment_alarms(view, scope, service.watched_alarms),
        forwards=service_traffic.forwards(view, service),
    )


def write_pass(work: Pass, call: Call, tx: Transaction) -> None:
    """Carry out a pass. Raises ``Conflict`` where what it was planned on is no longer so."""
    service, seen = work.service, work.seen
    tx.expect(SERVICES, service.scope, SERVICES.key(service), seen.at)
    _write_stops(work, call, tx)
    _write_starts(work, tx)
    tx.put(SERVICES, service)
    _write_task_sets(work, tx)
    service_traffic.write(tx, work.plan.forwards)
    _write_history(work, call, tx)
    _write_events(work, call, tx)


def _definitions(
    view: View, service: Service, tasks: Sequence[Task], sets: Sequence[TaskSet]
) -> Mapping[str, TaskDefinition]:
    names = {(task.family, task.revision) for task in tasks}
    revisions = (*(d.revision for d in service.deployments), *(s.revision for s in sets))
    names |= {(each.family, each.revision) for each in revisions}
    if service.revision is not None:
        names.add((service.revision.family, service.revision.revision))
    keys = [task_definition_key(*name) for name in names]
    found = ((key, view.get(TASK_DEFINITIONS, service.scope, key)) for key in keys)
    return {key: definition for key, definition in found if definition is not None}


def _is_checked(definition: TaskDefinition) -> bool:
    return any(c.essential and c.health_check for c in definition.container_definitions)


def _write_stops(work: Pass, call: Call, tx: Transaction) -> None:
    seen = {task.id: task for task in work.seen.tasks}
    stopped = {stop.task for stop in work.plan.stops}
    if stopped:
        _check_rest(work, stopped, tx)
    for stop in work.plan.stops:
        _write_stop(seen[stop.task], stop, call, tx)
    for name in work.plan.accounted:
        if name not in stopped:
            task = _now(seen[name], tx)
            tx.put(TASKS, replace(task, accounted=True))


def _check_rest(work: Pass, stopped: AbstractSet[str], tx: Transaction) -> None:
    """What is stopped goes because the rest is well: none of it may have ended or fallen ill."""
    service = work.service
    found = tx.find(TASKS, service.scope, "service", (service.cluster, service.name))
    now = {task.id: task for task in found}
    for task in work.seen.tasks:
        if task.id not in stopped and _is_worse(task, now.get(task.id)):
            raise Conflict(f"task {task.id} is no longer what it was")
    targets = verdicts(tx, (task for task in found if task.id not in stopped))
    for name, verdict in targets.items():
        before = work.seen.targets.get(name)
        if before is not None and before.healthy and not verdict.healthy:
            raise Conflict(f"the targets of task {name} are no longer healthy")


def _is_worse(seen: Task, now: Task | None) -> bool:
    if now is None or now.desired_status is not seen.desired_status:
        return seen.desired_status is TaskStatus.RUNNING
    is_ill = now.health_status is HealthStatus.UNHEALTHY
    return is_ill and seen.health_status is not HealthStatus.UNHEALTHY


def _write_stop(seen: Task, stop: Stop, call: Call, tx: Transaction) -> None:
    task = _now(seen, tx)
    if _standing(task) != _standing(seen):
        raise Conflict(f"task {task.id} is no longer what it was")
    code = StopCode.SERVICE_SCHEDULER_INITIATED
    stopping = lifecycle.request_stop(task, code, stop.reason, call.now)
    tx.put(TASKS, replace(stopping, accounted=True))


def _standing(task: Task) -> tuple[object, ...]:
    """What made a task the one to stop."""
    return task.desired_status, task.last_status, task.health_status, task.protection


def _now(seen: Task, tx: Transaction) -> Task:
    task = tx.get(TASKS, seen.scope, task_key(seen.cluster, seen.id))
    if task is None:
        raise Conflict(f"task {seen.id} is gone")
    return task


def _write_starts(work: Pass, tx: Transaction) -> None:
    for instance in work.instances:
        _write_joining(instance, tx)
    for task in work.tasks:
        _check_instance(task, tx)
        tx.add(TASKS, task)
    for machine, number in work.tickets.items():
        _check_machine(machine, number, tx)


def _write_joining(instance: ContainerInstance, tx: Transaction) -> None:
    there = tx.scan(CONTAINER_INSTANCES, instance.scope, prefix=f"{instance.cluster}/")
    same = (instance.machine, instance.capacity_provider)
    if any((each.machine, each.capacity_provider) == same for each in there):
        raise Conflict(f"machine {instance.machine} has joined {instance.cluster} meanwhile")
    tx.put(CONTAINER_INSTANCES, instance)


def _check_instance(task: Task, tx: Transaction) -> None:
    if task.container_instance is None:
        return
    key = instance_key(task.cluster, task.container_instance)
    instance = tx.get(CONTAINER_INSTANCES, task.scope, key)
    if instance is None or instance.status is not ContainerInstanceStatus.ACTIVE:
        raise Conflict(f"container instance {task.container_instance} takes no tasks any more")


def _check_machine(machine_id: str, number: int, tx: Transaction) -> None:
    """Where others placed tasks since the picture was drawn, there must be room for all."""
    ticket = tx.get(PLACEMENT_TICKETS, INSTALLATION, machine_id)
    if (ticket.number if ticket else 0) == number:
        return
    machine = tx.get(MACHINES, INSTALLATION, machine_id)
    tasks = tx.find(TASKS, None, "machine", (machine_id,))
    if machine is None or not _holds(resources.remaining(machine, tasks), tasks):
        raise Conflict(f"machine {machine_id} has no room left")


def _holds(left: resources.Resources, tasks: Sequence[Task]) -> bool:
    ports = [port for task in tasks for port in task.host_ports]
    return left.cpu >= 0 and left.memory >= 0 and len(ports) == len(set(ports))


def _write_task_sets(work: Pass, tx: Transaction) -> None:
    for task_set in work.seen.task_sets:
        if tx.get(TASK_SETS, task_set.scope, TASK_SETS.key(task_set)) != task_set:
            raise Conflict(f"task set {task_set.id} has changed")
    kept = {task_set.id for task_set in work.plan.task_sets}
    for task_set in work.plan.task_sets:
        tx.put(TASK_SETS, task_set)
    for task_set in work.seen.task_sets:
        if task_set.id not in kept:
            tx.delete(TASK_SETS, task_set.scope, TASK_SETS.key(task_set))


def _write_history(work: Pass, call: Call, tx: Transaction) -> None:
    """The service deployments that the service's deployments, before and after, belong to."""
    before, after = work.seen.service, work.service
    same = before.deployments == after.deployments and before.status is after.status
    if same and not work.tasks:
        return
    counts = _counts(work)
    ids = {d.service_deployment for d in (*before.deployments, *after.deployments)}
    for each in sorted(ids):
        key = part_key(after.cluster, after.name, each)
        record = tx.get(SERVICE_DEPLOYMENTS, after.scope, key)
        if record is not None:
            tx.put(SERVICE_DEPLOYMENTS, history.advance(record, after, counts, call.now))


def _counts(work: Pass) -> dict[str, tuple[int, int, int]]:
    """By service revision: tasks requested, running and pending."""
    counts: dict[str, tuple[int, int, int]] = {}
    stopped = {stop.task for stop in work.plan.stops}
    live = [t for t in work.seen.tasks if t.desired_status is TaskStatus.RUNNING]
    for deployment in (*work.seen.service.deployments, *work.service.deployments):
        own = [t for t in (*live, *work.tasks) if t.started_by == deployment.id]
        running = sum(t.last_status is TaskStatus.RUNNING and t.id not in stopped for t in own)
        pending = sum(t.last_status is not TaskStatus.RUNNING for t in own)
        counts[deployment.revision.id] = (deployment.desired_count, running, pending)
    return counts


def _write_events(work: Pass, call: Call, tx: Transaction) -> None:
    if not work.events:
        return
    service, ids = work.service, [call.ids.uuid() for _ in work.events]
    beginning = ServiceEvents(scope=service.scope, cluster=service.cluster, service=service.name)
    tell(tx, beginning, work.events, ids, call.now)
