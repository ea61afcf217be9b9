"""How busy tasks are: the metrics of services and clusters from what containers have used.

Amazon ECS Developer Guide, "Amazon ECS CloudWatch metrics"; CloudWatch User Guide, "Amazon ECS
Container Insights metrics". CPU in units (1024 a core), memory in MiB, rates in bytes a second.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from openecs.decide.placement.ask import cpu_of, memory_of
from openecs.model.clusters import Machine
from openecs.model.containers import ContainerUsage
from openecs.model.identity import Scope
from openecs.model.metrics import (
    HIGH_RESOLUTION,
    Metric,
    Sample,
    Statistics,
    dimensions,
    of_values,
)
from openecs.model.task_definitions import NetworkMode, TaskDefinition
from openecs.model.tasks import Container, Task

ECS, INSIGHTS = "AWS/ECS", "ECS/ContainerInsights"
UNITS_A_CORE = 1024
MIB = 1024 * 1024
#: What the ECS agent gives containers that reserve no CPU; utilization is told against it.
LEAST_CPU = 2
#: Two readings that are closer tell of no rate.
LEAST_SECONDS = 0.001

Reading = Mapping[str, ContainerUsage]


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What a container, or a task, does: of a container started just now CPU is not known yet."""

    cpu: float | None
    memory: float
    received: float = 0.0
    sent: float = 0.0
    read: float = 0.0
    written: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class BusyTask:
    """A running task, what its definition reserves, and what its containers do, by their names."""

    task: Task
    definition: TaskDefinition
    containers: Mapping[str, Work]

    @property
    def whole(self) -> Work:
        """What its containers do together."""
        every = list(self.containers.values())
        known = [work.cpu for work in every if work.cpu is not None]
        return Work(
            cpu=sum(known) if known else None,
            memory=sum(work.memory for work in every),
            received=self._carried([work.received for work in every]),
            sent=self._carried([work.sent for work in every]),
            read=sum(work.read for work in every),
            written=sum(work.written for work in every),
        )

    def _carried(self, counted: Sequence[float]) -> float:
        """What its network carried: one for all in awsvpc mode; that of the host is not its."""
        mode = self.definition.effective_network_mode
        if mode is NetworkMode.HOST:
            return 0.0
        return max(counted) if mode is NetworkMode.AWSVPC else sum(counted)

    @property
    def reserved_cpu(self) -> int:
        """The CPU units it reserves."""
        count = len(self.definition.container_definitions)
        return cpu_of(self.definition, self.task.overrides) or LEAST_CPU * count

    @property
    def reserved_memory(self) -> int:
        """The MiB it reserves."""
        return memory_of(self.definition, self.task.overrides)


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """What a machine is to one cluster as its container instance."""

    scope: Scope
    cluster: str
    machine: Machine


def work_between(before: Reading, now: Reading, seconds: float) -> dict[str, Work]:
    """What each container that is in ``now`` did in the ``seconds`` between two readings.

    Counters of a container that was started again begin anew at 0. No time between the readings,
    or a clock that was set back, tells of memory only.
    """
    return {id_: _work(before.get(id_), usage, seconds) for id_, usage in now.items()}


def _work(before: ContainerUsage | None, now: ContainerUsage, seconds: float) -> Work:
    memory = now.memory / MIB
    if before is None or seconds < LEAST_SECONDS:
        return Work(cpu=None, memory=memory)
    began_anew = now.cpu < before.cpu
    known = ContainerUsage(cpu=0, memory=0) if began_anew else before
    return Work(
        cpu=(now.cpu - known.cpu) / 1e9 * UNITS_A_CORE / seconds,
        memory=memory,
        received=max(0, now.received - known.received) / seconds,
        sent=max(0, now.sent - known.sent) / seconds,
        read=max(0, now.read - known.read) / seconds,
        written=max(0, now.written - known.written) / seconds,
    )


def busy(task: Task, definition: TaskDefinition, done: Mapping[str, Work]) -> BusyTask | None:
    """A task with what its containers do, by the engine's ids; None where nothing is known."""
    ids = {c.name: c.runtime_id or "" for c in task.containers}
    found = {name: done[id_] for name, id_ in ids.items() if id_ in done}
    return BusyTask(task=task, definition=definition, containers=found) if found else None


def samples(
    tasks: Sequence[BusyTask], memberships: Sequence[Membership], at: datetime
) -> list[Sample]:
    """The metrics of ``AWS/ECS`` of the services and clusters that some tasks are of."""
    found = []
    for (scope, cluster, service), members in _by_service(tasks).items():
        named = dimensions(ClusterName=cluster, ServiceName=service)
        for name, ratio in _service_ratios(members):
            found.append(_percent(Metric(scope, ECS, name, named), ratio, at))
    for membership in memberships:
        own = [each for each in tasks if _is_on(each.task, membership)]
        named = dimensions(ClusterName=membership.cluster)
        for name, value in _cluster_values(own, membership.machine) if own else ():
            found.append(_percent(Metric(membership.scope, ECS, name, named), value, at))
    return found


