"""How each task of a service is: what counts for the bounds, what is to be replaced.

API Reference, ``DeploymentConfiguration.minimumHealthyPercent`` (what is healthy) and
``healthCheckGracePeriodSeconds`` (how long what is unhealthy is passed over).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum

from openecs.decide.lifecycle import ORDER
from openecs.decide.services.state import SchedulerSettings, ServiceState, TargetVerdict
from openecs.model.services import Deployment
from openecs.model.tasks import HealthStatus, Task, TaskStatus

CONTAINERS_FAILED = "Task failed container health checks"
TARGETS_FAILED = "Task failed ELB health checks"

_UP_TO_RUNNING = frozenset(ORDER[: ORDER.index(TaskStatus.RUNNING) + 1])


class Condition(IntEnum):
    """How a live task is, from what is missed least to what is missed most."""

    #: Not RUNNING yet.
    PENDING = 0
    UNHEALTHY = 1
    #: RUNNING; its health check or a target group has yet to say how it is.
    UNPROVEN = 2
    #: RUNNING without any check, not yet for long enough.
    YOUNG = 3
    HEALTHY = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A live task as its scheduler sees it."""

    task: Task
    condition: Condition
    #: When time alone makes it healthy, or unhealthy as its grace ends.
    changes_at: datetime | None = None
    #: On an instance that is DRAINING.
    draining: bool = False
    #: Until when it is protected, if it is now.
    protected_until: datetime | None = None
    #: What its target groups say, where it has any.
    verdict: TargetVerdict | None = None

    @property
    def is_healthy(self) -> bool:
        """Whether it counts for minimumHealthyPercent."""
        return self.condition is Condition.HEALTHY

    @property
    def is_unhealthy(self) -> bool:
        """Whether it is to be replaced."""
        return self.condition is Condition.UNHEALTHY

    @property
    def is_settled(self) -> bool:
        """Whether it is all that a steady service asks of it."""
        return self.condition >= Condition.YOUNG and not self.draining

    @property
    def has_sick_containers(self) -> bool:
        """Whether it is its containers' own checks that find it unhealthy."""
        return self.task.health_status is HealthStatus.UNHEALTHY

    @property
    def complaint(self) -> str:
        """Why it is stopped for being UNHEALTHY."""
        if self.has_sick_containers or self.verdict is None:
            return CONTAINERS_FAILED
        return f"{TARGETS_FAILED} in (target-group {self.verdict.target_group_arn})"

    @property
    def is_kept(self) -> bool:
        """Whether its protection forbids to stop it; not so if it is unhealthy."""
        return self.protected_until is not None and not self.is_unhealthy


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """The tasks of a service by what they mean to its scheduler."""

    #: Live tasks: wanted, and not past RUNNING.
    members: tuple[Member, ...] = ()
    #: On their way to STOPPED.
    stopping: tuple[Task, ...] = ()
    #: No longer live, and not yet accounted for.
    ended: tuple[Task, ...] = ()

    def of(self, deployment: Deployment | None) -> tuple[Member, ...]:
        """The live tasks of a deployment."""
        owner = deployment.id if deployment else None
        return tuple(m for m in self.members if m.task.started_by == owner)


def narrowed(seen: Survey, deployment: Deployment | None) -> Survey:
    """The survey of one deployment."""
    owner = deployment.id if deployment else None
    return Survey(
        members=seen.of(deployment),
        stopping=tuple(t for t in seen.stopping if t.started_by == owner),
        ended=tuple(t for t in seen.ended if t.started_by == owner),
    )


def survey(state: ServiceState, settings: SchedulerSettings, now: datetime) -> Survey:
    """The tasks of the service, each with how it is now."""
    ended = tuple(t for t in state.tasks if not is_live(t) and not t.accounted)
    return Survey(
        members=tuple(_member(state, settings, t, now) for t in state.tasks if is_live(t)),
        stopping=tuple(
            t for t in state.tasks if not is_live(t) and t.last_status is not TaskStatus.STOPPED
        ),
        ended=ended,
    )


def is_live(task: Task) -> bool:
    """Whether the task runs, or will, and is to."""
    return task.desired_status is TaskStatus.RUNNING and task.last_status in _UP_TO_RUNNING


def _member(state: ServiceState, settings: SchedulerSettings, task: Task, now: datetime) -> Member:
    protection = task.protection
    condition, changes_at = _condition(state, settings, task, now)
    return Member(
        task=task,
        condition=condition,
        changes_at=changes_at,
        draining=task.container_instance in state.draining,
        protected_until=protection.expires_at
        if protection and protection.expires_at > now
        else None,
        verdict=state.targets.get(task.id),
    )


def _condition(
    state: ServiceState, settings: SchedulerSettings, task: Task, now: datetime
) -> tuple[Condition, datetime | None]:
    """How the task is, and when time alone changes that."""
    if task.last_status is not TaskStatus.RUNNING:
        return Condition.PENDING, None
    since = task.started_at or now
    verdict = state.targets.get(task.id)
    target = True if verdict is None else verdict.healthy
    if task.health_status is HealthStatus.UNHEALTHY or target is False:
        grace = timedelta(seconds=state.service.health_check_grace_period_seconds or 0)
        in_grace = now < since + grace
        return (Condition.UNPROVEN, since + grace) if in_grace else (Condition.UNHEALTHY, None)
    if f"{task.family}:{task.revision}" in state.checked:
        is_proven = task.health_status is HealthStatus.HEALTHY and target is True
        return (Condition.HEALTHY if is_proven else Condition.UNPROVEN), None
    if verdict is not None:
        return (Condition.HEALTHY if target else Condition.UNPROVEN), None
    grown = since + settings.healthy_after
    return (Condition.HEALTHY, None) if grown <= now else (Condition.YOUNG, grown)
