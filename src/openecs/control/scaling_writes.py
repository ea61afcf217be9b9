"""What the scaling loop looks at, and what it writes: one transaction for a target."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from openecs.api.application_autoscaling import capacity, references
from openecs.decide.scaling.policies import Decision, Demand, Seen, decide, watches
from openecs.decide.scaling.schedules import awaited, following
from openecs.model.alarms import MetricAlarm
from openecs.model.identity import Ids, Scope
from openecs.model.scaling import (
    ActivityStatus,
    NotScaled,
    ScalableTarget,
    ScalingActivity,
    ScalingPolicy,
    ScheduledAction,
)
from openecs.model.services import RolloutState, Service
from openecs.model.tasks import TaskStatus
from openecs.store.alarms import METRIC_ALARMS
from openecs.store.base import Transaction, View
from openecs.store.kinds import TASKS
from openecs.store.scaling import (
    SCALABLE_TARGETS,
    SCALING_ACTIVITIES,
    SCALING_POLICIES,
    SCHEDULED_ACTIONS,
    part,
)

Where = tuple[Scope, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A target and what decides about it."""

    target: ScalableTarget
    #: None where it is gone, or going.
    service: Service | None
    running: int
    policies: tuple[ScalingPolicy, ...]
    #: The alarms that are in ALARM, with each policy they name.
    raised: tuple[tuple[ScalingPolicy, MetricAlarm], ...]
    schedule: tuple[ScheduledAction, ...]
    #: The activities that are not fulfilled yet.
    open: tuple[ScalingActivity, ...]


def look(key: Where, alarms: Iterable[str], view: View) -> Look | None:
    """The target, or None where there is none. ``alarms`` are the names of its alarms."""
    scope, named = key
    target = view.get(SCALABLE_TARGETS, scope, named)
    if target is None:
        return None
    policies = tuple(references.policies(view, target))
    found = [a for name in alarms if (a := view.get(METRIC_ALARMS, scope, name))]
    service = references.service(view, scope, named)
    return Look(
        target=target,
        service=service,
        running=_running(view, service) if service else 0,
        policies=policies,
        raised=tuple((p, a) for p in policies for a in found if watches(p, a)),
        schedule=tuple(view.scan(SCHEDULED_ACTIONS, scope, prefix=part(named, ""))),
        open=tuple(view.find(SCALING_ACTIVITIES, scope, "open", (named,))),
    )


def is_due(seen: Look, now: datetime) -> bool:
    """Whether there is something to write though no alarm is due."""
    if seen.service is None:
        return True
    fulfilled = bool(seen.open) and seen.running == seen.service.desired_count
    return fulfilled or any(_is_due(a, now) or a != _reckoned(a, now) for a in seen.schedule)


def act(
    tx: Transaction, seen: Look, values: Mapping[str, float], *, ids: Ids, now: datetime
) -> None:
    """Do what is due."""
    if seen.service is None:
        _close(tx, seen, ActivityStatus.OVERRIDDEN, now)
        capacity.forget(tx, seen.target, ids, now)
        return
    if seen.running == seen.service.desired_count:
        _close(tx, seen, ActivityStatus.SUCCESSFUL, now)
    target = _run_schedule(tx, seen, ids, now)
    service = references.service(tx, target.scope, target.resource_id)
    if service is None or not values:
        return
    decision = decide(
        Seen(
            target=target,
            current=service.desired_count,
            policies=seen.policies,
            alarms=tuple({alarm.name: alarm for _, alarm in seen.raised}.values()),
            values=values,
            is_deploying=_is_deploying(service),
            now=now,
        )
    )
    _apply(tx, target, decision, ids, now)


def _apply(
    tx: Transaction, target: ScalableTarget, decision: Decision, ids: Ids, now: datetime
) -> None:
    demand = decision.demand
    for policy in decision.policies:
        tx.put(SCALING_POLICIES, policy)
    if demand is None:
        return
    if decision.capacity is not None:
        cause = _cause(demand)
        capacity.scale(tx, target, decision.capacity, cause=cause, ids=ids, now=now)
    elif decision.not_scaled is not None:
        _tell_not_scaled(tx, target, decision, ids, now)


