"""Capacity providers: FARGATE and FARGATE_SPOT, and those of Auto Scaling groups.

FARGATE and FARGATE_SPOT are in every account and have no record. An Auto Scaling group provider
needs its group, and there is no Auto Scaling here, so creating one fails as it does in AWS where
the group does not exist.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from openecs.api import shapes
from openecs.api.base import Call, Members, Operation, Reads, Writes
from openecs.api.ecs import errors, tags
from openecs.api.ecs.paging import open_page
from openecs.api.ecs.references import NAME, capacity_provider_name
from openecs.model.clusters import (
    AutoScalingGroupProvider,
    CapacityProvider,
    CapacityProviderStrategyItem,
    ClusterStatus,
)
from openecs.model.identity import Scope
from openecs.store.base import Transaction, View
from openecs.store.kinds import CAPACITY_PROVIDERS, CLUSTERS

FARGATE = ("FARGATE", "FARGATE_SPOT")

_NOT_FOUND = (
    "The specified capacity provider was not found. "
    "Specify a valid capacity provider and try again."
)


def create_capacity_provider(tx: Transaction, call: Call, request: Members) -> Members:
    """Refused, for want of an Auto Scaling group it could be of, once its name is valid."""
    _check_name(request["name"])
    tags.parse(request.get("tags"))
    if _get(tx, call.scope, request["name"]) is not None:
        raise errors.client(
            "A capacity provider with the specified name already exists. "
            "Specify a different name and try again."
        )
    if request.get("managedInstancesProvider") is not None:
        raise errors.unsupported("Amazon ECS Managed Instances are not available here.")
    if request.get("autoScalingGroupProvider") is None:
        raise errors.invalid_parameter("An Auto Scaling group provider must be specified.")
    raise errors.client(
        "The specified Auto Scaling group ARN is not valid. Specify a valid ARN and try again."
    )


def update_capacity_provider(tx: Transaction, call: Call, request: Members) -> Members:
    """Change how a provider scales and drains its Auto Scaling group."""
    provider = _own(tx, call, request["name"])
    if provider.auto_scaling_group_provider is None:
        raise errors.invalid_parameter(_NOT_FOUND)
    given = request.get("autoScalingGroupProvider") or {}
    group = shapes.to_members(provider.auto_scaling_group_provider)
    scaling = {**group["managedScaling"], **(given.get("managedScaling") or {})}
    changed = replace(
        provider,
        auto_scaling_group_provider=shapes.from_members(
            AutoScalingGroupProvider, {**group, **given, "managedScaling": scaling}
        ),
        update_status="UPDATE_COMPLETE",
    )
    tx.put(CAPACITY_PROVIDERS, changed)
    return {"capacityProvider": _show(changed, ())}


def delete_capacity_provider(tx: Transaction, call: Call, request: Members) -> Members:
    """Delete a provider that no cluster uses; FARGATE and FARGATE_SPOT are there to stay."""
    provider = _own(tx, call, request["capacityProvider"])
    clusters = tx.find(CLUSTERS, call.scope, "status", (ClusterStatus.ACTIVE,))
    if any(provider.name in cluster.capacity_providers for cluster in clusters):
        raise errors.client(
            "The specified capacity provider is in use. Remove the capacity provider from all "
            "clusters and try again."
        )
    tx.delete(CAPACITY_PROVIDERS, call.scope, provider.name)
    gone = replace(provider, status="INACTIVE", update_status="DELETE_COMPLETE")
    return {"capacityProvider": _show(gone, ())}


def describe_capacity_providers(view: View, call: Call, request: Members) -> Members:
    """The named providers, or all of them page by page."""
    include = request.get("include") or ()
    names = request.get("capacityProviders")
    if names:
        return _describe(view, call, names, include)
    page = open_page(call, "DescribeCapacityProviders", request, default=10, maximum=10)
    shown, token = page.take(
        lambda after, limit: _all(view, call.scope, after, limit), CAPACITY_PROVIDERS.key
    )
    return {
        "capacityProviders": [_show(provider, include) for provider in shown],
        "failures": [],
        "nextToken": token,
    }


def parse_strategy(
    items: Sequence[Members] | None, providers: Sequence[str]
) -> tuple[CapacityProviderStrategyItem, ...]:
    """A capacity provider strategy over the ``providers`` of a cluster.

    Rules: API Reference, ``CapacityProviderStrategyItem``. Raises ``InvalidParameterException``.
    """
    strategy = tuple(
        shapes.from_members(CapacityProviderStrategyItem, item) for item in items or ()
    )
    if len(strategy) > 20:
        raise errors.invalid_parameter(
            "A capacity provider strategy cannot contain more than 20 capacity providers."
        )
    names = [item.capacity_provider for item in strategy]
    if len(set(names)) < len(names):
        raise errors.invalid_parameter(
            "The specified capacity provider strategy cannot contain duplicate capacity providers."
        )
    if not set(names) <= set(providers):
        raise errors.invalid_parameter(
            "The specified capacity provider strategy cannot contain a capacity provider that is "
            "not associated with the cluster. Associate the capacity provider with the cluster "
            "and try again."
        )
    _check_numbers(strategy)
    return strategy


def existing_names(view: View, call: Call, references: Sequence[str]) -> tuple[str, ...]:
    """The names of providers given by name or ARN, each once.

    Raises ``InvalidParameterException`` for one that does not exist.
    """
    names = tuple(dict.fromkeys(capacity_provider_name(call, each) for each in references))
    if any(_get(view, call.scope, name) is None for name in names):
        raise errors.invalid_parameter(_NOT_FOUND)
    return names


OPERATIONS: dict[str, Operation] = {
    "CreateCapacityProvider": Writes(create_capacity_provider),
    "UpdateCapacityProvider": Writes(update_capacity_provider),
    "DeleteCapacityProvider": Writes(delete_capacity_provider),
    "DescribeCapacityProviders": Reads(describe_capacity_providers),
}


def _check_name(name: str) -> None:
    lowered = name.lower()
    if lowered.startswith(("aws", "ecs", "fargate")):
        raise errors.client(
            "The specified capacity provider name is invalid. The name cannot begin with 'aws', "
            "'ecs' or 'fargate'."
        )
    if not NAME.fullmatch(name):
        raise errors.client(
            "The specified capacity provider name is invalid. Up to 255 characters are allowed. "
            "They include letters (both upper and lowercase), numbers, underscores (_), and "
            "hyphens (-)."
        )


def _check_numbers(strategy: Sequence[CapacityProviderStrategyItem]) -> None:
    if sum(item.base > 0 for item in strategy) > 1:
        raise errors.invalid_parameter(
            "Only one capacity provider in a capacity provider strategy can have a base defined."
        )
    for item in strategy:
        if not 0 <= item.weight <= 1000 or not 0 <= item.base <= 100_000:
            raise errors.invalid_parameter(
                "A weight must be between 0 and 1000 and a base between 0 and 100000."
            )


def _describe(view: View, call: Call, names: Sequence[str], include: Sequence[str]) -> Members:
    if len(names) > 100:
        raise errors.invalid_parameter("Capacity providers cannot have more than 100 elements.")
    found, failures = [], []
    for name in dict.fromkeys(capacity_provider_name(call, each) for each in names):
        provider = _get(view, call.scope, name)
        if provider is None:
            arn = CapacityProvider(scope=call.scope, name=name).arn
            failures.append(errors.failure(arn, "MISSING"))
        else:
            found.append(_show(provider, include))
    return {"capacityProviders": found, "failures": failures}


def _all(view: View, scope: Scope, after: str, limit: int) -> list[CapacityProvider]:
    """All providers in the order of their names, the built-in ones among them."""
    builtin = [_builtin(scope, name) for name in FARGATE if name > after]
    own = view.scan(CAPACITY_PROVIDERS, scope, after=after, limit=limit)
    return sorted([*builtin, *own], key=CAPACITY_PROVIDERS.key)[:limit]


def _get(view: View, scope: Scope, name: str) -> CapacityProvider | None:
    if name in FARGATE:
        return _builtin(scope, name)
    return view.get(CAPACITY_PROVIDERS, scope, name)


def _own(view: View, call: Call, reference: str) -> CapacityProvider:
    name = capacity_provider_name(call, reference)
    if name in FARGATE:
        raise errors.client("The specified capacity provider is reserved and cannot be changed.")
    provider = _get(view, call.scope, name)
    if provider is None:
        raise errors.client(_NOT_FOUND)
    return provider


def _builtin(scope: Scope, name: str) -> CapacityProvider:
    return CapacityProvider(scope=scope, name=name)


def _show(provider: CapacityProvider, include: Sequence[str]) -> Members:
    group = provider.auto_scaling_group_provider
    return {
        "capacityProviderArn": provider.arn,
        "name": provider.name,
        "status": provider.status,
        "autoScalingGroupProvider": shapes.to_members(group) if group else None,
        "updateStatus": provider.update_status,
        "tags": tags.show(provider.tags) if "TAGS" in include else [],
    }
