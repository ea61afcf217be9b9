"""Security groups: Amazon EC2 API Reference, ``CreateSecurityGroup`` and its neighbours."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from openecs.api.base import Call, Members, ServiceError
from openecs.api.ec2 import network, tagging, task_interfaces, vpcs
from openecs.api.ec2.describing import Listing
from openecs.model.identity import Scope
from openecs.model.network import SecurityGroup, SecurityGroupRule
from openecs.store.base import Transaction, View
from openecs.store.kinds import LOAD_BALANCERS, SECURITY_GROUPS

_IN, _OUT = "IpPermissions", "IpPermissionsEgress"
_PERMISSION = {
    "cidr": "IpRanges.CidrIp",
    "from-port": "FromPort",
    "group-id": "UserIdGroupPairs.GroupId",
    "ipv6-cidr": "Ipv6Ranges.CidrIpv6",
    "prefix-list-id": "PrefixListIds.PrefixListId",
    "protocol": "IpProtocol",
    "to-port": "ToPort",
    "user-id": "UserIdGroupPairs.UserId",
}

LISTING = Listing(
    answer="SecurityGroups",
    id="GroupId",
    ids="GroupIds",
    paths={
        "description": "Description",
        "group-id": "GroupId",
        "group-name": "GroupName",
        "owner-id": "OwnerId",
        "vpc-id": "VpcId",
        **{f"ip-permission.{name}": f"{_IN}.{path}" for name, path in _PERMISSION.items()},
        **{f"egress.ip-permission.{name}": f"{_OUT}.{path}" for name, path in _PERMISSION.items()},
    },
    missing=("InvalidGroup.NotFound", "The security group '{}' does not exist"),
)


def create_security_group(tx: Transaction, call: Call, request: Members) -> Members:
    """``CreateSecurityGroup``: in the default VPC where none is named; lets everything out."""
    name = request["GroupName"]
    if name == "default" or name.startswith("sg-"):
        text = f"Cannot use reserved security group name: {name}"
        raise ServiceError("InvalidParameterValue", text)
    vpc_id = request.get("VpcId") or _default_vpc(tx, call.scope)
    vpcs.existing(tx, call.scope, vpc_id)
    if any((vpc_id, name) == (one.vpc_id, one.name) for one in _all(tx, call.scope)):
        text = f"The security group '{name}' already exists for VPC '{vpc_id}'"
        raise ServiceError("InvalidGroup.Duplicate", text)
    out = SecurityGroupRule(
        id=tagging.new_id(call, "sgr"), is_egress=True, protocol="-1", cidr_ipv4="0.0.0.0/0"
    )
    group = SecurityGroup(
        scope=call.scope,
        id=tagging.new_id(call, "sg"),
        name=name,
        description=request["Description"],
        vpc_id=vpc_id,
        rules=(out,),
        tags=tagging.given(request, "security-group"),
    )
    network.write_down(tx, call.scope)
    tx.put(SECURITY_GROUPS, group)
    return {
        "GroupId": group.id,
        "SecurityGroupArn": _arn(group),
        "Tags": tagging.shown(group.tags),
    }


def delete_security_group(tx: Transaction, call: Call, request: Members) -> Members:
    """``DeleteSecurityGroup``: not a VPC's own, and none in use.

    That is by a rule of another group, by a load balancer or by a task.
    """
    group = named(tx, call.scope, request)
    if group.name == "default":
        text = f'the specified group: "{group.id}" name: "default" cannot be deleted by a user'
        raise ServiceError("CannotDelete", text)
    others = (one for one in _all(tx, call.scope) if one.id != group.id)
    used = {rule.referenced_group for other in others for rule in other.rules}
    used.update(name for one in tx.scan(LOAD_BALANCERS, call.scope) for name in one.security_groups)
    for one in task_interfaces.of_tasks(tx, call.scope):
        used.update(each.id for each in task_interfaces.security_groups(tx, one))
    if group.id in used:
        raise ServiceError("DependencyViolation", f"resource {group.id} has a dependent object")
    network.write_down(tx, call.scope)
    tx.delete(SECURITY_GROUPS, call.scope, group.id)
    return {"Return": True, "GroupId": group.id}


def describe_security_groups(view: View, call: Call, request: Members) -> Members:
    """``DescribeSecurityGroups``: by ids, by names in the default VPC, by filters."""
    groups = _all(view, call.scope)
    for name in request.get("GroupNames") or ():
        named(view, call.scope, {"GroupName": name})
    if names := request.get("GroupNames"):
        default = _default_vpc(view, call.scope)
        groups = [one for one in groups if one.vpc_id == default and one.name in names]
    return LISTING.describe(request, [_shown(one) for one in groups])


def named(view: View, scope: Scope, request: Members) -> SecurityGroup:
    """The group of a request's ``GroupId``, or of its ``GroupName`` in the default VPC.

    Raises ``InvalidGroup.NotFound``.
    """
    group_id, name = request.get("GroupId"), request.get("GroupName")
    if group_id is None and name is None:
        text = "The request must contain the parameter groupName or groupId"
        raise ServiceError("MissingParameter", text)
    if group_id is not None:
        return existing(view, scope, group_id)
    default = _default_vpc(view, scope)
    for one in _all(view, scope):
        if (one.vpc_id, one.name) == (default, name):
            return one
    text = f"The security group '{name}' does not exist in default VPC '{default}'"
    raise ServiceError("InvalidGroup.NotFound", text)


def existing(view: View, scope: Scope, group_id: str) -> SecurityGroup:
    """The group. Raises ``InvalidGroup.NotFound``."""
    found = network.security_group(view, scope, group_id)
    if found is None:
        raise LISTING.unknown(group_id)
    return found


def _all(view: View, scope: Scope) -> list[SecurityGroup]:
    return list(network.security_groups(view, scope))


def _default_vpc(view: View, scope: Scope) -> str:
    for one in network.vpcs(view, scope):
        if one.is_default:
            return one.id
    raise ServiceError("VPCIdNotSpecified", "No default VPC for this user")


def _arn(group: SecurityGroup) -> str:
    return group.scope.arn("ec2", f"security-group/{group.id}")


def _shown(group: SecurityGroup) -> Members:
    return {
        "GroupId": group.id,
        "GroupName": group.name,
        "Description": group.description,
        "OwnerId": group.scope.account,
        "VpcId": group.vpc_id,
        "SecurityGroupArn": _arn(group),
        _IN: list(_permissions(group, is_egress=False)),
        _OUT: list(_permissions(group, is_egress=True)),
        "Tags": tagging.shown(group.tags),
    }


def _permissions(group: SecurityGroup, *, is_egress: bool) -> Iterator[Members]:
    """Rules of the same protocol and ports are one permission."""
    rules = [one for one in group.rules if one.is_egress is is_egress]
    for _, same in groupby(sorted(rules, key=_ports), key=_ports):
        yield _permission(group, list(same))


def _ports(rule: SecurityGroupRule) -> tuple[str, int, int]:
    first = -1 if rule.from_port is None else rule.from_port
    last = -1 if rule.to_port is None else rule.to_port
    return rule.protocol, first, last


def _permission(group: SecurityGroup, rules: list[SecurityGroupRule]) -> Members:
    return {
        "IpProtocol": rules[0].protocol,
        "FromPort": rules[0].from_port,
        "ToPort": rules[0].to_port,
        "IpRanges": [
            {"CidrIp": one.cidr_ipv4, "Description": one.description}
            for one in rules
            if one.cidr_ipv4
        ],
        "Ipv6Ranges": [
            {"CidrIpv6": one.cidr_ipv6, "Description": one.description}
            for one in rules
            if one.cidr_ipv6
        ],
        "PrefixListIds": [
            {"PrefixListId": one.prefix_list_id, "Description": one.description}
            for one in rules
            if one.prefix_list_id
        ],
        "UserIdGroupPairs": [
            {
                "GroupId": one.referenced_group,
                "UserId": group.scope.account,
                "Description": one.description,
            }
            for one in rules
            if one.referenced_group
        ],
    }