def _tell_not_scaled(
    tx: Transaction, target: ScalableTarget, decision: Decision, ids: Ids, now: datetime
) -> None:
    """Tell why nothing was scaled, once for as long as it stays so."""
    demand, reason = decision.demand, decision.not_scaled
    policy = next((p for p in decision.policies if demand and p.name == demand.policy.name), None)
    if demand is None or policy is None or policy.not_scaled is reason:
        return
    tx.put(SCALING_POLICIES, replace(policy, not_scaled=reason))
    service = references.service(tx, target.scope, target.resource_id)
    told = ScalingActivity(
        scope=target.scope,
        resource_id=target.resource_id,
        id=ids.uuid(),
        started_at=now,
        ended_at=now,
        description="Attempting to scale due to alarm triggered",
        cause=_cause(demand),
        status=ActivityStatus.FAILED,
        message=_WHY[reason] if reason else "",
        not_scaled=reason,
        minimum=target.minimum,
        maximum=target.maximum,
        current=service.desired_count if service else None,
    )
    tx.add(SCALING_ACTIVITIES, told)


_WHY = {
    NotScaled.FLAPPING: "Scaling in would make the metric breach the target again.",
    NotScaled.UNSCALABLE: "Scale-in is off while a deployment is in progress.",
    NotScaled.AT_MAX: "The capacity is at the maximum already.",
    NotScaled.AT_MIN: "The capacity is at the minimum already.",
    NotScaled.AT_DESIRED: "The capacity is as desired already.",
}


def _run_schedule(tx: Transaction, seen: Look, ids: Ids, now: datetime) -> ScalableTarget:
    """Do the scheduled actions that are due, each once however often it was missed."""
    target = seen.target
    for action in seen.schedule:
        if (reckoned := _reckoned(action, now)) != action:
            tx.put(SCHEDULED_ACTIONS, reckoned)
    due = [action for action in seen.schedule if _is_due(action, now)]
    for action in sorted(due, key=lambda action: action.next_at or now):
        tx.put(SCHEDULED_ACTIONS, replace(action, next_at=following(action, now)))
        if not target.suspended.scheduled:
            target = _run(tx, target, action, ids, now)
    return target


def _run(
    tx: Transaction, target: ScalableTarget, action: ScheduledAction, ids: Ids, now: datetime
) -> ScalableTarget:
    least, most = action.minimum, action.maximum
    after = replace(
        target,
        minimum=target.minimum if least is None else least,
        maximum=target.maximum if most is None else most,
    )
    given = [("min", least), ("max", most)]
    what = " and ".join(f"{name} capacity to {n}" for name, n in given if n is not None)
    fits = after.minimum <= after.maximum
    reason = "Reason: Maximum capacity cannot be less than minimum capacity"
    told = ScalingActivity(
        scope=target.scope,
        resource_id=target.resource_id,
        id=ids.uuid(),
        started_at=now,
        ended_at=now,
        description=f"Setting {what}",
        cause=f"scheduled action name {action.name} was triggered",
        status=ActivityStatus.SUCCESSFUL if fits else ActivityStatus.FAILED,
        message=f"Successfully set {what}" if fits else f"Failed to set {what}. {reason}",
    )
    tx.add(SCALING_ACTIVITIES, told)
    if not fits:
        return target
    tx.put(SCALABLE_TARGETS, after)
    capacity.bring_into_bounds(tx, after, ids, now)
    return after


def _close(tx: Transaction, seen: Look, status: ActivityStatus, now: datetime) -> None:
    for activity in seen.open:
        is_done = status is ActivityStatus.SUCCESSFUL and activity.desired is not None
        done = f"Successfully set desired count to {activity.desired}."
        message = f"{done} Change successfully fulfilled by ecs." if is_done else activity.message
        after = replace(activity, status=status, message=message, ended_at=now)
        if is_done and seen.service and activity.desired != seen.service.desired_count:
            # Someone else has set another count since.
            after = replace(activity, status=ActivityStatus.OVERRIDDEN, ended_at=now)
        tx.put(SCALING_ACTIVITIES, after)


def _cause(demand: Demand) -> str:
    alarm, policy = demand.alarm.name, demand.policy.name
    return f"monitor alarm {alarm} in state ALARM triggered policy {policy}"


def _is_due(action: ScheduledAction, now: datetime) -> bool:
    return action.next_at is not None and action.next_at <= now


def _reckoned(action: ScheduledAction, now: datetime) -> ScheduledAction:
    return replace(action, next_at=awaited(action, now))


def _is_deploying(service: Service) -> bool:
    return len(service.deployments) > 1 or any(
        d.rollout_state is RolloutState.IN_PROGRESS for d in service.deployments
    )


def _running(view: View, service: Service) -> int:
    words = (service.cluster, service.name)
    tasks = view.find(TASKS, service.scope, "service", words)
    return sum(task.last_status is TaskStatus.RUNNING for task in tasks)
