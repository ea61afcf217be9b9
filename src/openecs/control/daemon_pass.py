"""One pass over a daemon in one transaction: read, decide, write what was decided."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from openecs.api.base import Call
from openecs.api.ecs import launching, placing
from openecs.api.ecs.task_requests import TaskRequest, without_overrides
from openecs.control.capacity import Where
from openecs.control.deployment_alarms import deployment_alarms
from openecs.decide import daemons, lifecycle
from openecs.decide.daemons import DaemonPlan, DaemonState
from openecs.decide.placement import filters
from openecs.decide.placement.ask import ask_of
from openecs.decide.services.state import SchedulerSettings
from openecs.model.clusters import Cluster, ContainerInstance, ContainerInstanceStatus
from openecs.model.daemons import (
    Daemon,
    DaemonDeployment,
    DaemonRevision,
    DaemonStatus,
    DaemonTaskDefinition,
    DaemonTaskDefinitionStatus,
)
from openecs.model.tasks import StopCode, Task, TaskStatus
from openecs.store.base import Transaction, View
from openecs.store.kinds import (
    CLUSTERS,
    CONTAINER_INSTANCES,
    DAEMON_DEPLOYMENTS,
    DAEMON_REVISIONS,
    DAEMON_TASK_DEFINITIONS,
    DAEMONS,
    TASKS,
    part_key,
    task_definition_key,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """When the daemon is to be looked at again, and whether an instance had no room for it."""

    wake: datetime | None = None
    is_blocked: bool = False
    #: Whether there is no such daemon any more.
    is_gone: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """A daemon as a pass found it; ``revision`` and ``definition`` are None for one on its way out.

    ``instances`` are the ACTIVE ones of its providers, with those that machines would join as.
    """

    daemon: Daemon
    deployment: DaemonDeployment
    cluster: Cluster
    revision: DaemonRevision | None
    definition: DaemonTaskDefinition | None
    tasks: tuple[Task, ...]
    instances: Mapping[str, ContainerInstance]
    busy: frozenset[str]
    #: The alarms of the deployment that are in ALARM.
    ringing: frozenset[str]


def run_pass(where: Where, call: Call, settings: SchedulerSettings, tx: Transaction) -> Outcome:
    """Bring one daemon a step on. Nothing is written where there is nothing to do."""
    seen = _look(where, call, tx)
    if seen is None:
        return Outcome(is_gone=True)
    planned = daemons.plan(_state(seen), settings, call.now)
    _write_tasks(seen, planned, call, tx)
    _write_daemon(planned, tx)
    started = [_start(seen, place, call, tx) for place in planned.starts]
    return Outcome(wake=planned.wake, is_blocked=not all(started))


def settle_definitions(tx: Transaction) -> None:
    """Deleted daemon task definitions that no daemon runs or may go back to are DELETED."""
    deleted = tx.find(DAEMON_TASK_DEFINITIONS, None, "deleted", ())
    if not deleted:
        return
    in_use = set(_definitions_in_use(tx))
    for definition in deleted:
        if definition.arn not in in_use:
            gone = replace(definition, status=DaemonTaskDefinitionStatus.DELETED)
            tx.put(DAEMON_TASK_DEFINITIONS, gone)


def _look(where: Where, call: Call, view: View) -> _Seen | None:
    daemon = view.get(DAEMONS, *where)
    if daemon is None:
        return None
    cluster = view.get(CLUSTERS, daemon.scope, daemon.cluster)
    key = part_key(daemon.cluster, daemon.name, daemon.deployment)
    deployment = view.get(DAEMON_DEPLOYMENTS, daemon.scope, key)
    if cluster is None or deployment is None:
        return None
    revision = _revision(view, daemon, deployment.wanted)
    tasks = view.find(TASKS, daemon.scope, "daemon", (daemon.cluster, daemon.name))
    return _Seen(
        daemon=daemon,
        deployment=deployment,
        cluster=cluster,
        revision=revision,
        definition=_definition(view, revision) if revision else None,
        tasks=tuple(tasks),
        instances=_instances(view, call, cluster, revision) if revision else {},
        busy=_busy(view, daemon, tasks),
        ringing=deployment_alarms(view, daemon.scope, deployment.watched_alarms).ringing,
    )


def _revision(view: View, daemon: Daemon, revision: str | None) -> DaemonRevision | None:
    if revision is None:
        return None
    key = part_key(daemon.cluster, daemon.name, revision)
    return view.get(DAEMON_REVISIONS, daemon.scope, key)


def _definition(view: View, revision: DaemonRevision) -> DaemonTaskDefinition | None:
    key = task_definition_key(revision.family, revision.revision)
    return view.get(DAEMON_TASK_DEFINITIONS, revision.scope, key)


def _instances(
    view: View, call: Call, cluster: Cluster, revision: DaemonRevision
) -> dict[str, ContainerInstance]:
    return {
        instance.id: instance
        for provider in revision.capacity_providers
        for instance in placing.instances(view, call, cluster, provider)
    }


def _busy(view: View, daemon: Daemon, tasks: Iterable[Task]) -> frozenset[str]:
    """The DRAINING instances with a task of the daemon and still with tasks of others."""
    own = {t.container_instance for t in tasks}
    words = (daemon.cluster, ContainerInstanceStatus.DRAINING)
    draining = view.find(CONTAINER_INSTANCES, daemon.scope, "cluster", words)
    return frozenset(i.id for i in draining if i.id in own and _has_others(view, i))


def _has_others(view: View, instance: ContainerInstance) -> bool:
    """Whether any task that is no daemon's has not stopped on the instance."""
    tasks = view.find(TASKS, None, "machine", (instance.machine,))
    here = (instance.scope, instance.cluster, instance.id)
    others = (t for t in tasks if t.daemon is None and t.last_status is not TaskStatus.STOPPED)
    return any((t.scope, t.cluster, t.container_instance) == here for t in others)


