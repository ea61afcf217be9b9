"""What CreateService and UpdateService ask for, checked in AWS's order before anything is written.

API Reference, ``CreateService``, ``UpdateService``; texts as public traces show them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from openecs.api import shapes
from openecs.api.base import Call, Members
from openecs.api.ecs import (
    errors,
    launches,
    references,
    service_load_balancers,
    task_requests,
)
from openecs.api.ecs.new_deployments import LaunchSettings
from openecs.api.ecs.task_requests import TaskRequest
from openecs.model.clusters import Cluster
from openecs.model.services import (
    DeploymentControllerType,
    SchedulingStrategy,
    Service,
    ServiceRevision,
)
from openecs.model.task_definitions import (
    NetworkMode,
    PlacementConstraint,
    PlacementStrategy,
    TaskDefinition,
    TaskDefinitionStatus,
)
from openecs.model.tasks import LaunchType
from openecs.store.base import View

GRACE_LIMIT = 2_147_483_647

#: What an EXTERNAL service leaves to its task sets.
_OF_TASK_SETS = (
    "taskDefinition",
    "loadBalancers",
    "serviceRegistries",
    "launchType",
    "capacityProviderStrategy",
    "platformVersion",
    "networkConfiguration",
)


_OF_LAUNCH = (
    "taskDefinition",
    "loadBalancers",
    "networkConfiguration",
    "platformVersion",
    "capacityProviderStrategy",
    "placementConstraints",
    "placementStrategy",
    "forceNewDeployment",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """How the tasks of a service choose among instances."""

    constraints: tuple[PlacementConstraint, ...]
    strategy: tuple[PlacementStrategy, ...]


def name(request: Members) -> str:
    """The name of a new service. Raises ``InvalidParameterException``."""
    given: str = request["serviceName"]
    if not references.NAME.fullmatch(given):
        raise errors.invalid_parameter(
            "Service names can have up to 255 letters, numbers, hyphens and underscores."
        )
    return given


def controller(request: Members) -> DeploymentControllerType:
    """The deployment controller. Raises ``InvalidParameterException`` for CODE_DEPLOY."""
    given = (request.get("deploymentController") or {}).get("type") or "ECS"
    if given == DeploymentControllerType.CODE_DEPLOY:
        raise errors.invalid_parameter(
            "OpenECS has no CodeDeploy: use the deployment controller ECS or EXTERNAL."
        )
    chosen = DeploymentControllerType(given)
    if chosen is DeploymentControllerType.ECS:
        return chosen
    if request.get("schedulingStrategy") == SchedulingStrategy.DAEMON:
        raise errors.invalid_parameter(
            "The DAEMON scheduling strategy is not supported with the EXTERNAL deployment "
            "controller."
        )
    for member in _OF_TASK_SETS:
        if request.get(member):
            raise errors.invalid_parameter(
                f"{member} must be null when using the EXTERNAL deployment controller: it is "
                "given to CreateTaskSet."
            )
    return chosen


def check_same_controller(service: Service, request: Members) -> None:
    """An update leaves the deployment controller as it is."""
    given = (request.get("deploymentController") or {}).get("type")
    if given and given != service.deployment_controller:
        raise errors.invalid_parameter(
            "OpenECS cannot change the deployment controller of a service: create another service."
        )


def check_built(request: Members) -> None:
    """Refuse what nothing stands behind yet, as AWS would refuse what does not exist."""
    if request.get("serviceRegistries"):
        raise errors.invalid_parameter("The specified service registry does not exist.")
    if (request.get("serviceConnectConfiguration") or {}).get("enabled"):
        raise errors.namespace_not_found()
    if request.get("volumeConfigurations"):
        raise errors.client("OpenECS has no EBS volumes: remove volumeConfigurations.")
    if request.get("vpcLatticeConfigurations"):
        raise errors.client("OpenECS has no VPC Lattice: remove vpcLatticeConfigurations.")
    if request.get("monitoring"):
        raise errors.client("OpenECS has no metrics of services yet: remove monitoring.")
    if request.get("role"):
        raise errors.invalid_parameter(
            "You cannot specify an IAM role for services that require a service linked role."
        )


def desired_count(request: Members, strategy: SchedulingStrategy) -> int:
    """The desired count of a new service. Raises ``InvalidParameterException``."""
    given: int | None = request.get("desiredCount")
    if strategy is SchedulingStrategy.DAEMON:
        check_daemon_count(given)
        return 0
    if given is None:
        raise errors.invalid_parameter("The desired count can not be empty.")
    return checked_count(given)


def check_daemon_count(given: int | None) -> None:
    """A DAEMON has as many tasks as there are instances."""
    if given:
        raise errors.invalid_parameter(
            "The daemon scheduling strategy does not support a desired count for services. Remove "
            "the desired count value and try again."
        )


def checked_count(given: int) -> int:
    """A desired count that can be."""
    if given < 0:
        raise errors.invalid_parameter("The desired count cannot be negative.")
    return given


def grace_period(request: Members) -> int | None:
    """The health check grace period in seconds. Raises ``InvalidParameterException``."""
    given: int | None = request.get("healthCheckGracePeriodSeconds")
    if given is not None and not 0 <= given <= GRACE_LIMIT:
        raise errors.invalid_parameter(
            f"healthCheckGracePeriodSeconds must be between 0 and {GRACE_LIMIT}."
        )
    return given


def check_grace(service: Service, request: Members) -> None:
    """A grace period is for services behind load balancers; EXTERNAL ones have task sets."""
    if service.revision is None or service.revision.load_balancers:
        return
    if request.get("healthCheckGracePeriodSeconds"):
        raise errors.invalid_parameter(
            "Health check grace period is only valid for services configured to use load balancers"
        )


def wanted(
    view: View, call: Call, cluster: Cluster, reference: str, request: Members
) -> TaskRequest:
    """What the service's tasks are to be. Raises ``ServiceError``.

    ``request`` has the network configuration that is to hold.
    """
    definition = _definition(view, call, reference, request)
    network = task_requests.network(view, call, definition, request.get("networkConfiguration"))
    return TaskRequest(
        cluster=cluster,
        definition=definition,
        overrides=task_requests.without_overrides(definition),
        group="",
        started_by=None,
        network_configuration=network,
        tags={},
    )


def launch(
    view: View, call: Call, asked: TaskRequest, request: Members, strategy: SchedulingStrategy
) -> tuple[LaunchSettings, Placement]:
    """Where the service's tasks run, how they choose there, and what they serve.

    Raises ``ServiceError``.
    """
    settings, chosen = _settings(asked, request, strategy)
    served = service_load_balancers.parse(view, call, asked.definition, request)
    return replace(settings, load_balancers=served), chosen


def _settings(
    asked: TaskRequest, request: Members, strategy: SchedulingStrategy
) -> tuple[LaunchSettings, Placement]:
    chosen = placement(request)
    ask = launches.ask_for(asked, request)
    items = launches.provider_strategy(asked, request)
    launch_type = None if items else LaunchType(request.get("launchType") or LaunchType.EC2)
    if launch_type is LaunchType.FARGATE or (items and launches.is_fargate(items)):
        _check_daemon_can(strategy)
        launches.check_fargate(asked, request, ask)
        return _on_fargate(asked, launch_type, items), chosen
    if items:
        launches.check_managed_instances(asked)
    elif launch_type is LaunchType.EC2:
        launches.check_instances(asked, request)
    else:
        raise errors.invalid_parameter(
            f"OpenECS has no instances of launch type {launch_type}: use EC2, FARGATE or a "
            "capacity provider."
        )
    if strategy is SchedulingStrategy.DAEMON and chosen.strategy:
        raise errors.invalid_parameter(
            "Placement strategies are not supported with the DAEMON scheduling strategy."
        )
    settings = LaunchSettings(
        launch_type=launch_type,
        capacity_provider_strategy=items,
        network_configuration=asked.network_configuration,
    )
    return settings, chosen


def placement(request: Members) -> Placement:
    """How tasks choose among instances. Raises ``InvalidParameterException``."""
    return Placement(
        constraints=launches.placement_constraints(request),
        strategy=launches.placement_strategies(request),
    )


def shown_platform(request: Members, settings: LaunchSettings) -> str | None:
    """The platform version the service shows: as asked for."""
    if settings.platform_version is None:
        return None
    return request.get("platformVersion") or "LATEST"


def role(call: Call, definition: TaskDefinition) -> str | None:
    """The service-linked role, which ECS uses for awsvpc tasks."""
    if definition.effective_network_mode is not NetworkMode.AWSVPC:
        return None
    path = "aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS"
    return f"arn:aws:iam::{call.scope.account}:role/{path}"


def touches_launch(request: Members) -> bool:
    """Whether an update is about what tasks are and where they run; else they need no checks."""
    return any(request.get(member) is not None for member in _OF_LAUNCH)


def check_external_update(request: Members) -> None:
    """An EXTERNAL service's tasks change by its task sets."""
    for member in (*_OF_TASK_SETS, "forceNewDeployment"):
        if request.get(member):
            raise errors.invalid_parameter(
                f"Unable to update {member} on services with an EXTERNAL deployment controller: "
                "use task sets."
            )


