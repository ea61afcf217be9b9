"""Services: what was promised, the deployments that bring it about, and what they went through.

A ``Deployment`` (``ecs-svc/NNN``) is one rollout of one ``ServiceRevision``; a
``ServiceDeployment`` is the history of one change as the user asked for it: the rollout and, if
need be, its rollback.
Amazon ECS API Reference, ``Service``, ``Deployment``, ``ServiceDeployment``, ``ServiceRevision``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from openecs.model.clusters import CapacityProviderStrategyItem
from openecs.model.deployment_failures import AlarmWatch, CircuitBreaker, DeploymentAlarms
from openecs.model.express import ExpressConfiguration
from openecs.model.identity import Scope, cluster_arn, task_definition_arn
from openecs.model.task_definitions import PlacementConstraint, PlacementStrategy
from openecs.model.tasks import LaunchType, NetworkConfiguration


class ServiceStatus(StrEnum):
    """ACTIVE; DRAINING from its deletion until its tasks are stopping; INACTIVE afterwards."""

    ACTIVE = "ACTIVE"
    DRAINING = "DRAINING"
    INACTIVE = "INACTIVE"


class SchedulingStrategy(StrEnum):
    """So many tasks, or one on each instance."""

    REPLICA = "REPLICA"
    DAEMON = "DAEMON"


class DeploymentControllerType(StrEnum):
    """Who deploys: ECS itself, CodeDeploy, or the user by task sets (EXTERNAL)."""

    ECS = "ECS"
    CODE_DEPLOY = "CODE_DEPLOY"
    EXTERNAL = "EXTERNAL"


class DeploymentStatus(StrEnum):
    """PRIMARY: the newest; ACTIVE: an older one that still has tasks."""

    PRIMARY = "PRIMARY"
    ACTIVE = "ACTIVE"
    INACTIVE = "INACTIVE"


class RolloutState(StrEnum):
    """How far a deployment has come."""

    IN_PROGRESS = "IN_PROGRESS"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"


class ServiceDeploymentStatus(StrEnum):
    """How far a service deployment, its rollback included, has come."""

    PENDING = "PENDING"
    IN_PROGRESS = "IN_PROGRESS"
    SUCCESSFUL = "SUCCESSFUL"
    STOP_REQUESTED = "STOP_REQUESTED"
    STOPPED = "STOPPED"
    ROLLBACK_REQUESTED = "ROLLBACK_REQUESTED"
    ROLLBACK_IN_PROGRESS = "ROLLBACK_IN_PROGRESS"
    ROLLBACK_SUCCESSFUL = "ROLLBACK_SUCCESSFUL"
    ROLLBACK_FAILED = "ROLLBACK_FAILED"


class DeploymentStrategy(StrEnum):
    """How traffic comes to the new tasks: as they come, all at once, in one step first, in many."""

    ROLLING = "ROLLING"
    BLUE_GREEN = "BLUE_GREEN"
    LINEAR = "LINEAR"
    CANARY = "CANARY"


class LifecycleStage(StrEnum):
    """Where a deployment that shifts traffic stands; in their order.

    API Reference, ``DeploymentLifecycleHook.lifecycleStages``.
    """

    RECONCILE_SERVICE = "RECONCILE_SERVICE"
    PRE_SCALE_UP = "PRE_SCALE_UP"
    SCALE_UP = "SCALE_UP"
    POST_SCALE_UP = "POST_SCALE_UP"
    TEST_TRAFFIC_SHIFT = "TEST_TRAFFIC_SHIFT"
    POST_TEST_TRAFFIC_SHIFT = "POST_TEST_TRAFFIC_SHIFT"
    PRE_PRODUCTION_TRAFFIC_SHIFT = "PRE_PRODUCTION_TRAFFIC_SHIFT"
    PRODUCTION_TRAFFIC_SHIFT = "PRODUCTION_TRAFFIC_SHIFT"
    POST_PRODUCTION_TRAFFIC_SHIFT = "POST_PRODUCTION_TRAFFIC_SHIFT"
    BAKE_TIME = "BAKE_TIME"
    CLEAN_UP = "CLEAN_UP"


class HookTargetType(StrEnum):
    """What a lifecycle hook does: call a function, or wait for ContinueServiceDeployment."""

    AWS_LAMBDA = "AWS_LAMBDA"
    PAUSE = "PAUSE"


class HookStatus(StrEnum):
    """How a lifecycle hook fares."""

    AWAITING_ACTION = "AWAITING_ACTION"
    IN_PROGRESS = "IN_PROGRESS"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    TIMED_OUT = "TIMED_OUT"


@dataclass(frozen=True, slots=True, kw_only=True)
class HookTimeout:
    """How long a hook may take, and whether the deployment then goes back or on."""

    timeout_in_minutes: int = 1440
    #: ROLLBACK or CONTINUE.
    action: str = "ROLLBACK"


@dataclass(frozen=True, slots=True, kw_only=True)
class LifecycleHook:
    """What is to happen at some stages. API Reference, ``DeploymentLifecycleHook``."""

    target_type: HookTargetType = HookTargetType.AWS_LAMBDA
    hook_target_arn: str | None = None
    role_arn: str | None = None
    lifecycle_stages: tuple[LifecycleStage, ...] = ()
    #: JSON text that is passed on to the function.
    hook_details: str | None = None
    timeout_configuration: HookTimeout | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LinearConfiguration:
    """Steps of equal size, in percent of the traffic, and how long each is watched."""

    step_percent: float = 10.0
    step_bake_time_in_minutes: int = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class CanaryConfiguration:
    """The share of the traffic that tries the new tasks first, and for how long."""

    canary_percent: float = 5.0
    canary_bake_time_in_minutes: int = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentConfiguration:
    """The bounds of a deployment, in percent of the desired count, and what makes it fail."""

    deployment_circuit_breaker: CircuitBreaker = field(default_factory=CircuitBreaker)
    maximum_percent: int = 200
    minimum_healthy_percent: int = 100
    alarms: DeploymentAlarms | None = None
    strategy: DeploymentStrategy = DeploymentStrategy.ROLLING
    bake_time_in_minutes: int = 0
    linear_configuration: LinearConfiguration | None = None
    canary_configuration: CanaryConfiguration | None = None
    lifecycle_hooks: tuple[LifecycleHook, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AdvancedConfiguration:
    """What shifting traffic needs: the other target group, and who decides between the two.

    A rule is a listener rule of an application load balancer or a listener of a network one.
    """

    alternate_target_group_arn: str
    production_listener_rule: str
    test_listener_rule: str | None = None
    role_arn: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceLoadBalancer:
    """A target group that a container of each task serves. API Reference, ``LoadBalancer``."""

    target_group_arn: str
    container_name: str
    container_port: int
    advanced_configuration: AdvancedConfiguration | None = None

    def group(self, *, alternate: bool) -> str:
        """The ARN of the target group, or of its alternate where there is one."""
        advanced = self.advanced_configuration
        return (
            advanced.alternate_target_group_arn if alternate and advanced else self.target_group_arn
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceRevision:
    """What tasks of a service are started from; ``id`` is its own, in digits."""

    scope: Scope
    cluster: str
    service: str
    id: str
    family: str
    #: The revision of the task definition.
    revision: int
    #: None where a capacity provider strategy is given.
    launch_type: LaunchType | None
    capacity_provider_strategy: tuple[CapacityProviderStrategyItem, ...] = ()
    #: FARGATE: ``1.4.0`` and ``Linux``.
    platform_version: str | None = None
    platform_family: str | None = None
    network_configuration: NetworkConfiguration | None = None
    load_balancers: tuple[ServiceLoadBalancer, ...] = ()
    #: Whether its tasks serve the alternate target groups.
    on_alternate: bool = False
    #: None unless the service is an Express service.
    express: ExpressConfiguration | None = None
    created_at: datetime

    @property
    def arn(self) -> str:
        """``arn:aws:ecs:R:A:service-revision/CLUSTER/SERVICE/ID``."""
        return self.scope.arn("ecs", f"service-revision/{self.cluster}/{self.service}/{self.id}")

    @property
    def task_definition_arn(self) -> str:
        """The ARN of its task definition."""
        return task_definition_arn(self.scope, self.family, self.revision)


@dataclass(frozen=True, slots=True, kw_only=True)
class HookRun:
    """A lifecycle hook at the stage a deployment stands at."""

    #: ``ecs-lambda-...``, ``ecs-pause-...``.
    id: str
    #: Its place among the hooks of the configuration.
    hook: int
    status: HookStatus
    expires_at: datetime
    #: When the function is to be called; None for a pause.
    call_after: datetime | None = None
    #: What the function gave to be told the next time.
    hook_details: str | None = None
    #: Why it failed; None where the function said so.
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrafficShift:
    """How far a deployment of a strategy other than ROLLING has come."""

    #: As it was when the deployment began.
    configuration: DeploymentConfiguration
    stage: LifecycleStage
    stage_at: datetime
    #: Percent of the traffic that this deployment is to get.
    production_weight: float = 0.0
    test_weight: float = 0.0
    hooks: tuple[HookRun, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """One rollout of a revision. Its tasks have its ``id`` as ``started_by``."""

    #: ``ecs-svc/`` and 19 digits.
    id: str
    status: DeploymentStatus
    revision: ServiceRevision
    #: The id of the ``ServiceDeployment`` it belongs to.
    service_deployment: str
    #: What the API shows: the service's for the PRIMARY, what is left for older ones.
    desired_count: int
    rollout_state: RolloutState
    rollout_state_reason: str
    #: What the circuit breaker counts, and ``failedTasks``: see ``decide.services``.
    failed_tasks: int = 0
    #: Whether one of its tasks has been RUNNING: the breaker's second stage.
    has_run: bool = False
    #: Rounds of starts in a row that failed, and when the next may be tried.
    start_failures: int = 0
    start_after: datetime | None = None
    #: None where tasks replace tasks.
    shift: TrafficShift | None = None
    #: None where no alarms are asked for, and before the first pass.
    alarm_watch: AlarmWatch | None = None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A service. Counts of tasks are not kept here: they are counted."""

    scope: Scope
    cluster: str
    name: str
    status: ServiceStatus = ServiceStatus.ACTIVE
    scheduling_strategy: SchedulingStrategy = SchedulingStrategy.REPLICA
    #: Of a DAEMON: how many instances are to have a task, as the scheduler found last.
    desired_count: int
    deployment_controller: DeploymentControllerType = DeploymentControllerType.ECS
    #: Whether the user named the controller, and so is shown it.
    shows_controller: bool = False
    deployment_configuration: DeploymentConfiguration = field(
        default_factory=DeploymentConfiguration
    )
    #: What new deployments start from; None for an EXTERNAL service without a primary task set.
    revision: ServiceRevision | None
    #: As given: ``LATEST`` or ``1.4.0``; None unless FARGATE.
    platform_version: str | None = None
    placement_constraints: tuple[PlacementConstraint, ...] = ()
    placement_strategy: tuple[PlacementStrategy, ...] = ()
    health_check_grace_period_seconds: int | None = None
    enable_ecs_managed_tags: bool = False
    #: TASK_DEFINITION, SERVICE or NONE.
    propagate_tags: str = "NONE"
    enable_execute_command: bool = False
    availability_zone_rebalancing: str = "ENABLED"
    role_arn: str | None = None
    created_by: str
    created_at: datetime
    #: When it became INACTIVE.
    deleted_at: datetime | None = None
    #: Newest first; the PRIMARY is the first. Older ones go when their last task has.
    deployments: tuple[Deployment, ...] = ()
    #: The revision a failed deployment goes back to: that of the last deployment that COMPLETED and
    #: is not itself being rolled back to.
    completed_revision: ServiceRevision | None = None
    #: The id of the newest ``ServiceDeployment``.
    current_service_deployment: str | None = None
    #: When "has reached a steady state" was said last; None while it is not steady.
    steady_at: datetime | None = None
    #: The id of the ``ExpressGateway`` in front of it, if it is an Express service.
    express_gateway: str | None = None
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def arn(self) -> str:
        """``arn:aws:ecs:R:A:service/CLUSTER/NAME``."""
        return self.scope.arn("ecs", f"service/{self.cluster}/{self.name}")

    @property
    def cluster_arn(self) -> str:
        """The ARN of its cluster."""
        return cluster_arn(self.scope, self.cluster)

    @property
    def group(self) -> str:
        """The task group of its tasks."""
        return f"service:{self.name}"

    @property
    def primary(self) -> Deployment | None:
        """The newest deployment."""
        return self.deployments[0] if self.deployments else None

    @property
    def watched_alarms(self) -> tuple[str, ...]:
        """The names of the alarms that may fail the deployment in progress."""
        alarms, primary = self.deployment_configuration.alarms, self.primary
        if alarms is None or not alarms.enable or primary is None:
            return ()
        in_progress = primary.rollout_state is RolloutState.IN_PROGRESS
        return alarms.alarm_names if in_progress else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceEvent:
    """A line of a service's story."""

    id: str
    created_at: datetime
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceEvents:
    """The last 100 events of a service, newest first; apart, so that a line wakes nobody."""

    scope: Scope
    cluster: str
    service: str
    events: tuple[ServiceEvent, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollback:
    """That, why and since when a service deployment goes back, and to what."""

    reason: str
    started_at: datetime
    revision: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceDeployment:
    """The history of one change of a service. ``id`` is URL-safe text of its own."""

    scope: Scope
    cluster: str
    service: str
    id: str
    status: ServiceDeploymentStatus
    status_reason: str | None = None
    #: Ids of service revisions.
    source_revisions: tuple[str, ...] = ()
    target_revision: str
    #: Task counts of the revisions when it ended: (id, requested, running, pending).
    final_counts: tuple[tuple[str, int, int, int], ...] = ()
    #: Traffic of the revisions when it ended, in percent: (id, test, production).
    final_weights: tuple[tuple[str, float, float], ...] = ()
    #: Of a strategy that shifts traffic.
    lifecycle_stage: LifecycleStage | None = None
    hooks: tuple[HookRun, ...] = ()
    deployment_configuration: DeploymentConfiguration
    rollback: Rollback | None = None
    #: TRIGGERED, MONITORING, MONITORING_COMPLETE or DISABLED, with what it counted.
    breaker_status: str = "DISABLED"
    failure_count: int = 0
    threshold: int = 0
    #: As ``breaker_status``, of the alarms, with those that failed it.
    alarm_status: str = "DISABLED"
    triggered_alarms: tuple[str, ...] = ()
    created_at: datetime
    started_at: datetime | None = None
    updated_at: datetime
    #: SUCCESSFUL or rolled back; stopped: by StopServiceDeployment.
    finished_at: datetime | None = None
    stopped_at: datetime | None = None

    @property
    def arn(self) -> str:
        """``arn:aws:ecs:R:A:service-deployment/CLUSTER/SERVICE/ID``."""
        return self.scope.arn("ecs", f"service-deployment/{self.cluster}/{self.service}/{self.id}")


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskSet:
    """A set of tasks of an EXTERNAL service. Its tasks have its ``id`` as ``started_by``."""

    scope: Scope
    cluster: str
    service: str
    #: ``ecs-svc/`` and 19 digits.
    id: str
    external_id: str | None = None
    #: PRIMARY, ACTIVE or DRAINING.
    status: str = "ACTIVE"
    revision: ServiceRevision
    #: As given: ``LATEST`` or ``1.4.0``; None unless FARGATE.
    platform_version: str | None = None
    #: Percent of the service's desired count.
    scale: float = 0.0
    stability_status: str = "STABILIZING"
    stability_status_at: datetime
    start_failures: int = 0
    start_after: datetime | None = None
    created_at: datetime
    updated_at: datetime
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def arn(self) -> str:
        """``arn:aws:ecs:R:A:task-set/CLUSTER/SERVICE/ecs-svc/NNN``."""
        return self.scope.arn("ecs", f"task-set/{self.cluster}/{self.service}/{self.id}")
