"""CreateTargetGroup, DescribeTargetGroups, ModifyTargetGroup, DeleteTargetGroup.

Elastic Load Balancing API Reference, version 2015-12-01.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from openecs.api.base import Call, Members, Operation, Reads, Writes
from openecs.api.ec2 import network
from openecs.api.elbv2 import (
    balancer_targets,
    errors,
    function_targets,
    health_checks,
    names,
    paging,
    references,
    tag_rules,
)
from openecs.api.elbv2.associations import associations, is_in_use, load_balancer_arns
from openecs.api.elbv2.health_checks import Checked
from openecs.model.load_balancing import TargetGroup, TargetHealthCheck, TargetType
from openecs.store.base import Transaction, View
from openecs.store.kinds import TARGET_GROUPS, TARGET_HEALTH, TARGETS

_HTTP = ("HTTP", "HTTPS")
_NOT_BUILT_PROTOCOLS = {
    "GENEVE": "gateway load balancers",
    "QUIC": "QUIC",
    "TCP_QUIC": "QUIC",
}


def create_target_group(tx: Transaction, call: Call, request: Members) -> Members:
    """Make a target group; where there is the same one already, show that."""
    made = _target_group(tx, call, request)
    known = next(iter(tx.find(TARGET_GROUPS, call.scope, "name", (made.name,))), None)
    if known is None:
        tx.put(TARGET_GROUPS, made)
        return _show(tx, call, [made])
    if _settings(known) != _settings(made):
        raise errors.duplicate_target_group(made.name)
    return _show(tx, call, [known])


def describe_target_groups(view: View, call: Call, request: Members) -> Members:
    """Target groups by ARN, by name, of a load balancer, or all of them."""
    found = _asked_for(view, call, request)
    shown, marker = paging.page(request, found, lambda group: group.path)
    return {**_show(view, call, shown), "NextMarker": marker}


def modify_target_group(tx: Transaction, call: Call, request: Members) -> Members:
    """Change how targets are checked; the rest of a target group is for ever."""
    group = references.target_group(tx, call, request["TargetGroupArn"])
    changed = replace(group, health_check=_changed_check(group, request))
    tx.put(TARGET_GROUPS, changed)
    return _show(tx, call, [changed])


def delete_target_group(tx: Transaction, call: Call, request: Members) -> Members:
    """Delete a target group nobody forwards to, with its targets; unknown ones are passed over."""
    key = references.key_of(call, "targetgroup", request["TargetGroupArn"])
    group = None if key is None else tx.get(TARGET_GROUPS, call.scope, key)
    if group is None:
        return {}
    if is_in_use(tx, group):
        raise errors.in_use(group.arn)
    for target in tx.scan(TARGETS, call.scope, prefix=f"{group.path}/"):
        tx.delete(TARGETS, call.scope, target.key)
        tx.delete(TARGET_HEALTH, call.scope, target.key)
    tx.delete(TARGET_GROUPS, call.scope, group.path)
    return {}


OPERATIONS: dict[str, Operation] = {
    "CreateTargetGroup": Writes(create_target_group),
    "DescribeTargetGroups": Reads(describe_target_groups),
    "ModifyTargetGroup": Writes(modify_target_group),
    "DeleteTargetGroup": Writes(delete_target_group),
}


def _target_group(tx: Transaction, call: Call, request: Members) -> TargetGroup:
    target_type = TargetType(request.get("TargetType") or TargetType.INSTANCE)
    names.check("Target group", request["Name"])
    if target_type is TargetType.LAMBDA:
        return function_targets.target_group(call, request)
    _check(tx, call, request, target_type)
    protocol = request["Protocol"]
    version = (request.get("ProtocolVersion") or "HTTP1") if protocol in _HTTP else None
    return TargetGroup(
        scope=call.scope,
        name=request["Name"],
        id=call.ids.hex32()[-16:],
        target_type=target_type,
        protocol=protocol,
        protocol_version=version,
        port=request["Port"],
        vpc_id=request["VpcId"],
        health_check=health_checks.parse(_checked(protocol, version, target_type), request),
        created_at=call.now,
        tags=tag_rules.parse(request.get("Tags")),
    )


def _changed_check(group: TargetGroup, request: Members) -> TargetHealthCheck:
    if group.target_type is TargetType.LAMBDA:
        return function_targets.health_check(request, group.health_check)
    checked = _checked(group.protocol or "", group.protocol_version, group.target_type)
    return health_checks.parse(checked, request, group.health_check)


def _checked(protocol: str, version: str | None, target_type: str) -> Checked:
    return Checked(protocol=protocol, protocol_version=version, target_type=target_type)


def _check(tx: Transaction, call: Call, request: Members, target_type: TargetType) -> None:
    _refuse_not_built(request)
    for member, words in (("Protocol", "protocol"), ("Port", "port"), ("VpcId", "VPC ID")):
        if request.get(member) is None:
            raise errors.validation(f"A {words} must be specified")
    if target_type is TargetType.ALB:
        balancer_targets.check_group(request)
    if request.get("ProtocolVersion") and request["Protocol"] not in _HTTP:
        raise errors.validation(
            f"Protocol version cannot be specified for protocol '{request['Protocol']}'"
        )
    # Clients that leave it open say so by an empty word.
    if (request.get("ProtocolVersion") or "HTTP1") not in {"HTTP1", "HTTP2", "GRPC"}:
        raise errors.validation("Protocol version must be one of 'HTTP1, HTTP2, GRPC'")
    if network.vpc(tx, call.scope, request["VpcId"]) is None:
        raise errors.validation(f"The VPC ID '{request['VpcId']}' is not found")


def _refuse_not_built(request: Members) -> None:
    if request.get("Protocol") in _NOT_BUILT_PROTOCOLS:
        raise errors.not_built(_NOT_BUILT_PROTOCOLS[request["Protocol"]])
    if request.get("IpAddressType") == "ipv6":
        raise errors.not_built("target groups of IPv6 addresses")
    if request.get("TargetControlPort") is not None:
        raise errors.not_built("target optimizers")


def _settings(group: TargetGroup) -> tuple[object, ...]:
    spoken = (group.protocol, group.protocol_version, group.port)
    return (group.target_type, *spoken, group.vpc_id, group.health_check)


def _asked_for(view: View, call: Call, request: Members) -> Sequence[TargetGroup]:
    ways = {name: request[name] for name in _WAYS if request.get(name)}
    if len(ways) > 1:
        raise errors.validation(
            "Target group names, target group ARNs and a load balancer ARN cannot be specified at "
            "the same time"
        )
    match ways:
        case {"TargetGroupArns": arns}:
            return _ordered(references.target_group(view, call, arn) for arn in arns)
        case {"Names": wanted}:
            return _ordered(_named(view, call, name) for name in wanted)
        case {"LoadBalancerArn": arn}:
            return _of_load_balancer(view, call, arn)
        case _:
            return view.scan(TARGET_GROUPS, call.scope)


_WAYS = ("LoadBalancerArn", "TargetGroupArns", "Names")


def _ordered(groups: Iterable[TargetGroup]) -> Sequence[TargetGroup]:
    return sorted({each.path: each for each in groups}.values(), key=lambda each: each.path)


def _named(view: View, call: Call, name: str) -> TargetGroup:
    found = view.find(TARGET_GROUPS, call.scope, "name", (name,))
    if not found:
        raise errors.target_group_not_found()
    return found[0]


def _of_load_balancer(view: View, call: Call, arn: str) -> Sequence[TargetGroup]:
    path = references.load_balancer(view, call, arn).path
    found = associations(view, call.scope)
    groups = view.scan(TARGET_GROUPS, call.scope)
    return [group for group in groups if path in found.get(group.arn, ())]


def _show(view: View, call: Call, groups: Sequence[TargetGroup]) -> Members:
    found = associations(view, call.scope)
    return {"TargetGroups": [_members(group, found) for group in groups]}


def _shown_check(group: TargetGroup) -> Members:
    shown = health_checks.members(group.health_check)
    if group.target_type is TargetType.LAMBDA:
        return {**shown, "HealthCheckProtocol": None, "HealthCheckPort": None}
    return shown


def _members(group: TargetGroup, found: Mapping[str, set[str]]) -> Members:
    return {
        "TargetGroupArn": group.arn,
        "TargetGroupName": group.name,
        "Protocol": group.protocol,
        "ProtocolVersion": group.protocol_version,
        "Port": group.port,
        "VpcId": group.vpc_id,
        **_shown_check(group),
        "LoadBalancerArns": load_balancer_arns(found, group),
        "TargetType": group.target_type,
        "IpAddressType": group.ip_address_type,
    }
