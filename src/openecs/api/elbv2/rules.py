"""CreateRule, DescribeRules, ModifyRule, DeleteRule, SetRulePriorities.

Elastic Load Balancing API Reference, version 2015-12-01. A listener's default actions are shown as
its last rule.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from openecs.api.base import Call, Members, Operation, Reads, Writes
from openecs.api.elbv2 import (
    action_views,
    actions,
    conditions,
    errors,
    references,
    tag_rules,
    transforms,
)
from openecs.api.elbv2.actions import Place
from openecs.model.load_balancing import (
    Action,
    Listener,
    LoadBalancerType,
    Rule,
    Transform,
)
from openecs.store.base import Transaction, View
from openecs.store.kinds import LISTENERS, RULES

_MOST, _LAST_PRIORITY = 100, 50_000


def create_rule(tx: Transaction, call: Call, request: Members) -> Members:
    """Add a rule to a listener."""
    listener = references.listener(tx, call, request["ListenerArn"])
    priority = _priority(request["Priority"])
    siblings = tx.scan(RULES, call.scope, prefix=f"{listener.path}/")
    if any(rule.priority == priority for rule in siblings):
        raise errors.priority_in_use(priority)
    if len(siblings) >= _MOST:
        raise errors.too_many("Rules", f"The number of rules cannot exceed '{_MOST}'")
    made = Rule(
        scope=call.scope,
        listener=listener.path,
        id=call.ids.hex32()[-16:],
        priority=priority,
        conditions=conditions.parse(request["Conditions"]),
        actions=actions.parse(tx, call, _place(tx, listener), request["Actions"]),
        transforms=transforms.parse(request.get("Transforms")),
        tags=tag_rules.parse(request.get("Tags")),
    )
    transforms.check(made.transforms, made.actions)
    tx.put(RULES, made)
    return {"Rules": [_show(made)]}


def describe_rules(view: View, call: Call, request: Members) -> Members:
    """Rules by their ARNs, or those of a listener, the default one last."""
    arns, listener_arn = request.get("RuleArns"), request.get("ListenerArn")
    if arns and listener_arn:
        raise errors.validation(
            "Listener rule ARNs and a listener ARN cannot be specified at the same time"
        )
    if arns:
        return {"Rules": [_described(view, call, arn) for arn in arns]}
    if not listener_arn:
        raise errors.validation("You must specify either listener rule ARNs or a listener ARN")
    listener = references.listener(view, call, listener_arn)
    rules = view.scan(RULES, call.scope, prefix=f"{listener.path}/")
    ordered = sorted(rules, key=lambda rule: rule.priority)
    return {"Rules": [*map(_show, ordered), _show_default(listener)]}


def modify_rule(tx: Transaction, call: Call, request: Members) -> Members:
    """Change the conditions or the actions of a rule, all of them or none."""
    rule = _own(tx, call, request["RuleArn"], "modified")
    transformed = _transforms(request)
    if transformed is None and not request.get("Conditions") and not request.get("Actions"):
        raise errors.validation("Either conditions or actions must be specified")
    if transformed is not None:
        rule = replace(rule, transforms=transformed)
    if request.get("Conditions"):
        rule = replace(rule, conditions=conditions.parse(request["Conditions"]))
    if request.get("Actions"):
        place = _place(tx, references.listener_of_rule(tx, call, rule), rule.actions)
        rule = replace(rule, actions=actions.parse(tx, call, place, request["Actions"]))
    transforms.check(rule.transforms, rule.actions)
    tx.put(RULES, rule)
    return {"Rules": [_show(rule)]}


def delete_rule(tx: Transaction, call: Call, request: Members) -> Members:
    """Delete a rule."""
    rule = _own(tx, call, request["RuleArn"], "deleted")
    tx.delete(RULES, call.scope, rule.path)
    return {}


def set_rule_priorities(tx: Transaction, call: Call, request: Members) -> Members:
    """Give rules other priorities, all at once."""
    wanted: dict[str, int] = {}
    for each in request["RulePriorities"]:
        priority = _priority(each["Priority"])
        if priority in wanted.values():
            raise errors.validation(f"Priority '{priority}' was provided multiple times")
        wanted[each["RuleArn"]] = priority
    changed = [
        replace(_own(tx, call, arn, "modified"), priority=priority)
        for arn, priority in wanted.items()
    ]
    for rule in changed:
        _check_free(tx, rule, changed)
    for rule in changed:
        tx.put(RULES, rule)
    return {"Rules": [_show(rule) for rule in changed]}


OPERATIONS: dict[str, Operation] = {
    "CreateRule": Writes(create_rule),
    "DescribeRules": Reads(describe_rules),
    "ModifyRule": Writes(modify_rule),
    "DeleteRule": Writes(delete_rule),
    "SetRulePriorities": Writes(set_rule_priorities),
}


def _place(view: View, listener: Listener, before: tuple[Action, ...] = ()) -> Place:
    balancer = references.load_balancer_of(view, listener)
    if balancer.type is LoadBalancerType.NETWORK:
        raise errors.invalid_configuration("Rules are not supported for network load balancers")
    return Place(balancer=balancer, protocol=listener.protocol, before=before)


def _priority(given: int) -> int:
    if not 1 <= given <= _LAST_PRIORITY:
        raise errors.validation(
            f"Rule priority '{given}' must be in the range '1-{_LAST_PRIORITY}' inclusive"
        )
    return given


def _transforms(request: Members) -> tuple[Transform, ...] | None:
    """The transforms that a rule is to have; None for those that it has."""
    if not request.get("ResetTransforms"):
        return transforms.parse(request["Transforms"]) if request.get("Transforms") else None
    if request.get("Transforms"):
        raise errors.validation("'Transforms' cannot be specified with 'ResetTransforms'")
    return ()


def _own(view: View, call: Call, arn: str, verb: str) -> Rule:
    """A rule that is not a default one."""
    if _default_of(view, call, arn) is not None:
        raise errors.not_permitted(f"Default rule '{arn}' cannot be {verb}")
    return references.rule(view, call, arn)


def _default_of(view: View, call: Call, arn: str) -> Listener | None:
    """The listener whose default rule the ARN names."""
    key = references.key_of(call, "listener-rule", arn) or ""
    listener = view.get(LISTENERS, call.scope, key.rpartition("/")[0])
    return listener if listener and listener.default_rule_arn == arn else None


def _described(view: View, call: Call, arn: str) -> Members:
    listener = _default_of(view, call, arn)
    return _show_default(listener) if listener else _show(references.rule(view, call, arn))


def _check_free(view: View, rule: Rule, changed: Sequence[Rule]) -> None:
    moving = {each.path for each in changed}
    for other in view.scan(RULES, rule.scope, prefix=f"{rule.listener}/"):
        if other.path not in moving and other.priority == rule.priority:
            raise errors.priority_in_use(rule.priority)


def _show(rule: Rule) -> Members:
    return {
        "RuleArn": rule.arn,
        "Priority": str(rule.priority),
        "Conditions": conditions.show(rule.conditions),
        "Actions": action_views.show(rule.actions),
        "Transforms": transforms.show(rule.transforms),
        "IsDefault": False,
    }


def _show_default(listener: Listener) -> Members:
    return {
        "RuleArn": listener.default_rule_arn,
        "Priority": "default",
        "Conditions": [],
        "Actions": action_views.show(listener.default_actions),
        "Transforms": [],
        "IsDefault": True,
    }
