"""Actions of listeners and rules, from members to values: what may be, and in what order.

Elastic Load Balancing User Guide, "Listener rules for your Application Load Balancer".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from openecs.api.base import Call, Members
from openecs.api.elbv2 import authentication, errors, redirects
from openecs.api.elbv2.associations import check_limit
from openecs.api.elbv2.forwards import forward
from openecs.model.load_balancing import (
    Action,
    FixedResponseAction,
    LoadBalancer,
    LoadBalancerType,
)
from openecs.store.base import View

_NOT_BUILT = {
    "authenticate-cognito": "actions of type 'authenticate-cognito'",
}
_CONTENT_TYPES = (
    "text/html",
    "application/json",
    "application/javascript",
    "text/css",
    "text/plain",
)
#: One that authenticates, and the last one.
_MOST_ACTIONS = 2
_LAST = {"forward", "redirect", "fixed-response"}
#: Done before the last one, where connections speak TLS.
_AUTHENTICATING = {"authenticate-oidc", "jwt-validation"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What the actions are for: a load balancer, and a listener's protocol."""

    balancer: LoadBalancer
    protocol: str
    #: What was done until now, where that is to change.
    before: tuple[Action, ...] = ()


def parse(
    view: View, call: Call, place: Place, given: Sequence[Members] | None
) -> tuple[Action, ...]:
    """The actions of a request, in the order in which they are done.

    Raises ``ValidationError``, ``InvalidLoadBalancerAction``, ``TargetGroupNotFound``,
    ``IncompatibleProtocols``, ``TargetGroupAssociationLimit`` and more of the kind.
    """
    actions = tuple(_action(view, call, place, each) for each in given or ())
    ordered = _ordered(actions)
    check_limit(view, call.scope, place.balancer.path, ordered)
    return ordered


def check_protocol(protocol: str, actions: Iterable[Action]) -> None:
    """Whether a listener of that protocol may do so. Raises ``InvalidLoadBalancerAction``."""
    for type_ in (action.type for action in actions):
        if type_ in _AUTHENTICATING and protocol != "HTTPS":
            raise errors.invalid_action(
                f"Actions of type '{type_}' are supported only on HTTPS listeners"
            )


def _ordered(actions: Sequence[Action]) -> tuple[Action, ...]:
    if not actions:
        raise errors.validation("At least one action must be specified")
    orders = [action.order for action in actions]
    if len(actions) > 1 and (None in orders or len(set(orders)) < len(orders)):
        raise errors.validation("Each action must have a unique order")
    ordered = tuple(sorted(actions, key=lambda action: action.order or 0))
    if ordered[-1].type not in _LAST or any(each.type in _LAST for each in ordered[:-1]):
        raise errors.invalid_action(
            "The last action must be the only one of the types 'forward', 'redirect' and "
            "'fixed-response'"
        )
    if len(ordered) > _MOST_ACTIONS:
        raise errors.invalid_action("Only one action of a type that authenticates is supported")
    return ordered


def _action(view: View, call: Call, place: Place, given: Members) -> Action:
    type_ = given["Type"]
    if type_ in _NOT_BUILT:
        raise errors.not_built(_NOT_BUILT[type_])
    if place.balancer.type is LoadBalancerType.NETWORK and type_ != "forward":
        raise errors.invalid_action(
            f"Action type '{type_}' is not supported for network load balancers"
        )
    action = Action(type=type_, order=given.get("Order"))
    check_protocol(place.protocol, [action])
    match type_:
        case "forward":
            parsed = forward(view, call, place.balancer, place.protocol, given)
            return replace(action, forward=parsed)
        case "redirect":
            return replace(action, redirect=redirects.redirect(place.protocol, given))
        case "authenticate-oidc":
            return replace(action, oidc=authentication.oidc(given, place.before))
        case "jwt-validation":
            return replace(action, jwt=authentication.jwt(given))
        case _:
            return replace(action, fixed_response=_fixed_response(given))


def _fixed_response(given: Members) -> FixedResponseAction:
    config = given.get("FixedResponseConfig")
    if not config:
        raise errors.validation("A 'FixedResponseConfig' must be specified with 'fixed-response'")
    content_type = config.get("ContentType")
    if content_type and content_type not in _CONTENT_TYPES:
        listed = ", ".join(f"'{each}'" for each in _CONTENT_TYPES)
        raise errors.validation(f"The ContentType must be one of:{listed}")
    return FixedResponseAction(
        status_code=config["StatusCode"],
        content_type=content_type or None,
        message_body=config.get("MessageBody"),
    )
