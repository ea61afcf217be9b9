"""Daemons, their revisions and deployments as AWS shows them: counted when they are asked for.

API Reference, ``DaemonDetail``, ``DaemonRevision``, ``DaemonDeployment``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from openecs.api import shapes
from openecs.api.base import Members
from openecs.model.clusters import ContainerInstance, ContainerInstanceStatus
from openecs.model.daemons import (
    Daemon,
    DaemonDeployment,
    DaemonDeploymentStatus,
    DaemonRevision,
    MonitorStatus,
)
from openecs.model.identity import Scope, capacity_provider_arn
from openecs.model.tasks import Task, TaskStatus
from openecs.store.base import View
from openecs.store.kinds import CONTAINER_INSTANCES, DAEMON_REVISIONS, TASKS, part_key

_UNDER_WAY = (
    DaemonDeploymentStatus.PENDING,
    DaemonDeploymentStatus.IN_PROGRESS,
    DaemonDeploymentStatus.ROLLBACK_IN_PROGRESS,
)


def live_tasks(view: View, daemon: Daemon | DaemonDeployment) -> list[Task]:
    """The tasks of the daemon that have not stopped."""
    name = daemon.name if isinstance(daemon, Daemon) else daemon.daemon
    found = view.find(TASKS, daemon.scope, "daemon", (daemon.cluster, name))
    return [t for t in found if t.last_status is not TaskStatus.STOPPED]


def show_daemon(view: View, daemon: Daemon, deployment: DaemonDeployment) -> Members:
    """The members of a daemon: its wanted revision, and others that still have tasks."""
    tasks = live_tasks(view, daemon)
    ids = dict.fromkeys((deployment.wanted or "", *(t.started_by or "" for t in tasks)))
    revisions = (_revision(view, deployment, each) for each in ids)
    return {
        "daemonArn": daemon.arn,
        "clusterArn": daemon.cluster_arn,
        "status": str(daemon.status),
        "currentRevisions": [
            _current(_Ground.of(view, revision, tasks)) for revision in revisions if revision
        ],
        "deploymentArn": deployment.arn,
        "createdAt": daemon.created_at,
        "updatedAt": daemon.updated_at,
    }


def show_revision(revision: DaemonRevision) -> Members:
    """The members of a revision."""
    return {
        "daemonRevisionArn": revision.arn,
        "clusterArn": revision.scope.arn("ecs", f"cluster/{revision.cluster}"),
        "daemonArn": revision.scope.arn("ecs", f"daemon/{revision.cluster}/{revision.daemon}"),
        "daemonTaskDefinitionArn": revision.task_definition_arn,
        "createdAt": revision.created_at,
        "containerImages": [shapes.to_members(image) for image in revision.container_images],
        "propagateTags": revision.propagate_tags,
        "enableECSManagedTags": revision.enable_ecs_managed_tags,
        "enableExecuteCommand": revision.enable_execute_command,
        "critical": revision.critical,
    }


def show_deployment_summary(deployment: DaemonDeployment) -> Members:
    """The members of a deployment in a list."""
    target = deployment.target
    return {
        "daemonDeploymentArn": deployment.arn,
        "daemonArn": deployment.scope.arn(
            "ecs", f"daemon/{deployment.cluster}/{deployment.daemon}"
        ),
        "targetDaemonRevisionArn": _revision_arn(deployment, target) if target else None,
        **_progress(deployment),
    }


def show_deployment(view: View, deployment: DaemonDeployment) -> Members:
    """The members of a deployment."""
    tasks = live_tasks(view, deployment)
    target = _revision(view, deployment, deployment.target)
    sources = (_revision(view, deployment, each) for each in deployment.sources)
    return {
        "daemonDeploymentArn": deployment.arn,
        **_progress(deployment),
        "targetDaemonRevision": _deployed(_Ground.of(view, target, tasks)) if target else None,
        "sourceDaemonRevisions": [
            _deployed(_Ground.of(view, source, tasks)) for source in sources if source
        ],
        "circuitBreaker": {
            "failureCount": deployment.failure_count,
            "status": str(deployment.breaker_status),
            "threshold": deployment.threshold,
        },
        "alarms": _alarms(deployment),
        "rollback": _rollback(view, deployment),
        "deploymentConfiguration": shapes.to_members(deployment.configuration),
    }


@dataclass(frozen=True, slots=True)
class _Count:
    """The instances of one provider by how far they are with a revision."""

    arn: str
    running: int
    without: int
    draining: int


@dataclass(frozen=True, slots=True)
class _Ground:
    """A revision and where it stands on each of its providers."""

    revision: DaemonRevision
    counts: tuple[_Count, ...]

    @classmethod
    def of(cls, view: View, revision: DaemonRevision, tasks: Sequence[Task]) -> _Ground:
        """The counts of a revision among the tasks of its daemon that have not stopped."""
        own = [t for t in tasks if t.started_by == revision.id]
        prefix = f"{revision.cluster}/"
        instances = view.scan(CONTAINER_INSTANCES, revision.scope, prefix=prefix)
        counts = (
            _count(revision, name, own, instances) for name in sorted(revision.capacity_providers)
        )
        return cls(revision, tuple(counts))


def _count(
    revision: DaemonRevision,
    provider: str,
    own: Sequence[Task],
    instances: Sequence[ContainerInstance],
) -> _Count:
    here = [t for t in own if t.capacity_provider == provider]
    running = [t for t in here if _is_running(t)]
    served = {t.container_instance for t in running}
    active = ContainerInstanceStatus.ACTIVE
    without = sum(
        i.capacity_provider == provider and i.status is active and i.id not in served
        for i in instances
    )
    return _Count(
        capacity_provider_arn(revision.scope, provider),
        len(running),
        0 if revision.critical else without,
        sum(t.desired_status is TaskStatus.STOPPED for t in here),
    )


def _is_running(task: Task) -> bool:
    running = TaskStatus.RUNNING
    return task.last_status is running and task.desired_status is running


def _current(ground: _Ground) -> Members:
    return {
        "arn": ground.revision.arn,
        "capacityProviders": [
            {"arn": c.arn, "runningCount": c.running, "withoutDaemonCount": c.without}
            for c in ground.counts
        ],
        "totalRunningCount": sum(c.running for c in ground.counts),
        "totalWithoutDaemonCount": sum(c.without for c in ground.counts),
    }


def _deployed(ground: _Ground) -> Members:
    return {
        "arn": ground.revision.arn,
        "capacityProviders": [
            {
                "arn": c.arn,
                "runningInstanceCount": c.running,
                "withoutDaemonInstanceCount": c.without,
                "drainingInstanceCount": c.draining,
            }
            for c in ground.counts
        ],
        "totalRunningInstanceCount": sum(c.running for c in ground.counts),
        "totalWithoutDaemonInstanceCount": sum(c.without for c in ground.counts),
        "totalDrainingInstanceCount": sum(c.draining for c in ground.counts),
    }


def _progress(deployment: DaemonDeployment) -> Members:
    return {
        "clusterArn": deployment.scope.arn("ecs", f"cluster/{deployment.cluster}"),
        "status": str(deployment.status),
        "statusReason": deployment.status_reason,
        "createdAt": deployment.created_at,
        "startedAt": deployment.started_at,
        "stoppedAt": deployment.stopped_at,
        "finishedAt": deployment.finished_at,
    }


def _alarms(deployment: DaemonDeployment) -> Members:
    alarms = deployment.configuration.alarms
    return {
        "status": str(_alarm_status(deployment)),
        "alarmNames": list(alarms.alarm_names) if alarms else [],
        "triggeredAlarmNames": list(deployment.triggered_alarms),
    }


def _alarm_status(deployment: DaemonDeployment) -> MonitorStatus:
    alarms = deployment.configuration.alarms
    if alarms is None or not alarms.enable:
        return MonitorStatus.DISABLED
    if deployment.triggered_alarms:
        return MonitorStatus.TRIGGERED
    under_way = deployment.status in _UNDER_WAY
    return MonitorStatus.MONITORING if under_way else MonitorStatus.MONITORING_COMPLETE


def _rollback(view: View, deployment: DaemonDeployment) -> Members | None:
    rollback = deployment.rollback
    if rollback is None:
        return None
    target = _revision(view, deployment, rollback.target)
    providers = target.capacity_providers if target else ()
    return {
        "reason": rollback.reason,
        "startedAt": rollback.started_at,
        "rollbackTargetDaemonRevisionArn": _revision_arn(deployment, rollback.target),
        "rollbackCapacityProviders": _arns(deployment.scope, providers),
    }


def _arns(scope: Scope, providers: Sequence[str]) -> list[str]:
    return [capacity_provider_arn(scope, name) for name in providers]


def _revision(view: View, of: DaemonDeployment, revision: str | None) -> DaemonRevision | None:
    key = part_key(of.cluster, of.daemon, revision or "")
    return view.get(DAEMON_REVISIONS, of.scope, key)


def _revision_arn(of: DaemonDeployment, revision: str) -> str:
    return of.scope.arn("ecs", f"daemon-revision/{of.cluster}/{of.daemon}/{revision}")