def _state(seen: _Seen) -> DaemonState:
    containers = seen.definition.runs.container_definitions if seen.definition else ()
    return DaemonState(
        daemon=seen.daemon,
        deployment=seen.deployment,
        tasks=seen.tasks,
        places=tuple(seen.instances),
        busy=seen.busy,
        alarms=seen.ringing,
        is_checked=any(c.essential and c.health_check for c in containers),
    )


def _write_tasks(seen: _Seen, planned: DaemonPlan, call: Call, tx: Transaction) -> None:
    tasks = {task.id: task for task in seen.tasks}
    code = StopCode.SERVICE_SCHEDULER_INITIATED
    for stop in planned.stops:
        stopping = lifecycle.request_stop(tasks[stop.task], code, stop.reason, call.now)
        tx.put(TASKS, stopping)
    for name in planned.accounted:
        tx.put(TASKS, replace(tasks[name], accounted=True))


def _write_daemon(planned: DaemonPlan, tx: Transaction) -> None:
    tx.put(DAEMON_DEPLOYMENTS, planned.deployment)
    if planned.is_removed:
        tx.delete(DAEMONS, planned.daemon.scope, DAEMONS.key(planned.daemon))
    else:
        tx.put(DAEMONS, planned.daemon)


def _start(seen: _Seen, place: str, call: Call, tx: Transaction) -> bool:
    """Record a task on the instance, which may join with it; False where it has no room."""
    instance = seen.instances[place]
    if seen.definition is None or seen.revision is None:
        return False
    runs = seen.definition.runs
    request = TaskRequest(
        cluster=seen.cluster,
        definition=runs,
        overrides=without_overrides(runs),
        group=seen.daemon.group,
        started_by=seen.revision.id,
        network_configuration=None,
        enable_execute_command=seen.revision.enable_execute_command,
        tags=_tags(seen.daemon, seen.revision),
    )
    ask = ask_of(runs, request.overrides, group=request.group)
    if filters.reject(ask, placing.candidate(tx, instance)):
        return False
    launching.record(tx, call, request, ask, instance)
    return True


def _tags(daemon: Daemon, revision: DaemonRevision) -> dict[str, str]:
    managed = {"aws:ecs:clusterName": daemon.cluster} if revision.enable_ecs_managed_tags else {}
    inherited = daemon.tags if revision.propagate_tags == "DAEMON" else {}
    return {**managed, **inherited}


def _definitions_in_use(view: View) -> Iterable[str]:
    for daemon in view.scan(DAEMONS, None):
        key = part_key(daemon.cluster, daemon.name, daemon.deployment)
        deployment = view.get(DAEMON_DEPLOYMENTS, daemon.scope, key)
        wanted = deployment.wanted if deployment else None
        leaving = daemon.status is DaemonStatus.DELETE_IN_PROGRESS
        for each in (wanted, None if leaving else daemon.completed_revision):
            revision = _revision(view, daemon, each)
            if revision is not None:
                yield revision.task_definition_arn
        for task in view.find(TASKS, daemon.scope, "daemon", (daemon.cluster, daemon.name)):
            yield task.definition_arn
