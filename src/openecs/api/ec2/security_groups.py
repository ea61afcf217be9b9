"""Security groups and their rules.

Amazon EC2 API Reference, ``CreateSecurityGroup``, ``AuthorizeSecurityGroupIngress``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from openecs.api.base import Call, Members, Operation, Reads, ServiceError, Writes
from openecs.api.ec2 import errors, network, permissions, tags, vpcs
from openecs.api.ec2.describing import Described, truth
from openecs.model.network import SecurityGroup, SecurityGroupRule
from openecs.store.base import Transaction, View
from openecs.store.kinds import LOAD_BALANCERS, SECURITY_GROUPS

ERROR = "InvalidGroup"
NAME_LIMIT = 255


def create_security_group(tx: Transaction, call: Call, request: Members) -> Members:
    """A group that nothing may reach, and whose members may reach everything."""
    network.write_down(tx, call.scope)
    vpc_id = request.get("VpcId") or _default_vpc(tx, call)
    vpc = vpcs.found(tx, call, vpc_id)
    name = _name(request)
    if tx.find(SECURITY_GROUPS, call.scope, "name", (vpc.id, name)):
        raise ServiceError(
            "InvalidGroup.Duplicate",
            f"The security group '{name}' already exists for VPC '{vpc.id}'",
        )
    outward = SecurityGroupRule(
        id=f"sgr-{call.ids.hex32()[:17]}", is_egress=True, protocol="-1", cidr_ipv4="0.0.0.0/0"
    )
    group = SecurityGroup(
        scope=call.scope,
        id=f"sg-{call.ids.hex32()[:17]}",
        name=name,
        description=request["Description"],
        vpc_id=vpc.id,
        rules=(outward,),
        tags=tags.on_creation(request, "security-group"),
    )
    if request.get("DryRun"):
        raise errors.dry_run()
    tx.put(SECURITY_GROUPS, group)
    return {
        "GroupId": group.id,
        "SecurityGroupArn": _arn(group),
        "Tags": tags.show(group.tags) or None,
    }


def delete_security_group(tx: Transaction, call: Call, request: Members) -> Members:
    """Delete a group that nothing refers to."""
    group = _given(tx, call, request)
    if group.name == "default":
        raise ServiceError(
            "CannotDelete",
            f'the specified group: "{group.id}" name: "default" cannot be deleted by a user',
        )
    if _is_used(tx, group):
        raise errors.in_use(f"resource {group.id} has a dependent object")
    if request.get("DryRun"):
        raise errors.dry_run()
    tx.delete(SECURITY_GROUPS, call.scope, group.id)
    return {"Return": True, "GroupId": group.id}


def describe_security_groups(view: View, call: Call, request: Members) -> Members:
    """The security groups of the region."""
    groups = network.security_groups(view, call.scope)
    for name in request.get("GroupNames") or ():
        if not any(group.name == name for group in groups):
            raise errors.not_found(ERROR, "security group", name)
    names = request.get("GroupNames")
    return _GROUPS.answer([g for g in groups if not names or g.name in names], request)


def describe_security_group_rules(view: View, call: Call, request: Members) -> Members:
    """The rules of the region's security groups."""
    groups = network.security_groups(view, call.scope)
    return _RULES.answer([(group, rule) for group in groups for rule in group.rules], request)


def authorize_security_group_ingress(tx: Transaction, call: Call, request: Members) -> Members:
    """Permit more to reach the group's members."""
    return _authorize(tx, call, request, is_egress=False)


def authorize_security_group_egress(tx: Transaction, call: Call, request: Members) -> Members:
    """Permit the group's members to reach more."""
    return _authorize(tx, call, request, is_egress=True)


def revoke_security_group_ingress(tx: Transaction, call: Call, request: Members) -> Members:
    """Take permissions to reach the group's members back."""
    return _revoke(tx, call, request, is_egress=False)


def revoke_security_group_egress(tx: Transaction, call: Call, request: Members) -> Members:
    """Take permissions of the group's members back."""
    return _revoke(tx, call, request, is_egress=True)


OPERATIONS: dict[str, Operation] = {
    "CreateSecurityGroup": Writes(create_security_group),
    "DeleteSecurityGroup": Writes(delete_security_group),
    "DescribeSecurityGroups": Reads(describe_security_groups),
    "DescribeSecurityGroupRules": Reads(describe_security_group_rules),
    "AuthorizeSecurityGroupIngress": Writes(authorize_security_group_ingress),
    "AuthorizeSecurityGroupEgress": Writes(authorize_security_group_egress),
    "RevokeSecurityGroupIngress": Writes(revoke_security_group_ingress),
    "RevokeSecurityGroupEgress": Writes(revoke_security_group_egress),
}


def _show(group: SecurityGroup) -> Members:
    return {
        "GroupId": group.id,
        "GroupName": group.name,
        "SecurityGroupArn": _arn(group),
        "Description": group.description,
        "OwnerId": group.scope.account,
        "VpcId": group.vpc_id,
        "IpPermissions": permissions.show(group, is_egress=False),
        "IpPermissionsEgress": permissions.show(group, is_egress=True),
        "Tags": tags.show(group.tags) or None,
    }


def _peers(group: SecurityGroup, field: str, *, is_egress: bool) -> Sequence[str]:
    found = (getattr(r, field) for r in group.rules if r.is_egress is is_egress)
    return tuple(value for value in found if value)


