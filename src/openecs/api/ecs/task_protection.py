"""Task protection: service tasks that are not to be scaled in for a while.

Developer Guide, "Protect your Amazon ECS tasks from being terminated by scale-in events".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from openecs.api.base import Call, Members, Operation, Reads, Writes
from openecs.api.ecs import errors, references
from openecs.model.clusters import Cluster
from openecs.model.identity import task_arn
from openecs.model.tasks import Task, TaskProtection, TaskStatus
from openecs.store.base import Transaction, View
from openecs.store.kinds import SERVICES, TASKS, task_key

UPDATE_LIMIT, GET_LIMIT = 10, 100
MINUTES, DEFAULT_MINUTES = range(1, 2881), 120


def get_task_protection(view: View, call: Call, request: Members) -> Members:
    """The protection of the named tasks, or all protected tasks of the cluster."""
    cluster = references.active_cluster(view, call, request.get("cluster"))
    named = request.get("tasks") or ()
    if len(named) > GET_LIMIT:
        raise errors.invalid_parameter(f"Tasks cannot have more than {GET_LIMIT} elements.")
    if not named:
        protected = (t for t in _service_tasks(view, cluster) if _is_protected(t, call.now))
        return {"protectedTasks": [_show(t, call.now) for t in protected], "failures": []}
    tasks, failures = _found(view, call, cluster, named)
    return {"protectedTasks": [_show(task, call.now) for task in tasks], "failures": failures}


def update_task_protection(tx: Transaction, call: Call, request: Members) -> Members:
    """Protect tasks of services from being scaled in, or end that."""
    cluster = references.active_cluster(tx, call, request.get("cluster"))
    named = request["tasks"]
    if not named:
        raise errors.invalid_parameter("Tasks cannot be empty.")
    if len(named) > UPDATE_LIMIT:
        raise errors.invalid_parameter(f"Tasks cannot have more than {UPDATE_LIMIT} elements.")
    minutes = request.get("expiresInMinutes") or DEFAULT_MINUTES
    if minutes not in MINUTES or request.get("expiresInMinutes") == 0:
        raise errors.invalid_parameter("expiresInMinutes must be between 1 and 2880.")
    until = TaskProtection(expires_at=call.now + timedelta(minutes=minutes))
    protection = until if request["protectionEnabled"] else None
    tasks, failures = _found(tx, call, cluster, named)
    changed = [replace(t, protection=protection, version=t.version + 1) for t in tasks]
    for task in changed:
        tx.put(TASKS, task)
    return {"protectedTasks": [_show(task, call.now) for task in changed], "failures": failures}


OPERATIONS: dict[str, Operation] = {
    "GetTaskProtection": Reads(get_task_protection),
    "UpdateTaskProtection": Writes(update_task_protection),
}


def _found(
    view: View, call: Call, cluster: Cluster, named: Sequence[str]
) -> tuple[list[Task], list[Members]]:
    """The named tasks that can be protected, and why others cannot."""
    tasks: list[Task] = []
    failures: list[Members] = []
    for name in dict.fromkeys(references.task_id(call, cluster.name, each) for each in named):
        task = view.get(TASKS, call.scope, task_key(cluster.name, name))
        if task is None:
            failures.append(errors.failure(task_arn(call.scope, cluster.name, name), "MISSING"))
        elif task.service is None or task.desired_status is TaskStatus.STOPPED:
            failures.append(errors.failure(task.arn, "TASK_NOT_VALID"))
        else:
            tasks.append(task)
    return tasks, failures


def _service_tasks(view: View, cluster: Cluster) -> Sequence[Task]:
    services = view.find(SERVICES, cluster.scope, "present", (cluster.name,))
    return [
        task
        for service in services
        for task in view.find(TASKS, cluster.scope, "service", (cluster.name, service.name))
    ]


def _is_protected(task: Task, now: datetime) -> bool:
    return task.protection is not None and task.protection.expires_at > now


def _show(task: Task, now: datetime) -> Members:
    members: dict[str, object] = {
        "taskArn": task.arn,
        "protectionEnabled": _is_protected(task, now),
    }
    if task.protection is not None and _is_protected(task, now):
        members["expirationDate"] = task.protection.expires_at
    return members
