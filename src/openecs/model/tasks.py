"""Tasks and their containers: the record of what should run and of what the engine reported.

States: Amazon ECS Developer Guide, "Amazon ECS task lifecycle". One writer per field:
``desired_status`` is control's (StopTask, schedulers, the essential-container rule); everything the
engine tells (statuses, exit codes, reasons, times, addresses) is written from what it reported.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from openecs.model.identity import (
    Scope,
    cluster_arn,
    container_arn,
    daemon_task_definition_arn,
    task_arn,
    task_definition_arn,
)
from openecs.model.task_definitions import (
    Attribute,
    EnvironmentFile,
    EphemeralStorage,
    NamedValue,
    ResourceRequirement,
)


class TaskStatus(StrEnum):
    """The life of a task, in order; a task never goes back (``order`` in ``decide.lifecycle``)."""

    PROVISIONING = "PROVISIONING"
    PENDING = "PENDING"
    ACTIVATING = "ACTIVATING"
    RUNNING = "RUNNING"
    DEACTIVATING = "DEACTIVATING"
    STOPPING = "STOPPING"
    DEPROVISIONING = "DEPROVISIONING"
    STOPPED = "STOPPED"


class ContainerStatus(StrEnum):
    """What the API says of a container."""

    PENDING = "PENDING"
    RUNNING = "RUNNING"
    STOPPED = "STOPPED"


class HealthStatus(StrEnum):
    """The result of a container's health check, or of all essential ones of a task."""

    HEALTHY = "HEALTHY"
    UNHEALTHY = "UNHEALTHY"
    UNKNOWN = "UNKNOWN"


class StopCode(StrEnum):
    """Why a task stopped."""

    TASK_FAILED_TO_START = "TaskFailedToStart"
    ESSENTIAL_CONTAINER_EXITED = "EssentialContainerExited"
    USER_INITIATED = "UserInitiated"
    SERVICE_SCHEDULER_INITIATED = "ServiceSchedulerInitiated"
    SPOT_INTERRUPTION = "SpotInterruption"
    TERMINATION_NOTICE = "TerminationNotice"


