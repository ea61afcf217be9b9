"""A task in its target groups: registered, drained and withdrawn with the record of the task.

The record and the targets change in one transaction: no crash leaves a target without its task, nor
a task that runs unregistered.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import structlog

from openecs.api.ecs.service_story import tell
from openecs.api.elbv2 import registration
from openecs.api.elbv2.registration import NewTarget
from openecs.decide import serving
from openecs.decide.services import events
from openecs.decide.serving import Deregister, Register
from openecs.model.identity import parse_arn
from openecs.model.load_balancing import TargetGroup
from openecs.model.services import ServiceEvents
from openecs.model.tasks import ServedGroup, Task
from openecs.store.base import Transaction
from openecs.store.kinds import CONTAINER_INSTANCES, TARGET_GROUPS, TASKS, instance_key

log = structlog.get_logger(__name__)


def settle(tx: Transaction, task: Task, now: datetime, *, are_balanced: bool) -> Task:
    """Tell the target groups what they do not know of the task; the task that is to be recorded.

    ``are_balanced``: whether load balancers run that send requests to targets.
    """
    task = _knowing(tx, task)
    for change in tuple(serving.changes(task, are_balanced=are_balanced)):
        match change:
            case Register():
                task = _register(tx, task, change, now)
            case Deregister():
                task = _deregister(tx, task, change, now)
    return task


def _knowing(tx: Transaction, task: Task) -> Task:
    """The task that knows the protocols of its target groups: a port may be bound for two."""
    return replace(task, served_groups=tuple(_told(tx, each) for each in task.served_groups))


def _told(tx: Transaction, served: ServedGroup) -> ServedGroup:
    group = None if served.protocol else _group(tx, served)
    return served if group is None else replace(served, protocol=group.protocol)


def _register(tx: Transaction, task: Task, change: Register, now: datetime) -> Task:
    group = _group(tx, change.group)
    target_id = change.address or _instance(tx, task)
    if group is None or target_id is None:
        log.warning("no target", task=task.arn, target_group=change.group.target_group_arn)
        _tell(tx, task, events.failed_to_register, change.group, now)
        return task
    target = NewTarget(id=target_id, port=change.port, task=TASKS.key(task))
    registration.register(tx, group, [target], now)
    _tell(tx, task, events.registered, change.group, now)
    return serving.registered(task, change, target_id)


def _deregister(tx: Transaction, task: Task, change: Deregister, now: datetime) -> Task:
    group, known = _group(tx, change.group), change.group
    if known.target_id is None or known.target_port is None:
        return task
    was_serving, drained_at = known.is_serving, now
    if group is not None:
        target = NewTarget(id=known.target_id, port=known.target_port)
        if change.at_once:
            registration.withdraw(tx, group, [target])
        else:
            drained_at = registration.deregister(tx, group, [target], now)
    if was_serving:
        _tell(tx, task, events.deregistered, known, now)
    return serving.deregistered(task, change, drained_at)


def _group(tx: Transaction, served: ServedGroup) -> TargetGroup | None:
    arn = parse_arn(served.target_group_arn)
    if arn is None:
        return None
    return tx.get(TARGET_GROUPS, arn.scope, arn.resource.removeprefix("targetgroup/"))


def _instance(tx: Transaction, task: Task) -> str | None:
    """The EC2 instance id of the container instance the task runs on."""
    if task.container_instance is None:
        return None
    key = instance_key(task.cluster, task.container_instance)
    instance = tx.get(CONTAINER_INSTANCES, task.scope, key)
    return instance.ec2_instance_id if instance else None


def _tell(
    tx: Transaction,
    task: Task,
    event: Callable[[str, str], str],
    served: ServedGroup,
    now: datetime,
) -> None:
    if task.service is None:
        return
    message = event(task.service, served.target_group_arn)
    # Told once, however often the transaction is made.
    name = uuid.uuid5(uuid.NAMESPACE_URL, f"{task.arn} {message} {now.isoformat()}")
    beginning = ServiceEvents(scope=task.scope, cluster=task.cluster, service=task.service)
    tell(tx, beginning, [message], [str(name)], now)
