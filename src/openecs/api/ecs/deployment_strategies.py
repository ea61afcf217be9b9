"""The strategies that shift traffic: what a deployment configuration says of them.

API Reference, ``DeploymentConfiguration``, ``LinearConfiguration``, ``CanaryConfiguration``,
``DeploymentLifecycleHook``.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

from openecs.api.base import Call, Members
from openecs.api.ecs import errors
from openecs.model.services import (
    CanaryConfiguration,
    DeploymentConfiguration,
    DeploymentStrategy,
    HookTargetType,
    LifecycleHook,
    LifecycleStage,
    LinearConfiguration,
    SchedulingStrategy,
    Service,
)

_DAY = 1440
_TWO_WEEKS = 20_160
_STEPS = "stepPercent must be between 3.0 and 100.0, in steps of 0.1."
_CANARY = "canaryPercent must be between 0.1 and 100.0, in steps of 0.1."
_LAMBDA = HookTargetType.AWS_LAMBDA
_NOT_HOOKABLE = frozenset(
    {LifecycleStage.SCALE_UP, LifecycleStage.BAKE_TIME, LifecycleStage.CLEAN_UP}
)
_NOT_FOR_PAUSES = frozenset(
    {LifecycleStage.TEST_TRAFFIC_SHIFT, LifecycleStage.PRODUCTION_TRAFFIC_SHIFT}
)


NO_LAMBDA = (
    "OpenECS calls the functions of AWS_LAMBDA lifecycle hooks at the URL of its setting "
    "lambda_url, which is not set: set it, or use hooks of the type PAUSE."
)


def hooks_as_text(hooks: Sequence[Members]) -> list[Members]:
    """Lifecycle hooks with the JSON for their functions as text, as it is stored."""
    return [
        {**hook, "hookDetails": json.dumps(hook["hookDetails"])}
        if hook.get("hookDetails")
        else hook
        for hook in hooks
    ]


def hooks_as_json(hooks: Sequence[Members]) -> list[Members]:
    """Lifecycle hooks with that JSON as AWS shows it."""
    return [
        {**hook, "hookDetails": json.loads(hook["hookDetails"])}
        if hook.get("hookDetails")
        else hook
        for hook in hooks
    ]


def check_callable(call: Call, configuration: DeploymentConfiguration) -> None:
    """Raises ``InvalidParameterException`` for hooks that nobody could call."""
    hooks = configuration.lifecycle_hooks
    if not call.settings.lambda_url and any(h.target_type is _LAMBDA for h in hooks):
        raise errors.invalid_parameter(NO_LAMBDA)


def check_pairs(service: Service) -> None:
    """Raises ``InvalidParameterException`` where a load balancer's traffic cannot be shifted."""
    is_rolling = service.deployment_configuration.strategy is DeploymentStrategy.ROLLING
    served = service.revision.load_balancers if service.revision else ()
    if not is_rolling and not all(each.advanced_configuration for each in served):
        raise errors.invalid_parameter(
            "advancedConfiguration field is required for all loadBalancers when using a "
            "non-ROLLING deployment strategy"
        )


def check_express(service: Service) -> None:
    """Raises ``InvalidParameterException`` for an Express service that is to be ROLLING."""
    is_rolling = service.deployment_configuration.strategy is DeploymentStrategy.ROLLING
    if service.express_gateway is not None and is_rolling:
        raise errors.invalid_parameter(
            "Updating to ROLLING deployment strategy is not supported for ExpressGatewayServices."
        )


def completed(
    parsed: DeploymentConfiguration, given: Members, current: DeploymentConfiguration | None
) -> DeploymentConfiguration:
    """The configuration without what went with another strategy, and with its own defaults.

    Raises ``InvalidParameterException`` where ``given`` names what goes with another.
    """
    strategy = parsed.strategy
    for member, owner in (
        ("linearConfiguration", DeploymentStrategy.LINEAR),
        ("canaryConfiguration", DeploymentStrategy.CANARY),
    ):
        if given.get(member) and strategy is not owner:
            raise errors.invalid_parameter(
                f"{member} is only valid for the {owner} deployment strategy."
            )
    is_blue_green = strategy is DeploymentStrategy.BLUE_GREEN
    is_new = current is None or current.strategy is not strategy
    if is_blue_green and is_new and given.get("bakeTimeInMinutes") is None:
        raise errors.invalid_parameter(
            "bakeTimeInMinutes is required for the BLUE_GREEN deployment strategy."
        )
    if given.get("lifecycleHooks") and strategy is DeploymentStrategy.ROLLING:
        raise errors.invalid_parameter(
            "lifecycleHooks are not supported for the ROLLING deployment strategy."
        )
    is_linear = strategy is DeploymentStrategy.LINEAR
    is_canary = strategy is DeploymentStrategy.CANARY
    return replace(
        parsed,
        linear_configuration=(
            parsed.linear_configuration or LinearConfiguration() if is_linear else None
        ),
        canary_configuration=(
            parsed.canary_configuration or CanaryConfiguration() if is_canary else None
        ),
        lifecycle_hooks=(() if strategy is DeploymentStrategy.ROLLING else parsed.lifecycle_hooks),
    )


def check(parsed: DeploymentConfiguration, scheduling: SchedulingStrategy) -> None:
    """Raises ``InvalidParameterException`` for numbers and stages that may not be."""
    is_daemon = scheduling is SchedulingStrategy.DAEMON
    if is_daemon and parsed.strategy is not DeploymentStrategy.ROLLING:
        raise errors.invalid_parameter(
            f"The daemon scheduling strategy does not support the {parsed.strategy} deployment "
            "strategy."
        )
    _check_minutes("bakeTimeInMinutes", parsed.bake_time_in_minutes)
    linear, canary = parsed.linear_configuration, parsed.canary_configuration
    if linear is not None:
        _check_percent(linear.step_percent, 3.0, _STEPS)
        _check_minutes("stepBakeTimeInMinutes", linear.step_bake_time_in_minutes)
    if canary is not None:
        _check_percent(canary.canary_percent, 0.1, _CANARY)
        _check_minutes("canaryBakeTimeInMinutes", canary.canary_bake_time_in_minutes)
    for hook in parsed.lifecycle_hooks:
        _check_hook(hook)


def _check_minutes(member: str, given: int) -> None:
    if not 0 <= given <= _DAY:
        raise errors.invalid_parameter(f"{member} must be between 0 and {_DAY}.")


def _check_percent(given: float, least: float, message: str) -> None:
    if not least <= given <= 100.0 or round(given, 1) != given:
        raise errors.invalid_parameter(message)


def _check_hook(hook: LifecycleHook) -> None:
    stages = frozenset(hook.lifecycle_stages)
    if not stages or stages & _NOT_HOOKABLE:
        raise errors.invalid_parameter("Invalid lifecycle stage provided for lifecycle hook.")
    limit = hook.timeout_configuration
    if limit is not None and not 1 <= limit.timeout_in_minutes <= _TWO_WEEKS:
        raise errors.invalid_parameter(f"timeoutInMinutes must be between 1 and {_TWO_WEEKS}.")
    if hook.target_type is HookTargetType.PAUSE:
        if stages & _NOT_FOR_PAUSES:
            raise errors.invalid_parameter("Invalid lifecycle stage provided for Pause Hook.")
        return
    for member, value in (("hookTargetArn", hook.hook_target_arn), ("roleArn", hook.role_arn)):
        if not value:
            raise errors.invalid_parameter(f"{member} is required for AWS_LAMBDA lifecycle hooks.")