def over_current(service: Service, current: ServiceRevision, request: Members) -> Members:
    """The request with what it does not say filled in from what the service has."""
    network = current.network_configuration
    filled = dict(request)
    if not request.get("networkConfiguration") and network:
        filled["networkConfiguration"] = {"awsvpcConfiguration": shapes.to_members(network)}
    if request.get("placementConstraints") is None:
        filled["placementConstraints"] = _all_members(service.placement_constraints)
    if request.get("placementStrategy") is None:
        filled["placementStrategy"] = _all_members(service.placement_strategy)
    if request.get("loadBalancers") is None:
        filled["loadBalancers"] = service_load_balancers.show(current.load_balancers)
    if not request.get("platformVersion"):
        filled["platformVersion"] = service.platform_version
    return {**filled, **_launch_over_current(current, request)}


def deploys(service: Service, request: Members, asked: TaskRequest, launch: LaunchSettings) -> bool:
    """Whether an update starts a deployment. API Reference, ``UpdateService``."""
    current = service.revision
    if current is None:
        return False
    if request.get("forceNewDeployment"):
        return True
    definition = asked.definition
    if (current.family, current.revision) != (definition.family, definition.revision):
        return True
    if asked.network_configuration != current.network_configuration:
        return True
    if launch.load_balancers != current.load_balancers:
        return True
    platform = request.get("platformVersion")
    return bool(platform) and platform != service.platform_version


