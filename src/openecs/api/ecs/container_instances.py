"""Container instances: describe, list, drain, deregister.

An instance is a machine's membership in a cluster. What it has left is what no task of the machine
holds, in whichever cluster, account or region that task runs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from openecs.api import shapes
from openecs.api.base import Call, Members, Operation, Reads, Writes
from openecs.api.ecs import errors, placing, references, tags
from openecs.api.ecs.paging import open_page
from openecs.decide import lifecycle
from openecs.decide.placement import filters, query, resources
from openecs.model.clusters import Cluster, ContainerInstance, ContainerInstanceStatus, Machine
from openecs.model.tasks import StopCode, Task, TaskStatus
from openecs.store.base import INSTALLATION, Transaction, View
from openecs.store.kinds import CONTAINER_INSTANCES, MACHINES, TASKS, instance_key

_STATES = (ContainerInstanceStatus.ACTIVE, ContainerInstanceStatus.DRAINING)
_PENDING = (TaskStatus.PROVISIONING, TaskStatus.PENDING, TaskStatus.ACTIVATING)
_EMPTY = "Container Instances cannot be empty."


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceState:
    """An instance, its machine (None: the machine is gone) and all tasks the machine holds."""

    instance: ContainerInstance
    machine: Machine | None
    machine_tasks: Sequence[Task]

    @property
    def tasks(self) -> list[Task]:
        """The tasks placed on this instance, which are not all that its machine has."""
        where = (self.instance.scope, self.instance.cluster, self.instance.id)
        return [
            task
            for task in self.machine_tasks
            if (task.scope, task.cluster, task.container_instance) == where
        ]


def look_at(view: View, instance: ContainerInstance) -> InstanceState:
    """The instance with everything its state is made of."""
    return InstanceState(
        instance=instance,
        machine=view.get(MACHINES, INSTALLATION, instance.machine),
        machine_tasks=view.find(TASKS, None, "machine", (instance.machine,)),
    )


def describe_container_instances(view: View, call: Call, request: Members) -> Members:
    """The named instances, deregistered ones too while they are remembered."""
    cluster = references.active_cluster(view, call, request.get("cluster"))
    named = _checked(request["containerInstances"], 100)
    include = request.get("include") or ()

    def show(instance: ContainerInstance) -> Members:
        return _show(look_at(view, instance), include)

    return _each(view, call, cluster, named, show)


def list_container_instances(view: View, call: Call, request: Members) -> Members:
    """The ARNs of the instances in a status, by default ACTIVE and DRAINING ones."""
    cluster = references.active_cluster(view, call, request.get("cluster"))
    wanted = _query(request.get("filter"))
    page = open_page(call, "ListContainerInstances", request)
    given = request.get("status")
    statuses = (ContainerInstanceStatus(given),) if given else _STATES
    prefix = f"{cluster.name}/"
    shown, token = page.take(
        lambda after, limit: view.scan(
            CONTAINER_INSTANCES, call.scope, prefix=prefix, after=after, limit=limit
        ),
        CONTAINER_INSTANCES.key,
        lambda instance: instance.status in statuses and wanted(view, instance),
    )
    return {"containerInstanceArns": [each.arn for each in shown], "nextToken": token}


def update_container_instances_state(tx: Transaction, call: Call, request: Members) -> Members:
    """Let instances take tasks (ACTIVE) or not (DRAINING)."""
    status = request["status"]
    if status not in _STATES:
        raise errors.invalid_parameter(
            "Container instance status should be one of [ACTIVE, DRAINING]"
        )
    cluster = references.active_cluster(tx, call, request.get("cluster"))
    named = _checked(request["containerInstances"], 10)

    def update(instance: ContainerInstance) -> Members | str:
        if instance.status is ContainerInstanceStatus.INACTIVE:
            return "INACTIVE"
        changed = _in_status(instance, ContainerInstanceStatus(status))
        tx.put(CONTAINER_INSTANCES, changed)
        return _show(look_at(tx, changed), ())

    return _each(tx, call, cluster, named, update)


def deregister_container_instance(tx: Transaction, call: Call, request: Members) -> Members:
    """Take an instance out of its cluster; with ``force`` its tasks are stopped first.

    AWS leaves the containers of such tasks running on their own; here the machine's node stops
    them, as the tasks' record says.
    """
    cluster = references.active_cluster(tx, call, request.get("cluster"))
    identifier = references.instance_id(call, cluster.name, request["containerInstance"])
    instance = tx.get(CONTAINER_INSTANCES, call.scope, instance_key(cluster.name, identifier))
    if instance is None:
        raise errors.invalid_parameter("The referenced container instance was not found.")
    tasks = look_at(tx, instance).tasks
    if tasks and not request.get("force"):
        raise errors.invalid_parameter("Found running tasks on the instance.")
    for task in tasks:
        reason = "Container instance deregistration forced by user"
        tx.put(TASKS, lifecycle.request_stop(task, StopCode.USER_INITIATED, reason, call.now))
    gone = _in_status(instance, ContainerInstanceStatus.INACTIVE)
    tx.put(CONTAINER_INSTANCES, gone)
    return {"containerInstance": _show(look_at(tx, gone), ("TAGS",))}


OPERATIONS: dict[str, Operation] = {
    "DescribeContainerInstances": Reads(describe_container_instances),
    "ListContainerInstances": Reads(list_container_instances),
    "UpdateContainerInstancesState": Writes(update_container_instances_state),
    "DeregisterContainerInstance": Writes(deregister_container_instance),
}


def _query(text: str | None) -> Callable[[View, ContainerInstance], bool]:
    """What a cluster query keeps; without one, everything."""
    if not text:
        return lambda _view, _instance: True
    parsed = query.parse(text)
    if isinstance(parsed, query.SyntaxProblem):
        raise errors.client(f"Invalid filter: {parsed.message}")

    def keep(view: View, instance: ContainerInstance) -> bool:
        return query.matches(parsed, filters.subject_of(placing.candidate(view, instance)))

    return keep


def _checked(named: Sequence[str], limit: int) -> Sequence[str]:
    if not named:
        raise errors.client(_EMPTY)
    if len(named) > limit:
        raise errors.invalid_parameter(
            f"Container instances cannot have more than {limit} elements."
        )
    return named


def _each(
    view: View,
    call: Call,
    cluster: Cluster,
    named: Iterable[str],
    work: Callable[[ContainerInstance], Members | str],
) -> Members:
    """What ``work`` answers for each named instance: its members, or the reason it failed."""
    found, failures = [], []
    for name in dict.fromkeys(named):
        identifier = references.instance_id(call, cluster.name, name)
        key = instance_key(cluster.name, identifier)
        instance = view.get(CONTAINER_INSTANCES, call.scope, key)
        answer = "MISSING" if instance is None else work(instance)
        if isinstance(answer, str):
            arn = call.scope.arn("ecs", f"container-instance/{key}")
            failures.append(errors.failure(arn, answer))
        else:
            found.append(answer)
    return {"containerInstances": found, "failures": failures}


def _in_status(instance: ContainerInstance, status: ContainerInstanceStatus) -> ContainerInstance:
    if instance.status is status:
        return instance
    return replace(instance, status=status, version=instance.version + 1)


def _show(state: InstanceState, include: Sequence[str]) -> Members:
    instance, machine, tasks = state.instance, state.machine, state.tasks
    connected = _is_connected(state)
    return {
        "containerInstanceArn": instance.arn,
        "ec2InstanceId": instance.ec2_instance_id,
        "capacityProviderName": instance.capacity_provider,
        "version": instance.version,
        "versionInfo": _versions(machine),
        "remainingResources": _remaining(state),
        "registeredResources": _registered(machine),
        "status": str(instance.status),
        "agentConnected": connected,
        "runningTasksCount": sum(task.last_status is TaskStatus.RUNNING for task in tasks),
        "pendingTasksCount": sum(task.last_status in _PENDING for task in tasks),
        "attributes": [shapes.to_members(attribute) for attribute in instance.attributes],
        "registeredAt": instance.registered_at,
        "attachments": [],
        "tags": tags.show(instance.tags) if "TAGS" in include else [],
        "healthStatus": _health(connected=connected)
        if "CONTAINER_INSTANCE_HEALTH" in include
        else None,
    }


def _is_connected(state: InstanceState) -> bool:
    if state.instance.status is ContainerInstanceStatus.INACTIVE or state.machine is None:
        return False
    return state.machine.connected


def _versions(machine: Machine | None) -> Members:
    if machine is None:
        return {}
    return {
        "agentVersion": machine.agent_version,
        "dockerVersion": f"DockerVersion: {machine.engine_version}",
    }


def _registered(machine: Machine | None) -> list[Members]:
    if machine is None:
        return []
    return _resources(machine.cpu, machine.memory, machine.reserved_ports)


def _remaining(state: InstanceState) -> list[Members]:
    if state.machine is None:
        return []
    left = resources.remaining(state.machine, state.machine_tasks)
    return _resources(left.cpu, left.memory, left.ports)


def _resources(cpu: int, memory: int, ports: Iterable[str]) -> list[Members]:
    """Resources as AWS lists them; of ports those that are taken."""
    taken = sorted(ports, key=lambda port: int(port.partition("/")[0]))
    return [
        _resource("CPU", "INTEGER", integerValue=cpu),
        _resource("MEMORY", "INTEGER", integerValue=memory),
        _resource("PORTS", "STRINGSET", stringSetValue=_numbers(taken, "tcp")),
        _resource("PORTS_UDP", "STRINGSET", stringSetValue=_numbers(taken, "udp")),
    ]


def _resource(name: str, type_: str, **value: Any) -> Members:
    zeros = {"doubleValue": 0.0, "longValue": 0, "integerValue": 0}
    return {"name": name, "type": type_, **zeros, **value}


def _numbers(ports: Iterable[str], protocol: str) -> list[str]:
    split = (port.partition("/") for port in ports)
    return [number for number, _, of in split if of == protocol]


def _health(*, connected: bool) -> Members:
    status = "OK" if connected else "IMPAIRED"
    return {
        "overallStatus": status,
        "details": [{"type": "CONTAINER_RUNTIME", "status": status}],
    }
