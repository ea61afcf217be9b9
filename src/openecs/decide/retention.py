"""What has been remembered long enough: pure questions for the retention loop to ask.

AWS shows a stopped task for at least an hour (Developer Guide, "Amazon ECS task lifecycle") and a
deleted cluster "for a period of time"; a client token is good for 24 hours. How long each is kept
here is the caller's to say; the constants are the defaults.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import TypeVar

from openecs.model.alarms import HistoryItem
from openecs.model.clusters import Cluster, ClusterStatus, IdempotencyRecord
from openecs.model.daemons import DaemonDeployment
from openecs.model.scaling import ScalingActivity
from openecs.model.services import Service, ServiceDeployment, ServiceStatus
from openecs.model.task_definitions import TaskDefinition, TaskDefinitionStatus
from openecs.model.tasks import Task, TaskStatus

D = TypeVar("D", ServiceDeployment, DaemonDeployment)

STOPPED_TASKS = timedelta(hours=1)
DELETED_CLUSTERS = timedelta(hours=1)
DELETED_SERVICES = timedelta(hours=1)
ENDED_DEPLOYMENTS = timedelta(days=90)
IDEMPOTENCY_RECORDS = timedelta(hours=24)
ALARM_HISTORY = timedelta(days=30)
SCALING_ACTIVITIES = timedelta(weeks=6)


def expired_tasks(tasks: Iterable[Task], keep: timedelta, now: datetime) -> list[Task]:
    """The tasks that stopped ``keep`` ago or longer."""
    return [
        task
        for task in tasks
        if task.last_status is TaskStatus.STOPPED
        and task.stopped_at is not None
        and now - task.stopped_at >= keep
    ]


def expired_definitions(
    definitions: Iterable[TaskDefinition], in_use: Collection[str]
) -> list[TaskDefinition]:
    """The deleted definitions (DELETE_IN_PROGRESS) whose ARN no task or service has ``in_use``."""
    return [
        definition
        for definition in definitions
        if definition.status is TaskDefinitionStatus.DELETE_IN_PROGRESS
        and definition.arn not in in_use
    ]


def expired_clusters(clusters: Iterable[Cluster], keep: timedelta, now: datetime) -> list[Cluster]:
    """The clusters that were deleted ``keep`` ago or longer."""
    return [
        cluster
        for cluster in clusters
        if cluster.status is ClusterStatus.INACTIVE
        and cluster.deleted_at is not None
        and now - cluster.deleted_at >= keep
    ]


def expired_services(services: Iterable[Service], keep: timedelta, now: datetime) -> list[Service]:
    """The services that became INACTIVE ``keep`` ago or longer."""
    return [
        service
        for service in services
        if service.status is ServiceStatus.INACTIVE
        and service.deleted_at is not None
        and now - service.deleted_at >= keep
    ]


def expired_deployments(records: Iterable[D], keep: timedelta, now: datetime) -> list[D]:
    """The deployments of services, or daemons, that ended ``keep`` ago or longer."""
    ends = ((record, record.finished_at or record.stopped_at) for record in records)
    return [record for record, end in ends if end is not None and now - end >= keep]


def expired_history(
    items: Iterable[HistoryItem], keep: timedelta, now: datetime
) -> list[HistoryItem]:
    """What happened to alarms ``keep`` ago or longer."""
    return [item for item in items if now - item.at >= keep]


def expired_activities(
    activities: Iterable[ScalingActivity], keep: timedelta, now: datetime
) -> list[ScalingActivity]:
    """What scaling began to do ``keep`` ago or longer."""
    return [activity for activity in activities if now - activity.started_at >= keep]


def expired_records(
    records: Iterable[IdempotencyRecord], keep: timedelta, now: datetime
) -> list[IdempotencyRecord]:
    """The client tokens used ``keep`` ago or longer."""
    return [record for record in records if now - record.created_at >= keep]
