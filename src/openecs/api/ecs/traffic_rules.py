"""The advanced configuration of a service's load balancers: who decides between two target groups.

API Reference, ``AdvancedConfiguration``; texts as the Developer Guide has them.
"""

from __future__ import annotations

from collections.abc import Sequence

from openecs.api import shapes
from openecs.api.base import Members
from openecs.api.ecs import errors
from openecs.decide.forwarding import groups_of
from openecs.model.identity import Arn, parse_arn
from openecs.model.load_balancing import SERVICE, LoadBalancerType
from openecs.model.services import AdvancedConfiguration, ServiceLoadBalancer
from openecs.store.base import View
from openecs.store.rules import find_rule


def parse(given: Members | None) -> AdvancedConfiguration | None:
    """The configuration. Raises ``InvalidParameterException`` where a part is missing."""
    if not given:
        return None
    try:
        return shapes.from_members(AdvancedConfiguration, given)
    except shapes.MissingMember as missing:
        raise errors.invalid_parameter(
            f"{missing.member} is required in advancedConfiguration."
        ) from missing


def check(view: View, load_balancers: Sequence[ServiceLoadBalancer]) -> None:
    """Raises ``InvalidParameterException`` where traffic could not be moved."""
    _check_distinct(load_balancers)
    for each in load_balancers:
        if each.advanced_configuration is not None:
            _check(view, each, each.advanced_configuration)


def _check_distinct(load_balancers: Sequence[ServiceLoadBalancer]) -> None:
    groups: set[str] = set()
    for each in load_balancers:
        if each.advanced_configuration is None:
            continue
        for arn in (each.group(alternate=False), each.group(alternate=True)):
            if arn in groups:
                raise errors.invalid_parameter(f"Duplicate targetGroupArn found: {arn}")
            groups.add(arn)


def _check(view: View, each: ServiceLoadBalancer, advanced: AdvancedConfiguration) -> None:
    production, test = advanced.production_listener_rule, advanced.test_listener_rule
    named = _named("productionListenerRule", production)
    if production == test:
        raise errors.invalid_parameter(
            "The following rules cannot be used as both production and test listener rules: "
            f"{production}"
        )
    if test:
        _named("testListenerRule", test)
    for rule in filter(None, (production, test)):
        if find_rule(view, rule) is None:
            raise errors.invalid_parameter(f"The rule {rule} does not exist.")
    is_application = named.resource.split("/")[1] == LoadBalancerType.APPLICATION.path
    both = {each.group(alternate=False), each.group(alternate=True)}
    if is_application and not test and not both <= _groups(view, production):
        raise errors.invalid_parameter(
            "For Application LoadBalancer, testListenerRule is required when "
            "productionListenerRule is not associated with both targetGroup and "
            "alternateTargetGroup"
        )


def _named(member: str, arn: str) -> Arn:
    """The parts of the ARN: a rule of an application, a listener of a network load balancer."""
    parsed = parse_arn(arn)
    resource = parsed.resource if parsed and parsed.service == SERVICE else ""
    if parsed is None or not resource.startswith(("listener-rule/app/", "listener/net/")):
        raise errors.invalid_parameter(
            f"{member} has an invalid ARN format. Must be RuleArn for ALB or ListenerArn for NLB. "
            f"Got: {arn}"
        )
    return parsed


def _groups(view: View, arn: str) -> set[str]:
    rule = find_rule(view, arn)
    return groups_of(rule.forwarding) if rule else set()
