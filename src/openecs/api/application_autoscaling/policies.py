"""Scaling policies: target tracking and step scaling."""

from __future__ import annotations

from dataclasses import replace

from openecs.api.application_autoscaling import (
    capacity,
    errors,
    paging,
    policy_requests,
    policy_views,
    references,
    tracking_alarms,
)
from openecs.api.base import Call, Members, Operation, Reads, ServiceError, Writes
from openecs.model.scaling import NAMESPACE, ScalableTarget, ScalingPolicy
from openecs.store.alarms import METRIC_ALARMS
from openecs.store.base import Transaction, View
from openecs.store.scaling import SCALING_POLICIES, part

_MOST = 50


def put_scaling_policy(tx: Transaction, call: Call, request: Members) -> Members:
    """Create or replace a policy; the alarms of target tracking are made with it."""
    target = references.target(tx, call, request)
    name = request["PolicyName"]
    known = tx.get(SCALING_POLICIES, call.scope, part(target.resource_id, name))
    policy = _configured(known or _new(tx, call, target, name), request)
    if policy.tracking is not None:
        _check_alone(tx, target, policy)
        policy = replace(policy, alarms=tracking_alarms.names(policy, call.ids))
        gone = known.alarms[len(policy.alarms) :] if known else ()
        capacity.delete_alarms(tx, call.scope, gone, call.ids, call.now)
        tracking_alarms.put(tx, call, target, policy)
    tx.put(SCALING_POLICIES, policy)
    alarms = policy_views.alarm_names(call.scope, policy.alarms)
    return {"PolicyARN": policy.arn, "Alarms": alarms}


def delete_scaling_policy(tx: Transaction, call: Call, request: Members) -> Members:
    """Remove a policy with the alarms that were made for it."""
    named = references.resource_id(request)
    policy = tx.get(SCALING_POLICIES, call.scope, part(named, request["PolicyName"]))
    if policy is None:
        raise errors.no_policy(named, request["PolicyName"])
    capacity.delete_alarms(tx, call.scope, policy.alarms, call.ids, call.now)
    tx.delete(SCALING_POLICIES, call.scope, SCALING_POLICIES.key(policy))
    return {}


def describe_scaling_policies(view: View, call: Call, request: Members) -> Members:
    """The policies there are, or those of a target or with the names asked for."""
    if request["ServiceNamespace"] != NAMESPACE:
        return {"ScalingPolicies": []}
    references.check_namespace(request)
    named, wanted = request.get("ResourceId"), request.get("PolicyNames") or ()
    prefix = part(named, "") if named else ""
    found = [
        policy
        for policy in view.scan(SCALING_POLICIES, call.scope, prefix=prefix)
        if not wanted or policy.name in wanted
    ]
    shown, token = paging.page(request, found, SCALING_POLICIES.key)
    alarms = view.scan(METRIC_ALARMS, call.scope)
    return {
        "ScalingPolicies": [
            policy_views.policy(
                policy,
                (a for a in alarms if any(arn.startswith(policy.arn) for arn in a.actions.alarm)),
            )
            for policy in shown
        ],
        "NextToken": token,
    }


OPERATIONS: dict[str, Operation] = {
    "PutScalingPolicy": Writes(put_scaling_policy),
    "DeleteScalingPolicy": Writes(delete_scaling_policy),
    "DescribeScalingPolicies": Reads(describe_scaling_policies),
}


def _new(tx: Transaction, call: Call, target: ScalableTarget, name: str) -> ScalingPolicy:
    if len(references.policies(tx, target)) >= _MOST:
        message = f"A scalable target can have at most {_MOST} scaling policies"
        raise ServiceError("LimitExceededException", message)
    return ScalingPolicy(
        scope=call.scope,
        resource_id=target.resource_id,
        name=name,
        id=call.ids.uuid(),
        creator=call.ids.uuid(),
        created_at=call.now,
    )


def _configured(policy: ScalingPolicy, request: Members) -> ScalingPolicy:
    known = "TargetTrackingScaling" if policy.tracking else "StepScaling"
    kind = request.get("PolicyType") or known
    is_new = policy.tracking is None and policy.step is None
    if not is_new and kind != known:
        raise errors.validation("The policy type of an existing policy cannot be changed")
    match kind:
        case "StepScaling":
            given = request.get("StepScalingPolicyConfiguration")
            return replace(policy, step=policy_requests.step_scaling(given))
        case "TargetTrackingScaling":
            given = request.get("TargetTrackingScalingPolicyConfiguration")
            return replace(policy, tracking=policy_requests.target_tracking(given))
        case "PredictiveScaling":
            raise errors.validation("OpenECS does not build predictive scaling yet.")
        case _:
            raise errors.validation(f"Invalid policy type: {kind}")


def _check_alone(view: View, target: ScalableTarget, policy: ScalingPolicy) -> None:
    """No two policies of a target track the same metric."""
    for other in references.policies(view, target):
        if other.name == policy.name or other.tracking is None or policy.tracking is None:
            continue
        ours = (policy.tracking.predefined, policy.tracking.metric, policy.tracking.queries)
        theirs = (other.tracking.predefined, other.tracking.metric, other.tracking.queries)
        labels = policy.tracking.resource_label, other.tracking.resource_label
        if ours == theirs and labels[0] == labels[1]:
            message = (
                "Only one TargetTrackingScaling policy for a given metric specification is allowed."
            )
            raise errors.validation(message)