def _definition(view: View, call: Call, reference: str, request: Members) -> TaskDefinition:
    """A service goes on with a definition that was deregistered, until it is to be deployed."""
    definition = references.find_definition(view, call, reference)
    if definition is None:
        raise errors.definition_not_found()
    is_wanted = request.get("taskDefinition") or request.get("forceNewDeployment")
    if is_wanted and definition.status is not TaskDefinitionStatus.ACTIVE:
        raise errors.definition_inactive_for_services()
    task_requests.check_can_run(call, definition, request)
    return definition


def _launch_over_current(current: ServiceRevision, request: Members) -> Members:
    given = request.get("capacityProviderStrategy")
    if given:
        return {"launchType": None}
    if given is not None and current.launch_type is None:
        raise errors.invalid_parameter(
            "No launch type to fall back to for empty capacity provider strategy. Your service was "
            "not created with a launch type."
        )
    return {
        "launchType": str(current.launch_type) if current.launch_type else None,
        "capacityProviderStrategy": _all_members(current.capacity_provider_strategy),
    }


def _all_members(values: Iterable[object]) -> list[Members]:
    return [shapes.to_members(each) for each in values]


def _on_fargate(
    asked: TaskRequest, launch_type: LaunchType | None, items: launches.Strategy
) -> LaunchSettings:
    return LaunchSettings(
        launch_type=launch_type,
        capacity_provider_strategy=items,
        platform_version=launches.PLATFORM_VERSION,
        platform_family="Linux",
        network_configuration=asked.network_configuration,
    )


def _check_daemon_can(strategy: SchedulingStrategy) -> None:
    if strategy is SchedulingStrategy.DAEMON:
        raise errors.invalid_parameter(
            "The DAEMON scheduling strategy is not supported for Fargate"
        )
