"""A little world for the scheduler of services: plans are applied, tasks live and die.

No store and no engine: what a plan says is done to plain values, as the control loop would.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from openecs.decide import lifecycle
from openecs.decide.services import traffic
from openecs.decide.services.health import is_live
from openecs.decide.services.plan import after_starts, plan
from openecs.decide.services.state import (
    FreshIds,
    SchedulerSettings,
    ServicePlan,
    ServiceState,
    Start,
    StartOutcome,
)
from openecs.model.services import (
    Deployment,
    DeploymentStatus,
    RolloutState,
    Service,
    ServiceRevision,
    TaskSet,
)
from openecs.model.tasks import HealthStatus, LaunchType, StopCode, Task, TaskStatus
from openecs.testing.builders import NOW, SCOPE


def a_revision(number: int = 1) -> ServiceRevision:
    """The revision of a service with the task definition ``web:number``."""
    return ServiceRevision(
        scope=SCOPE,
        cluster="default",
        service="web",
        id=str(number),
        family="web",
        revision=number,
        launch_type=LaunchType.EC2,
        created_at=NOW,
    )


def a_deployment(number: int = 1, **changes: Any) -> Deployment:
    """The PRIMARY, ``ecs-svc/number``, in progress, of the service deployment of that number."""
    values: dict[str, Any] = {
        "id": f"ecs-svc/{number}",
        "status": DeploymentStatus.PRIMARY,
        "revision": a_revision(number),
        "service_deployment": str(number),
        "desired_count": 1,
        "rollout_state": RolloutState.IN_PROGRESS,
        "rollout_state_reason": f"ECS deployment ecs-svc/{number} in progress.",
        "created_at": NOW,
        "updated_at": NOW,
    }
    return Deployment(**(values | changes))


def a_service(**changes: Any) -> Service:
    """The service ``web`` with its first deployment in progress."""
    desired = changes.get("desired_count", 1)
    values: dict[str, Any] = {
        "scope": SCOPE,
        "cluster": "default",
        "name": "web",
        "desired_count": desired,
        "revision": a_revision(),
        "created_by": f"arn:aws:iam::{SCOPE.account}:root",
        "created_at": NOW,
        "deployments": (a_deployment(desired_count=desired),),
        "current_service_deployment": "1",
    }
    return Service(**(values | changes))


def a_service_task(number: int, **changes: Any) -> Task:
    """Task ``number`` of the service, of its first deployment, PENDING on ``i1``."""
    values: dict[str, Any] = {
        "scope": SCOPE,
        "cluster": "default",
        "id": f"{number:032x}",
        "family": "web",
        "revision": 1,
        "launch_type": LaunchType.EC2,
        "container_instance": "i1",
        "machine": "m",
        "last_status": TaskStatus.PENDING,
        "containers": (),
        "cpu": 0,
        "memory": 0,
        "group": "service:web",
        "started_by": "ecs-svc/1",
        "availability_zone": "a",
        "created_at": NOW,
    }
    return Task(**(values | changes))


@dataclass(kw_only=True)
class ServiceWorld:
    """A service, its tasks by id, and the time; ``events`` is all that was told."""

    service: Service
    settings: SchedulerSettings = field(default_factory=SchedulerSettings)
    now: datetime = NOW
    tasks: dict[str, Task] = field(default_factory=dict)
    checked: frozenset[str] = frozenset()
    draining: frozenset[str] = frozenset()
    eligible: tuple[str, ...] = ()
    alarms: frozenset[str] = frozenset()
    alarm_bake: timedelta = timedelta(0)
    task_sets: tuple[TaskSet, ...] = ()
    #: The weights of listener rules.
    forwards: dict[str, Mapping[str, int]] = field(default_factory=dict)
    events: list[str] = field(default_factory=list)
    accounted: list[str] = field(default_factory=list)
    started: int = 0
    _numbers: Any = field(default_factory=lambda: count(1))
    _deployments: Any = field(default_factory=lambda: count(2))

    def state(self) -> ServiceState:
        """What the scheduler sees."""
        seen = (
            t
            for t in self.tasks.values()
            if t.last_status is not TaskStatus.STOPPED or not t.accounted
        )
        return ServiceState(
            service=self.service,
            tasks=tuple(seen),
            checked=self.checked,
            draining=self.draining,
            eligible=self.eligible,
            alarms=self.alarms,
            alarm_bake=self.alarm_bake,
            task_sets=self.task_sets,
            forwards=dict(self.forwards),
        )

    def decide(self) -> ServicePlan:
        """The plan of this moment."""
        return plan(self.state(), self.settings, FreshIds(deployment="ecs-svc/fresh"), self.now)

    def step(self) -> ServicePlan:
        """Decide, and do what was decided."""
        fresh = FreshIds(deployment=f"ecs-svc/{next(self._deployments) + 1000}")
        decided = plan(self.state(), self.settings, fresh, self.now)
        self.apply(decided)
        return decided

    def apply(self, decided: ServicePlan) -> None:
        """Do what was decided."""
        for stop in decided.stops:
            task = self.tasks[stop.task]
            self.tasks[stop.task] = lifecycle.request_stop(
                task, StopCode.SERVICE_SCHEDULER_INITIATED, stop.reason, self.now
            )
        for task_id in decided.accounted:
            self.tasks[task_id] = replace(self.tasks[task_id], accounted=True)
        self.accounted.extend(decided.accounted)
        self.events.extend(decided.events)
        outcomes = [StartOutcome(start=start, tasks=self._start(start)) for start in decided.starts]
        self.service, told = after_starts(decided.service, outcomes, self.now)
        self.events.extend(told)
        self.task_sets = decided.task_sets
        self.forwards |= decided.forwards

    def later(self, seconds: float) -> None:
        """Let time go by."""
        self.now += timedelta(seconds=seconds)

    def deploy(self, **changes: Any) -> Deployment:
        """Begin another deployment, as UpdateService does."""
        number, service = next(self._deployments), self.service
        configuration = service.deployment_configuration
        served = service.revision.load_balancers if service.revision else ()
        revision = replace(a_revision(number), load_balancers=served)
        alternate = traffic.is_on_alternate(service, revision, configuration)
        revision = replace(revision, on_alternate=alternate)
        primary = a_deployment(
            number,
            revision=revision,
            desired_count=service.desired_count,
            shift=traffic.begin(service, revision, configuration, f"{number}", self.now),
            created_at=self.now,
            updated_at=self.now,
            **changes,
        )
        older = (replace(d, status=DeploymentStatus.ACTIVE) for d in self.service.deployments)
        self.service = replace(
            self.service,
            revision=primary.revision,
            deployments=(primary, *older),
            current_service_deployment=primary.service_deployment,
        )
        return primary

    def scale(self, desired: int) -> None:
        """Change the desired count."""
        self.service = replace(self.service, desired_count=desired)

    def change(self, task: Task, **changes: Any) -> Task:
        """Change what is known of a task."""
        self.tasks[task.id] = changed = replace(task, **changes)
        return changed

    def run(self, task: Task, health: HealthStatus = HealthStatus.UNKNOWN) -> Task:
        """The task reaches RUNNING."""
        return self.change(
            task, last_status=TaskStatus.RUNNING, started_at=self.now, health_status=health
        )

    def crash(self, task: Task) -> Task:
        """The task ends by itself."""
        code = (
            StopCode.ESSENTIAL_CONTAINER_EXITED
            if task.started_at
            else StopCode.TASK_FAILED_TO_START
        )
        ended = lifecycle.request_stop(task, code, "over", self.now)
        return self.change(ended, last_status=TaskStatus.STOPPED, stopped_at=self.now)

    def finish_stops(self) -> None:
        """Everything that is to stop has stopped."""
        for task in self.stopping():
            self.change(task, last_status=TaskStatus.STOPPED, stopped_at=self.now)

    def run_pending(self, health: HealthStatus = HealthStatus.UNKNOWN) -> None:
        """Everything that is to run runs."""
        for task in self.live():
            if task.last_status is not TaskStatus.RUNNING:
                self.run(task, health)

    def live(self, deployment: str | None = None) -> list[Task]:
        """The live tasks, of one deployment or of all."""
        return [t for t in self.tasks.values() if is_live(t) and deployment in {None, t.started_by}]

    def stopping(self) -> list[Task]:
        """The tasks on their way to STOPPED."""
        return [
            t
            for t in self.tasks.values()
            if not is_live(t) and t.last_status is not TaskStatus.STOPPED
        ]

    def converge(self, seconds: float = 50, rounds: int = 60) -> None:
        """Let everything go well until the service is steady, or the rounds are over."""
        for _ in range(rounds):
            self.step()
            if self.service.steady_at:
                return
            self.finish_stops()
            self.run_pending()
            self.later(seconds)

    def _start(self, start: Start) -> tuple[str, ...]:
        places = start.instances or tuple(sorted({"i1", "i2"} - self.draining))
        revisions = {d.id: d.revision.revision for d in self.service.deployments}
        started = []
        for position in range(start.count):
            task = a_service_task(
                next(self._numbers),
                container_instance=places[position % len(places)],
                started_by=start.deployment,
                revision=revisions.get(start.deployment, 1),
                created_at=self.now,
            )
            self.tasks[task.id] = task
            started.append(task.id)
        self.started += len(started)
        return tuple(started)
