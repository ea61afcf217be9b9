"""The record of a change of a service, kept in line with what became of its deployments.

Developer Guide, "View service history using Amazon ECS service deployments". A deployment that
failed and is not rolled back is STOPPED: API Reference, ``ServiceDeployment.stoppedAt``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from openecs.decide.services import circuit_breaker, deployment_alarms, traffic
from openecs.model.services import (
    Deployment,
    Rollback,
    RolloutState,
    Service,
    ServiceDeployment,
    ServiceDeploymentStatus,
)

Status = ServiceDeploymentStatus

BREAKER_TRIPPED = "the circuit breaker threshold was exceeded"
ALARM_DETECTED = "an alarm was detected"
REQUESTED = "a user requested it"
NO_CANDIDATE = "No rollback candidate was found to run the rollback."
DELETED = "Service deployment was stopped because the service was deleted."
SUPERSEDED = "Service deployment was stopped because a newer service deployment replaced it."

_OVER = frozenset(
    {
        Status.SUCCESSFUL,
        Status.STOPPED,
        Status.ROLLBACK_SUCCESSFUL,
        Status.ROLLBACK_FAILED,
    }
)


def advance(
    record: ServiceDeployment,
    service: Service,
    counts: Mapping[str, tuple[int, int, int]],
    now: datetime,
) -> ServiceDeployment:
    """The record after a pass over the service; one that has ended stays as it is.

    ``counts`` are the tasks of service revisions, by id: requested, running, pending.
    ``updated_at`` follows when anything else changed.
    """
    if record.status in _OVER:
        return record
    primary = service.primary
    after = replace(record, started_at=record.started_at or now, **_shift(record, service))
    if primary is None:
        after = _ended(after, Status.STOPPED, DELETED, now)
    elif primary.service_deployment != record.id:
        after = _ended(after, Status.STOPPED, SUPERSEDED, now)
    else:
        after = _alarmed(_watched(after, service), service)
        after = _advanced(after, service, primary, now)
    if after.status in _OVER:
        weights = traffic.shares(service)
        after = replace(
            after,
            final_counts=tuple((r, *c) for r, c in sorted(counts.items())),
            final_weights=tuple((r, *w) for r, w in sorted(weights.items())),
        )
    return after if after == record else replace(after, updated_at=now)


def is_over(record: ServiceDeployment) -> bool:
    """Whether the service deployment has ended, well or not."""
    return record.status in _OVER


def _shift(record: ServiceDeployment, service: Service) -> dict[str, Any]:
    """What the record tells of the shift of its newest deployment."""
    primary = service.primary
    if primary is None or primary.service_deployment != record.id or primary.shift is None:
        return {}
    return {"lifecycle_stage": primary.shift.stage, "hooks": primary.shift.hooks}


def _watched(record: ServiceDeployment, service: Service) -> ServiceDeployment:
    """The record with what the circuit breaker saw; what a rollback goes through is not its."""
    if not service.deployment_configuration.deployment_circuit_breaker.enable:
        return replace(record, breaker_status="DISABLED")
    limit = circuit_breaker.threshold(service.desired_count)
    watched = _own(record, service)
    if watched is None:
        return record
    match watched.rollout_state:
        case RolloutState.COMPLETED:
            status = "MONITORING_COMPLETE"
        case RolloutState.FAILED if watched.rollout_state_reason == circuit_breaker.TASKS_FAILED:
            status = "TRIGGERED"
        case RolloutState.FAILED:
            status = "MONITORING_COMPLETE"
        case RolloutState.IN_PROGRESS:
            status = "MONITORING"
    return replace(
        record, breaker_status=status, failure_count=watched.failed_tasks, threshold=limit
    )


def _alarmed(record: ServiceDeployment, service: Service) -> ServiceDeployment:
    """The record with what the alarms of its deployment said, which a rollback does not ask."""
    watched = _own(record, service)
    if watched is None:
        return record
    alarms = watched.alarm_watch.triggered if watched.alarm_watch else ()
    status = deployment_alarms.status(watched)
    return replace(record, alarm_status=status, triggered_alarms=alarms)


def _own(record: ServiceDeployment, service: Service) -> Deployment | None:
    """The deployment of the revision that was asked for, while it is still there."""
    mine = (d for d in service.deployments if d.service_deployment == record.id)
    return next((d for d in mine if d.revision.id == record.target_revision), None)


def _advanced(
    record: ServiceDeployment, service: Service, primary: Deployment, now: datetime
) -> ServiceDeployment:
    is_back = primary.revision.id != record.target_revision
    if is_back and record.rollback is None:
        record = _rolled_back(record, service, primary, now)
    match primary.rollout_state:
        case RolloutState.IN_PROGRESS:
            return replace(record, status=_under_way(record, is_back=is_back))
        case RolloutState.COMPLETED:
            status = Status.ROLLBACK_SUCCESSFUL if is_back else Status.SUCCESSFUL
            return _ended(record, status, record.status_reason, now)
        case RolloutState.FAILED if is_back:
            reason = "Service deployment rollback failed because " + BREAKER_TRIPPED + "."
            return _ended(record, Status.ROLLBACK_FAILED, reason, now)
        case RolloutState.FAILED:
            return _failed(record, service, primary, now)


def _under_way(record: ServiceDeployment, *, is_back: bool) -> ServiceDeploymentStatus:
    if is_back:
        return Status.ROLLBACK_IN_PROGRESS
    requested = {Status.STOP_REQUESTED, Status.ROLLBACK_REQUESTED}
    return record.status if record.status in requested else Status.IN_PROGRESS


def _rolled_back(
    record: ServiceDeployment, service: Service, primary: Deployment, now: datetime
) -> ServiceDeployment:
    failed = _own(record, service)
    reason = f"Service deployment rolled back because {_cause(failed)}."
    return replace(
        record,
        status_reason=reason,
        rollback=Rollback(reason=reason, started_at=now, revision=primary.revision.id),
    )


def _cause(failed: Deployment | None) -> str:
    reason = failed.rollout_state_reason if failed else ""
    match reason:
        case circuit_breaker.TASKS_FAILED:
            return BREAKER_TRIPPED
        case circuit_breaker.ALARM_DETECTED:
            return ALARM_DETECTED
        case _ if reason.startswith(circuit_breaker.SHIFT_FAILED):
            return reason.removeprefix(circuit_breaker.SHIFT_FAILED).removesuffix(".")
        case _:
            return REQUESTED


def _failed(
    record: ServiceDeployment, service: Service, primary: Deployment, now: datetime
) -> ServiceDeployment:
    """Without a rollback: STOPPED, and why; wanted but impossible, that it FAILED."""
    reason = f"Service deployment failed because {_cause(primary)}."
    if _wants_rollback(record, service, primary):
        return _ended(record, Status.ROLLBACK_FAILED, f"{reason} {NO_CANDIDATE}", now)
    return _ended(record, Status.STOPPED, reason, now)


def _wants_rollback(record: ServiceDeployment, service: Service, primary: Deployment) -> bool:
    configuration = service.deployment_configuration
    match primary.rollout_state_reason:
        case circuit_breaker.TASKS_FAILED:
            return configuration.deployment_circuit_breaker.rollback
        case circuit_breaker.ALARM_DETECTED:
            return bool(configuration.alarms and configuration.alarms.rollback)
        case reason:
            is_shift = reason.startswith(circuit_breaker.SHIFT_FAILED)
            return is_shift or record.status is Status.ROLLBACK_REQUESTED


def _ended(
    record: ServiceDeployment,
    status: ServiceDeploymentStatus,
    reason: str | None,
    now: datetime,
) -> ServiceDeployment:
    stopped = now if status is Status.STOPPED else None
    return replace(record, status=status, status_reason=reason, finished_at=now, stopped_at=stopped)
