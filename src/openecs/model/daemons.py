"""Managed daemons: an agent on every instance of a capacity provider, and how it came there.

A ``DaemonRevision`` is what daemon tasks are started from; a ``DaemonDeployment`` brings one about
on every instance, and back if it fails. Amazon ECS API Reference, ``DaemonDetail``,
``DaemonRevision``, ``DaemonDeployment``, ``DaemonTaskDefinition``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from openecs.model.identity import Scope, cluster_arn, daemon_task_definition_arn
from openecs.model.task_definitions import TaskDefinition


class DaemonStatus(StrEnum):
    """ACTIVE; DELETE_IN_PROGRESS until its last task has stopped, then it is gone."""

    ACTIVE = "ACTIVE"
    DELETE_IN_PROGRESS = "DELETE_IN_PROGRESS"


class DaemonTaskDefinitionStatus(StrEnum):
    """ACTIVE; DELETE_IN_PROGRESS while a daemon still runs it; DELETED for ever after."""

    ACTIVE = "ACTIVE"
    DELETE_IN_PROGRESS = "DELETE_IN_PROGRESS"
    DELETED = "DELETED"


class DaemonDeploymentStatus(StrEnum):
    """How far a daemon deployment, its rollback included, has come."""

    PENDING = "PENDING"
    SUCCESSFUL = "SUCCESSFUL"
    STOPPED = "STOPPED"
    STOP_REQUESTED = "STOP_REQUESTED"
    IN_PROGRESS = "IN_PROGRESS"
    ROLLBACK_IN_PROGRESS = "ROLLBACK_IN_PROGRESS"
    ROLLBACK_SUCCESSFUL = "ROLLBACK_SUCCESSFUL"
    ROLLBACK_FAILED = "ROLLBACK_FAILED"


class MonitorStatus(StrEnum):
    """What a circuit breaker, or the alarms, of a deployment are doing."""

    TRIGGERED = "TRIGGERED"
    MONITORING = "MONITORING"
    MONITORING_COMPLETE = "MONITORING_COMPLETE"
    DISABLED = "DISABLED"


@dataclass(frozen=True, slots=True, kw_only=True)
class DaemonTaskDefinition:
    """A registered revision of a family of daemon task definitions.

    ``runs`` is what its tasks are made of: an ordinary task definition with this family and
    revision that no operation on ordinary task definitions finds.
    """

    runs: TaskDefinition
    status: DaemonTaskDefinitionStatus = DaemonTaskDefinitionStatus.ACTIVE
    #: As registered: ``none`` or ``shared``.
    pid_mode: str | None = None
    ipc_mode: str | None = None
    delete_requested_at: datetime | None = None
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def scope(self) -> Scope:
        """Where it lives."""
        return self.runs.scope

    @property
    def arn(self) -> str:
        """``arn:aws:ecs:R:A:daemon-task-definition/FAMILY:REVISION``."""
        return daemon_task_definition_arn(self.runs.scope, self.runs.family, self.runs.revision)


_WATCHED = (DaemonDeploymentStatus.PENDING, DaemonDeploymentStatus.IN_PROGRESS)


@dataclass(frozen=True, slots=True, kw_only=True)
class DaemonAlarms:
    """The CloudWatch alarms that fail a deployment."""

    alarm_names: tuple[str, ...] = ()
    enable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DaemonDeploymentConfiguration:
    """How a daemon is rolled out. ``drain_percent`` of the instances are without it at a time."""

    drain_percent: float = 25.0
    alarms: DaemonAlarms | None = None
    bake_time_in_minutes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerImage:
    """What a container of a revision is made from."""

    container_name: str
    image: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DaemonRevision:
    """What tasks of a daemon are started from, immutable. They have its ``id`` as ``started_by``.

    ``capacity_providers`` are names: those whose instances it is for.
    """

    scope: Scope
    cluster: str
    daemon: str
    #: 19 digits.
    id: str
    family: str
    #: The revision of the daemon task definition.
    revision: int
    capacity_providers: tuple[str, ...]
    container_images: tuple[ContainerImage, ...] = ()
    #: DAEMON or NONE.
    propagate_tags: str = "NONE"
    enable_ecs_managed_tags: bool = False
    enable_execute_command: bool = False
    #: Whether an instance is of no use without it; kept and shown (``decide.daemons`` says more).
    critical: bool = True
    created_at: datetime

    @property
    def arn(self) -> str:
        """``arn:aws:ecs:R:A:daemon-revision/CLUSTER/DAEMON/ID``."""
        return self.scope.arn("ecs", f"daemon-revision/{self.cluster}/{self.daemon}/{self.id}")

    @property
    def task_definition_arn(self) -> str:
        """The ARN of its daemon task definition."""
        return daemon_task_definition_arn(self.scope, self.family, self.revision)


@dataclass(frozen=True, slots=True, kw_only=True)
class DaemonRollback:
    """That a deployment goes back, to ``target``, the id of a revision."""

    reason: str
    started_at: datetime
    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DaemonDeployment:
    """One change of a daemon: from the revisions ``sources`` to ``target``, ids all of them."""

    scope: Scope
    cluster: str
    daemon: str
    id: str
    status: DaemonDeploymentStatus = DaemonDeploymentStatus.PENDING
    status_reason: str | None = None
    #: None where the daemon is being deleted.
    target: str | None
    sources: tuple[str, ...] = ()
    configuration: DaemonDeploymentConfiguration
    breaker_status: MonitorStatus = MonitorStatus.MONITORING
    #: Daemon tasks of the target that failed, and as many of them as end the deployment.
    failure_count: int = 0
    threshold: int = 0
    #: Daemon tasks that failed since the rollback began; the same threshold ends it.
    rollback_failures: int = 0
    triggered_alarms: tuple[str, ...] = ()
    rollback: DaemonRollback | None = None
    #: Tasks in a row that ended soon after they were started, and when the next may be tried.
    start_failures: int = 0
    start_after: datetime | None = None
    #: Since when every instance has its task: the bake time begins.
    settled_at: datetime | None = None
    created_at: datetime
    started_at: datetime | None = None
    stopped_at: datetime | None = None
    finished_at: datetime | None = None

    @property
    def arn(self) -> str:
        """``arn:aws:ecs:R:A:daemon-deployment/CLUSTER/DAEMON/ID``."""
        return self.scope.arn("ecs", f"daemon-deployment/{self.cluster}/{self.daemon}/{self.id}")

    @property
    def watched_alarms(self) -> tuple[str, ...]:
        """The names of the alarms that may fail the deployment while it is in progress."""
        alarms = self.configuration.alarms
        in_progress = self.status in _WATCHED
        return alarms.alarm_names if alarms and alarms.enable and in_progress else ()

    @property
    def wanted(self) -> str | None:
        """The id of the revision that is to run: the target, or what is gone back to."""
        return self.rollback.target if self.rollback else self.target


@dataclass(frozen=True, slots=True, kw_only=True)
class Daemon:
    """A daemon: a promise of one task on each instance of its revision's providers."""

    scope: Scope
    cluster: str
    name: str
    status: DaemonStatus = DaemonStatus.ACTIVE
    #: The id of its newest deployment.
    deployment: str
    #: The id of the revision that last was on every instance: what a failed deployment goes to.
    completed_revision: str | None = None
    created_at: datetime
    updated_at: datetime
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def arn(self) -> str:
        """``arn:aws:ecs:R:A:daemon/CLUSTER/NAME``."""
        return self.scope.arn("ecs", f"daemon/{self.cluster}/{self.name}")

    @property
    def cluster_arn(self) -> str:
        """The ARN of its cluster."""
        return cluster_arn(self.scope, self.cluster)

    @property
    def group(self) -> str:
        """The task group of its tasks."""
        return f"daemon:{self.name}"
