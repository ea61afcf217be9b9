"""What the ARNs of requests name: load balancers, listeners, rules, groups, trust stores."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from openecs.api.base import Call, ServiceError
from openecs.api.elbv2 import errors
from openecs.model.identity import parse_arn
from openecs.model.load_balancing import SERVICE, Listener, LoadBalancer, Rule, TargetGroup
from openecs.model.trust_stores import TrustStore
from openecs.store.base import Kind, View
from openecs.store.kinds import LISTENERS, LOAD_BALANCERS, RULES, TARGET_GROUPS, TRUST_STORES

T = TypeVar("T")

#: How many parts the resource of an ARN has behind its first word.
_PARTS = {"loadbalancer": 3, "listener": 4, "listener-rule": 5, "targetgroup": 2, "truststore": 2}
_WORDS = {
    "loadbalancer": "load balancer",
    "listener": "listener",
    "listener-rule": "listener rule",
    "targetgroup": "target group",
    "truststore": "trust store",
}


def load_balancer(view: View, call: Call, arn: str) -> LoadBalancer:
    """The load balancer. Raises ``ValidationError``, ``LoadBalancerNotFound``."""
    return _get(view, call, LOAD_BALANCERS, ("loadbalancer", arn), errors.load_balancer_not_found)


def listener(view: View, call: Call, arn: str) -> Listener:
    """The listener. Raises ``ValidationError``, ``ListenerNotFound``."""
    return _get(view, call, LISTENERS, ("listener", arn), errors.listener_not_found)


def rule(view: View, call: Call, arn: str) -> Rule:
    """The rule, not a default one. Raises ``ValidationError``, ``RuleNotFound``."""
    return _get(view, call, RULES, ("listener-rule", arn), errors.rule_not_found)


def target_group(view: View, call: Call, arn: str) -> TargetGroup:
    """The target group. Raises ``ValidationError``, ``TargetGroupNotFound``."""
    return _get(view, call, TARGET_GROUPS, ("targetgroup", arn), errors.target_group_not_found)


def trust_store(view: View, call: Call, arn: str) -> TrustStore:
    """The trust store. Raises ``ValidationError``, ``TrustStoreNotFound``."""
    return _get(view, call, TRUST_STORES, ("truststore", arn), errors.trust_store_not_found)


def users(view: View, store: TrustStore) -> list[Listener]:
    """The listeners that verify clients by a trust store."""
    return [
        each
        for each in view.scan(LISTENERS, store.scope)
        if each.mutual_authentication and each.mutual_authentication.trust_store_arn == store.arn
    ]


def listener_of_rule(view: View, call: Call, rule: Rule) -> Listener:
    """The listener a rule belongs to."""
    found = view.get(LISTENERS, call.scope, rule.listener)
    if found is None:
        raise errors.listener_not_found()
    return found


def load_balancer_of(view: View, listener: Listener) -> LoadBalancer:
    """The load balancer a listener belongs to."""
    found = view.get(LOAD_BALANCERS, listener.scope, listener.load_balancer)
    if found is None:
        raise errors.load_balancer_not_found()
    return found


def load_balancer_arn(listener: Listener) -> str:
    """The ARN of the load balancer a listener belongs to."""
    return listener.scope.arn(SERVICE, f"loadbalancer/{listener.load_balancer}")


def key_of(call: Call, resource: str, arn: str) -> str | None:
    """The key that an ARN of a ``resource`` (``targetgroup``) names; None: of another scope.

    Raises ``ValidationError`` where it is no such ARN.
    """
    parsed = parse_arn(arn)
    if parsed is None or parsed.service != SERVICE:
        raise _not_valid(resource, arn)
    word, _, key = parsed.resource.partition("/")
    parts = key.split("/")
    if word != resource or len(parts) != _PARTS[resource] or not all(parts):
        raise _not_valid(resource, arn)
    return key if parsed.scope == call.scope else None


def _not_valid(resource: str, arn: str) -> ServiceError:
    return errors.validation(f"'{arn}' is not a valid {_WORDS[resource]} ARN")


def _get(
    view: View,
    call: Call,
    kind: Kind[T],
    named: tuple[str, str],
    missing: Callable[[], ServiceError],
) -> T:
    key = key_of(call, *named)
    found = None if key is None else view.get(kind, call.scope, key)
    if found is None:
        raise missing()
    return found
