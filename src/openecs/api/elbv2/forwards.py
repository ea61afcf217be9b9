"""Forward actions: which target groups, at what weights, and whether a listener may."""

from __future__ import annotations

from collections.abc import Sequence

from openecs.api.base import Call, Members
from openecs.api.elbv2 import balancer_targets, errors, references
from openecs.model.load_balancing import (
    ForwardAction,
    LoadBalancer,
    LoadBalancerType,
    TargetGroup,
    TargetType,
    WeightedTargetGroup,
)
from openecs.store.base import View
from openecs.store.kinds import TARGET_GROUPS

_MOST_GROUPS = 5
_HEAVIEST = 999
_LONGEST = 604800

#: The protocols of groups that a listener's protocol may go to.
_SPOKEN = {
    "HTTP": {"HTTP", "HTTPS"},
    "HTTPS": {"HTTP", "HTTPS"},
    "TCP": {"TCP", "TCP_UDP"},
    "TLS": {"TCP", "TLS"},
    "UDP": {"UDP", "TCP_UDP"},
    "TCP_UDP": {"TCP_UDP"},
}


def forward(
    view: View, call: Call, balancer: LoadBalancer, protocol: str, given: Members
) -> ForwardAction:
    """The forward action of a request, for a listener that speaks ``protocol``."""
    shares = _shares(given)
    for share in shares:
        _check_group(balancer, protocol, _group(view, call, share.target_group_arn))
    if protocol in {"UDP", "TCP_UDP"} and not any(share.weight for share in shares):
        raise errors.not_built("listeners for datagrams whose target groups have no weight")
    sticky, seconds = _stickiness(balancer, given)
    return ForwardAction(
        target_groups=shares, stickiness_enabled=sticky, stickiness_seconds=seconds
    )


def _stickiness(balancer: LoadBalancer, given: Members) -> tuple[bool, int | None]:
    """Whether clients stay with a target group, and for how many seconds."""
    config: Members = (given.get("ForwardConfig") or {}).get("TargetGroupStickinessConfig") or {}
    sticky, seconds = bool(config.get("Enabled")), config.get("DurationSeconds")
    if sticky and balancer.type is LoadBalancerType.NETWORK:
        raise errors.invalid_action(
            "Target group stickiness is not supported for network load balancers"
        )
    if sticky and seconds is None:
        raise errors.validation("'DurationSeconds' must be specified with target group stickiness")
    if seconds is not None and not 1 <= seconds <= _LONGEST:
        raise errors.validation(
            f"Target group stickiness duration '{seconds}' must be between '1-{_LONGEST}' inclusive"
        )
    return sticky, seconds


def _shares(given: Members) -> tuple[WeightedTargetGroup, ...]:
    arn = given.get("TargetGroupArn")
    listed: Sequence[Members] = (given.get("ForwardConfig") or {}).get("TargetGroups") or ()
    if not listed and not arn:
        raise errors.validation("A target group ARN must be specified")
    if not listed:
        listed = [{"TargetGroupArn": arn}]
    arns = [each.get("TargetGroupArn") or "" for each in listed]
    if arn and arns != [arn]:
        raise errors.validation(
            "The target group ARN and the target groups of 'ForwardConfig' must be the same"
        )
    if len(set(arns)) < len(arns):
        raise errors.validation("Target groups of an action must be unique")
    if len(arns) > _MOST_GROUPS:
        message = f"The number of target groups of an action cannot exceed '{_MOST_GROUPS}'"
        raise errors.too_many("TargetGroups", message)
    return tuple(_share(each) for each in listed)


def _share(given: Members) -> WeightedTargetGroup:
    weight = given.get("Weight")
    if weight is not None and not 0 <= weight <= _HEAVIEST:
        raise errors.validation(
            f"Target group weight '{weight}' must be between '0-{_HEAVIEST}' inclusive"
        )
    return WeightedTargetGroup(
        target_group_arn=given.get("TargetGroupArn") or "", weight=1 if weight is None else weight
    )


def _group(view: View, call: Call, arn: str) -> TargetGroup:
    key = references.key_of(call, "targetgroup", arn)
    found = None if key is None else view.get(TARGET_GROUPS, call.scope, key)
    if found is None:
        raise errors.forwarded_group_not_found(arn)
    return found


def _check_group(balancer: LoadBalancer, protocol: str, group: TargetGroup) -> None:
    balancer_targets.check_forward(protocol, group)
    if group.target_type is TargetType.LAMBDA and balancer.type is LoadBalancerType.APPLICATION:
        return
    if group.protocol not in _SPOKEN[protocol]:
        raise errors.incompatible_protocols(protocol, group.protocol or "")
    if protocol == "HTTP" and group.protocol_version in {"HTTP2", "GRPC"}:
        raise errors.invalid_configuration(
            f"Listener protocol '{protocol}' is not supported with a target group with the "
            f"protocol-version '{group.protocol_version}'"
        )
    if group.vpc_id != balancer.vpc_id:
        raise errors.invalid_configuration(
            f"The target group '{group.arn}' is not in the same VPC as the load balancer"
        )
