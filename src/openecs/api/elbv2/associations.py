"""Which load balancers forward to which target groups."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from openecs.api.elbv2 import errors
from openecs.decide.forwarding import forwarded_groups, groups_of
from openecs.model.identity import Scope
from openecs.model.load_balancing import SERVICE, Action, TargetGroup
from openecs.store.base import View
from openecs.store.kinds import LISTENERS, RULES


def associations(view: View, scope: Scope) -> Mapping[str, set[str]]:
    """ARNs of target groups to the paths of the load balancers that forward to them."""
    found: dict[str, set[str]] = {}
    for listener in view.scan(LISTENERS, scope):
        for arn in groups_of(listener.default_actions):
            found.setdefault(arn, set()).add(listener.load_balancer)
    for rule in view.scan(RULES, scope):
        balancer = rule.listener.rpartition("/")[0]
        for arn in groups_of(rule.actions):
            found.setdefault(arn, set()).add(balancer)
    return found


def load_balancer_arns(found: Mapping[str, set[str]], group: TargetGroup) -> list[str]:
    """The ARNs of the load balancers that forward to a group."""
    paths = sorted(found.get(group.arn, ()))
    return [group.scope.arn(SERVICE, f"loadbalancer/{path}") for path in paths]


def is_in_use(view: View, group: TargetGroup) -> bool:
    """Whether a listener or a rule forwards to the group."""
    scope = group.scope
    return group.arn in forwarded_groups(view.scan(LISTENERS, scope), view.scan(RULES, scope))


def check_limit(view: View, scope: Scope, load_balancer: str, actions: Iterable[Action]) -> None:
    """Raise ``TargetGroupAssociationLimit`` for groups that serve another load balancer.

    ``load_balancer`` is the path of the one the actions are for.
    """
    found = associations(view, scope)
    taken = [arn for arn in groups_of(actions) if found.get(arn, set()) - {load_balancer}]
    if taken:
        raise errors.association_limit(taken)
