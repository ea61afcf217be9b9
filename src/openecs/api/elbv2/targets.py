"""RegisterTargets, DeregisterTargets, DescribeTargetHealth.

Elastic Load Balancing API Reference, version 2015-12-01.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

from openecs.api.base import Call, Members, Operation, Reads, Writes
from openecs.api.elbv2 import balancer_targets, errors, function_targets, references, registration
from openecs.api.elbv2.associations import is_in_use
from openecs.api.elbv2.registration import NewTarget
from openecs.decide.target_status import NOT_REGISTERED, TargetStatus, status
from openecs.model.load_balancing import Target, TargetGroup, TargetType, target_key
from openecs.store.base import Transaction, View
from openecs.store.kinds import CONTAINER_INSTANCES, TARGET_HEALTH, TARGETS

_MOST = 1000

#: Addresses that can be targets. Loopback is OpenECS's own: processes of this machine.
_NETWORKS = [
    ipaddress.ip_network(text)
    for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "127.0.0.0/8")
]


def register_targets(tx: Transaction, call: Call, request: Members) -> Members:
    """Register targets; one that is registered already stays as it is."""
    group = references.target_group(tx, call, request["TargetGroupArn"])
    targets = _given(group, request["Targets"])
    if group.target_type is TargetType.INSTANCE:
        _check_instances(tx, call, targets)
    elif group.target_type is TargetType.ALB:
        balancer_targets.check_registration(tx, call, group, targets)
    elif group.target_type is TargetType.LAMBDA:
        function_targets.check_registration(tx, group, targets)
    else:
        _check_addresses(targets)
    known = len(tx.scan(TARGETS, call.scope, prefix=f"{group.path}/"))
    if known + len(targets) > _MOST:
        raise errors.too_many("Targets", f"The number of targets cannot exceed '{_MOST}'")
    registration.register(tx, group, targets, call.now)
    return {}


def deregister_targets(tx: Transaction, call: Call, request: Members) -> Members:
    """Let targets drain; functions, and those nobody forwards to, go at once."""
    group = references.target_group(tx, call, request["TargetGroupArn"])
    targets = _named(tx, group, request["Targets"])
    if is_in_use(tx, group) and group.target_type is not TargetType.LAMBDA:
        registration.deregister(tx, group, targets, call.now)
    else:
        registration.withdraw(tx, group, targets)
    return {}


def describe_target_health(view: View, call: Call, request: Members) -> Members:
    """How the targets of a group fare: those named, or all."""
    group = references.target_group(view, call, request["TargetGroupArn"])
    is_used = is_in_use(view, group)
    if request.get("Targets"):
        named = _named(view, group, request["Targets"])
        shown = [_described(view, group, each, is_used=is_used) for each in named]
    else:
        found = view.scan(TARGETS, call.scope, prefix=f"{group.path}/")
        shown = [_registered(view, group, each, is_used=is_used) for each in found]
    return {"TargetHealthDescriptions": shown}


OPERATIONS: dict[str, Operation] = {
    "RegisterTargets": Writes(register_targets),
    "DeregisterTargets": Writes(deregister_targets),
    "DescribeTargetHealth": Reads(describe_target_health),
}


def _given(group: TargetGroup, targets: Sequence[Members]) -> list[NewTarget]:
    found = [
        NewTarget(
            id=each["Id"],
            port=each.get("Port") or group.port or 0,
            availability_zone=each.get("AvailabilityZone"),
        )
        for each in targets
    ]
    if not found:
        raise errors.validation("At least one target must be specified")
    return found


def _named(view: View, group: TargetGroup, targets: Sequence[Members]) -> list[NewTarget]:
    """Targets of a request; without a port, all of that id that are registered."""
    found: list[NewTarget] = []
    registered = view.scan(TARGETS, group.scope, prefix=f"{group.path}/")
    for each in targets:
        ports = [t.port for t in registered if t.id == each["Id"]]
        if each.get("Port") or not ports:
            ports = [each.get("Port") or group.port or 0]
        found.extend(NewTarget(id=each["Id"], port=port) for port in ports)
    return found


def _check_instances(view: View, call: Call, targets: Sequence[NewTarget]) -> None:
    known = {each.ec2_instance_id for each in view.scan(CONTAINER_INSTANCES, call.scope)}
    unknown = [each.id for each in targets if each.id not in known]
    if unknown:
        listed = ", ".join(f"'{name}'" for name in unknown)
        raise errors.invalid_target(
            f"The following targets are not in a running state and cannot be registered: {listed}"
        )


def _check_addresses(targets: Sequence[NewTarget]) -> None:
    for each in targets:
        try:
            address = ipaddress.IPv4Address(each.id)
        except ValueError as error:
            raise errors.validation(f"The IP address '{each.id}' is not valid") from error
        if not any(address in network for network in _NETWORKS):
            raise errors.validation(
                f"The IP address '{each.id}' is not within a private range of addresses"
            )


def _described(view: View, group: TargetGroup, target: NewTarget, *, is_used: bool) -> Members:
    key = target_key(group.path, target.id, target.port)
    found = view.get(TARGETS, group.scope, key)
    if found is None:
        return _show(group, target.id, target.port, None, NOT_REGISTERED)
    return _registered(view, group, found, is_used=is_used)


def _registered(view: View, group: TargetGroup, target: Target, *, is_used: bool) -> Members:
    health = view.get(TARGET_HEALTH, group.scope, target.key)
    found = status(target, health, is_used=is_used)
    return _show(group, target.id, target.port, target.availability_zone, found)


def _show(
    group: TargetGroup, name: str, port: int, zone: str | None, found: TargetStatus
) -> Members:
    if group.target_type is TargetType.LAMBDA:
        return {"Target": {"Id": name, "AvailabilityZone": zone}, "TargetHealth": _told(found)}
    checked = group.health_check.port
    return {
        "Target": {"Id": name, "Port": port, "AvailabilityZone": zone},
        "HealthCheckPort": str(port) if checked == "traffic-port" else checked,
        "TargetHealth": _told(found),
    }


def _told(found: TargetStatus) -> Members:
    return {
        "State": str(found.state),
        "Reason": found.reason,
        "Description": found.description,
    }
