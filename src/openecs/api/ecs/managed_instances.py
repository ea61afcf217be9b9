"""Capacity providers of Amazon ECS Managed Instances: created for one cluster, changed, deleted.

API Reference, ``CreateManagedInstancesProviderConfiguration``. What AWS would launch instances from
is kept and shown; the machines that are here stand for them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

from openecs.api.base import Call, Members
from openecs.api.ecs import errors, references
from openecs.model.clusters import (
    CapacityProvider,
    Cluster,
    ContainerInstance,
    ManagedInstancesProvider,
)
from openecs.model.tasks import TaskStatus
from openecs.store.base import Transaction
from openecs.store.kinds import (
    CAPACITY_PROVIDERS,
    CLUSTERS,
    CONTAINER_INSTANCES,
    DAEMON_DEPLOYMENTS,
    DAEMON_REVISIONS,
    DAEMONS,
    TASKS,
    part_key,
)

_IN_USE = (
    "The specified capacity provider is in use. Remove the capacity provider from all clusters "
    "and try again."
)


def create(
    tx: Transaction, call: Call, request: Members, tags: Mapping[str, str]
) -> CapacityProvider:
    """The new provider; its cluster has it from now on. Raises ``ServiceError``."""
    if request.get("autoScalingGroupProvider") is not None:
        raise errors.invalid_parameter(
            "Specify either an Auto Scaling group provider or a managed instances provider."
        )
    if not request.get("cluster"):
        raise errors.invalid_parameter(
            "A cluster must be specified for a capacity provider with managed instances."
        )
    cluster = references.active_cluster(tx, call, request["cluster"])
    provider = CapacityProvider(
        scope=call.scope,
        name=request["name"],
        cluster=cluster.name,
        managed_instances_provider=_configuration(request["managedInstancesProvider"]),
        update_status="CREATE_COMPLETE",
        tags=dict(tags),
    )
    tx.put(CAPACITY_PROVIDERS, provider)
    names = (*cluster.capacity_providers, provider.name)
    tx.put(CLUSTERS, replace(cluster, capacity_providers=names))
    return provider


def update(
    tx: Transaction, call: Call, request: Members, provider: CapacityProvider
) -> CapacityProvider:
    """The provider with what is given changed; the members of its template one by one."""
    _check_cluster(call, request, provider)
    known, given = provider.managed_instances_provider, request.get("managedInstancesProvider")
    if known is None or given is None:
        raise errors.invalid_parameter("A managed instances provider must be specified.")
    before = show(known)
    template = {**before["instanceLaunchTemplate"], **given["instanceLaunchTemplate"]}
    members = {**before, **given, "instanceLaunchTemplate": template}
    changed = replace(
        provider,
        managed_instances_provider=_configuration(members),
        update_status="UPDATE_COMPLETE",
    )
    tx.put(CAPACITY_PROVIDERS, changed)
    return changed


def delete(
    tx: Transaction, call: Call, request: Members, provider: CapacityProvider
) -> CapacityProvider:
    """The provider as it is last shown, gone with its instances.

    Raises ``ClientException`` while a default strategy, a daemon or a task needs it.
    """
    _check_cluster(call, request, provider)
    cluster = tx.get(CLUSTERS, call.scope, provider.cluster or "")
    instances = _instances(tx, provider)
    strategy = cluster.default_capacity_provider_strategy if cluster else ()
    in_strategy = any(item.capacity_provider == provider.name for item in strategy)
    if in_strategy or _has_daemon(tx, provider) or any(_has_tasks(tx, i) for i in instances):
        raise errors.client(_IN_USE)
    for instance in instances:
        tx.delete(CONTAINER_INSTANCES, call.scope, CONTAINER_INSTANCES.key(instance))
    if cluster is not None:
        tx.put(CLUSTERS, _without(cluster, provider.name))
    tx.delete(CAPACITY_PROVIDERS, call.scope, provider.name)
    return replace(provider, status="INACTIVE", update_status="DELETE_COMPLETE")


def show(managed: ManagedInstancesProvider) -> Members:
    """The members of a provider's configuration."""
    members: Members = json.loads(managed.document)
    return members


def _configuration(given: Members) -> ManagedInstancesProvider:
    template = given["instanceLaunchTemplate"]
    if not (template.get("networkConfiguration") or {}).get("subnets"):
        raise errors.invalid_parameter("subnets can not be empty.")
    return ManagedInstancesProvider(document=json.dumps(given))


def _check_cluster(call: Call, request: Members, provider: CapacityProvider) -> None:
    named = request.get("cluster")
    if named and references.cluster_name(call, named) != provider.cluster:
        raise errors.invalid_parameter(
            "The specified capacity provider was not found in the specified cluster. "
            "Specify a valid capacity provider and try again."
        )


def _instances(tx: Transaction, provider: CapacityProvider) -> list[ContainerInstance]:
    there = tx.scan(CONTAINER_INSTANCES, provider.scope, prefix=f"{provider.cluster}/")
    return [instance for instance in there if instance.capacity_provider == provider.name]


def _has_daemon(tx: Transaction, provider: CapacityProvider) -> bool:
    for daemon in tx.scan(DAEMONS, provider.scope, prefix=f"{provider.cluster}/"):
        key = part_key(daemon.cluster, daemon.name, daemon.deployment)
        deployment = tx.get(DAEMON_DEPLOYMENTS, daemon.scope, key)
        for revision in (deployment.wanted if deployment else None, daemon.completed_revision):
            key = part_key(daemon.cluster, daemon.name, revision or "")
            found = tx.get(DAEMON_REVISIONS, daemon.scope, key)
            if found is not None and provider.name in found.capacity_providers:
                return True
    return False


def _has_tasks(tx: Transaction, instance: ContainerInstance) -> bool:
    tasks = tx.find(TASKS, None, "machine", (instance.machine,))
    here = (instance.scope, instance.cluster, instance.id)
    return any(
        (t.scope, t.cluster, t.container_instance) == here
        and t.last_status is not TaskStatus.STOPPED
        for t in tasks
    )


def _without(cluster: Cluster, provider: str) -> Cluster:
    names = tuple(name for name in cluster.capacity_providers if name != provider)
    return replace(cluster, capacity_providers=names)
