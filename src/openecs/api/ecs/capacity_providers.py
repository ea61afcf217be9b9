"""Capacity providers: FARGATE and FARGATE_SPOT, Managed Instances, and Auto Scaling groups.

FARGATE and FARGATE_SPOT are in every account and have no record. A Managed Instances provider
belongs to one cluster, which has it from the start; the machines of this installation are its
instances, each from when the first task is placed on it there. An Auto Scaling group provider
needs its group, and there is no Auto Scaling here, so creating one fails as it does in AWS where
the group does not exist.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from openecs.api import shapes
from openecs.api.base import Call, Members, Operation, Reads, Writes
from openecs.api.ecs import errors, managed_instances, references, tags
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
    """Create a Managed Instances provider; for any other there is no group it could be of."""
    _check_name(request["name"])
    given = tags.parse(request.get("tags"))
    if _get(tx, call.scope, request["name"]) is not None:
        raise errors.client(
            "A capacity provider with the specified name already exists. "
            "Specify a different name and try again."
        )
    if request.get("managedInstancesProvider") is not None:
        provider = managed_instances.create(tx, call, request, given)
        return {"capacityProvider": _show(provider, ("TAGS",))}
    if request.get("autoScalingGroupProvider") is None:
        raise errors.invalid_parameter("An Auto Scaling group provider must be specified.")
    raise errors.client(
        "The specified Auto Scaling group ARN is not valid. Specify a valid ARN and try again."
    )


def update_capacity_provider(tx: Transaction, call: Call, request: Members) -> Members:
    """Change a provider of Managed Instances, or how one scales and drains its group."""
    provider = _own(tx, call, request["name"])
    if provider.managed_instances_provider is not None:
        changed = managed_instances.update(tx, call, request, provider)
        return {"capacityProvider": _show(changed, ())}
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
    if provider.managed_instances_provider is not None:
        gone = managed_instances.delete(tx, call, request, provider)
        return {"capacityProvider": _show(gone, ())}
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
    cluster = request.get("cluster")
    if names:
        return _describe(view, call, names, include)
    if cluster:
        names = references.active_cluster(view, call, cluster).capacity_providers
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
    fargate = [name in FARGATE for name in names]
    if any(fargate) and not all(fargate):
        raise errors.invalid_parameter(
            "A capacity provider strategy cannot contain a mix of capacity providers using Auto "
            "Scaling groups and Fargate providers. Specify one or the other and try again."
        )
    if not set(names) <= set(providers):
        raise errors.invalid_parameter(
            "The specified capacity provider strategy cannot contain a capacity provider that is "
            "not associated with the cluster. Associate the capacity provider with the cluster "
            "and try again."
        )
    _check_numbers(strategy)
    return strategy


def existing_names(view: View, call: Call, cluster: str, given: Sequence[str]) -> tuple[str, ...]:
    """The names of providers given by name or ARN, each once.

    Raises ``InvalidParameterException`` for one that does not exist, or not for this cluster.
    """
    names = tuple(dict.fromkeys(capacity_provider_name(call, each) for each in given))
    for name in names:
        provider = _get(view, call.scope, name)
        if provider is None or provider.cluster not in {None, cluster}:
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
    group, managed = provider.auto_scaling_group_provider, provider.managed_instances_provider
    return {
        "capacityProviderArn": provider.arn,
        "name": provider.name,
        "status": provider.status,
        "cluster": provider.cluster,
        "type": _type(provider),
        "autoScalingGroupProvider": shapes.to_members(group) if group else None,
        "managedInstancesProvider": managed_instances.show(managed) if managed else None,
        "updateStatus": provider.update_status,
        "tags": tags.show(provider.tags) if "TAGS" in include else [],
    }


def _type(provider: CapacityProvider) -> str:
    if provider.name in FARGATE:
        return provider.name
    return "MANAGED_INSTANCES" if provider.managed_instances_provider else "EC2_AUTOSCALING"
