"""The history of a service: its deployments, and stopping one midway.

API Reference, ``ServiceDeployment``; Developer Guide, "Stopping Amazon ECS service deployments".
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime

from openecs.api.base import Call, Members, Operation, Reads, ServiceError, Writes
from openecs.api.ecs import errors, references
from openecs.api.ecs.paging import open_page
from openecs.api.ecs.service_parts import key_of, named, show_owner
from openecs.api.ecs.service_views import Counts, counts_of, show_configuration, tasks_of
from openecs.decide.services import circuit_breaker, events, history, hooks, story, traffic
from openecs.model.services import (
    HookRun,
    HookStatus,
    RolloutState,
    Service,
    ServiceDeployment,
    ServiceDeploymentStatus,
    ServiceEvents,
    ServiceStatus,
)
from openecs.store.base import Transaction, View
from openecs.store.kinds import SERVICE_DEPLOYMENTS, SERVICE_EVENTS, SERVICES, service_key

STOPPED = "Service deployment stopped by the user: rolling back to deploymentId {id}."
HOOK = re.compile(r"ecs-[A-Za-z]+-[A-Za-z0-9_-]+")


def list_service_deployments(view: View, call: Call, request: Members) -> Members:
    """The service deployments of a service, newest first."""
    service = _service(view, call, request)
    times = request.get("createdAt") or {}
    plain = {**request, "createdAt": {name: str(time) for name, time in times.items()}}
    page = open_page(call, "ListServiceDeployments", plain, default=20)
    statuses = set(request.get("status") or ())
    records = [
        record
        for record in _records(view, service)
        if (not statuses or record.status in statuses) and _is_between(record.created_at, times)
    ]
    rest = [record for record in records if not page.after or _order(record) < page.after]
    shown, token = page.cut(rest, _order)
    return {"serviceDeployments": [_brief(record) for record in shown], "nextToken": token}


def describe_service_deployments(view: View, call: Call, request: Members) -> Members:
    """The named service deployments."""
    found, failures = [], []
    for arn in named(request, "serviceDeploymentArns"):
        record = view.get(SERVICE_DEPLOYMENTS, call.scope, key_of(call, arn, "service-deployment"))
        if record is None:
            failures.append(errors.failure(arn, "MISSING"))
        else:
            found.append(_show(view, record))
    return {"serviceDeployments": found, "failures": failures}


def stop_service_deployment(tx: Transaction, call: Call, request: Members) -> Members:
    """Have a service go back to what it was before a deployment that is under way."""
    if (request.get("stopType") or "ROLLBACK") != "ROLLBACK":
        raise errors.invalid_parameter("The stopType ABORT is not supported: use ROLLBACK.")
    arn = request["serviceDeploymentArn"]
    record = _existing(tx, call, arn)
    if history.is_over(record):
        raise errors.conflict(
            f"The service deployment is in the terminal state {record.status}.", [arn]
        )
    if record.status in {ServiceDeploymentStatus.PENDING, ServiceDeploymentStatus.IN_PROGRESS}:
        _go_back(tx, call, record)
    return {"serviceDeploymentArn": arn}


def continue_service_deployment(tx: Transaction, call: Call, request: Members) -> Members:
    """Have a deployment that pauses at a hook go on, or back."""
    record = _existing(tx, call, request["serviceDeploymentArn"])
    if not HOOK.fullmatch(request["hookId"]):
        raise errors.invalid_parameter(
            "Invalid hookId: hookId must follow the format: ecs-{hookType}-{id}"
        )
    if history.is_over(record):
        raise errors.invalid_parameter(
            "Continuing a service deployment is not allowed for service deployment in terminal "
            "states."
        )
    service = tx.get(SERVICES, call.scope, service_key(record.cluster, record.service))
    paused = _paused(record, service, request["hookId"])
    if service is None or paused is None:
        raise errors.invalid_parameter(
            "Provided hookId is either completed, unavailable, or not associated with the given "
            "Resource ARN"
        )
    if request.get("action") == "ROLLBACK":
        _go_back(tx, call, record)
    else:
        over = replace(paused, status=HookStatus.SUCCEEDED)
        tx.put(SERVICES, hooks.with_run(service, over))
    return {"serviceDeploymentArn": record.arn}


OPERATIONS: dict[str, Operation] = {
    "ListServiceDeployments": Reads(list_service_deployments),
    "DescribeServiceDeployments": Reads(describe_service_deployments),
    "StopServiceDeployment": Writes(stop_service_deployment),
    "ContinueServiceDeployment": Writes(continue_service_deployment),
}


def _paused(record: ServiceDeployment, service: Service | None, hook: str) -> HookRun | None:
    """The hook of that id, if the deployment waits for somebody's word there."""
    primary = service.primary if service else None
    if primary is None or primary.service_deployment != record.id or primary.shift is None:
        return None
    waiting = (r for r in primary.shift.hooks if r.status is HookStatus.AWAITING_ACTION)
    return next((run for run in waiting if run.id == hook), None)


