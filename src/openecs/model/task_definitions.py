"""Task definitions: what a task is made of. Immutable once registered, but for their status.

Names, units and defaults follow the Amazon ECS API Reference (``ContainerDefinition``,
``TaskDefinition``); a field's wire name is its name here in camel case. ``None`` means "not given".
Collections are never None: AWS echoes the empty ones that matter and omits the others.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from openecs.model.identity import Scope, task_definition_arn


class NetworkMode(StrEnum):
    """How the containers of a task meet the network."""

    BRIDGE = "bridge"
    HOST = "host"
    AWSVPC = "awsvpc"
    NONE = "none"


class TaskDefinitionStatus(StrEnum):
    """ACTIVE on registration, INACTIVE once deregistered, DELETE_IN_PROGRESS once deleted."""

    ACTIVE = "ACTIVE"
    INACTIVE = "INACTIVE"
    DELETE_IN_PROGRESS = "DELETE_IN_PROGRESS"


class DependencyCondition(StrEnum):
    """What a container waits for in another one before it is created."""

    START = "START"
    COMPLETE = "COMPLETE"
    SUCCESS = "SUCCESS"
    HEALTHY = "HEALTHY"


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedValue:
    """A name and a value: an environment variable, a plugin property."""

    name: str
    value: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """An environment variable or log option whose value a secret store holds."""

    name: str
    value_from: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RepositoryCredentials:
    """The secret that opens a private registry."""

    credentials_parameter: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PortMapping:
    """A container port, or range ``a-b`` of them, and the host port it is reached at.

    ``host_port`` 0 or None in bridge mode means a dynamic one.
    """

    container_port: int | None = None
    host_port: int | None = None
    protocol: str = "tcp"
    name: str | None = None
    app_protocol: str | None = None
    container_port_range: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RestartPolicy:
    """Restart a container in place. ``restart_attempt_period`` in seconds (60-1800)."""

    enabled: bool
    ignored_exit_codes: tuple[int, ...] = ()
    restart_attempt_period: int = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentFile:
    """A file of ``NAME=value`` lines, named by an S3 ARN."""

    value: str
    type: str = "s3"


@dataclass(frozen=True, slots=True, kw_only=True)
class MountPoint:
    """Where a volume of the task appears in a container."""

    source_volume: str | None = None
    container_path: str | None = None
    read_only: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeFrom:
    """All mounts of another container of the task."""

    source_container: str | None = None
    read_only: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelCapabilities:
    """Linux capabilities added to and dropped from the engine's default set."""

    add: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """A host device seen by a container; no permissions given means all three."""

    host_path: str
    container_path: str | None = None
    permissions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Tmpfs:
    """A memory file system; ``size`` in MiB."""

    container_path: str
    size: int
    mount_options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LinuxParameters:
    """Linux-only settings; ``shared_memory_size`` and ``max_swap`` in MiB."""

    capabilities: KernelCapabilities | None = None
    devices: tuple[Device, ...] = ()
    init_process_enabled: bool | None = None
    shared_memory_size: int | None = None
    tmpfs: tuple[Tmpfs, ...] = ()
    max_swap: int | None = None
    swappiness: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerDependency:
    """``dependsOn``: this container waits until that one meets the condition."""

    container_name: str
    condition: DependencyCondition


