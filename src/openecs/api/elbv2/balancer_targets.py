"""Application load balancers as targets of network load balancers.

User Guide for Network Load Balancers, "Use an Application Load Balancer as a target".
"""

from __future__ import annotations

from collections.abc import Sequence

from openecs.api.base import Call, Members
from openecs.api.elbv2 import errors, references
from openecs.api.elbv2.registration import NewTarget
from openecs.model.load_balancing import LoadBalancer, LoadBalancerType, TargetGroup, TargetType
from openecs.store.base import Transaction, View
from openecs.store.kinds import LISTENERS, TARGET_GROUPS, TARGETS


def check_group(request: Members) -> None:
    """Whether the target group of a request can be one of load balancers."""
    if request["Protocol"] != "TCP":
        raise errors.validation(
            f"Protocol '{request['Protocol']}' is not supported with target type 'alb'"
        )


def check_forward(protocol: str, group: TargetGroup) -> None:
    """Whether a listener of that protocol may go to a target group."""
    if group.target_type is TargetType.ALB and protocol != "TCP":
        raise errors.incompatible_protocols(protocol, group.protocol or "")


def check_registration(
    tx: Transaction, call: Call, group: TargetGroup, targets: Sequence[NewTarget]
) -> None:
    """Whether targets can be registered. Raises ``InvalidTarget``, ``ValidationError`` and more."""
    known = {target.id for target in tx.scan(TARGETS, call.scope, prefix=f"{group.path}/")}
    if len(known | {target.id for target in targets}) > 1:
        raise errors.too_many(
            "Targets", "A target group with target type 'alb' can have only one target"
        )
    for target in targets:
        _check(tx, references.load_balancer(tx, call, target.id), group, target)


def _check(view: View, balancer: LoadBalancer, group: TargetGroup, target: NewTarget) -> None:
    if balancer.type is not LoadBalancerType.APPLICATION:
        raise errors.invalid_target(f"'{balancer.arn}' is not an application load balancer")
    if balancer.vpc_id != group.vpc_id:
        raise errors.invalid_target(
            f"The load balancer '{balancer.arn}' is not in the same VPC as the target group"
        )
    if target.port != group.port:
        raise errors.invalid_target("The port of the target must be that of the target group")
    listeners = view.scan(LISTENERS, balancer.scope, prefix=f"{balancer.path}/")
    if all(listener.port != target.port for listener in listeners):
        raise errors.invalid_target(
            f"The load balancer '{balancer.arn}' has no listener on port '{target.port}'"
        )


def check_deletion(view: View, balancer: LoadBalancer) -> None:
    """Whether a load balancer may be deleted. Raises ``ResourceInUse``."""
    groups = view.scan(TARGET_GROUPS, balancer.scope)
    for group in (each for each in groups if each.target_type is TargetType.ALB):
        targets = view.scan(TARGETS, balancer.scope, prefix=f"{group.path}/")
        if any(target.id == balancer.arn for target in targets):
            raise errors.balancer_in_use(balancer.arn)
