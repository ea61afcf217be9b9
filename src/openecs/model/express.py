"""Express services: what one call made around a service, and what of it belongs to a revision.

Amazon ECS Developer Guide, "Resources created by Amazon ECS Express Mode services"; API Reference,
``ECSExpressGatewayService``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from openecs.model.identity import Scope


class ScalingMetric(StrEnum):
    """What a service is scaled by."""

    AVERAGE_CPU = "AVERAGE_CPU"
    AVERAGE_MEMORY = "AVERAGE_MEMORY"
    REQUEST_COUNT_PER_TARGET = "REQUEST_COUNT_PER_TARGET"


class AccessType(StrEnum):
    """Who may reach an endpoint: everybody, or what is in the VPC."""

    PUBLIC = "PUBLIC"
    PRIVATE = "PRIVATE"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScalingTarget:
    """Between how many tasks, and by what, a service is scaled."""

    min_task_count: int = 1
    max_task_count: int = 20
    auto_scaling_metric: ScalingMetric = ScalingMetric.AVERAGE_CPU
    auto_scaling_target_value: int = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpressConfiguration:
    """What a revision of an Express service has besides its task definition and its network."""

    health_check_path: str
    scaling_target: ScalingTarget
    #: Whether ECS registered the task definition, and not the user.
    is_managed: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpressGateway:
    """What was made for one Express service alone, and the load balancer it shares."""

    scope: Scope
    cluster: str
    service: str
    #: 32 hexadecimal digits.
    id: str
    infrastructure_role_arn: str
    #: ``we-ID.ecs.REGION.on.localhost``.
    host: str
    access_type: AccessType
    vpc_id: str
    load_balancer_arn: str
    listener_rule_arn: str
    #: The one that serves first, and its alternate.
    target_group_arns: tuple[str, str]
    certificate_arn: str
    security_group_id: str
    updated_at: datetime
    #: When the service was deleted: what is here goes with its last task.
    left_at: datetime | None = None
    #: The log group that was made for it; None where it was told another.
    log_group: str | None = None
