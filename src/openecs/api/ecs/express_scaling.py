"""How an Express service is scaled: a scalable target and its policy, made by their own operations.

Express Mode gives the metric and its target value; whoever changes the policy itself keeps the
change until Express Mode is told a scaling target again. Amazon ECS Developer Guide, "Updating
Resources Outside of Express Mode".
"""

from __future__ import annotations

from openecs.api.application_autoscaling.policies import put_scaling_policy
from openecs.api.application_autoscaling.targets import (
    deregister_scalable_target,
    register_scalable_target,
)
from openecs.api.base import Call, Members
from openecs.model.express import ExpressGateway, ScalingMetric, ScalingTarget
from openecs.model.identity import parse_arn
from openecs.model.scaling import DIMENSION, NAMESPACE, ScalableTarget, ScalingPolicy
from openecs.model.services import ServiceRevision
from openecs.store.base import Transaction, View
from openecs.store.kinds import SERVICES, service_key
from openecs.store.scaling import SCALABLE_TARGETS, SCALING_POLICIES, part

PREDEFINED = {
    ScalingMetric.AVERAGE_CPU: "ECSServiceAverageCPUUtilization",
    ScalingMetric.AVERAGE_MEMORY: "ECSServiceAverageMemoryUtilization",
    ScalingMetric.REQUEST_COUNT_PER_TARGET: "ALBRequestCountPerTarget",
}


def put(
    tx: Transaction,
    call: Call,
    gateway: ExpressGateway,
    revision: ServiceRevision,
    wanted: ScalingTarget,
) -> None:
    """Have the service scaled as it is wanted; its desired count is brought between the bounds."""
    bounds = {"MinCapacity": wanted.min_task_count, "MaxCapacity": wanted.max_task_count}
    register_scalable_target(tx, call, {**_target(gateway), **bounds})
    _track(tx, call, gateway, revision, wanted)


def is_astray(view: View, gateway: ExpressGateway) -> bool:
    """Whether the policy counts the requests of a target group that serves no more."""
    policy, revision = _policy(view, gateway), _serving(view, gateway)
    wanted = revision.express.scaling_target if revision and revision.express else None
    if policy is None or policy.tracking is None or revision is None or wanted is None:
        return False
    is_ours = policy.tracking.predefined == PREDEFINED[wanted.auto_scaling_metric]
    return is_ours and policy.tracking.resource_label != _label(gateway, revision, wanted)


def follow(tx: Transaction, call: Call, gateway: ExpressGateway) -> None:
    """Count the requests of the target group that serves: a deployment changes which one it is."""
    revision = _serving(tx, gateway)
    if revision is not None and revision.express is not None:
        _track(tx, call, gateway, revision, revision.express.scaling_target)


def remove(tx: Transaction, call: Call, gateway: ExpressGateway) -> None:
    """Have the service scaled no more; its policy and the alarms go with the target."""
    if tx.get(SCALABLE_TARGETS, gateway.scope, _resource(gateway)) is not None:
        deregister_scalable_target(tx, call, _target(gateway))


def found(
    view: View, gateway: ExpressGateway
) -> tuple[ScalableTarget | None, ScalingPolicy | None]:
    """The target and the policy that Express Mode made, where they are still there."""
    target = view.get(SCALABLE_TARGETS, gateway.scope, _resource(gateway))
    return target, _policy(view, gateway)


def _track(
    tx: Transaction,
    call: Call,
    gateway: ExpressGateway,
    revision: ServiceRevision,
    wanted: ScalingTarget,
) -> None:
    metric = {"PredefinedMetricType": PREDEFINED[wanted.auto_scaling_metric]}
    if label := _label(gateway, revision, wanted):
        metric["ResourceLabel"] = label
    request = {
        **_target(gateway),
        "PolicyName": _policy_name(gateway),
        "PolicyType": "TargetTrackingScaling",
        "TargetTrackingScalingPolicyConfiguration": {
            "TargetValue": float(wanted.auto_scaling_target_value),
            "PredefinedMetricSpecification": metric,
        },
    }
    put_scaling_policy(tx, call, request)


def _label(gateway: ExpressGateway, revision: ServiceRevision, wanted: ScalingTarget) -> str | None:
    """``app/NAME/ID/targetgroup/NAME/ID``, of the target group that serves."""
    if wanted.auto_scaling_metric is not ScalingMetric.REQUEST_COUNT_PER_TARGET:
        return None
    (balanced,) = revision.load_balancers
    balancer = parse_arn(gateway.load_balancer_arn)
    group = parse_arn(balanced.group(alternate=revision.on_alternate))
    if balancer is None or group is None:
        return None
    return f"{balancer.resource.removeprefix('loadbalancer/')}/{group.resource}"


def _serving(view: View, gateway: ExpressGateway) -> ServiceRevision | None:
    """The revision that requests go to; while a first deployment is under way, its own."""
    service = view.get(SERVICES, gateway.scope, service_key(gateway.cluster, gateway.service))
    if service is None or service.express_gateway != gateway.id:
        return None
    return service.completed_revision or service.revision


def _policy(view: View, gateway: ExpressGateway) -> ScalingPolicy | None:
    key = part(_resource(gateway), _policy_name(gateway))
    return view.get(SCALING_POLICIES, gateway.scope, key)


def _policy_name(gateway: ExpressGateway) -> str:
    return f"{gateway.cluster}-{gateway.service}"


def _target(gateway: ExpressGateway) -> Members:
    return {
        "ServiceNamespace": NAMESPACE,
        "ResourceId": _resource(gateway),
        "ScalableDimension": DIMENSION,
    }


def _resource(gateway: ExpressGateway) -> str:
    return f"service/{gateway.cluster}/{gateway.service}"
