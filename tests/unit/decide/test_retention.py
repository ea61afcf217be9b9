from __future__ import annotations

from datetime import datetime, timedelta

from openecs.decide import retention
from openecs.model.alarms import AlarmType, HistoryItem, HistoryType
from openecs.model.clusters import ClusterStatus, IdempotencyRecord
from openecs.model.services import (
    DeploymentConfiguration,
    ServiceDeployment,
    ServiceDeploymentStatus,
    ServiceStatus,
)
from openecs.model.task_definitions import TaskDefinitionStatus
from openecs.model.tasks import TaskStatus
from openecs.testing.builders import (
    NOW,
    SCOPE,
    a_cluster,
    a_task,
    a_task_definition,
)
from openecs.testing.service_world import a_service

HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)


def test_stopped_tasks_are_kept_for_a_while() -> None:
    old = a_task(1, last_status=TaskStatus.STOPPED, stopped_at=NOW - HOUR)
    recent = a_task(2, last_status=TaskStatus.STOPPED, stopped_at=NOW - HOUR + SECOND)
    running = a_task(3, started_at=NOW - 9 * HOUR)
    assert retention.expired_tasks([old, recent, running], HOUR, NOW) == [old]


def test_deleted_definitions_are_kept_while_tasks_name_them() -> None:
    deleting = TaskDefinitionStatus.DELETE_IN_PROGRESS
    used, unused = (a_task_definition("web", n, status=deleting) for n in (1, 2))
    inactive = a_task_definition("web", 3, status=TaskDefinitionStatus.INACTIVE)
    assert retention.expired_definitions([used, unused, inactive], {used.arn}) == [unused]


def test_deleted_clusters_are_kept_for_a_while() -> None:
    inactive = ClusterStatus.INACTIVE
    old = a_cluster("a", status=inactive, deleted_at=NOW - HOUR)
    recent = a_cluster("b", status=inactive, deleted_at=NOW - HOUR + SECOND)
    assert retention.expired_clusters([old, recent, a_cluster("c")], HOUR, NOW) == [old]


def test_client_tokens_are_kept_for_a_while() -> None:
    def record(token: str, age: timedelta) -> IdempotencyRecord:
        return IdempotencyRecord(
            scope=SCOPE, token=token, fingerprint="", resources=(), created_at=NOW - age
        )

    old, recent = record("a", 24 * HOUR), record("b", 24 * HOUR - SECOND)
    assert retention.expired_records([old, recent], 24 * HOUR, NOW) == [old]


def test_deleted_services_are_kept_for_a_while() -> None:
    inactive = ServiceStatus.INACTIVE
    old = a_service(name="a", status=inactive, deleted_at=NOW - HOUR)
    recent = a_service(name="b", status=inactive, deleted_at=NOW - HOUR + SECOND)
    assert retention.expired_services([old, recent, a_service()], HOUR, NOW) == [old]


def test_ended_service_deployments_are_kept_for_a_while() -> None:
    def record(identifier: str, **ends: datetime) -> ServiceDeployment:
        return ServiceDeployment(
            scope=SCOPE,
            cluster="default",
            service="web",
            id=identifier,
            status=ServiceDeploymentStatus.SUCCESSFUL,
            target_revision="1",
            deployment_configuration=DeploymentConfiguration(),
            created_at=NOW,
            updated_at=NOW,
            **ends,
        )

    ended, stopped = record("1", finished_at=NOW - HOUR), record("2", stopped_at=NOW - HOUR)
    others = [record("3", finished_at=NOW), record("4")]
    assert retention.expired_deployments([ended, stopped, *others], HOUR, NOW) == [ended, stopped]


def test_what_happened_to_alarms_is_kept_for_thirty_days() -> None:
    def item(age: timedelta) -> HistoryItem:
        return HistoryItem(
            scope=SCOPE,
            alarm="cpu",
            alarm_type=AlarmType.METRIC,
            id="1",
            at=NOW - age,
            type=HistoryType.STATE,
            summary="",
            data="{}",
        )

    old, recent = item(timedelta(days=30)), item(timedelta(days=30) - SECOND)
    assert retention.expired_history([old, recent], retention.ALARM_HISTORY, NOW) == [old]