def insights(tasks: Iterable[BusyTask], enhanced: Mapping[str, bool], at: datetime) -> list[Sample]:
    """Container Insights of tasks; ``enhanced``: its clusters by ARN, and which have all of it."""
    gathered: defaultdict[Metric, list[float]] = defaultdict(list)
    units: dict[str, str] = {}
    for each in tasks:
        if each.task.cluster_arn not in enhanced:
            continue
        for name, value, unit in _insights(each):
            units[name] = unit
            for named in _groups(each.task, is_enhanced=enhanced[each.task.cluster_arn]):
                gathered[Metric(each.task.scope, INSIGHTS, name, named)].append(value)
    return [
        _sample(metric, of_values((value, 1.0) for value in values), units[metric.name], at)
        for metric, values in gathered.items()
    ]


def _by_service(tasks: Iterable[BusyTask]) -> Mapping[tuple[Scope, str, str], list[BusyTask]]:
    found: defaultdict[tuple[Scope, str, str], list[BusyTask]] = defaultdict(list)
    for each in tasks:
        if each.task.service is not None:
            found[each.task.scope, each.task.cluster, each.task.service].append(each)
    return found


def _service_ratios(tasks: Sequence[BusyTask]) -> Iterator[tuple[str, Statistics]]:
    cpu = [(w.cpu, each.reserved_cpu) for each in tasks if (w := each.whole).cpu is not None]
    if cpu:
        yield "CPUUtilization", _together([(used or 0.0, given) for used, given in cpu])
    memory = [(each.whole.memory, each.reserved_memory) for each in tasks if each.reserved_memory]
    if memory:
        yield "MemoryUtilization", _together(memory)


def _together(parts: Sequence[tuple[float, float]]) -> Statistics:
    """What is used of what is reserved: the average over all of it, the extremes by task."""
    each = of_values((100 * used / reserved, 1.0) for used, reserved in parts)
    whole = 100 * sum(used for used, _ in parts) / sum(reserved for _, reserved in parts)
    return Statistics(each.count, each.count * whole, each.minimum, each.maximum, each.values)


def _is_on(task: Task, membership: Membership) -> bool:
    is_of = (task.scope, task.cluster) == (membership.scope, membership.cluster)
    return is_of and task.container_instance is not None


def _cluster_values(
    tasks: Sequence[BusyTask], machine: Machine
) -> Iterator[tuple[str, Statistics]]:
    cpu, memory = machine.cpu, machine.memory
    known = [each.whole.cpu for each in tasks]
    if any(used is not None for used in known):
        yield "CPUUtilization", _one(sum(filter(None, known)), cpu)
    yield "MemoryUtilization", _one(sum(each.whole.memory for each in tasks), memory)
    yield "CPUReservation", _one(sum(each.task.cpu for each in tasks), cpu)
    yield "MemoryReservation", _one(sum(each.task.memory for each in tasks), memory)


def _one(used: float, there_is: float) -> Statistics:
    return of_values([(100 * used / there_is, 1.0)])


def _percent(metric: Metric, statistics: Statistics, at: datetime) -> Sample:
    return _sample(metric, statistics, "Percent", at)


def _sample(metric: Metric, statistics: Statistics, unit: str, at: datetime) -> Sample:
    return Sample(
        metric=metric, timestamp=at, statistics=statistics, unit=unit, resolution=HIGH_RESOLUTION
    )


def _insights(each: BusyTask) -> Iterator[tuple[str, float, str]]:
    whole = each.whole
    if whole.cpu is not None:
        yield "CpuUtilized", whole.cpu, "None"
        yield "NetworkRxBytes", whole.received, "Bytes/Second"
        yield "NetworkTxBytes", whole.sent, "Bytes/Second"
        yield "StorageReadBytes", whole.read, "Bytes/Second"
        yield "StorageWriteBytes", whole.written, "Bytes/Second"
    yield "CpuReserved", float(each.reserved_cpu), "None"
    yield "MemoryUtilized", whole.memory, "Megabytes"
    yield "MemoryReserved", float(each.reserved_memory), "Megabytes"


def _groups(task: Task, *, is_enhanced: bool) -> Iterator[tuple[tuple[str, str], ...]]:
    yield dimensions(ClusterName=task.cluster)
    yield dimensions(ClusterName=task.cluster, TaskDefinitionFamily=task.family)
    if task.service is not None:
        yield dimensions(ClusterName=task.cluster, ServiceName=task.service)
    if is_enhanced:
        yield dimensions(ClusterName=task.cluster, TaskDefinitionFamily=task.family, TaskId=task.id)


def reads(tasks: Iterable[Task]) -> list[str]:
    """The engine's ids of the containers of tasks, to be read."""
    every: Iterator[Container] = (c for task in tasks for c in task.containers)
    return [c.runtime_id for c in every if c.runtime_id and c.finished_at is None]
