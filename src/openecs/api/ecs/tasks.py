"""StopTask, DescribeTasks, ListTasks."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from openecs.api.base import Call, Members, Operation, Reads, Writes
from openecs.api.ecs import errors, references
from openecs.api.ecs.paging import open_page
from openecs.api.ecs.task_views import show
from openecs.decide import lifecycle
from openecs.model.clusters import Cluster
from openecs.model.identity import task_arn
from openecs.model.tasks import StopCode, Task, TaskStatus
from openecs.store.base import Transaction, View
from openecs.store.kinds import SERVICES, TASKS, service_key, task_key

DESCRIBE_LIMIT, REASON_LIMIT = 100, 1024
STOPPED_BY_USER = "Task stopped by user"

#: What narrows a listing: member, index and what of a task it compares.
_FILTERS: tuple[tuple[str, str, Callable[[Task], str | None]], ...] = (
    ("startedBy", "started_by", lambda t: t.started_by),
    ("containerInstance", "instance", lambda t: t.container_instance),
    ("serviceName", "group", lambda t: t.group),
    ("family", "family", lambda t: t.family),
)


def stop_task(tx: Transaction, call: Call, request: Members) -> Members:
    """Ask for a task to stop; its node does it. Asking again changes nothing."""
    cluster = references.active_cluster(tx, call, request.get("cluster"))
    identifier = references.task_id(call, cluster.name, request["task"])
    task = tx.get(TASKS, call.scope, task_key(cluster.name, identifier))
    if task is None:
        raise errors.task_not_found()
    reason = request.get("reason") or STOPPED_BY_USER
    if len(reason) > REASON_LIMIT:
        raise errors.invalid_parameter(f"reason can have at most {REASON_LIMIT} characters.")
    if task.last_status is not TaskStatus.STOPPED:
        task = lifecycle.request_stop(task, StopCode.USER_INITIATED, reason, call.now)
        tx.put(TASKS, task)
    return {"task": show(task, with_tags=True)}


def describe_tasks(view: View, call: Call, request: Members) -> Members:
    """The named tasks of a cluster, stopped ones too while they are remembered."""
    cluster = references.active_cluster(view, call, request.get("cluster"))
    named = request["tasks"]
    if not named:
        raise errors.invalid_parameter("Tasks cannot be empty.")
    if len(named) > DESCRIBE_LIMIT:
        raise errors.invalid_parameter(f"Tasks cannot have more than {DESCRIBE_LIMIT} elements.")
    with_tags = "TAGS" in (request.get("include") or ())
    found, failures = [], []
    for identifier, task in _each(view, call, cluster, named):
        if task is None:
            failures.append(_missing(call, cluster, identifier))
        else:
            found.append(show(task, with_tags=with_tags))
    return {"tasks": found, "failures": failures}


def list_tasks(view: View, call: Call, request: Members) -> Members:
    """The ARNs of the tasks of a cluster that all given filters keep."""
    cluster = references.active_cluster(view, call, request.get("cluster"))
    page = open_page(call, "ListTasks", request)
    given = _given(view, call, cluster, request)
    # PENDING is accepted and matches nothing: no task is ever desired to be pending.
    status = request.get("desiredStatus") or TaskStatus.RUNNING
    index, words = _narrowest(cluster, status, given)
    launch_type = request.get("launchType")

    def fetch(after: str, limit: int) -> Sequence[Task]:
        return view.find(TASKS, call.scope, index, words, after=after, limit=limit)

    def keep(task: Task) -> bool:
        if launch_type and task.launch_type != launch_type:
            return False
        return all(value == of(task) for member, _, of in _FILTERS if (value := given.get(member)))

    narrow = len(given) + bool(launch_type) > (index != "desired")
    tasks, token = page.take(fetch, TASKS.key, keep if narrow else None)
    return {"taskArns": [task.arn for task in tasks], "nextToken": token}


OPERATIONS: dict[str, Operation] = {
    "StopTask": Writes(stop_task),
    "DescribeTasks": Reads(describe_tasks),
    "ListTasks": Reads(list_tasks),
}


def _each(
    view: View, call: Call, cluster: Cluster, named: Sequence[str]
) -> list[tuple[str, Task | None]]:
    identifiers = dict.fromkeys(references.task_id(call, cluster.name, each) for each in named)
    return [
        (each, view.get(TASKS, call.scope, task_key(cluster.name, each))) for each in identifiers
    ]


def _missing(call: Call, cluster: Cluster, identifier: str) -> Members:
    return errors.failure(task_arn(call.scope, cluster.name, identifier), "MISSING")


def _given(view: View, call: Call, cluster: Cluster, request: Members) -> dict[str, str]:
    given = {member: request[member] for member, _, _ in _FILTERS if request.get(member)}
    if "startedBy" in given and len(given) + bool(request.get("launchType")) > 1:
        raise errors.invalid_parameter("startedBy cannot be combined with other filters.")
    if "serviceName" in given:
        given["serviceName"] = _group_of(view, call, cluster, given["serviceName"])
    if instance := given.get("containerInstance"):
        given["containerInstance"] = references.instance_id(call, cluster.name, instance)
    return given


def _group_of(view: View, call: Call, cluster: Cluster, reference: str) -> str:
    name = references.service_name(call, cluster.name, reference)
    service = view.get(SERVICES, call.scope, service_key(cluster.name, name))
    if service is None:
        raise errors.service_not_found()
    return service.group


def _narrowest(cluster: Cluster, status: str, given: dict[str, str]) -> tuple[str, tuple[str, ...]]:
    """The index that leaves the least to look through."""
    for member, index, _ in _FILTERS:
        if member in given:
            return index, (cluster.name, status, given[member])
    return "desired", (cluster.name, status)
