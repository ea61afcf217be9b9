"""What a service has become by its moves: deployments gone, completed, steady."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from openecs.decide.services import deployment_alarms, events, traffic
from openecs.decide.services.health import Condition, Member, Survey
from openecs.decide.services.rollout import Moves
from openecs.decide.services.state import SchedulerSettings, Start, Stop
from openecs.model.services import Deployment, LifecycleStage, RolloutState, Service
from openecs.model.tasks import Task, TaskStatus


def stops_of(service: Service, members: Iterable[Member]) -> tuple[Stop, ...]:
    """The stops of tasks, each with its reason."""
    newest = service.primary.id if service.primary else ""
    return tuple(Stop(task=m.task.id, reason=_reason(m, newest)) for m in members)


def starts_of(service: Service, moves: Moves) -> tuple[Start, ...]:
    """The starts that are due: of the PRIMARY deployment, and of one that still serves."""
    if not moves.starts or service.primary is None:
        return moves.of_source
    start = Start(
        deployment=service.primary.id,
        count=moves.starts,
        instances=moves.instances,
        replaces_unhealthy=moves.replaces_unhealthy,
    )
    return (*moves.of_source, start)


def complaints(service: Service, members: Iterable[Member]) -> tuple[str, ...]:
    """The events of tasks replaced because they are unhealthy."""
    return tuple(_complaint(service, member) for member in members)


def _complaint(service: Service, member: Member) -> str:
    verdict = member.verdict
    if member.has_sick_containers or verdict is None:
        return events.failed_health_checks(service.name, member.task.id)
    return events.failed_target_checks(
        service.name, verdict.target, verdict.target_group_arn, verdict.reason
    )


def stopped_pending(service: Service, members: Iterable[Member]) -> tuple[str, ...]:
    """The event of tasks stopped before they ran, if there are any."""
    count = sum(m.condition is Condition.PENDING for m in members)
    return (events.stopped_pending(service.name, count),) if count else ()


def stopped_running(service: Service, members: Iterable[Member]) -> tuple[str, ...]:
    """The event of tasks stopped while they ran, if there are any."""
    ran = [m.task.id for m in members if m.condition is not Condition.PENDING]
    return (events.stopped_running(service.name, ran),) if ran else ()


def obstacles(service: Service, moves: Moves, task_set: str) -> tuple[str, ...]:
    """The events of what stands in the way."""
    told = []
    if moves.is_stuck:
        told.append(events.held_by_bounds(service.name))
    if moves.is_kept:
        told.append(events.held_by_protection(service.name, task_set))
    return tuple(told)


def settle(
    service: Service, seen: Survey, moves: Moves, settings: SchedulerSettings, now: datetime
) -> tuple[Service, tuple[str, ...]]:
    """The service with its deployments brought up to date, and the events that tells."""
    gone = {m.task.id for m in moves.stops}
    left = [m for m in seen.members if m.task.id not in gone]
    service = _pruned(service, seen, left, now)
    is_quiet = moves.is_quiet
    service, told = _completed(service, seen, left, now) if is_quiet else (service, ())
    is_steady = is_quiet and _is_steady(service, left)
    return noted(service, told, settings, now, is_steady=is_steady)


def noted(
    service: Service,
    told: tuple[str, ...],
    settings: SchedulerSettings,
    now: datetime,
    *,
    is_steady: bool,
) -> tuple[Service, tuple[str, ...]]:
    """The service and its events; among them that it is steady, if that is to be said (again)."""
    if not is_steady:
        return replace(service, steady_at=None), told
    if service.steady_at and now < service.steady_at + settings.steady_again and not told:
        return service, ()
    return replace(service, steady_at=now), (*told, events.steady(service.name))


def _reason(member: Member, newest: str) -> str:
    if member.is_unhealthy:
        return member.complaint
    return f"Scaling activity initiated by (deployment {member.task.started_by or newest})"


def _pruned(service: Service, seen: Survey, left: Sequence[Member], now: datetime) -> Service:
    """Older deployments go once none of their tasks is live or RUNNING any more.

    One that failed is still shown while it is being rolled back.
    """
    if not service.deployments:
        return service
    primary, *older = service.deployments
    counts = {d.id: sum(m.task.started_by == d.id for m in left) for d in older}
    running = _still_running(seen)
    serving = _still_serving(service)
    kept = [
        _resized(d, service.desired_count if d is serving else counts[d.id], now)
        for d in older
        if counts[d.id] or d.id in running or d is serving or _is_rolled_back_by(primary, d)
    ]
    return replace(service, deployments=(_resized(primary, service.desired_count, now), *kept))


def _is_rolled_back_by(primary: Deployment, older: Deployment) -> bool:
    return (
        primary.rollout_state is RolloutState.IN_PROGRESS
        and older.rollout_state is RolloutState.FAILED
        and older.service_deployment == primary.service_deployment
    )


def _still_serving(service: Service) -> Deployment | None:
    """The older deployment that is kept up while the traffic is shifted away from it."""
    shift = traffic.current(service)
    is_over = shift is None or shift.stage is LifecycleStage.CLEAN_UP
    return None if is_over else traffic.source(service)


def _still_running(seen: Survey) -> frozenset[str | None]:
    tasks: tuple[Task, ...] = (*(m.task for m in seen.members), *seen.stopping)
    return frozenset(t.started_by for t in tasks if t.last_status is TaskStatus.RUNNING)


def _resized(deployment: Deployment, desired: int, now: datetime) -> Deployment:
    if deployment.desired_count == desired:
        return deployment
    return replace(deployment, desired_count=desired, updated_at=now)


def _completed(
    service: Service, seen: Survey, left: Sequence[Member], now: datetime
) -> tuple[Service, tuple[str, ...]]:
    primary = service.primary
    if primary is None or primary.rollout_state is not RolloutState.IN_PROGRESS:
        return service, ()
    if primary.shift is not None and primary.shift.stage is not LifecycleStage.CLEAN_UP:
        return service, ()
    is_alone = _still_running(seen) <= {primary.id}
    if not is_alone or len(left) != service.desired_count:
        return service, ()
    if not all(m.is_healthy and not m.draining for m in left):
        return service, ()
    if (waiting := deployment_alarms.baking(service, now)) is not None:
        return waiting, ()
    done = replace(
        primary,
        rollout_state=RolloutState.COMPLETED,
        rollout_state_reason=f"ECS deployment {primary.id} completed.",
        updated_at=now,
    )
    service = replace(service, deployments=(done,), completed_revision=done.revision)
    return service, (events.completed(service.name, done.id),)


def _is_steady(service: Service, left: Sequence[Member]) -> bool:
    primary = service.primary
    return (
        primary is not None
        and primary.rollout_state is RolloutState.COMPLETED
        and len(left) == service.desired_count
        and all(m.is_settled for m in left)
    )
