"""From "start two of this deployment" to the records of two tasks, placed by the picture."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from openecs.api.base import Call
from openecs.api.ecs import launches, launching, placing
from openecs.api.ecs.new_tasks import new_task
from openecs.api.ecs.task_requests import TaskRequest, without_overrides
from openecs.control.capacity import Capacity
from openecs.decide.placement import explain, filters, plan, providers
from openecs.decide.placement.ask import Ask, ask_of
from openecs.decide.placement.candidates import Candidate
from openecs.decide.services.state import Start, StartOutcome
from openecs.decide.services.tagging import task_tags
from openecs.model.clusters import Cluster, ContainerInstance
from openecs.model.services import Service, ServiceRevision
from openecs.model.task_definitions import TaskDefinition
from openecs.model.tasks import LaunchType, ServedGroup, Task

UNPLACED = f"was unable to place a task. Reason: {launching.NO_CAPACITY}."
NO_DEFINITION = "was unable to place a task. Reason: The task definition has been deleted."


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is to be started, for whom, and from what."""

    start: Start
    service: Service
    cluster: Cluster
    revision: ServiceRevision
    #: None once it has been deleted.
    definition: TaskDefinition | None
    #: Tasks of the service on each capacity provider.
    on_providers: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """New tasks, not yet recorded, and what there is to say."""

    tasks: tuple[Task, ...]
    outcome: StartOutcome


class Ground:
    """Where the tasks of one cluster can go in one pass of the scheduler.

    A machine that is not in the cluster yet appears as the instance it would become.
    """

    def __init__(self, capacity: Capacity, call: Call, cluster: Cluster) -> None:
        self._capacity = capacity
        self._call = call
        self._cluster = cluster
        self._joining: dict[str | None, dict[str, ContainerInstance]] = {}

    def daemon_places(self, ask: Ask) -> tuple[str, ...]:
        """The ids of the instances that a DAEMON of this ask is to have a task on."""
        fit = (c for c in self._candidates(None) if filters.is_daemon_place(ask, c))
        return tuple(candidate.id for candidate in fit)

    def joined_by(self, tasks: Sequence[Task]) -> tuple[ContainerInstance, ...]:
        """The instances that come into being with the tasks."""
        ids = {task.container_instance for task in tasks}
        newcomers = (i for joining in self._joining.values() for i in joining.values())
        return tuple(instance for instance in newcomers if instance.id in ids)

    def start(self, order: Order) -> Started:
        """The tasks of an order; the picture is told by ``Capacity.reserve``, not here."""
        if order.definition is None:
            return _started(order, (), NO_DEFINITION)
        request = _request(order, order.definition)
        constraints = order.service.placement_constraints
        ask = ask_of(
            order.definition, request.overrides, constraints=constraints, group=request.group
        )
        if _is_fargate(order.revision):
            return self._on_fargate(order, request, ask)
        if order.start.instances:
            return self._record(order, request, ask, self._on_named(order, ask))
        return self._record(order, request, ask, self._on_instances(order, ask))

    def _on_instances(self, order: Order, ask: Ask) -> Iterator[plan.Placement]:
        ranked, seed = order.service.placement_strategy, self._call.request_id
        for provider, count in Counter(_providers(order)).items():
            yield from plan.plan(ask, count, self._candidates(provider), ranked, seed)

    def _on_named(self, order: Order, ask: Ask) -> Iterator[plan.Placement]:
        for name in order.start.instances:
            instance = self._instance(name)
            there = [self._capacity.candidate(instance)] if instance else []
            yield from plan.plan(ask, 1, there, (), "")

    def _record(
        self, order: Order, request: TaskRequest, ask: Ask, placements: Iterable[plan.Placement]
    ) -> Started:
        tasks: list[Task] = []
        obstacle: str | None = None
        for placement in placements:
            match placement:
                case plan.Placed(candidate=chosen):
                    instance = self._instance(chosen.id)
                    if instance is not None:
                        destination = launching.on_instance(instance)
                        tasks.append(new_task(self._call, request, ask, destination))
                case plan.Unplaced():
                    obstacle = obstacle or explain.explain(placement)
        return _started(order, tasks, obstacle)

    def _on_fargate(self, order: Order, request: TaskRequest, ask: Ask) -> Started:
        """FARGATE has no instances whose attributes could matter."""
        machines = self._capacity.machines
        there = [
            self._capacity.candidate(launching.as_instance(self._call, machine))
            for machine in machines.values()
        ]
        anywhere = launches.anywhere(ask)
        placements = plan.plan(anywhere, order.start.count, there, (), self._call.request_id)
        tasks: list[Task] = []
        for provider, placement in zip(_providers(order), placements, strict=True):
            if isinstance(placement, plan.Placed):
                machine = machines[placement.candidate.machine]
                destination = launching.on_fargate(self._call, machine, provider)
                tasks.append(new_task(self._call, request, anywhere, destination))
        return _started(order, tasks, None if len(tasks) == order.start.count else UNPLACED)

    def _candidates(self, provider: str | None) -> list[Candidate]:
        known = self._capacity.candidates(self._call.scope, self._cluster.name, provider)
        joining = map(self._capacity.candidate, self._newcomers(provider).values())
        return [*known, *joining]

    def _instance(self, name: str) -> ContainerInstance | None:
        """The instance of that id, joining or there."""
        for joining in self._joining.values():
            if name in joining:
                return joining[name]
        return self._capacity.instance(self._call.scope, self._cluster.name, name)

    def _newcomers(self, provider: str | None) -> dict[str, ContainerInstance]:
        """What the machines that may join the cluster, and have not, would join it as."""
        if provider not in self._joining:
            scope, cluster = self._call.scope, self._cluster
            machines = self._capacity.newcomers(scope, cluster.name, provider)
            joining = [placing.joining(self._call, cluster, m, provider) for m in machines]
            self._joining[provider] = {instance.id: instance for instance in joining}
        return self._joining[provider]


def on_providers(tasks: Sequence[Task]) -> Mapping[str, int]:
    """How many of the tasks each capacity provider has."""
    return Counter(t.capacity_provider for t in tasks if t.capacity_provider)


def _request(order: Order, definition: TaskDefinition) -> TaskRequest:
    return TaskRequest(
        cluster=order.cluster,
        definition=definition,
        overrides=without_overrides(definition),
        group=order.service.group,
        started_by=order.start.deployment,
        network_configuration=order.revision.network_configuration,
        enable_execute_command=order.service.enable_execute_command,
        tags=task_tags(order.service, definition),
        served_groups=_served(order.revision),
    )


def _served(revision: ServiceRevision) -> tuple[ServedGroup, ...]:
    return tuple(
        ServedGroup(
            target_group_arn=each.group(alternate=revision.on_alternate),
            container_name=each.container_name,
            container_port=each.container_port,
        )
        for each in revision.load_balancers
    )


def _is_fargate(revision: ServiceRevision) -> bool:
    strategy = revision.capacity_provider_strategy
    by_strategy = bool(strategy) and launches.is_fargate(strategy)
    return by_strategy or revision.launch_type is LaunchType.FARGATE


def _providers(order: Order) -> tuple[str | None, ...]:
    strategy = order.revision.capacity_provider_strategy
    if not strategy:
        return (None,) * order.start.count
    return providers.split(strategy, order.start.count, dict(order.on_providers))


def _started(order: Order, tasks: Sequence[Task], obstacle: str | None) -> Started:
    ids = tuple(task.id for task in tasks)
    outcome = StartOutcome(start=order.start, tasks=ids, obstacle=obstacle)
    return Started(tasks=tuple(tasks), outcome=outcome)
