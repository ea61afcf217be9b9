"""How a service deploys: its deployment configuration, and what of it is not built yet.

API Reference, ``DeploymentConfiguration``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from openecs.api import shapes
from openecs.api.base import Members
from openecs.api.ecs import deployment_strategies, errors
from openecs.model.services import DeploymentConfiguration, SchedulingStrategy, Service

#: The only threshold there is, which is the default.
_THRESHOLD = {"type": "BOUNDED_PERCENT", "value": 50}
ZONE = "attribute:ecs.availability-zone"


def parse(
    request: Members, strategy: SchedulingStrategy, current: DeploymentConfiguration | None = None
) -> DeploymentConfiguration:
    """The deployment configuration: what is given over what was. Raises ``ServiceError``."""
    given = request.get("deploymentConfiguration") or {}
    _check_newer(given)
    check_alarms(given.get("alarms") or {})
    is_daemon = strategy is SchedulingStrategy.DAEMON
    defaults: Mapping[str, Any] = {
        "maximumPercent": 100 if is_daemon else 200,
        "minimumHealthyPercent": 0 if is_daemon else 100,
    }
    known = shapes.to_members(current) if current else defaults
    merged = {**known, **{k: v for k, v in given.items() if v is not None}}
    if given.get("lifecycleHooks"):
        merged["lifecycleHooks"] = deployment_strategies.hooks_as_text(given["lifecycleHooks"])
    parsed = deployment_strategies.completed(
        shapes.from_members(DeploymentConfiguration, merged), given, current
    )
    deployment_strategies.check(parsed, strategy)
    _check_bounds(parsed, strategy)
    return parsed


def rebalancing(request: Members, service: Service) -> str:
    """Availability zone rebalancing of a new service: on where it can be.

    Developer Guide, "Balancing an Amazon ECS service across Availability Zones". Raises
    ``InvalidParameterException`` where it is asked for and cannot be.
    """
    given: str | None = request.get("availabilityZoneRebalancing")
    first = service.placement_strategy[:1]
    is_able = (
        service.scheduling_strategy is SchedulingStrategy.REPLICA
        and service.deployment_configuration.maximum_percent > 100
        and all(s.type == "spread" and s.field == ZONE for s in first)
    )
    if given == "ENABLED" and not is_able:
        raise errors.invalid_parameter(
            "Availability Zone rebalancing needs the scheduling strategy REPLICA, a maximumPercent "
            "above 100 and no first placement strategy but a spread over Availability Zones."
        )
    return given or ("ENABLED" if is_able else "DISABLED")


def check_alarms(given: Members) -> None:
    """Raise ``InvalidParameterException`` where deployments are to be failed by no alarm."""
    if given.get("enable") and not given.get("alarmNames"):
        raise errors.invalid_parameter("alarmNames cannot be empty when alarms are enabled.")


def _check_newer(given: Members) -> None:
    if (given.get("earlySuccessCriteria") or {}).get("enable"):
        raise errors.invalid_parameter("OpenECS has not built earlySuccessCriteria yet.")
    breaker = given.get("deploymentCircuitBreaker") or {}
    if breaker.get("resetOnHealthyTask") is False:
        raise errors.invalid_parameter(
            "OpenECS always resets the failure count when a task is healthy: set "
            "resetOnHealthyTask to true."
        )
    limit = breaker.get("thresholdConfiguration") or _THRESHOLD
    if {**_THRESHOLD, **limit} != _THRESHOLD:
        raise errors.invalid_parameter(
            "OpenECS has not built other thresholds of the circuit breaker than BOUNDED_PERCENT 50."
        )


def _check_bounds(parsed: DeploymentConfiguration, strategy: SchedulingStrategy) -> None:
    least, most = parsed.minimum_healthy_percent, parsed.maximum_percent
    if least < 0 or most < 0:
        raise errors.invalid_parameter(
            "minimumHealthyPercent and maximumPercent cannot be negative."
        )
    if strategy is SchedulingStrategy.DAEMON and (most != 100 or least > 100):
        raise errors.invalid_parameter(
            "The daemon scheduling strategy supports a maximumPercent of 100 and a "
            "minimumHealthyPercent from 0 to 100."
        )
    if least > most:
        raise errors.invalid_parameter(
            "minimumHealthyPercent cannot be greater than maximumPercent."
        )
