"""When a deployment is given up, and what it goes back to.

Developer Guide, "How the Amazon ECS deployment circuit breaker detects failures" and "How
CloudWatch alarms detect Amazon ECS deployment failures".
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from openecs.decide.services import deployment_alarms, events
from openecs.decide.services.health import Member
from openecs.decide.services.start_backoff import is_excused
from openecs.model.deployment_failures import AlarmWatch
from openecs.model.services import (
    Deployment,
    DeploymentStatus,
    LifecycleStage,
    RolloutState,
    Service,
    TrafficShift,
)
from openecs.model.tasks import Task

TASKS_FAILED = "ECS deployment circuit breaker: tasks failed to start."
ROLLING_BACK = "ECS deployment circuit breaker: rolling back to deploymentId {id}."
ALARM_DETECTED = "ECS deployment failed: alarm detected."
ALARM_ROLLING_BACK = "ECS deployment failed: alarm(s) detected. Rolling back to deploymentId {id}."
_GOING_BACK = "olling back to deploymentId"
#: A deployment that shifts traffic and cannot go on: what follows says why.
SHIFT_FAILED = "ECS deployment failed: "
SHIFT_ROLLING_BACK = "ECS deployment failed. Rolling back to deploymentId {id}."


class _Verdict(NamedTuple):
    """Why a deployment fails: its reason, that of its rollback, and what the event says."""

    reason: str
    going_back: str
    told: str
    rolls_back: bool


def threshold(desired: int) -> int:
    """How many failures trip the breaker: half of the tasks wanted, from 3 to 200."""
    return min(max(-(-desired // 2), 3), 200)


def is_monitored(service: Service, deployment: Deployment) -> bool:
    """Whether the breaker counts the failures of the deployment."""
    enabled = service.deployment_configuration.deployment_circuit_breaker.enable
    return enabled and deployment.rollout_state is RolloutState.IN_PROGRESS


def count(deployment: Deployment, ended: Iterable[Task], members: Collection[Member]) -> Deployment:
    """The deployment in progress with its failed tasks counted.

    Failed is what ended before it ran, and what is unhealthy and so replaced; not what crashed
    having run. A first task that runs, and later any that becomes healthy, starts the count anew.
    """
    tasks = [*ended, *(m.task for m in members)]
    has_run = deployment.has_run or any(t.started_at for t in tasks)
    healthy = any(_is_news(m, deployment) for m in members)
    before = 0 if healthy or has_run is not deployment.has_run else deployment.failed_tasks
    failures = sum(t.started_at is None and not is_excused(t) for t in ended)
    failures += sum(m.is_unhealthy for m in members)
    return replace(deployment, has_run=has_run, failed_tasks=before + failures)


def check(
    service: Service, alarms: Collection[str], problem: str | None, fresh: str, now: datetime
) -> tuple[Service, tuple[str, ...]]:
    """The service, its deployment given up if that is due, and the events that tells.

    ``problem``: why a deployment that shifts traffic cannot go on. ``fresh`` is an id for the
    deployment that goes back, if a new one is needed.
    """
    primary = service.primary
    verdict = _verdict(service, alarms, problem)
    if primary is None or verdict is None:
        return service, ()
    if verdict.reason == ALARM_DETECTED:
        service = deployment_alarms.triggered(service, alarms)
    told = (events.failed(service.name, primary.id, verdict.told),)
    service = give_up(service, verdict.reason, now)
    back = None
    if verdict.rolls_back:
        back = roll_back(service, fresh, verdict.going_back, now)
    if back is None:
        return service, told
    return back, (*told, events.rolling_back(service.name, back.deployments[0].id))


def give_up(service: Service, reason: str, now: datetime) -> Service:
    """The service with its PRIMARY deployment FAILED."""
    primary, *older = service.deployments
    failed = replace(
        primary,
        rollout_state=RolloutState.FAILED,
        rollout_state_reason=reason,
        updated_at=now,
    )
    return replace(service, deployments=(failed, *older))


def roll_back(service: Service, fresh: str, reason: str, now: datetime) -> Service | None:
    """The service with what completed last as its PRIMARY deployment again; None without such.

    A deployment of that revision that still has tasks is taken up again, so that they stay: it goes
    from COMPLETED to IN_PROGRESS. Where there is none, a new one begins, with the id ``fresh``.
    ``reason`` has a place for the ``{id}`` of either.
    """
    primary, target = service.primary, service.completed_revision
    if primary is None or target is None:
        return None
    known = next((d for d in service.deployments if d.revision.id == target.id), None)
    name = known.id if known else fresh
    back = Deployment(
        id=name,
        status=DeploymentStatus.PRIMARY,
        revision=target,
        service_deployment=primary.service_deployment,
        desired_count=service.desired_count,
        rollout_state=RolloutState.IN_PROGRESS,
        rollout_state_reason=reason.format(id=name),
        alarm_watch=AlarmWatch(is_watching=False),
        created_at=known.created_at if known else now,
        updated_at=now,
    )
    older = (
        replace(d, status=DeploymentStatus.ACTIVE) for d in service.deployments if d is not known
    )
    if primary.shift is not None:
        back = replace(back, shift=_shift_back(primary.shift, now))
    return replace(service, revision=target, completed_revision=None, deployments=(back, *older))


def is_going_back(deployment: Deployment) -> bool:
    """Whether the deployment is the rollback of another."""
    return _GOING_BACK in deployment.rollout_state_reason


def _shift_back(shift: TrafficShift, now: datetime) -> TrafficShift:
    """The shift of the rollback: it has what the failed one has not got yet."""
    return TrafficShift(
        configuration=shift.configuration,
        stage=LifecycleStage.SCALE_UP,
        stage_at=now,
        production_weight=100.0 - shift.production_weight,
        test_weight=100.0 - shift.test_weight,
    )


def _is_news(member: Member, deployment: Deployment) -> bool:
    """Whether the task is healthy and began after the last failure was counted."""
    since = member.task.started_at
    return member.is_healthy and since is not None and since > deployment.updated_at


def _verdict(service: Service, alarms: Collection[str], problem: str | None) -> _Verdict | None:
    """Why the deployment in progress fails, or None while it does not."""
    primary = service.primary
    if primary is None or primary.rollout_state is not RolloutState.IN_PROGRESS:
        return None
    configuration = service.deployment_configuration
    breaker, watched = configuration.deployment_circuit_breaker, configuration.alarms
    if breaker.enable and primary.failed_tasks >= threshold(service.desired_count):
        return _Verdict(TASKS_FAILED, ROLLING_BACK, "tasks failed to start", breaker.rollback)
    if problem:
        whole = f"{SHIFT_FAILED}{problem.removesuffix('.')}."
        return _Verdict(whole, SHIFT_ROLLING_BACK, problem.removesuffix("."), rolls_back=True)
    if watched and deployment_alarms.is_failing(service, alarms):
        return _Verdict(ALARM_DETECTED, ALARM_ROLLING_BACK, "alarm detected", watched.rollback)
    return None
