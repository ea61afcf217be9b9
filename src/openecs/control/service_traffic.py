"""The listener rules that a service's deployment moves traffic with, as they are stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from openecs.decide.services import traffic
from openecs.decide.services.state import Forwards
from openecs.model.load_balancing import Action, Listener, Rule, WeightedTargetGroup
from openecs.model.services import Service
from openecs.store.base import Conflict, Transaction, View
from openecs.store.kinds import LISTENERS, RULES
from openecs.store.rules import find_rule


def forwards(view: View, service: Service) -> Forwards:
    """What the rules of the deployment in progress forward to."""
    primary = service.primary
    if primary is None or traffic.current(service) is None:
        return {}
    advanced = (each.advanced_configuration for each in primary.revision.load_balancers)
    named = [
        rule
        for each in advanced
        if each
        for rule in (each.production_listener_rule, each.test_listener_rule)
        if rule
    ]
    found = {rule: find_rule(view, rule) for rule in named}
    return {arn: _groups(rule.forwarding) for arn, rule in found.items() if rule is not None}


def write(tx: Transaction, wanted: Forwards) -> None:
    """Give rules other weights. Raises ``Conflict`` where one is not there any more."""
    for arn, weights in wanted.items():
        match find_rule(tx, arn):
            case Rule() as rule:
                tx.put(RULES, replace(rule, actions=_weighted(rule.forwarding, weights)))
            case Listener() as listener:
                actions = _weighted(listener.forwarding, weights)
                tx.put(LISTENERS, replace(listener, default_actions=actions))
            case None:
                raise Conflict(f"rule {arn} is gone")


def _groups(actions: tuple[Action, ...]) -> Mapping[str, int]:
    return {
        group.target_group_arn: group.weight
        for action in actions
        if action.forward
        for group in action.forward.target_groups
    }


def _weighted(actions: tuple[Action, ...], weights: Mapping[str, int]) -> tuple[Action, ...]:
    """The actions with these target groups to forward to; all else about them stays."""
    groups = tuple(WeightedTargetGroup(target_group_arn=a, weight=w) for a, w in weights.items())
    return tuple(
        replace(action, forward=replace(action.forward, target_groups=groups))
        if action.forward
        else action
        for action in actions
    )
