"""Clusters, the machines and container instances they place tasks on, and capacity providers."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from openecs.model.identity import (
    Scope,
    capacity_provider_arn,
    cluster_arn,
    container_instance_arn,
)
from openecs.model.task_definitions import Attribute, NamedValue


class ClusterStatus(StrEnum):
    """ACTIVE from creation, INACTIVE once deleted (still describable for a while)."""

    ACTIVE = "ACTIVE"
    PROVISIONING = "PROVISIONING"
    DEPROVISIONING = "DEPROVISIONING"
    FAILED = "FAILED"
    INACTIVE = "INACTIVE"


#: The setting of clusters by which what they do is measured.
CONTAINER_INSIGHTS = "containerInsights"


@dataclass(frozen=True, slots=True, kw_only=True)
class CapacityProviderStrategyItem:
    """How many tasks a provider gets: ``base`` first, then by relative ``weight``."""

    capacity_provider: str
    weight: int = 0
    base: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecuteCommandLogConfiguration:
    """Where ``execute-command`` sessions are logged."""

    cloud_watch_log_group_name: str | None = None
    cloud_watch_encryption_enabled: bool | None = None
    s3_bucket_name: str | None = None
    s3_encryption_enabled: bool | None = None
    s3_key_prefix: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecuteCommandConfiguration:
    """The cluster's settings for ``execute-command``."""

    kms_key_id: str | None = None
    logging: str | None = None
    log_configuration: ExecuteCommandLogConfiguration | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ManagedStorageConfiguration:
    """The keys that encrypt managed storage."""

    kms_key_id: str | None = None
    fargate_ephemeral_storage_kms_key_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterConfiguration:
    """The cluster's configuration as the user gave it."""

    execute_command_configuration: ExecuteCommandConfiguration | None = None
    managed_storage_configuration: ManagedStorageConfiguration | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """A group of tasks and services, and of the instances they are placed on."""

    scope: Scope
    name: str
    status: ClusterStatus = ClusterStatus.ACTIVE
    configuration: ClusterConfiguration | None = None
    #: ``containerInsights`` and its value.
    settings: tuple[NamedValue, ...] = ()
    capacity_providers: tuple[str, ...] = ()
    default_capacity_provider_strategy: tuple[CapacityProviderStrategyItem, ...] = ()
    service_connect_namespace: str | None = None
    created_at: datetime
    deleted_at: datetime | None = None
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def arn(self) -> str:
        """The ARN of the cluster."""
        return cluster_arn(self.scope, self.name)

    @property
    def container_insights(self) -> str:
        """``enabled``, ``enhanced`` or ``disabled``."""
        found = (each.value for each in self.settings if each.name == CONTAINER_INSIGHTS)
        return next((value for value in found if value), "disabled")


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """A host with a container engine, as its node registered it: what there is to share.

    All container instance records of one machine, in every cluster, account and region, and its
    FARGATE tasks, draw on these resources together.
    """

    id: str
    hostname: str
    #: CPU units (1024 a core) and MiB that tasks may reserve.
    cpu: int
    memory: int
    #: Reserved TCP and UDP host ports that no task gets, as ``22/tcp``.
    reserved_ports: tuple[str, ...]
    attributes: tuple[Attribute, ...]
    availability_zone_suffix: str = "a"
    engine_version: str
    agent_version: str
    #: Whether its node is up and its engine answers.
    connected: bool
    #: Whether it joins a cluster by itself when the first EC2-type task is placed there.
    joins_clusters: bool = True
    registered_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacementTicket:
    """How often tasks were placed on a machine by others than the service scheduler.

    The scheduler plans on a picture of its own; this tells it in a glance that the picture is old.
    """

    machine: str
    number: int


class ContainerInstanceStatus(StrEnum):
    """Whether an instance takes tasks."""

    ACTIVE = "ACTIVE"
    DRAINING = "DRAINING"
    REGISTERING = "REGISTERING"
    DEREGISTERING = "DEREGISTERING"
    REGISTRATION_FAILED = "REGISTRATION_FAILED"
    INACTIVE = "INACTIVE"


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerInstance:
    """A machine's membership in a cluster."""

    scope: Scope
    cluster: str
    id: str
    machine: str
    ec2_instance_id: str
    status: ContainerInstanceStatus = ContainerInstanceStatus.ACTIVE
    #: The machine's attributes and the custom ones put on this instance.
    attributes: tuple[Attribute, ...] = ()
    capacity_provider: str | None = None
    registered_at: datetime
    version: int = 1
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def arn(self) -> str:
        """The ARN of the container instance."""
        return container_instance_arn(self.scope, self.cluster, self.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class ManagedScaling:
    """How an Auto Scaling group provider scales its group."""

    status: str = "DISABLED"
    target_capacity: int = 100
    minimum_scaling_step_size: int = 1
    maximum_scaling_step_size: int = 10000
    instance_warmup_period: int = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class AutoScalingGroupProvider:
    """A capacity provider backed by an Auto Scaling group."""

    auto_scaling_group_arn: str
    managed_scaling: ManagedScaling = field(default_factory=ManagedScaling)
    managed_termination_protection: str = "DISABLED"
    managed_draining: str = "ENABLED"


@dataclass(frozen=True, slots=True, kw_only=True)
class ManagedInstancesProvider:
    """A capacity provider whose instances ECS itself launches, from a template.

    Here the machines of the installation stand for what would be launched. ``document`` is the
    configuration as it was given (role, template, tags, repair), in JSON and as AWS spells it: it
    is shown, nothing of it is used.
    """

    document: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CapacityProvider:
    """A capacity provider of the user's; FARGATE and FARGATE_SPOT exist without a record."""

    scope: Scope
    name: str
    #: The only cluster that may use it: of Managed Instances providers.
    cluster: str | None = None
    status: str = "ACTIVE"
    auto_scaling_group_provider: AutoScalingGroupProvider | None = None
    managed_instances_provider: ManagedInstancesProvider | None = None
    update_status: str | None = None
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def arn(self) -> str:
        """The ARN of the provider."""
        return capacity_provider_arn(self.scope, self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountSetting:
    """An account setting of a principal, or the account's default (``principal_arn`` empty)."""

    scope: Scope
    name: str
    value: str
    principal_arn: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class IdempotencyRecord:
    """What a client token was used for, so that a repeated call does nothing twice.

    ``fingerprint`` is a digest of the parameters, ``resources`` the ARNs the first call made.
    """

    scope: Scope
    token: str
    fingerprint: str
    resources: tuple[str, ...]
    created_at: datetime