def _go_back(tx: Transaction, call: Call, record: ServiceDeployment) -> None:
    service = tx.get(SERVICES, call.scope, service_key(record.cluster, record.service))
    if service is None or not _is_current(record, service):
        raise errors.conflict("The service deployment is not the current one.", [record.arn])
    fresh = f"ecs-svc/{call.ids.digits(19)}"
    failed = _with_failed_primary(service, call.now)
    back = circuit_breaker.roll_back(failed, fresh, STOPPED, call.now)
    if back is None:
        raise errors.conflict(
            "The service deployment cannot be rolled back: no deployment of the service has "
            "completed before.",
            [record.arn],
        )
    requested = replace(
        record, status=ServiceDeploymentStatus.ROLLBACK_REQUESTED, updated_at=call.now
    )
    tx.put(SERVICES, replace(back, steady_at=None))
    tx.put(SERVICE_DEPLOYMENTS, requested)
    _tell(tx, call, back)


def _is_current(record: ServiceDeployment, service: Service) -> bool:
    primary = service.primary
    is_newest = primary is not None and primary.service_deployment == record.id
    return is_newest and service.status is ServiceStatus.ACTIVE


def _tell(tx: Transaction, call: Call, back: Service) -> None:
    """The event that a service rolls back."""
    known = tx.get(SERVICE_EVENTS, back.scope, SERVICES.key(back)) or ServiceEvents(
        scope=back.scope, cluster=back.cluster, service=back.name
    )
    message = events.rolling_back(back.name, back.deployments[0].id)
    tx.put(SERVICE_EVENTS, story.told(known, [message], [call.ids.uuid()], call.now))


def _with_failed_primary(service: Service, now: datetime) -> Service:
    primary = service.deployments[0]
    if primary.rollout_state is not RolloutState.IN_PROGRESS:
        return service
    return circuit_breaker.give_up(
        service, f"ECS deployment {primary.id} stopped by the user.", now
    )


def _service(view: View, call: Call, request: Members) -> Service:
    reference = request["service"]
    cluster = references.active_cluster(view, call, request.get("cluster"))
    name = references.service_name(call, cluster.name, reference)
    service = view.get(SERVICES, call.scope, service_key(cluster.name, name))
    if service is None:
        raise errors.service_not_found()
    return service


def _records(view: View, service: Service) -> list[ServiceDeployment]:
    prefix = f"{SERVICES.key(service)}/"
    found = view.scan(SERVICE_DEPLOYMENTS, service.scope, prefix=prefix)
    return sorted(found, key=_order, reverse=True)


def _order(record: ServiceDeployment) -> str:
    return f"{record.created_at.isoformat()}/{record.id}"


def _is_between(moment: datetime, times: Members) -> bool:
    after, before = times.get("after"), times.get("before")
    return (after is None or moment > after) and (before is None or moment < before)


def _existing(view: View, call: Call, arn: str) -> ServiceDeployment:
    record = view.get(SERVICE_DEPLOYMENTS, call.scope, key_of(call, arn, "service-deployment"))
    if record is None:
        raise ServiceError(
            "ServiceDeploymentNotFoundException", "The service deployment does not exist."
        )
    return record


