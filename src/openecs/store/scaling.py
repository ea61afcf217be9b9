"""Application Auto Scaling as it is stored."""

from __future__ import annotations

from openecs.model.scaling import (
    ActivityStatus,
    ScalableTarget,
    ScalingActivity,
    ScalingPolicy,
    ScheduledAction,
)
from openecs.store.base import Kind

SCALABLE_TARGETS: Kind[ScalableTarget] = Kind(
    name="scalable-target",
    type=ScalableTarget,
    key=lambda target: target.resource_id,
    scope=lambda target: target.scope,
    global_indexes={"present": lambda _: ()},
)

SCALING_POLICIES: Kind[ScalingPolicy] = Kind(
    name="scaling-policy",
    type=ScalingPolicy,
    key=lambda policy: part(policy.resource_id, policy.name),
    scope=lambda policy: policy.scope,
)

SCHEDULED_ACTIONS: Kind[ScheduledAction] = Kind(
    name="scheduled-action",
    type=ScheduledAction,
    key=lambda action: part(action.resource_id, action.name),
    scope=lambda action: action.scope,
)

#: In the order of time.
SCALING_ACTIVITIES: Kind[ScalingActivity] = Kind(
    name="scaling-activity",
    type=ScalingActivity,
    key=lambda a: f"{a.started_at:%Y%m%dT%H%M%S.%f}-{a.id}",
    scope=lambda activity: activity.scope,
    indexes={
        "open": lambda a: (a.resource_id,) if a.status is ActivityStatus.IN_PROGRESS else None
    },
)

KINDS = (SCALABLE_TARGETS, SCALING_POLICIES, SCHEDULED_ACTIONS, SCALING_ACTIVITIES)


def part(resource_id: str, name: str) -> str:
    """The key of what a target has, by its name; those of one target are next to each other."""
    return f"{resource_id}|{name}"
