"""Scalable targets: services whose desired count is scaled."""

from __future__ import annotations

from dataclasses import replace

from openecs.api.application_autoscaling import capacity, errors, paging, references, tags
from openecs.api.base import Call, Members, Operation, Reads, Writes
from openecs.model.scaling import DIMENSION, NAMESPACE, ScalableTarget, Suspended
from openecs.store.base import Transaction, View
from openecs.store.scaling import SCALABLE_TARGETS


def register_scalable_target(tx: Transaction, call: Call, request: Members) -> Members:
    """Register a service, or change its bounds; its desired count is brought between them."""
    named = references.resource_id(request)
    if references.service(tx, call.scope, named) is None:
        raise errors.no_service(named)
    known = tx.get(SCALABLE_TARGETS, call.scope, named)
    if known is not None and request.get("Tags"):
        raise errors.validation("Tags can only be given when a scalable target is created")
    target = _with_bounds(known or _new(call, named, request), request)
    tx.put(SCALABLE_TARGETS, target)
    if request.get("MinCapacity") is not None or request.get("MaxCapacity") is not None:
        capacity.bring_into_bounds(tx, target, call.ids, call.now)
    return {"ScalableTargetARN": target.arn}


def deregister_scalable_target(tx: Transaction, call: Call, request: Members) -> Members:
    """Remove a target with its policies, their alarms and its scheduled actions."""
    capacity.forget(tx, references.target(tx, call, request), call.ids, call.now)
    return {}


def describe_scalable_targets(view: View, call: Call, request: Members) -> Members:
    """The targets there are, or the named ones of them."""
    if request["ServiceNamespace"] != NAMESPACE:
        return {"ScalableTargets": []}
    references.check_namespace(request)
    named = request.get("ResourceIds") or ()
    found = [
        target
        for target in view.scan(SCALABLE_TARGETS, call.scope)
        if not named or target.resource_id in named
    ]
    shown, token = paging.page(request, found, lambda target: target.resource_id)
    return {"ScalableTargets": [_shown(each) for each in shown], "NextToken": token}


OPERATIONS: dict[str, Operation] = {
    "RegisterScalableTarget": Writes(register_scalable_target),
    "DeregisterScalableTarget": Writes(deregister_scalable_target),
    "DescribeScalableTargets": Reads(describe_scalable_targets),
}


def _new(call: Call, named: str, request: Members) -> ScalableTarget:
    least, most = request.get("MinCapacity"), request.get("MaxCapacity")
    if least is None or most is None:
        what = "MinCapacity" if least is None else "MaxCapacity"
        raise errors.validation(f"{what} is required to register a new scalable target")
    return ScalableTarget(
        scope=call.scope,
        resource_id=named,
        id=(call.ids.hex32() + call.ids.hex32())[:36],
        minimum=least,
        maximum=most,
        created_at=call.now,
        tags=tags.checked(request.get("Tags") or {}),
    )


def _with_bounds(target: ScalableTarget, request: Members) -> ScalableTarget:
    least, most = request.get("MinCapacity"), request.get("MaxCapacity")
    given = request.get("SuspendedState") or {}
    known = target.suspended
    after = replace(
        target,
        minimum=target.minimum if least is None else least,
        maximum=target.maximum if most is None else most,
        suspended=Suspended(
            scale_in=given.get("DynamicScalingInSuspended", known.scale_in),
            scale_out=given.get("DynamicScalingOutSuspended", known.scale_out),
            scheduled=given.get("ScheduledScalingSuspended", known.scheduled),
        ),
    )
    if after.minimum < 0 or after.maximum < 0:
        raise errors.validation("Capacity cannot be negative")
    if after.minimum > after.maximum:
        raise errors.validation("Maximum capacity cannot be less than minimum capacity")
    return after


def _shown(target: ScalableTarget) -> Members:
    return {
        "ServiceNamespace": NAMESPACE,
        "ResourceId": target.resource_id,
        "ScalableDimension": DIMENSION,
        "MinCapacity": target.minimum,
        "MaxCapacity": target.maximum,
        "RoleARN": target.role_arn,
        "CreationTime": target.created_at,
        "SuspendedState": {
            "DynamicScalingInSuspended": target.suspended.scale_in,
            "DynamicScalingOutSuspended": target.suspended.scale_out,
            "ScheduledScalingSuspended": target.suspended.scheduled,
        },
        "ScalableTargetARN": target.arn,
    }
