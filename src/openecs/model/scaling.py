"""Scalable targets, their policies and scheduled actions, and what scaling has done.

Application Auto Scaling User Guide; API_ScalableTarget, API_ScalingPolicy, API_ScheduledAction,
API_ScalingActivity.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from openecs.model.alarms import MetricDataQuery, MetricStat
from openecs.model.identity import Scope

NAMESPACE = "ecs"
DIMENSION = "ecs:service:DesiredCount"

_LINKED_ROLE = (
    "role/aws-service-role/ecs.application-autoscaling.amazonaws.com/"
    "AWSServiceRoleForApplicationAutoScaling_ECSService"
)


class ActivityStatus(StrEnum):
    """How far a scaling activity has come."""

    IN_PROGRESS = "InProgress"
    SUCCESSFUL = "Successful"
    OVERRIDDEN = "Overridden"
    FAILED = "Failed"


class AdjustmentType(StrEnum):
    """How a step adjustment is meant."""

    CHANGE = "ChangeInCapacity"
    PERCENT = "PercentChangeInCapacity"
    EXACT = "ExactCapacity"


class NotScaled(StrEnum):
    """Why nothing was scaled."""

    FLAPPING = "AutoScalingAnticipatedFlapping"
    UNSCALABLE = "TargetServicePutResourceAsUnscalable"
    AT_MAX = "AlreadyAtMaxCapacity"
    AT_MIN = "AlreadyAtMinCapacity"
    AT_DESIRED = "AlreadyAtDesiredCapacity"


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspended:
    """What scaling is not to do."""

    scale_in: bool = False
    scale_out: bool = False
    scheduled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ScalableTarget:
    """A service whose desired count is scaled between two bounds.

    ``resource_id`` is ``service/CLUSTER/SERVICE``.
    """

    scope: Scope
    resource_id: str
    #: 36 letters and digits.
    id: str
    minimum: int
    maximum: int
    suspended: Suspended = Suspended()
    created_at: datetime
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def arn(self) -> str:
        """``arn:aws:application-autoscaling:R:A:scalable-target/ID``."""
        return self.scope.arn("application-autoscaling", f"scalable-target/{self.id}")

    @property
    def role_arn(self) -> str:
        """The role that is linked with the service: no other can be chosen."""
        return f"arn:aws:iam::{self.scope.account}:{_LINKED_ROLE}"

    @property
    def service(self) -> str:
        """``CLUSTER/SERVICE``: the service's key."""
        return self.resource_id.removeprefix("service/")


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """An adjustment, and how far beyond the threshold it is for; None: without bound."""

    lower: float | None = None
    upper: float | None = None
    adjustment: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StepScaling:
    """What a step scaling policy does. ``cooldown`` is in seconds."""

    adjustment_type: AdjustmentType
    steps: tuple[Step, ...]
    minimum_magnitude: int | None = None
    cooldown: int = 300
    #: Average, Minimum or Maximum.
    aggregation: str = "Average"


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetTracking:
    """The value a metric is kept at. Cooldowns are in seconds; None: 300, and not told.

    One of ``predefined``, ``metric`` and ``queries``.
    """

    target: float
    predefined: str | None = None
    resource_label: str | None = None
    metric: MetricStat | None = None
    queries: tuple[MetricDataQuery, ...] = ()
    out_cooldown: int | None = None
    in_cooldown: int | None = None
    scales_in: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ScaledOut:
    """The last scale-out: when, and the capacity that was there before."""

    at: datetime
    base: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ScalingPolicy:
    """A policy of a scalable target: ``step`` or ``tracking``."""

    scope: Scope
    resource_id: str
    name: str
    id: str
    creator: str
    step: StepScaling | None = None
    tracking: TargetTracking | None = None
    #: The names of the alarms that were made for it: the high one, and the low one if any.
    alarms: tuple[str, ...] = ()
    created_at: datetime
    #: When each alarm was last acted on, by its name.
    acted: dict[str, datetime] = field(default_factory=dict)
    scaled_out: ScaledOut | None = None
    scaled_in_at: datetime | None = None
    #: The reason that is told already of the alarms as they are.
    not_scaled: NotScaled | None = None

    @property
    def arn(self) -> str:
        """``arn:aws:autoscaling:R:A:scalingPolicy:UUID:resource/ecs/.../policyName/NAME``."""
        tail = f"resource/{NAMESPACE}/{self.resource_id}:policyName/{self.name}"
        return self.scope.arn("autoscaling", f"scalingPolicy:{self.id}:{tail}")

    @property
    def action_arn(self) -> str:
        """The ARN as the alarms have it that are made for the policy."""
        return f"{self.arn}:createdBy/{self.creator}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduledAction:
    """New bounds at a time. ``next_at`` None: never again."""

    scope: Scope
    resource_id: str
    name: str
    id: str
    schedule: str
    timezone: str | None = None
    start: datetime | None = None
    end: datetime | None = None
    minimum: int | None = None
    maximum: int | None = None
    created_at: datetime
    next_at: datetime | None = None

    @property
    def arn(self) -> str:
        """``arn:aws:autoscaling:R:A:scheduledAction:UUID:resource/...:scheduledActionName/NAME``."""
        tail = f"resource/{NAMESPACE}/{self.resource_id}:scheduledActionName/{self.name}"
        return self.scope.arn("autoscaling", f"scheduledAction:{self.id}:{tail}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ScalingActivity:
    """Something that scaling did, or did not (``not_scaled``)."""

    scope: Scope
    resource_id: str
    id: str
    description: str
    cause: str
    status: ActivityStatus
    message: str
    started_at: datetime
    ended_at: datetime | None = None
    #: The desired count that was set, while it is not reached.
    desired: int | None = None
    not_scaled: NotScaled | None = None
    #: The bounds and the capacity that a reason tells.
    minimum: int | None = None
    maximum: int | None = None
    current: int | None = None
