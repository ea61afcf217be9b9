"""What the tasks on this machine use, measured by the clock and put among the metrics."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import structlog

from openecs.decide import utilization
from openecs.decide.utilization import Membership
from openecs.loops.periods import periods
from openecs.model.clusters import ContainerInstanceStatus
from openecs.model.task_definitions import TaskDefinition
from openecs.model.tasks import Task, TaskStatus
from openecs.runtime.base import EngineUnavailable, Runtime
from openecs.store.base import Store, StoreError, View
from openecs.store.definitions import definition_of
from openecs.store.kinds import CLUSTERS, CONTAINER_INSTANCES, MACHINES, TASKS
from openecs.store.metrics import MetricStore

log = structlog.get_logger(__name__)

_INSIGHTS = {"enabled": False, "enhanced": True}
_COUNTED = {ContainerInstanceStatus.ACTIVE, ContainerInstanceStatus.DRAINING}


@dataclass(frozen=True, slots=True)
class _Scene:
    """What there is to measure: running tasks, clusters with Container Insights, memberships."""

    tasks: Sequence[tuple[Task, TaskDefinition]]
    insights: Mapping[str, bool]
    memberships: Sequence[Membership]


class Measures:
    """Measures every ``interval``, at the ends of the clock's periods of that length."""

    def __init__(
        self,
        *,
        store: Store,
        metrics: MetricStore,
        runtime: Runtime,
        clock: Callable[[], datetime],
        machine: str,
        interval: timedelta,
    ) -> None:
        self._store = store
        self._metrics = metrics
        self._runtime = runtime
        self._clock = clock
        self._machine = machine
        self._interval = interval
        self._before: utilization.Reading = {}
        self._at: datetime | None = None

    async def run(self) -> None:
        """Work until cancelled."""
        async for period in periods(self._clock, self._interval):
            try:
                await self.measure(period)
            except (EngineUnavailable, StoreError) as error:
                log.info("tasks are not measured", reason=str(error))

    async def measure(self, period: datetime) -> None:
        """Measure once, for a period that is about to end.

        Raises ``EngineUnavailable`` and ``StoreError``.
        """
        scene = await self._store.read(partial(_scene, self._machine))
        reading = await self._runtime.usage(utilization.reads(task for task, _ in scene.tasks))
        now, before = self._clock(), self._at
        passed = (now - before).total_seconds() if before else 0.0
        done = utilization.work_between(self._before, reading, passed)
        self._before, self._at = reading, now
        found = (utilization.busy(task, definition, done) for task, definition in scene.tasks)
        busy = [each for each in found if each is not None]
        samples = [
            *utilization.samples(busy, scene.memberships, period),
            *utilization.insights(busy, scene.insights, period),
        ]
        if samples:
            await self._metrics.put(samples)


def _scene(machine: str, view: View) -> _Scene:
    tasks = [
        (task, definition)
        for task in view.find(TASKS, None, "machine", (machine,))
        if task.last_status is TaskStatus.RUNNING
        and (definition := definition_of(view, task)) is not None
    ]
    return _Scene(tasks, _insights(view, tasks), _memberships(view, machine))


def _insights(view: View, tasks: Sequence[tuple[Task, TaskDefinition]]) -> Mapping[str, bool]:
    found = {}
    for scope, name in {(task.scope, task.cluster) for task, _ in tasks}:
        cluster = view.get(CLUSTERS, scope, name)
        if cluster is not None and cluster.container_insights in _INSIGHTS:
            found[cluster.arn] = _INSIGHTS[cluster.container_insights]
    return found


def _memberships(view: View, name: str) -> list[Membership]:
    machine = next((each for each in view.scan(MACHINES, None) if each.id == name), None)
    if machine is None:
        return []
    return [
        Membership(scope=each.scope, cluster=each.cluster, machine=machine)
        for each in view.find(CONTAINER_INSTANCES, None, "machine", (name,))
        if each.status in _COUNTED
    ]