@dataclass(frozen=True, slots=True, kw_only=True)
class HostEntry:
    """A line of ``/etc/hosts``."""

    hostname: str
    ip_address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ulimit:
    """A process limit of a container; -1 means unlimited."""

    name: str
    soft_limit: int
    hard_limit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LogConfiguration:
    """Where a container's output goes."""

    log_driver: str
    options: dict[str, str] | None = None
    secret_options: tuple[Secret, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthCheck:
    """A command run in the container; interval, timeout and start period in seconds."""

    command: tuple[str, ...]
    interval: int = 30
    timeout: int = 5
    retries: int = 3
    start_period: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemControl:
    """A sysctl of the container's namespaces."""

    namespace: str | None = None
    value: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceRequirement:
    """A GPU or inference accelerator a container needs."""

    value: str
    type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FirelensConfiguration:
    """Marks the container as the task's log router."""

    type: str
    options: dict[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerDefinition:
    """One container of a task. ``cpu`` in CPU units (1024 = one core), memory in MiB.

    ``memory`` is the hard limit, ``memory_reservation`` the soft one; timeouts in seconds.
    """

    name: str
    image: str
    repository_credentials: RepositoryCredentials | None = None
    cpu: int = 0
    memory: int | None = None
    memory_reservation: int | None = None
    links: tuple[str, ...] = ()
    port_mappings: tuple[PortMapping, ...] = ()
    essential: bool = True
    restart_policy: RestartPolicy | None = None
    entry_point: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    environment: tuple[NamedValue, ...] = ()
    environment_files: tuple[EnvironmentFile, ...] = ()
    mount_points: tuple[MountPoint, ...] = ()
    volumes_from: tuple[VolumeFrom, ...] = ()
    linux_parameters: LinuxParameters | None = None
    secrets: tuple[Secret, ...] = ()
    depends_on: tuple[ContainerDependency, ...] = ()
    start_timeout: int | None = None
    stop_timeout: int | None = None
    version_consistency: str | None = None
    hostname: str | None = None
    user: str | None = None
    working_directory: str | None = None
    disable_networking: bool | None = None
    privileged: bool | None = None
    readonly_root_filesystem: bool | None = None
    dns_servers: tuple[str, ...] = ()
    dns_search_domains: tuple[str, ...] = ()
    extra_hosts: tuple[HostEntry, ...] = ()
    docker_security_options: tuple[str, ...] = ()
    interactive: bool | None = None
    pseudo_terminal: bool | None = None
    docker_labels: dict[str, str] | None = None
    ulimits: tuple[Ulimit, ...] = ()
    log_configuration: LogConfiguration | None = None
    health_check: HealthCheck | None = None
    system_controls: tuple[SystemControl, ...] = ()
    resource_requirements: tuple[ResourceRequirement, ...] = ()
    firelens_configuration: FirelensConfiguration | None = None
    credential_specs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class HostVolume:
    """A host path; without one, an empty directory that lives as long as the task."""

    source_path: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DockerVolume:
    """A volume of the engine: ``task`` scope lives with the task, ``shared`` outlives it."""

    scope: str = "task"
    autoprovision: bool | None = None
    driver: str | None = None
    driver_opts: dict[str, str] | None = None
    labels: dict[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EfsAuthorization:
    """How an EFS mount authenticates."""

    access_point_id: str | None = None
    iam: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EfsVolume:
    """An Amazon EFS file system."""

    file_system_id: str
    root_directory: str | None = None
    transit_encryption: str | None = None
    transit_encryption_port: int | None = None
    authorization_config: EfsAuthorization | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class S3FilesVolume:
    """An Amazon S3 Files file system."""

    file_system_arn: str
    root_directory: str | None = None
    transit_encryption_port: int | None = None
    access_point_arn: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FsxAuthorization:
    """How an FSx mount authenticates."""

    credentials_parameter: str
    domain: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FsxVolume:
    """An FSx for Windows File Server share."""

    file_system_id: str
    root_directory: str
    authorization_config: FsxAuthorization


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume:
    """A named volume of a task; at most one of the configurations is given."""

    name: str
    host: HostVolume | None = None
    docker_volume_configuration: DockerVolume | None = None
    efs_volume_configuration: EfsVolume | None = None
    s3files_volume_configuration: S3FilesVolume | None = None
    fsx_windows_file_server_volume_configuration: FsxVolume | None = None
    configured_at_launch: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacementConstraint:
    """``distinctInstance``, or ``memberOf`` with a cluster query expression."""

    type: str
    expression: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacementStrategy:
    """``random``, ``spread`` or ``binpack`` over a field."""

    type: str
    field: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimePlatform:
    """The processor architecture and operating system a task needs."""

    cpu_architecture: str | None = None
    operating_system_family: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyConfiguration:
    """App Mesh proxy settings."""

    type: str | None = None
    container_name: str = ""
    properties: tuple[NamedValue, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class EphemeralStorage:
    """The size of a task's own disk, in GiB."""

    size_in_gib: int


@dataclass(frozen=True, slots=True, kw_only=True)
class InferenceAccelerator:
    """An Elastic Inference accelerator."""

    device_name: str
    device_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute:
    """A name and an optional value that placement looks at."""

    name: str
    value: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskDefinition:
    """A registered revision of a family. Task-level ``cpu`` in units, ``memory`` in MiB."""

    scope: Scope
    family: str
    revision: int
    status: TaskDefinitionStatus
    container_definitions: tuple[ContainerDefinition, ...]
    network_mode: NetworkMode | None = None
    task_role_arn: str | None = None
    execution_role_arn: str | None = None
    volumes: tuple[Volume, ...] = ()
    placement_constraints: tuple[PlacementConstraint, ...] = ()
    requires_compatibilities: tuple[str, ...] = ()
    compatibilities: tuple[str, ...] = ()
    requires_attributes: tuple[Attribute, ...] = ()
    cpu: int | None = None
    memory: int | None = None
    runtime_platform: RuntimePlatform | None = None
    pid_mode: str | None = None
    ipc_mode: str | None = None
    proxy_configuration: ProxyConfiguration | None = None
    ephemeral_storage: EphemeralStorage | None = None
    inference_accelerators: tuple[InferenceAccelerator, ...] = ()
    enable_fault_injection: bool | None = None
    registered_at: datetime
    registered_by: str
    deregistered_at: datetime | None = None
    delete_requested_at: datetime | None = None
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def arn(self) -> str:
        """The ARN of this revision."""
        return task_definition_arn(self.scope, self.family, self.revision)

    @property
    def effective_network_mode(self) -> NetworkMode:
        """The mode the task runs in: bridge unless another is given."""
        return self.network_mode or NetworkMode.BRIDGE

    def container(self, name: str) -> ContainerDefinition | None:
        """The container of that name, or None."""
        return next((c for c in self.container_definitions if c.name == name), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskDefinitionFamily:
    """A family and the last revision number it has given out, so that none is used twice."""

    scope: Scope
    family: str
    last_revision: int
    #: Whether any revision is ACTIVE: what ListTaskDefinitionFamilies filters by.
    active: bool
