"""The target, policy or service that a request names."""

from __future__ import annotations

import re

from openecs.api.application_autoscaling import errors
from openecs.api.base import Call, Members
from openecs.model.identity import Scope
from openecs.model.scaling import DIMENSION, NAMESPACE, ScalableTarget, ScalingPolicy
from openecs.model.services import SchedulingStrategy, Service, ServiceStatus
from openecs.store.base import View
from openecs.store.kinds import SERVICES
from openecs.store.scaling import SCALABLE_TARGETS, SCALING_POLICIES, part

_RESOURCE = re.compile(r"service/[\w-]{1,255}/[\w-]{1,255}")


def resource_id(request: Members) -> str:
    """``service/CLUSTER/SERVICE``. Raises ``ValidationException`` for anything else."""
    named = request["ResourceId"]
    check_namespace(request)
    if _RESOURCE.fullmatch(named) is None:
        raise errors.unsupported()
    return str(named)


def check_namespace(request: Members) -> None:
    """Only ECS services are scaled here."""
    if request["ServiceNamespace"] != NAMESPACE:
        raise errors.unsupported()
    if request.get("ScalableDimension") not in {None, DIMENSION}:
        raise errors.unsupported()


def target(view: View, call: Call, request: Members) -> ScalableTarget:
    """The target, or ``ObjectNotFoundException``."""
    named = resource_id(request)
    found = view.get(SCALABLE_TARGETS, call.scope, named)
    if found is None:
        raise errors.no_target(named)
    return found


def service(view: View, scope: Scope, named: str) -> Service | None:
    """The service that a resource id names, if it can be scaled."""
    found = view.get(SERVICES, scope, named.removeprefix("service/"))
    if found is None or found.status is not ServiceStatus.ACTIVE:
        return None
    return found if found.scheduling_strategy is SchedulingStrategy.REPLICA else None


def policies(view: View, target: ScalableTarget) -> list[ScalingPolicy]:
    """The policies of a target, by name."""
    return list(view.scan(SCALING_POLICIES, target.scope, prefix=part(target.resource_id, "")))