def _brief(record: ServiceDeployment) -> Members:
    return {
        "serviceDeploymentArn": record.arn,
        **show_owner(record),
        "startedAt": record.started_at,
        "createdAt": record.created_at,
        "finishedAt": record.finished_at,
        "targetServiceRevisionArn": _revision_arn(record, record.target_revision),
        "status": str(record.status),
        "statusReason": record.status_reason,
    }


def _show(view: View, record: ServiceDeployment) -> Members:
    counts, weights = _counts(view, record), _weights(view, record)

    def summary(identifier: str) -> Members:
        return {**_summary(record, identifier, counts), **weights.get(identifier, {})}

    return {
        "serviceDeploymentArn": record.arn,
        **show_owner(record),
        "createdAt": record.created_at,
        "startedAt": record.started_at,
        "finishedAt": record.finished_at,
        "stoppedAt": record.stopped_at,
        "updatedAt": record.updated_at,
        "sourceServiceRevisions": [summary(each) for each in record.source_revisions],
        "targetServiceRevision": summary(record.target_revision),
        "status": str(record.status),
        "statusReason": record.status_reason,
        "lifecycleStage": record.lifecycle_stage,
        "lifecycleHookDetails": [_hook(record, each) for each in record.hooks] or None,
        "deploymentConfiguration": show_configuration(record.deployment_configuration),
        "rollback": _rollback(record),
        "deploymentCircuitBreaker": {
            "status": record.breaker_status,
            "failureCount": record.failure_count,
            "threshold": record.threshold,
        },
        "alarms": _alarms(record),
    }


def _alarms(record: ServiceDeployment) -> Members:
    alarms = record.deployment_configuration.alarms
    return {
        "status": record.alarm_status,
        "alarmNames": list(alarms.alarm_names) if alarms else [],
        "triggeredAlarmNames": list(record.triggered_alarms),
    }


def _hook(record: ServiceDeployment, run: HookRun) -> Members:
    hook = record.deployment_configuration.lifecycle_hooks[run.hook]
    return {
        "hookId": run.id,
        "targetType": str(hook.target_type),
        "targetArn": hook.hook_target_arn,
        "status": str(run.status),
        "expiresAt": run.expires_at,
        "timeoutAction": hooks.timeout(hook).action,
    }


def _weights(view: View, record: ServiceDeployment) -> dict[str, Members]:
    """By revision: the traffic each is to get; of one that has ended, as it ended."""
    service = view.get(SERVICES, record.scope, service_key(record.cluster, record.service))
    shares = {name: (test, production) for name, test, production in record.final_weights}
    if not history.is_over(record) and service is not None:
        shares = dict(traffic.shares(service))
    return {
        name: {"requestedTestTrafficWeight": test, "requestedProductionTrafficWeight": production}
        for name, (test, production) in shares.items()
    }


def _rollback(record: ServiceDeployment) -> Members | None:
    if record.rollback is None:
        return None
    return {
        "reason": record.rollback.reason,
        "startedAt": record.rollback.started_at,
        "serviceRevisionArn": _revision_arn(record, record.rollback.revision),
    }


def _revision_arn(record: ServiceDeployment, identifier: str) -> str:
    path = f"service-revision/{record.cluster}/{record.service}/{identifier}"
    return record.scope.arn("ecs", path)


def _summary(
    record: ServiceDeployment, identifier: str, counts: dict[str, tuple[int, Counts]]
) -> Members:
    requested, tasks = counts.get(identifier, (0, Counts(0, 0)))
    return {
        "arn": _revision_arn(record, identifier),
        "requestedTaskCount": requested,
        "runningTaskCount": tasks.running,
        "pendingTaskCount": tasks.pending,
    }


def _counts(view: View, record: ServiceDeployment) -> dict[str, tuple[int, Counts]]:
    """By revision: the tasks wanted, and those there are; of one that has ended, as it ended."""
    if record.final_counts:
        return {
            identifier: (requested, Counts(running, pending))
            for identifier, requested, running, pending in record.final_counts
        }
    service = view.get(SERVICES, record.scope, service_key(record.cluster, record.service))
    if service is None:
        return {}
    tasks = tasks_of(view, service)
    return {
        d.revision.id: (d.desired_count, counts_of(t for t in tasks if t.started_by == d.id))
        for d in reversed(service.deployments)
    }
