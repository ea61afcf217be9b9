"""Setting the desired count of a service on behalf of a target, and the activity that tells it.

The control loop writes by the same functions, in its own transactions.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from openecs.api.application_autoscaling import references
from openecs.decide.alarm_transitions import configured
from openecs.decide.scaling.policies import clamp
from openecs.decide.services.resizing import resized
from openecs.model.identity import Ids, Scope
from openecs.model.scaling import ActivityStatus, ScalableTarget, ScalingActivity
from openecs.store.alarms import ALARM_HISTORY, METRIC_ALARMS
from openecs.store.base import Transaction
from openecs.store.kinds import SERVICES
from openecs.store.scaling import (
    SCALABLE_TARGETS,
    SCALING_ACTIVITIES,
    SCALING_POLICIES,
    SCHEDULED_ACTIONS,
    part,
)


def scale(
    tx: Transaction, target: ScalableTarget, count: int, *, cause: str, ids: Ids, now: datetime
) -> None:
    """Set the desired count; what is under way is overridden."""
    service = references.service(tx, target.scope, target.resource_id)
    if service is None:
        return
    for activity in tx.find(SCALING_ACTIVITIES, target.scope, "open", (target.resource_id,)):
        tx.put(
            SCALING_ACTIVITIES,
            replace(activity, status=ActivityStatus.OVERRIDDEN, ended_at=now),
        )
    tx.put(SERVICES, resized(service, count, now))
    done = f"Successfully set desired count to {count}."
    activity = ScalingActivity(
        scope=target.scope,
        resource_id=target.resource_id,
        id=ids.uuid(),
        description=f"Setting desired count to {count}.",
        cause=cause,
        status=ActivityStatus.IN_PROGRESS,
        message=f"{done} Waiting for change to be fulfilled by ecs.",
        started_at=now,
        desired=count,
    )
    tx.add(SCALING_ACTIVITIES, activity)


def bring_into_bounds(tx: Transaction, target: ScalableTarget, ids: Ids, now: datetime) -> None:
    """Bring the desired count between the target's bounds."""
    service = references.service(tx, target.scope, target.resource_id)
    if service is None:
        return
    count = clamp(target, service.desired_count)
    if count == service.desired_count:
        return
    which = "minimum" if count > service.desired_count else "maximum"
    cause = f"{which} capacity was set to {count}"
    scale(tx, target, count, cause=cause, ids=ids, now=now)


def forget(tx: Transaction, target: ScalableTarget, ids: Ids, now: datetime) -> None:
    """Remove a target with its policies, their alarms and its scheduled actions."""
    for policy in references.policies(tx, target):
        delete_alarms(tx, target.scope, policy.alarms, ids, now)
        tx.delete(SCALING_POLICIES, target.scope, SCALING_POLICIES.key(policy))
    prefix = part(target.resource_id, "")
    for action in tx.scan(SCHEDULED_ACTIONS, target.scope, prefix=prefix):
        tx.delete(SCHEDULED_ACTIONS, target.scope, SCHEDULED_ACTIONS.key(action))
    tx.delete(SCALABLE_TARGETS, target.scope, target.resource_id)


def delete_alarms(
    tx: Transaction, scope: Scope, names: tuple[str, ...], ids: Ids, now: datetime
) -> None:
    """Remove the alarms that were made for a policy."""
    for name in names:
        alarm = tx.get(METRIC_ALARMS, scope, name)
        if alarm is not None:
            tx.add(ALARM_HISTORY, configured(alarm, "Delete", ids.uuid(), now))
            tx.delete(METRIC_ALARMS, scope, name)