_GROUPS: Described[SecurityGroup] = Described(
    ids="GroupIds",
    results="SecurityGroups",
    error=ERROR,
    noun="security group",
    id_of=lambda group: group.id,
    tags_of=lambda group: group.tags,
    facets={
        "description": lambda group: (group.description,),
        "egress.ip-permission.cidr": lambda g: _peers(g, "cidr_ipv4", is_egress=True),
        "group-id": lambda group: (group.id,),
        "group-name": lambda group: (group.name,),
        "ip-permission.cidr": lambda g: _peers(g, "cidr_ipv4", is_egress=False),
        "ip-permission.group-id": lambda g: _peers(g, "referenced_group", is_egress=False),
        "owner-id": lambda group: (group.scope.account,),
        "vpc-id": lambda group: (group.vpc_id,),
    },
    show=_show,
)

_Rule = tuple[SecurityGroup, SecurityGroupRule]

_RULES: Described[_Rule] = Described(
    ids="SecurityGroupRuleIds",
    results="SecurityGroupRules",
    error="InvalidSecurityGroupRuleId",
    noun="security group rule ID",
    id_of=lambda pair: pair[1].id,
    tags_of=lambda pair: pair[1].tags,
    facets={
        "group-id": lambda pair: (pair[0].id,),
        "is-egress": lambda pair: truth(value=pair[1].is_egress),
        "security-group-rule-id": lambda pair: (pair[1].id,),
    },
    show=lambda pair: permissions.show_rule(*pair),
)


def _authorize(tx: Transaction, call: Call, request: Members, *, is_egress: bool) -> Members:
    group = _given(tx, call, request)
    added = permissions.parse(call, request, is_egress=is_egress)
    for rule in added:
        if rule.referenced_group and not tx.get(SECURITY_GROUPS, call.scope, rule.referenced_group):
            raise errors.not_found(ERROR, "security group", rule.referenced_group)
        if any(permissions.same(rule, known) for known in group.rules):
            raise ServiceError(
                "InvalidPermission.Duplicate",
                f'the specified rule "{permissions.text(rule)}" already exists',
            )
    if request.get("DryRun"):
        raise errors.dry_run()
    changed = replace(group, rules=(*group.rules, *added))
    tx.put(SECURITY_GROUPS, changed)
    shown = [permissions.show_rule(changed, rule) for rule in added]
    return {"Return": True, "SecurityGroupRules": shown}


def _revoke(tx: Transaction, call: Call, request: Members, *, is_egress: bool) -> Members:
    group = _given(tx, call, request)
    gone = _revoked(call, group, request, is_egress=is_egress)
    if request.get("DryRun"):
        raise errors.dry_run()
    kept = tuple(rule for rule in group.rules if rule not in gone)
    tx.put(SECURITY_GROUPS, replace(group, rules=kept))
    return {"Return": True}


def _revoked(
    call: Call, group: SecurityGroup, request: Members, *, is_egress: bool
) -> list[SecurityGroupRule]:
    own = [rule for rule in group.rules if rule.is_egress is is_egress]
    if ids := request.get("SecurityGroupRuleIds"):
        for name in ids:
            if not any(rule.id == name for rule in own):
                raise errors.not_found("InvalidSecurityGroupRuleId", "security group rule ID", name)
        return [rule for rule in own if rule.id in ids]
    wanted = permissions.parse(call, request, is_egress=is_egress)
    if any(not any(permissions.same(w, rule) for rule in own) for w in wanted):
        raise ServiceError(
            "InvalidPermission.NotFound",
            "The specified rule does not exist in this security group.",
        )
    return [rule for rule in own if any(permissions.same(w, rule) for w in wanted)]


def _given(tx: Transaction, call: Call, request: Members) -> SecurityGroup:
    network.write_down(tx, call.scope)
    group_id = request.get("GroupId")
    if not group_id and not request.get("GroupName"):
        raise errors.missing("GroupId")
    if group_id:
        group = tx.get(SECURITY_GROUPS, call.scope, group_id)
    else:
        words = (_default_vpc(tx, call), request["GroupName"])
        group = next(iter(tx.find(SECURITY_GROUPS, call.scope, "name", words)), None)
    if group is None:
        raise errors.not_found(ERROR, "security group", group_id or request["GroupName"])
    return group


def _default_vpc(view: View, call: Call) -> str:
    default = next((v.id for v in network.vpcs(view, call.scope) if v.is_default), None)
    if default is None:
        raise ServiceError("VPCIdNotSpecified", "No default VPC for this user")
    return default


def _name(request: Members) -> str:
    name: str = request["GroupName"]
    if name == "default":
        raise ServiceError(
            "InvalidParameterValue", "Cannot use reserved security group name: default"
        )
    if not name or len(name) > NAME_LIMIT or name.startswith("sg-"):
        raise errors.invalid_value(f"Invalid value '{name}' for groupName.")
    return name


def _is_used(tx: Transaction, group: SecurityGroup) -> bool:
    others = tx.scan(SECURITY_GROUPS, group.scope)
    referred = any(
        r.referenced_group == group.id for o in others if o.id != group.id for r in o.rules
    )
    balancers = tx.scan(LOAD_BALANCERS, group.scope)
    return referred or any(group.id in each.security_groups for each in balancers)


def _arn(group: SecurityGroup) -> str:
    return group.scope.arn("ec2", f"security-group/{group.id}")
