"""Registering and deregistering targets, for the operations and for the tasks of services."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from openecs.model.load_balancing import Target, TargetGroup, TargetType, target_key
from openecs.store.base import Transaction, View
from openecs.store.kinds import LOAD_BALANCERS, TARGET_HEALTH, TARGETS

DELAY = "deregistration_delay.timeout_seconds"
DEFAULT_DELAY = 300

#: Where the ports of this machine's containers are reached.
THIS_MACHINE = "127.0.0.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTarget:
    """What is to be a target: an instance or address, its port, and the ECS task it is, if any."""

    id: str
    port: int
    availability_zone: str | None = None
    task: str | None = None


def register(
    tx: Transaction, group: TargetGroup, targets: Iterable[NewTarget], now: datetime
) -> None:
    """Register targets; one that drains, or was another task, is registered anew."""
    for each in targets:
        known = tx.get(TARGETS, group.scope, target_key(group.path, each.id, each.port))
        if known is None or known.draining_since or known.task != each.task:
            tx.put(TARGETS, _target(group, each, _address(tx, group, each), now))


def deregister(
    tx: Transaction, group: TargetGroup, targets: Iterable[NewTarget], now: datetime
) -> datetime:
    """Let targets drain for the group's deregistration delay; when they will have."""
    seconds = int(group.attributes.get(DELAY, DEFAULT_DELAY))
    drained_at = now + timedelta(seconds=seconds)
    for each in targets:
        target = tx.get(TARGETS, group.scope, target_key(group.path, each.id, each.port))
        if target is None or target.draining_since is not None:
            continue
        if seconds:
            tx.put(TARGETS, replace(target, draining_since=now, drained_at=drained_at))
        else:
            withdraw(tx, group, [each])
    return drained_at


def withdraw(tx: Transaction, group: TargetGroup, targets: Iterable[NewTarget]) -> None:
    """Forget targets at once: they are dead."""
    for each in targets:
        key = target_key(group.path, each.id, each.port)
        tx.delete(TARGETS, group.scope, key)
        tx.delete(TARGET_HEALTH, group.scope, key)


def _address(view: View, group: TargetGroup, new: NewTarget) -> str:
    """Where packets for it go."""
    if group.target_type is TargetType.ALB:
        path = new.id.partition(":loadbalancer/")[2]
        balancer = view.get(LOAD_BALANCERS, group.scope, path)
        return balancer.loopback_address if balancer else THIS_MACHINE
    return new.id if group.target_type is TargetType.IP else THIS_MACHINE


def _target(group: TargetGroup, new: NewTarget, address: str, now: datetime) -> Target:
    return Target(
        scope=group.scope,
        target_group=group.path,
        id=new.id,
        port=new.port,
        address=address,
        availability_zone=new.availability_zone,
        registered_at=now,
        task=new.task,
    )
