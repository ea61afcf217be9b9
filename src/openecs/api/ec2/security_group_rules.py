"""Rules of security groups: ``AuthorizeSecurityGroupIngress`` and its neighbours.

A request names rules by permissions (``IpPermissions``), by the members of the classic form
(``CidrIp``, ``FromPort`` ...) or, to take them away, by their ids.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from openecs.api.base import Call, Members, ServiceError
from openecs.api.ec2 import network, prefix_lists, ranges, tagging
from openecs.api.ec2.describing import Listing
from openecs.api.ec2.security_groups import existing, named
from openecs.model.network import SecurityGroup, SecurityGroupRule
from openecs.store.base import Transaction, View
from openecs.store.kinds import SECURITY_GROUPS

_PROTOCOLS = {"1": "icmp", "6": "tcp", "17": "udp", "58": "icmpv6", "all": "-1"}
_WITH_PORTS = frozenset({"tcp", "udp", "icmp", "icmpv6"})

LISTING = Listing(
    answer="SecurityGroupRules",
    id="SecurityGroupRuleId",
    ids="SecurityGroupRuleIds",
    paths={"group-id": "GroupId", "security-group-rule-id": "SecurityGroupRuleId"},
    missing=(
        "InvalidSecurityGroupRuleId.NotFound",
        "The security group rule ID '{}' does not exist",
    ),
)

Write = Callable[[Transaction, Call, Members], Members]


def authorize(*, is_egress: bool) -> Write:
    """``AuthorizeSecurityGroupIngress`` or ``...Egress``."""

    def run(tx: Transaction, call: Call, request: Members) -> Members:
        group = named(tx, call.scope, request)
        tags = tagging.given(request, "security-group-rule")
        asked = [
            replace(one, id=tagging.new_id(call, "sgr"), tags=tags)
            for one in _asked(tx, call, request, is_egress=is_egress)
        ]
        there = {_identity(one) for one in group.rules}
        for one in asked:
            if _identity(one) in there:
                raise _duplicate(one)
            there.add(_identity(one))
        _put(tx, call, group, (*group.rules, *asked))
        return {"Return": True, "SecurityGroupRules": [_shown(group, one) for one in asked]}

    return run


def revoke(*, is_egress: bool) -> Write:
    """``RevokeSecurityGroupIngress`` or ``...Egress``."""

    def run(tx: Transaction, call: Call, request: Members) -> Members:
        group = named(tx, call.scope, request)
        gone = _matching(tx, call, group, request, is_egress=is_egress)
        ids = {one.id for one in gone}
        _put(tx, call, group, [one for one in group.rules if one.id not in ids])
        return {"Return": True}

    return run


def update_descriptions(*, is_egress: bool) -> Write:
    """``UpdateSecurityGroupRuleDescriptionsIngress`` or ``...Egress``."""

    def run(tx: Transaction, call: Call, request: Members) -> Members:
        group = named(tx, call.scope, request)
        words = {
            one["SecurityGroupRuleId"]: one.get("Description")
            for one in request.get("SecurityGroupRuleDescriptions") or ()
        }
        for name in words:
            _rule(group, name)
        for asked in _asked(tx, call, request, is_egress=is_egress):
            words[_same(group, asked).id] = asked.description
        rules = [
            replace(one, description=words.get(one.id, one.description)) for one in group.rules
        ]
        _put(tx, call, group, rules)
        return {"Return": True}

    return run


def modify(tx: Transaction, call: Call, request: Members) -> Members:
    """``ModifySecurityGroupRules``: other contents under the same ids."""
    group = named(tx, call.scope, request)
    rules = {one.id: one for one in group.rules}
    for update in request["SecurityGroupRules"]:
        old = _rule(group, update["SecurityGroupRuleId"])
        rules[old.id] = _modified(tx, call, old, update.get("SecurityGroupRule") or {})
    if len({_identity(one) for one in rules.values()}) < len(rules):
        text = "The same permission must not appear multiple times"
        raise ServiceError("InvalidPermission.Duplicate", text)
    _put(tx, call, group, list(rules.values()))
    return {"Return": True}


def describe(view: View, call: Call, request: Members) -> Members:
    """``DescribeSecurityGroupRules``."""
    groups = network.security_groups(view, call.scope)
    return LISTING.describe(request, [_shown(one, rule) for one in groups for rule in one.rules])


def _put(
    tx: Transaction, call: Call, group: SecurityGroup, rules: Sequence[SecurityGroupRule]
) -> None:
    network.write_down(tx, call.scope)
    tx.put(SECURITY_GROUPS, replace(group, rules=tuple(rules)))


def _matching(
    view: View, call: Call, group: SecurityGroup, request: Members, *, is_egress: bool
) -> list[SecurityGroupRule]:
    """The rules to revoke. Raises ``InvalidPermission.NotFound``."""
    if ids := request.get("SecurityGroupRuleIds"):
        return [_rule(group, one) for one in ids]
    return [_same(group, one) for one in _asked(view, call, request, is_egress=is_egress)]


def _rule(group: SecurityGroup, rule_id: str) -> SecurityGroupRule:
    for one in group.rules:
        if one.id == rule_id:
            return one
    raise LISTING.unknown(rule_id)


def _same(group: SecurityGroup, asked: SecurityGroupRule) -> SecurityGroupRule:
    for one in group.rules:
        if _identity(one) == _identity(asked):
            return one
    text = "The specified rule does not exist in this security group."
    raise ServiceError("InvalidPermission.NotFound", text)


def _asked(
    view: View, call: Call, request: Members, *, is_egress: bool
) -> Iterator[SecurityGroupRule]:
    """The rules a request describes, without ids."""
    for permission in request.get("IpPermissions") or _classic(request):
        for source in _sources(view, call, permission):
            yield replace(_bare(permission, is_egress=is_egress), **source)  # type: ignore[arg-type]


def _classic(request: Members) -> list[Members]:
    if request.get("IpProtocol") is None:
        return []
    ports = {name: request.get(name) for name in ("IpProtocol", "FromPort", "ToPort")}
    if group := request.get("SourceSecurityGroupName"):
        return [{**ports, "UserIdGroupPairs": [{"GroupName": group}]}]
    return [{**ports, "IpRanges": [{"CidrIp": request.get("CidrIp") or "0.0.0.0/0"}]}]


def _bare(permission: Members, *, is_egress: bool) -> SecurityGroupRule:
    asked = str(permission.get("IpProtocol")).lower()
    protocol = _PROTOCOLS.get(asked, asked)
    first, last = permission.get("FromPort"), permission.get("ToPort")
    if protocol not in _WITH_PORTS:
        first = last = None
    elif protocol in {"tcp", "udp"} and (first is None or last is None or first > last):
        text = f"Invalid value for portRange. Must specify both from and to ports with {protocol}"
        raise ServiceError("InvalidParameterValue", text)
    return SecurityGroupRule(
        id="", is_egress=is_egress, protocol=protocol, from_port=first, to_port=last
    )


def _sources(view: View, call: Call, permission: Members) -> Iterator[dict[str, str | None]]:
    for one in permission.get("IpRanges") or ():
        cidr = str(ranges.read(one["CidrIp"], "cidrIp"))
        yield {"cidr_ipv4": cidr, "description": one.get("Description")}
    for one in permission.get("Ipv6Ranges") or ():
        cidr = ranges.read_ipv6(one["CidrIpv6"])
        yield {"cidr_ipv6": cidr, "description": one.get("Description")}
    for one in permission.get("UserIdGroupPairs") or ():
        group = named(view, call.scope, one)
        yield {"referenced_group": group.id, "description": one.get("Description")}
    for one in permission.get("PrefixListIds") or ():
        found = prefix_lists.existing(view, call.scope, one.get("PrefixListId") or "")
        yield {"prefix_list_id": found.id, "description": one.get("Description")}


def _modified(view: View, call: Call, old: SecurityGroupRule, wanted: Members) -> SecurityGroupRule:
    source = {
        "cidr_ipv4": str(ranges.read(wanted["CidrIpv4"])) if wanted.get("CidrIpv4") else None,
        "cidr_ipv6": ranges.read_ipv6(wanted["CidrIpv6"]) if wanted.get("CidrIpv6") else None,
        "prefix_list_id": wanted.get("PrefixListId"),
        "referenced_group": wanted.get("ReferencedGroupId"),
    }
    if sum(one is not None for one in source.values()) != 1:
        raise ServiceError("InvalidParameterValue", "A rule has exactly one source or destination.")
    if source["referenced_group"]:
        existing(view, call.scope, source["referenced_group"])
    if source["prefix_list_id"]:
        prefix_lists.existing(view, call.scope, source["prefix_list_id"])
    bare = _bare(wanted, is_egress=old.is_egress)
    description = wanted.get("Description")
    return replace(bare, id=old.id, tags=old.tags, description=description, **source)  # type: ignore[arg-type]


def _identity(rule: SecurityGroupRule) -> tuple[object, ...]:
    """What two rules of a group may not have in common."""
    source = (rule.cidr_ipv4, rule.cidr_ipv6, rule.prefix_list_id, rule.referenced_group)
    return (rule.is_egress, rule.protocol, rule.from_port, rule.to_port, *source)


def _duplicate(rule: SecurityGroupRule) -> ServiceError:
    peer = rule.cidr_ipv4 or rule.cidr_ipv6 or rule.prefix_list_id or rule.referenced_group
    ports = (
        "" if rule.from_port is None else f" from port: {rule.from_port}, to port: {rule.to_port},"
    )
    protocol = "ALL" if rule.protocol == "-1" else rule.protocol.upper()
    text = f'the specified rule "peer: {peer}, {protocol},{ports} ALLOW" already exists'
    return ServiceError("InvalidPermission.Duplicate", text)


def _shown(group: SecurityGroup, rule: SecurityGroupRule) -> Members:
    reference = {"GroupId": rule.referenced_group, "UserId": group.scope.account}
    return {
        "SecurityGroupRuleId": rule.id,
        "SecurityGroupRuleArn": group.scope.arn("ec2", f"security-group-rule/{rule.id}"),
        "GroupId": group.id,
        "GroupOwnerId": group.scope.account,
        "IsEgress": rule.is_egress,
        "IpProtocol": rule.protocol,
        "FromPort": -1 if rule.from_port is None else rule.from_port,
        "ToPort": -1 if rule.to_port is None else rule.to_port,
        "CidrIpv4": rule.cidr_ipv4,
        "CidrIpv6": rule.cidr_ipv6,
        "PrefixListId": rule.prefix_list_id,
        "ReferencedGroupInfo": reference if rule.referenced_group else None,
        "Description": rule.description,
        "Tags": tagging.shown(rule.tags),
    }
