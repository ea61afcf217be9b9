"""The rules that hold at every moment, looked at with every transaction and every container.

They are stated anew here, from AWS's documentation and from what is recorded, and share nothing
with the scheduler whose work they judge but the model.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from openecs.decide.services.state import SchedulerSettings
from openecs.model.clusters import ContainerInstance, ContainerInstanceStatus
from openecs.model.containers import ContainerState
from openecs.model.identity import parse_arn
from openecs.model.services import (
    RolloutState,
    SchedulingStrategy,
    Service,
    ServiceEvents,
    ServiceStatus,
)
from openecs.model.tasks import HealthStatus, StopCode, Task, TaskStatus
from openecs.runtime.base import LABEL_CONTAINER_NAME, LABEL_TASK_ARN
from openecs.store.base import Change, View
from openecs.store.kinds import (
    CONTAINER_INSTANCES,
    SERVICE_EVENTS,
    SERVICES,
    TASKS,
    service_key,
)
from simulation.images import IMAGES

KINDS = {kind.name: kind for kind in (TASKS, SERVICES, SERVICE_EVENTS, CONTAINER_INSTANCES)}
ORDER = tuple(TaskStatus)
#: What the scheduler knew when it decided may be so much older than what it wrote.
THINKING = timedelta(seconds=5)


@dataclass(slots=True)
class Checks:
    clock: Callable[[], datetime]
    settings: SchedulerSettings
    engines: dict[str, Any] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)
    #: Every task there ever was, as it was last.
    tasks: dict[str, Task] = field(default_factory=dict)
    services: dict[str, Service] = field(default_factory=dict)
    instances: dict[str, ContainerInstance] = field(default_factory=dict)
    #: Every event there ever was, by its id, with the key of its service.
    events: dict[str, tuple[str, str]] = field(default_factory=dict)
    #: Tasks started, by service and hour.
    starts: Counter[tuple[str, datetime]] = field(default_factory=Counter)
    alive: defaultdict[str, dict[str, Task]] = field(default_factory=lambda: defaultdict(dict))
    _names: dict[tuple[str, str], str] = field(default_factory=dict)

    def transaction(self, changes: list[Change], view: View) -> None:
        """Look at what a transaction changed."""
        before, after = {}, {}
        for kind, key, scope in dict.fromkeys((c.kind, c.key, c.scope) for c in changes):
            found = view.get(KINDS[kind], scope, key) if kind in KINDS else None
            match found:
                case Task():
                    before[found.id], after[found.id] = self.tasks.get(found.id), found
                case Service():
                    self.services[key] = found
                case ContainerInstance():
                    self.instances[found.id] = found
                case ServiceEvents():
                    self._tell(found)
        for task in after.values():
            self._life(before[task.id], task)
            self._note(task)
        for key in {service_key(t.cluster, t.service) for t in after.values() if t.service}:
            self._pass(key, before, after)

    def container(self, machine: str, container: Any) -> None:
        """Look at a container that changed."""
        arn = parse_arn(container.spec.labels.get(LABEL_TASK_ARN, ""))
        name = container.spec.labels.get(LABEL_CONTAINER_NAME, "")
        task = self.tasks.get(arn.resource.rpartition("/")[2]) if arn else None
        if task is None:
            self._fail(f"container {container.spec.name} is of no task that is known")
            return
        if task.machine != machine:
            self._fail(f"task {task.id} has a container on a machine it was not placed on")
        there = self._names.setdefault((task.id, name), container.spec.name)
        if there != container.spec.name:
            self._fail(f"task {task.id} has two containers {name}")
        if container.state is ContainerState.RUNNING and task.last_status is TaskStatus.STOPPED:
            self._fail(f"a container of task {task.id} runs, and it is recorded as STOPPED")

    def _note(self, task: Task) -> None:
        self.tasks[task.id] = task
        if task.service is None:
            return
        there = self.alive[service_key(task.cluster, task.service)]
        there[task.id] = task
        if task.last_status is TaskStatus.STOPPED:
            del there[task.id]

    def _life(self, old: Task | None, new: Task) -> None:
        if old is None:
            return
        if ORDER.index(new.last_status) < ORDER.index(old.last_status):
            self._fail(f"task {new.id} went from {old.last_status} back to {new.last_status}")
        if old.desired_status is TaskStatus.STOPPED is not new.desired_status:
            self._fail(f"task {new.id} was to stop, and is to run again")
        if old.accounted and not new.accounted:
            self._fail(f"task {new.id} is no longer accounted for")
        if old.last_status is TaskStatus.STOPPED and (old.stopped_at, old.stop_code) != (
            new.stopped_at,
            new.stop_code,
        ):
            self._fail(f"task {new.id} changed after it had STOPPED")
        if new.last_status is TaskStatus.STOPPED is not old.last_status:
            self._stopped(new)

    def _stopped(self, task: Task) -> None:
        for container in self.engines[task.machine].containers.values():
            if container.is_running and container.spec.labels.get(LABEL_TASK_ARN) == task.arn:
                self._fail(f"task {task.id} is recorded as STOPPED, and its container runs")

    def _pass(self, key: str, before: dict[str, Task | None], after: dict[str, Task]) -> None:
        service = self.services[key]
        mine = [t for t in after.values() if t.service == service.name]
        started = [t for t in mine if before[t.id] is None]
        stopped = [t for t in mine if _was_stopped(before[t.id], t)]
        for task in started:
            self.starts[key, task.created_at.replace(minute=0, second=0, microsecond=0)] += 1
        if started:
            self._ceiling(key, service, started)
        if stopped and service.status is ServiceStatus.ACTIVE:
            self._floor(key, service, [before[t.id] for t in stopped])

    def _ceiling(self, key: str, service: Service, started: list[Task]) -> None:
        desired, primary = service.desired_count, service.primary
        if service.status is not ServiceStatus.ACTIVE or primary is None:
            self._fail(f"{key}: tasks were started though it is {service.status}")
            return
        if any(t.started_by != primary.id for t in started):
            self._fail(f"{key}: tasks were started of a deployment that is not the newest")
        if primary.rollout_state is RolloutState.FAILED:
            self._fail(f"{key}: tasks were started of a deployment that has failed")
        ceiling = desired * service.deployment_configuration.maximum_percent // 100
        present = [t for t in self.alive[key].values() if not self._is_misplaced(service, t)]
        is_under_way = primary.rollout_state is RolloutState.IN_PROGRESS
        rolling = is_under_way and any(t.started_by != primary.id for t in present)
        count = len(present) if rolling else sum(map(_is_live, present))
        limit = ceiling if rolling else max(ceiling, desired)
        if count > limit:
            self._fail(f"{key}: {count} tasks after a start, {limit} at most; rolling: {rolling}")

    def _floor(self, key: str, service: Service, stopped: Iterable[Task | None]) -> None:
        percent = service.deployment_configuration.minimum_healthy_percent
        floor = -(-service.desired_count * percent // 100)
        now = self.clock()
        for task in stopped:
            kept = task and task.protection and task.protection.expires_at > now
            # What has never run has no work to protect: a failed deployment may give it up.
            works = task and task.last_status is TaskStatus.RUNNING
            if kept and works and task.health_status is not HealthStatus.UNHEALTHY:
                self._fail(f"{key}: task {task.id} was stopped though it is protected")
        placed = (t for t in stopped if t and not self._is_misplaced(service, t))
        if not any(self._is_healthy(task, now - THINKING) for task in placed):
            return
        live = [t for t in self.alive[key].values() if _is_live(t)]
        healthy = sum(self._is_healthy(t, now) for t in live)
        primary = service.primary
        state = primary.rollout_state if primary else None
        if state is RolloutState.COMPLETED:
            staying = sum(not self._is_leaving(t) for t in live)
            if healthy < floor and staying < service.desired_count:
                self._fail(f"{key}: {healthy} healthy after a stop, {floor} at least")
        elif state is RolloutState.IN_PROGRESS and healthy < floor:
            self._fail(f"{key}: {healthy} healthy after a stop in a deployment, {floor} at least")

    def _is_healthy(self, task: Task, now: datetime) -> bool:
        if task.last_status is not TaskStatus.RUNNING or task.started_at is None:
            return False
        if IMAGES[task.family].checked:
            return task.health_status is HealthStatus.HEALTHY
        return now - task.started_at >= self.settings.healthy_after

    def _is_misplaced(self, service: Service, task: Task) -> bool:
        """A DAEMON has no bounds for what is on an instance that is to have none of it."""
        is_daemon = service.scheduling_strategy is SchedulingStrategy.DAEMON
        instance = self.instances.get(task.container_instance or "")
        is_active = instance and instance.status is ContainerInstanceStatus.ACTIVE
        return is_daemon and not is_active

    def _is_leaving(self, task: Task) -> bool:
        instance = self.instances.get(task.container_instance or "")
        draining = instance and instance.status is ContainerInstanceStatus.DRAINING
        return bool(draining) or task.health_status is HealthStatus.UNHEALTHY

    def _tell(self, story: ServiceEvents) -> None:
        for event in story.events:
            self.events[event.id] = (service_key(story.cluster, story.service), event.message)

    def _fail(self, message: str) -> None:
        self.broken.append(f"{self.clock()}: {message}")


def _is_live(task: Task) -> bool:
    running = ORDER.index(TaskStatus.RUNNING)
    return task.desired_status is TaskStatus.RUNNING and ORDER.index(task.last_status) <= running


def _was_stopped(before: Task | None, task: Task) -> bool:
    """Whether the scheduler stopped the task just now."""
    return (
        before is not None
        and before.desired_status is TaskStatus.RUNNING
        and task.desired_status is TaskStatus.STOPPED
        and task.stop_code is StopCode.SERVICE_SCHEDULER_INITIATED
    )
