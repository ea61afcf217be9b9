"""How RunTask's tasks are to be launched: launch type or capacity providers, and what goes with it.

API Reference, ``RunTask``; texts as public traces show them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from openecs.api.base import Members
from openecs.api.ecs import capacity_providers, errors, task_requests
from openecs.api.ecs.fargate_rules import fargate_complaint
from openecs.api.ecs.task_requests import TaskRequest
from openecs.decide.placement import filters, providers, strategies
from openecs.decide.placement.ask import Ask, ask_of
from openecs.decide.placement.explain import NO_INSTANCES
from openecs.model.clusters import CapacityProviderStrategyItem
from openecs.model.task_definitions import PlacementConstraint, PlacementStrategy
from openecs.model.tasks import LaunchType

COUNT_LIMIT = 10
PLATFORM_VERSION = "1.4.0"

Strategy = tuple[CapacityProviderStrategyItem, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OnInstances:
    """On container instances, chosen by the ``strategies``."""

    count: int
    ask: Ask
    strategies: tuple[PlacementStrategy, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OnFargate:
    """On FARGATE: one task for each of ``providers``, None where no strategy named one."""

    providers: tuple[str | None, ...]
    ask: Ask


@dataclass(frozen=True, slots=True, kw_only=True)
class OnManagedInstances:
    """On the instances of Managed Instances providers: one task for each of ``providers``."""

    providers: tuple[str, ...]
    ask: Ask
    strategies: tuple[PlacementStrategy, ...]


Launch = OnInstances | OnFargate | OnManagedInstances


def parse(wanted: TaskRequest, request: Members) -> Launch:
    """The launch a request asks for. Raises ``ServiceError`` for one that does not fit together."""
    count = _count(request.get("count"))
    ranked = placement_strategies(request)
    ask = ask_for(wanted, request)
    strategy = provider_strategy(wanted, request)
    if strategy and is_fargate(strategy):
        check_fargate(wanted, request, ask)
        return OnFargate(providers=providers.split(strategy, count), ask=anywhere(ask))
    if strategy:
        check_managed_instances(wanted)
        split = providers.split(strategy, count)
        return OnManagedInstances(providers=split, ask=ask, strategies=ranked)
    match request.get("launchType") or LaunchType.EC2:
        case LaunchType.EC2:
            check_instances(wanted, request)
            return OnInstances(count=count, ask=ask, strategies=ranked)
        case LaunchType.FARGATE:
            check_fargate(wanted, request, ask)
            return OnFargate(providers=(None,) * count, ask=anywhere(ask))
        case _:
            # Remote machines come later: there are no instances of the other launch types.
            raise errors.invalid_parameter(NO_INSTANCES)


def _count(given: int | None) -> int:
    count = 1 if given is None else given
    if not 1 <= count <= COUNT_LIMIT:
        raise errors.invalid_parameter(f"Task count must be between 1 and {COUNT_LIMIT}.")
    return count


def placement_strategies(request: Members) -> tuple[PlacementStrategy, ...]:
    """The placement strategies of a request. Raises ``InvalidParameterException``."""
    ranked = task_requests.placement_strategies(request)
    for strategy in ranked:
        if not strategies.is_known(strategy):
            raise errors.invalid_parameter(
                f"Placement strategy {strategy.type} with field {strategy.field} is not valid."
            )
    return ranked


def placement_constraints(request: Members) -> tuple[PlacementConstraint, ...]:
    """The placement constraints of a request. Raises ``InvalidParameterException``."""
    constraints = task_requests.placement_constraints(request)
    _check_expressions(constraints)
    return constraints


def ask_for(wanted: TaskRequest, request: Members) -> Ask:
    """What each task asks of an instance, constraints checked. Raises ``ServiceError``."""
    constraints = task_requests.placement_constraints(request)
    ask = ask_of(wanted.definition, wanted.overrides, constraints=constraints, group=wanted.group)
    _check_expressions(ask.constraints)
    return ask


def provider_strategy(wanted: TaskRequest, request: Members) -> Strategy:
    """The capacity provider strategy that holds; empty where a launch type does."""
    given = request.get("capacityProviderStrategy")
    if given and request.get("launchType"):
        raise errors.invalid_parameter(
            "Specifying both a launch type and capacity provider strategy is not supported. "
            "Remove one and try again."
        )
    if request.get("launchType"):
        return ()
    cluster = wanted.cluster
    strategy = cluster.default_capacity_provider_strategy
    if given:
        strategy = capacity_providers.parse_strategy(given, cluster.capacity_providers)
    if strategy and not providers.is_usable(strategy):
        raise errors.invalid_parameter(
            "A capacity provider strategy of several capacity providers must give at least one of "
            "them a weight greater than 0."
        )
    return strategy


def check_instances(wanted: TaskRequest, request: Members) -> None:
    """Raise for what goes with FARGATE only."""
    network = wanted.network_configuration
    if network and network.assign_public_ip == "ENABLED":
        raise errors.invalid_parameter("Assign public IP is not supported for this launch type.")
    if request.get("platformVersion"):
        raise errors.invalid_parameter(
            "The platform version must be null when specifying an EC2 launch type."
        )


def check_managed_instances(wanted: TaskRequest) -> None:
    """Raise for a definition that does not say it runs there."""
    if "MANAGED_INSTANCES" not in wanted.definition.compatibilities:
        raise errors.invalid_parameter(
            "Task definition does not support launch_type MANAGED_INSTANCES."
        )


def _check_expressions(constraints: Iterable[PlacementConstraint]) -> None:
    for constraint in constraints:
        if problem := filters.problem_of(constraint):
            raise errors.invalid_parameter(f"Invalid expression: {problem}")


def check_fargate(wanted: TaskRequest, request: Members, ask: Ask) -> None:
    """Raise for what FARGATE cannot run, or does not know."""
    if "FARGATE" not in wanted.definition.compatibilities:
        raise errors.invalid_parameter("Task definition does not support launch_type FARGATE.")
    if ask.constraints:
        raise errors.invalid_parameter(
            "Placement constraints are not supported with FARGATE launch type."
        )
    if request.get("placementStrategy"):
        raise errors.invalid_parameter(
            "Placement strategies are not supported with FARGATE launch type."
        )
    if problem := fargate_complaint(wanted.sized):
        raise errors.client(problem)
    given = request.get("platformVersion") or "LATEST"
    if given not in {"LATEST", PLATFORM_VERSION}:
        raise errors.invalid_parameter(f"The platform version {given} is not valid: use LATEST.")


def is_fargate(strategy: Strategy) -> bool:
    """Whether a strategy is one of FARGATE and FARGATE_SPOT, which go with no others."""
    return all(item.capacity_provider in capacity_providers.FARGATE for item in strategy)


def anywhere(ask: Ask) -> Ask:
    """FARGATE has no instances whose attributes could matter."""
    return replace(ask, required_attributes=frozenset())
