"""Which target groups a load balancer forwards to."""

from __future__ import annotations

from collections.abc import Iterable

from openecs.model.load_balancing import Action, Listener, Rule


def forwarded_groups(listeners: Iterable[Listener], rules: Iterable[Rule]) -> set[str]:
    """The ARNs of the target groups that some listener or rule forwards to, at whatever weight."""
    found: set[str] = set()
    for listener in listeners:
        found.update(groups_of(listener.default_actions))
    for rule in rules:
        found.update(groups_of(rule.actions))
    return found


def groups_of(actions: Iterable[Action]) -> set[str]:
    """The ARNs of the target groups of some actions."""
    return {
        group.target_group_arn
        for action in actions
        if action.forward
        for group in action.forward.target_groups
    }
