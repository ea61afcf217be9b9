"""The rules of security groups: ``IpPermissions`` taken apart, and put together again.

Amazon EC2 API Reference, ``IpPermission``, ``SecurityGroupRule``.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from openecs.api.base import Call, Members
from openecs.api.ec2 import errors, tags
from openecs.model.network import SecurityGroup, SecurityGroupRule

PORTS = 65535
#: Protocols by number, as they are shown.
_NAMES = {"6": "tcp", "17": "udp", "1": "icmp", "58": "icmpv6"}
ALL = "-1"


def parse(call: Call, request: Members, *, is_egress: bool) -> list[SecurityGroupRule]:
    """The rules a request describes, one for each source or target. Raises ``ServiceError``."""
    given = request.get("IpPermissions") or ()
    if not given:
        given = [_flat(request)]
    rules = [rule for each in given for rule in _rules(each, is_egress=is_egress)]
    if not rules:
        raise errors.missing("ipPermissions")
    return [replace(rule, id=f"sgr-{call.ids.hex32()[:17]}") for rule in rules]


def show(group: SecurityGroup, *, is_egress: bool) -> list[Members]:
    """The rules of one direction, those of the same protocol and ports together."""
    together: dict[tuple[str, int | None, int | None], list[SecurityGroupRule]] = {}
    for rule in group.rules:
        if rule.is_egress is is_egress:
            together.setdefault((rule.protocol, rule.from_port, rule.to_port), []).append(rule)
    return [_permission(group, rules) for rules in together.values()]


def show_rule(group: SecurityGroup, rule: SecurityGroupRule) -> Members:
    """The members of one rule."""
    referenced = {"GroupId": rule.referenced_group, "UserId": group.scope.account}
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
        "ReferencedGroupInfo": referenced if rule.referenced_group else None,
        "Description": rule.description,
        "Tags": tags.show(rule.tags),
    }


def same(one: SecurityGroupRule, other: SecurityGroupRule) -> bool:
    """Whether two rules permit the same, whatever their names."""
    return _meaning(one) == _meaning(other)


def text(rule: SecurityGroupRule) -> str:
    """A rule as errors word it."""
    peer = rule.cidr_ipv4 or rule.cidr_ipv6 or rule.prefix_list_id or rule.referenced_group
    protocol = "ALL" if rule.protocol == ALL else rule.protocol.upper()
    ports = "" if rule.from_port is None else f", from port: {rule.from_port}"
    upto = "" if rule.to_port is None else f", to port: {rule.to_port}"
    return f"peer: {peer}, {protocol}{ports}{upto}, ALLOW"


def _meaning(rule: SecurityGroupRule) -> tuple[object, ...]:
    return (
        rule.is_egress,
        rule.protocol,
        rule.from_port,
        rule.to_port,
        rule.cidr_ipv4,
        rule.cidr_ipv6,
        rule.prefix_list_id,
        rule.referenced_group,
    )


def _flat(request: Members) -> Members:
    """The request's own members as a permission: the older way to say it."""
    permission = {name: request.get(name) for name in ("IpProtocol", "FromPort", "ToPort")}
    if request.get("CidrIp"):
        permission["IpRanges"] = [{"CidrIp": request["CidrIp"]}]
    return permission


def _rules(permission: Members, *, is_egress: bool) -> Iterator[SecurityGroupRule]:
    protocol = _protocol(permission)
    first, last = _ports(permission, protocol)
    for given, peer in _peers(permission):
        rule = SecurityGroupRule(
            id="",
            is_egress=is_egress,
            protocol=protocol,
            from_port=first,
            to_port=last,
            description=given.get("Description"),
        )
        yield replace(rule, **peer)


def _peers(permission: Members) -> Iterator[tuple[Members, dict[str, Any]]]:
    for each in permission.get("IpRanges") or ():
        yield each, {"cidr_ipv4": _network(each.get("CidrIp"), 4)}
    for each in permission.get("Ipv6Ranges") or ():
        yield each, {"cidr_ipv6": _network(each.get("CidrIpv6"), 6)}
    for each in permission.get("PrefixListIds") or ():
        yield each, {"prefix_list_id": each["PrefixListId"]}
    for each in permission.get("UserIdGroupPairs") or ():
        if not each.get("GroupId"):
            raise errors.missing("groupId")
        yield each, {"referenced_group": each["GroupId"]}


def _protocol(permission: Members) -> str:
    given = permission.get("IpProtocol")
    if not given:
        raise errors.missing("ipProtocol")
    named: str = _NAMES.get(given, given.lower())
    if named not in {*_NAMES.values(), ALL} and not named.isdecimal():
        raise errors.invalid_value(f"Invalid value '{given}' for IP protocol. Unknown protocol.")
    return named


def _ports(permission: Members, protocol: str) -> tuple[int | None, int | None]:
    if protocol not in _NAMES.values():
        return None, None
    first, last = permission.get("FromPort"), permission.get("ToPort")
    if first is None or last is None:
        if protocol.startswith("icmp"):
            return -1, -1
        raise errors.invalid_value(
            "Invalid value 'Must specify both from and to ports with TCP/UDP.' for portRange."
        )
    if protocol in {"tcp", "udp"} and not 0 <= first <= last <= PORTS:
        raise errors.invalid_value(f"Invalid TCP/UDP port range ({first}:{last})")
    return first, last


def _network(given: str | None, version: int) -> str:
    kind = ipaddress.IPv4Network if version == 4 else ipaddress.IPv6Network
    try:
        return str(kind(given or "", strict=False))
    except ValueError as error:
        raise errors.invalid_value(f"CIDR block {given} is malformed") from error


def _permission(group: SecurityGroup, rules: Sequence[SecurityGroupRule]) -> Members:
    first = rules[0]
    return {
        "IpProtocol": first.protocol,
        "FromPort": first.from_port,
        "ToPort": first.to_port,
        "IpRanges": _shown(rules, "CidrIp", "cidr_ipv4"),
        "Ipv6Ranges": _shown(rules, "CidrIpv6", "cidr_ipv6"),
        "PrefixListIds": _shown(rules, "PrefixListId", "prefix_list_id"),
        "UserIdGroupPairs": [
            {"UserId": group.scope.account, **pair}
            for pair in _shown(rules, "GroupId", "referenced_group")
        ],
    }


def _shown(rules: Iterable[SecurityGroupRule], member: str, field: str) -> list[Members]:
    return [
        {member: getattr(rule, field), "Description": rule.description}
        for rule in rules
        if getattr(rule, field)
    ]
