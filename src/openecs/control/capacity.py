"""What every machine has left, kept up to date from the store's changes: the scheduler's picture.

Reading all tasks of a machine for each placement would make placing slower with every task there
is. The picture may be a moment old; what is placed by it is checked when it is written.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from openecs.decide.placement.candidates import Candidate, candidate_of
from openecs.decide.placement.resources import Resources
from openecs.model.clusters import ContainerInstance, ContainerInstanceStatus, Machine
from openecs.model.identity import Scope
from openecs.model.tasks import Task, TaskStatus
from openecs.store.base import INSTALLATION, View
from openecs.store.kinds import (
    CONTAINER_INSTANCES,
    MACHINES,
    PLACEMENT_TICKETS,
    TASKS,
    instance_key,
)

#: A key of the store with its scope.
Where = tuple[Scope, str]

NOTHING = Resources(cpu=0, memory=0, ports=frozenset())


class _Held(NamedTuple):
    """What one task holds; ``instance`` is None for FARGATE."""

    cpu: int
    memory: int
    ports: tuple[str, ...]
    instance: Where | None
    group: str


@dataclass(slots=True)
class _Use:
    """What the tasks of one machine hold of it."""

    holders: dict[Where, _Held] = field(default_factory=dict)
    cpu: int = 0
    memory: int = 0
    ports: Counter[str] = field(default_factory=Counter)
    #: Tasks by group, for each instance record of the machine.
    groups: dict[Where, Counter[str]] = field(default_factory=dict)

    def add(self, where: Where, held: _Held) -> None:
        self.holders[where] = held
        self._count(held, 1)

    def remove(self, where: Where) -> None:
        self._count(self.holders.pop(where), -1)

    def _count(self, held: _Held, sign: int) -> None:
        self.cpu += sign * held.cpu
        self.memory += sign * held.memory
        for port in held.ports:
            self.ports[port] += sign
        if held.instance is not None:
            self.groups.setdefault(held.instance, Counter())[held.group] += sign


class Capacity:
    """Machines, instances and the tasks that hold them, for one thread."""

    def __init__(self) -> None:
        self.machines: dict[str, Machine] = {}
        self._instances: dict[Where, ContainerInstance] = {}
        #: By machine and cluster.
        self._records: dict[str, dict[Where, set[Where]]] = {}
        self._draining: dict[Where, set[str]] = {}
        self._use: dict[str, _Use] = {}
        self._held_by: dict[Where, str] = {}
        self._tickets: dict[str, int] = {}
        #: By cluster; those of ``_outdated`` are drawn anew before anybody sees them.
        self._candidates: dict[Where, dict[Where, Candidate]] = {}
        self._outdated: dict[Where, set[Where]] = {}

    @classmethod
    def of(cls, view: View) -> Capacity:
        """The picture of everything there is."""
        picture = cls()
        for machine in view.scan(MACHINES, INSTALLATION):
            picture.note_machine(machine.id, machine)
        for ticket in view.scan(PLACEMENT_TICKETS, INSTALLATION):
            picture.note_ticket(ticket.machine, ticket.number)
        for instance in view.scan(CONTAINER_INSTANCES, None):
            picture.note_instance((instance.scope, CONTAINER_INSTANCES.key(instance)), instance)
        picture.reserve(view.find(TASKS, None, "alive", ()))
        return picture

    def note_machine(self, machine_id: str, machine: Machine | None) -> None:
        """A machine came, changed or went."""
        if machine is None:
            self.machines.pop(machine_id, None)
        else:
            self.machines[machine_id] = machine
        self._outdate(machine_id)

    def note_ticket(self, machine: str, number: int) -> None:
        """The machine's placement ticket is at ``number``."""
        self._tickets[machine] = number

    def note_instance(self, where: Where, instance: ContainerInstance | None) -> None:
        """An instance came, changed or went."""
        known = self._instances.pop(where, None)
        if known is not None:
            self._forget(where, known)
        if instance is None:
            return
        cluster = _cluster_of(where)
        self._instances[where] = instance
        self._records.setdefault(instance.machine, {}).setdefault(cluster, set()).add(where)
        self._outdated.setdefault(cluster, set()).add(where)
        if instance.status is ContainerInstanceStatus.DRAINING:
            self._draining.setdefault(cluster, set()).add(instance.id)

    def note_task(self, where: Where, task: Task | None) -> bool:
        """A task came, changed or went; whether that gave room back."""
        holds = task is not None and task.last_status is not TaskStatus.STOPPED
        known = self._held_by.get(where)
        if task is None or not holds:
            return known is not None and self._free(where)
        if known is None:
            self._hold(where, task)
        return False

    def reserve(self, tasks: Iterable[Task]) -> None:
        """Count tasks that are about to be recorded."""
        for task in tasks:
            self.note_task((task.scope, TASKS.key(task)), task)

    def release(self, tasks: Iterable[Task]) -> None:
        """The tasks were not recorded after all."""
        for task in tasks:
            self.note_task((task.scope, TASKS.key(task)), None)

    def ticket(self, machine: str) -> int:
        """The placement ticket of the machine as this picture knows it."""
        return self._tickets.get(machine, 0)

    def candidates(
        self, scope: Scope, cluster: str, provider: str | None = None
    ) -> Sequence[Candidate]:
        """The instances of a Managed Instances provider, or of none, as placement sees them."""
        known = self._up_to_date((scope, cluster)).values()
        return [candidate for candidate in known if candidate.capacity_provider == provider]

    def candidate(self, instance: ContainerInstance) -> Candidate:
        """An instance, which may be about to join, as placement sees it."""
        where = (instance.scope, CONTAINER_INSTANCES.key(instance))
        return self._up_to_date(_cluster_of(where)).get(where) or self._draw(where, instance)

    def instance(self, scope: Scope, cluster: str, name: str) -> ContainerInstance | None:
        """The instance of that id, or None."""
        return self._instances.get((scope, instance_key(cluster, name)))

    def newcomers(self, scope: Scope, cluster: str, provider: str | None) -> Sequence[Machine]:
        """The machines that may join a cluster, for a Managed Instances provider, and have not."""
        there = {c.machine for c in self.candidates(scope, cluster, provider)}
        return [m for m in self.machines.values() if m.joins_clusters and m.id not in there]

    def draining(self, scope: Scope, cluster: str) -> frozenset[str]:
        """The ids of the DRAINING instances of a cluster."""
        return frozenset(self._draining.get((scope, cluster), ()))

    def free(self, machine_id: str) -> Resources:
        """What a machine has left."""
        machine = self.machines.get(machine_id)
        if machine is None:
            return NOTHING
        use = self._use.get(machine_id) or _Use()
        return Resources(
            cpu=machine.cpu - use.cpu,
            memory=machine.memory - use.memory,
            ports=frozenset(machine.reserved_ports).union(+use.ports),
        )

    def _forget(self, where: Where, instance: ContainerInstance) -> None:
        cluster = _cluster_of(where)
        self._candidates.get(cluster, {}).pop(where, None)
        self._draining.get(cluster, set()).discard(instance.id)
        records = self._records[instance.machine]
        records[cluster].discard(where)
        if not records[cluster]:
            del records[cluster]

    def _up_to_date(self, cluster: Where) -> dict[Where, Candidate]:
        candidates = self._candidates.setdefault(cluster, {})
        # In order, so that the same history gives the same picture.
        for where in sorted(self._outdated.pop(cluster, ())):
            if where in self._instances:
                candidates[where] = self._draw(where, self._instances[where])
        return candidates

    def _draw(self, where: Where, instance: ContainerInstance) -> Candidate:
        use = self._use.get(instance.machine)
        groups = dict(+use.groups[where]) if use and where in use.groups else {}
        machine = self.machines.get(instance.machine)
        return candidate_of(instance, machine, self.free(instance.machine), groups)

    def _hold(self, where: Where, task: Task) -> None:
        self._held_by[where] = task.machine
        self._use.setdefault(task.machine, _Use()).add(where, _held(task))
        self._outdate(task.machine)

    def _free(self, where: Where) -> bool:
        machine = self._held_by.pop(where)
        self._use[machine].remove(where)
        self._outdate(machine)
        return True

    def _outdate(self, machine: str) -> None:
        for cluster, records in self._records.get(machine, {}).items():
            self._outdated.setdefault(cluster, set()).update(records)


def _held(task: Task) -> _Held:
    instance = task.container_instance
    where = (task.scope, instance_key(task.cluster, instance)) if instance else None
    return _Held(task.cpu, task.memory, task.host_ports, where, task.group)


def _cluster_of(instance: Where) -> Where:
    scope, key = instance
    return scope, key.partition("/")[0]
