"""A daemon whose plans are applied to plain values, and whose tasks live and die as told."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from openecs.decide import lifecycle
from openecs.decide.daemons import DaemonPlan, DaemonState, plan
from openecs.decide.services.state import SchedulerSettings
from openecs.model.daemons import (
    Daemon,
    DaemonDeployment,
    DaemonDeploymentConfiguration,
    DaemonDeploymentStatus,
)
from openecs.model.tasks import LaunchType, StopCode, Task, TaskStatus
from openecs.testing.builders import NOW, SCOPE, a_task

SETTINGS = SchedulerSettings()


def a_deployment(target: str | None = "1", **changes: Any) -> DaemonDeployment:
    """A PENDING deployment of the revision ``target``."""
    values = {
        "scope": SCOPE,
        "cluster": "default",
        "daemon": "agent",
        "id": f"to-{target}",
        "target": target,
        "configuration": DaemonDeploymentConfiguration(),
        "created_at": NOW,
    }
    return DaemonDeployment(**{**values, **changes})


def a_daemon(**changes: Any) -> Daemon:
    """The ACTIVE daemon ``agent``."""
    values = {
        "scope": SCOPE,
        "cluster": "default",
        "name": "agent",
        "deployment": "to-1",
        "created_at": NOW,
        "updated_at": NOW,
    }
    return Daemon(**{**values, **changes})


@dataclass
class DaemonWorld:
    """A daemon, its newest deployment, its tasks, and the ids of the instances it is for."""

    places: tuple[str, ...]
    daemon: Daemon = field(default_factory=a_daemon)
    deployment: DaemonDeployment = field(default_factory=a_deployment)
    tasks: dict[str, Task] = field(default_factory=dict)
    now: datetime = NOW
    is_checked: bool = False
    alarms: frozenset[str] = frozenset()
    busy: frozenset[str] = frozenset()
    is_removed: bool = False
    ids: count[int] = field(default_factory=lambda: count(1))

    def step(self) -> DaemonPlan:
        """Decide and do it."""
        state = DaemonState(
            daemon=self.daemon,
            deployment=self.deployment,
            tasks=tuple(self.tasks.values()),
            places=self.places,
            busy=self.busy,
            is_checked=self.is_checked,
            alarms=self.alarms,
        )
        planned = plan(state, SETTINGS, self.now)
        for stop in planned.stops:
            task = self.tasks[stop.task]
            code = StopCode.SERVICE_SCHEDULER_INITIATED
            self.tasks[stop.task] = lifecycle.request_stop(task, code, stop.reason, self.now)
        for name in planned.accounted:
            del self.tasks[name]
        for place in planned.starts:
            self.start(place, planned.deployment.wanted or "")
        self.daemon, self.deployment = planned.daemon, planned.deployment
        self.is_removed = self.is_removed or planned.is_removed
        return planned

    def start(self, place: str, revision: str) -> Task:
        """A new task, PENDING."""
        task = a_task(
            next(self.ids),
            launch_type=LaunchType.MANAGED_INSTANCES,
            group="daemon:agent",
            started_by=revision,
            container_instance=place,
            last_status=TaskStatus.PENDING,
            created_at=self.now,
        )
        self.tasks[task.id] = task
        return task

    def run(self, task: Task) -> None:
        """It reaches RUNNING."""
        running = replace(task, last_status=TaskStatus.RUNNING, started_at=self.now)
        self.tasks[task.id] = running

    def end(self, task: Task, code: StopCode = StopCode.ESSENTIAL_CONTAINER_EXITED) -> None:
        """It stops, by itself or as it was told."""
        if task.desired_status is TaskStatus.RUNNING:
            task = lifecycle.request_stop(task, code, "", self.now)
        self.tasks[task.id] = lifecycle.finish(task, self.now)

    def work(self, rounds: int = 20) -> None:
        """Tasks do as they are told, time passes, until there is nothing more to do."""
        for _ in range(rounds):
            self.step()
            for task in tuple(self.tasks.values()):
                if task.desired_status is TaskStatus.STOPPED:
                    self.end(task)
                elif task.last_status is TaskStatus.PENDING:
                    self.run(task)
            self.now += SETTINGS.healthy_after + timedelta(seconds=1)

    def deploy(self, target: str | None, **changes: Any) -> None:
        """A new deployment."""
        self.deployment = a_deployment(target, **changes)
        self.daemon = replace(self.daemon, deployment=self.deployment.id)

    def live(self, revision: str | None = None) -> list[Task]:
        """The tasks that are to run, all or those of a revision."""
        return [
            t
            for t in self.tasks.values()
            if t.desired_status is TaskStatus.RUNNING
            and (revision is None or t.started_by == revision)
        ]

    @property
    def status(self) -> DaemonDeploymentStatus:
        """How far the deployment has come."""
        return self.deployment.status
