"""Task protection: service tasks that are not to be scaled in for a while.

Developer Guide, "Protect your Amazon ECS tasks from being terminated by scale-in events".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from openecs.api.base import Call, Members, Operation, Reads, Writes
from openecs.api.ecs import errors, references
from openecs.api.ecs.service_views import tasks_of
from openecs.model.clusters import Cluster
from openecs.model.identity import task_arn
from openecs.model.tasks import Task, TaskProtection, TaskStatus
from openecs.store.base import Transaction, View
from openecs.store.kinds import SERVICES, TASKS, service_key, task_key

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
    protection = _protection(request, call.now)
    tasks, failures = _found(tx, call, cluster, named)
    blocked = [t for t in tasks if protection and _is_blocked(tx, t, call.now)]
    failures += [errors.failure(task.arn, "DEPLOYMENT_BLOCKED") for task in blocked]
    tasks = [task for task in tasks if task not in blocked]
    changed = [replace(t, protection=protection, version=t.version + 1) for t in tasks]
    for task in changed:
        tx.put(TASKS, task)
    return {"protectedTasks": [_show(task, call.now) for task in changed], "failures": failures}


OPERATIONS: dict[str, Operation] = {
    "GetTaskProtection": Reads(get_task_protection),
    "UpdateTaskProtection": Writes(update_task_protection),
}


def _protection(request: Members, now: datetime) -> TaskProtection | None:
    minutes = request.get("expiresInMinutes")
    if minutes is not None and minutes not in MINUTES:
        raise errors.invalid_parameter("expiresInMinutes must be between 1 and 2880.")
    if not request["protectionEnabled"]:
        return None
    return TaskProtection(expires_at=now + timedelta(minutes=minutes or DEFAULT_MINUTES))


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


def _is_blocked(view: View, task: Task, now: datetime) -> bool:
    """Whether more tasks of its service are protected already than it is to have.

    Developer Guide, the page above, "Task scale-in protection considerations".
    """
    service = view.get(SERVICES, task.scope, service_key(task.cluster, task.service or ""))
    if service is None:
        return False
    return sum(_is_protected(t, now) for t in tasks_of(view, service)) > service.desired_count


def _service_tasks(view: View, cluster: Cluster) -> list[Task]:
    services = view.find(SERVICES, cluster.scope, "present", (cluster.name,))
    return [task for service in services for task in tasks_of(view, service)]


def _is_protected(task: Task, now: datetime) -> bool:
    is_wanted = task.desired_status is not TaskStatus.STOPPED
    return is_wanted and task.protection is not None and task.protection.expires_at > now


def _show(task: Task, now: datetime) -> Members:
    until = task.protection.expires_at if task.protection else now
    return {
        "taskArn": task.arn,
        "protectionEnabled": until > now,
        "expirationDate": until if until > now else None,
    }