class LaunchType(StrEnum):
    """The infrastructure a task runs on."""

    EC2 = "EC2"
    FARGATE = "FARGATE"
    EXTERNAL = "EXTERNAL"
    MANAGED_INSTANCES = "MANAGED_INSTANCES"


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerOverride:
    """What RunTask changes of one container of the definition."""

    name: str | None = None
    command: tuple[str, ...] = ()
    environment: tuple[NamedValue, ...] = ()
    environment_files: tuple[EnvironmentFile, ...] = ()
    cpu: int | None = None
    memory: int | None = None
    memory_reservation: int | None = None
    resource_requirements: tuple[ResourceRequirement, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskOverride:
    """What RunTask changes of the definition; ``cpu`` in units, ``memory`` in MiB."""

    container_overrides: tuple[ContainerOverride, ...] = ()
    cpu: int | None = None
    memory: int | None = None
    task_role_arn: str | None = None
    execution_role_arn: str | None = None
    ephemeral_storage: EphemeralStorage | None = None

    def of(self, name: str) -> ContainerOverride:
        """The override of a container, empty where there is none."""
        found = (o for o in self.container_overrides if o.name == name)
        return next(found, ContainerOverride(name=name))


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkBinding:
    """A container port, or range, and where the host answers for it."""

    bind_ip: str = "0.0.0.0"  # noqa: S104 - the address AWS reports
    container_port: int | None = None
    host_port: int | None = None
    protocol: str = "tcp"
    container_port_range: str | None = None
    host_port_range: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkInterface:
    """The address of a task's own network interface."""

    attachment_id: str
    private_ipv4_address: str
    ipv6_address: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """Something attached to a task (its network interface), and how far that has come.

    ``status``: PRECREATED, CREATED, ATTACHING, ATTACHED, DETACHING, DETACHED, DELETED, FAILED.
    """

    id: str
    type: str
    status: str
    details: tuple[NamedValue, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkConfiguration:
    """``awsvpcConfiguration``: where the interface of an awsvpc task is to be."""

    subnets: tuple[str, ...] = ()
    security_groups: tuple[str, ...] = ()
    assign_public_ip: str = "DISABLED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """A container of a task. ``cpu`` and memory are the definition's with overrides applied."""

    id: str
    name: str
    image: str
    cpu: int = 0
    memory: int | None = None
    memory_reservation: int | None = None
    last_status: ContainerStatus = ContainerStatus.PENDING
    #: The engine's id of the container, once it is created.
    runtime_id: str | None = None
    image_digest: str | None = None
    exit_code: int | None = None
    reason: str | None = None
    health_status: HealthStatus = HealthStatus.UNKNOWN
    network_bindings: tuple[NetworkBinding, ...] = ()
    network_interfaces: tuple[NetworkInterface, ...] = ()
    #: When the engine started it first, and when it exited last.
    started_at: datetime | None = None
    finished_at: datetime | None = None
    #: Restarts in place by its restart policy, and the last of them.
    restart_count: int = 0
    restarted_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedGroup:
    """A target group that a container of the task serves, and as what it is registered there.

    API Reference, ``LoadBalancer``.
    """

    target_group_arn: str
    container_name: str
    container_port: int
    #: The target group's; None before it is looked up.
    protocol: str | None = None
    #: The target's id and port; None before it is registered.
    target_id: str | None = None
    target_port: int | None = None
    #: From when on it gets no request any more, and its containers may stop; None before.
    drained_at: datetime | None = None

    @property
    def is_serving(self) -> bool:
        """Whether it is registered, and not drained or draining."""
        return self.target_id is not None and self.drained_at is None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskProtection:
    """That a service task is not to be scaled in, nor replaced by a deployment, until then."""

    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A task: what was asked, where it was placed, what became of it."""

    scope: Scope
    cluster: str
    id: str
    family: str
    revision: int
    launch_type: LaunchType
    capacity_provider: str | None = None
    #: Id of the container instance it is placed on; None for FARGATE.
    container_instance: str | None = None
    #: The machine whose engine runs it.
    machine: str
    desired_status: TaskStatus = TaskStatus.RUNNING
    last_status: TaskStatus
    containers: tuple[Container, ...]
    overrides: TaskOverride = field(default_factory=TaskOverride)
    #: Task-level size as the API reports it: CPU units and MiB.
    cpu: int
    memory: int
    #: Static host ports it holds, as ``8080/tcp``; what placement and "port taken" look at.
    host_ports: tuple[str, ...] = ()
    group: str
    started_by: str | None = None
    attributes: tuple[Attribute, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    network_configuration: NetworkConfiguration | None = None
    availability_zone: str = ""
    platform_version: str | None = None
    platform_family: str | None = None
    ephemeral_storage: EphemeralStorage | None = None
    enable_execute_command: bool = False
    health_status: HealthStatus = HealthStatus.UNKNOWN
    stop_code: StopCode | None = None
    stopped_reason: str | None = None
    created_at: datetime
    connectivity_at: datetime | None = None
    pull_started_at: datetime | None = None
    pull_stopped_at: datetime | None = None
    started_at: datetime | None = None
    stopping_at: datetime | None = None
    execution_stopped_at: datetime | None = None
    stopped_at: datetime | None = None
    #: Starts at 1 and grows with every change the API can show.
    version: int = 1
    protection: TaskProtection | None = None
    served_groups: tuple[ServedGroup, ...] = ()
    #: Of a task that a scheduler keeps: whether that has taken its end into account.
    accounted: bool = False
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def arn(self) -> str:
        """The ARN of the task."""
        return task_arn(self.scope, self.cluster, self.id)

    @property
    def cluster_arn(self) -> str:
        """The ARN of its cluster."""
        return cluster_arn(self.scope, self.cluster)

    @property
    def service(self) -> str | None:
        """The name of the service it belongs to; only services start tasks of such a group."""
        kind, _, name = self.group.partition(":")
        return name if kind == "service" else None

    @property
    def daemon(self) -> str | None:
        """The name of the daemon it belongs to; only daemons start tasks of such a group."""
        kind, _, name = self.group.partition(":")
        return name if kind == "daemon" else None

    @property
    def definition_arn(self) -> str:
        """The ARN of the task definition, or daemon task definition, that it runs."""
        arn = task_definition_arn if self.daemon is None else daemon_task_definition_arn
        return arn(self.scope, self.family, self.revision)

    def container_arn(self, container: Container) -> str:
        """The ARN of one of its containers."""
        return container_arn(self.scope, self.cluster, self.id, container.id)

    @property
    def drained_at(self) -> datetime | None:
        """When the last of its targets has drained; None where none drains."""
        times = [g.drained_at for g in self.served_groups if g.drained_at]
        return max(times, default=None)

    def container(self, name: str) -> Container | None:
        """The container of that name, or None."""
        return next((c for c in self.containers if c.name == name), None)
