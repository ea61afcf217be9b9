"""Clusters: create, describe, list, update, delete, and the capacity providers they use.

A new cluster has no container instances; the machine joins with the first task placed there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from openecs.api import shapes
from openecs.api.base import Call, Members, Operation, Reads, Writes
from openecs.api.ecs import account_settings, capacity_providers, errors, references, tags
from openecs.api.ecs.paging import open_page
from openecs.model.clusters import (
    CONTAINER_INSIGHTS,
    Cluster,
    ClusterConfiguration,
    ClusterStatus,
    ContainerInstanceStatus,
)
from openecs.model.identity import cluster_arn
from openecs.model.services import Service, ServiceRevision, ServiceStatus
from openecs.model.task_definitions import NamedValue
from openecs.model.tasks import LaunchType, TaskStatus
from openecs.store.base import INSTALLATION, Transaction, View
from openecs.store.kinds import CLUSTERS, CONTAINER_INSTANCES, MACHINES, SERVICES, TASKS

_EVERYTHING = ("ATTACHMENTS", "CONFIGURATIONS", "SETTINGS", "TAGS")

_PRESENT = (ContainerInstanceStatus.ACTIVE, ContainerInstanceStatus.DRAINING)
_PENDING = (TaskStatus.PROVISIONING, TaskStatus.PENDING, TaskStatus.ACTIVATING)
_UNFINISHED = tuple(status for status in TaskStatus if status is not TaskStatus.STOPPED)


def create_cluster(tx: Transaction, call: Call, request: Members) -> Members:
    """Create a cluster; one of the same name that exists already is answered unchanged."""
    name = request.get("clusterName") or references.DEFAULT_CLUSTER
    if not references.NAME.fullmatch(name):
        raise errors.invalid_parameter("Cluster name contains invalid characters.")
    existing = tx.get(CLUSTERS, call.scope, name)
    if existing is not None and existing.status is ClusterStatus.ACTIVE:
        return {"cluster": _show(tx, existing, _EVERYTHING)}
    providers = capacity_providers.existing_names(
        tx, call, name, request.get("capacityProviders") or ()
    )
    strategy = request.get("defaultCapacityProviderStrategy")
    insights = account_settings.effective(tx, call, CONTAINER_INSIGHTS).value
    cluster = Cluster(
        scope=call.scope,
        name=name,
        configuration=_configuration(request),
        settings=_settings(request, {CONTAINER_INSIGHTS: insights}),
        capacity_providers=providers,
        default_capacity_provider_strategy=capacity_providers.parse_strategy(strategy, providers),
        service_connect_namespace=_namespace(request),
        created_at=call.now,
        tags=tags.parse(request.get("tags")),
    )
    tx.put(CLUSTERS, cluster)
    return {"cluster": _members(cluster, _EVERYTHING, _Counts())}


def describe_clusters(view: View, call: Call, request: Members) -> Members:
    """The named clusters, deleted ones too while they are remembered; by default ``default``."""
    named = request.get("clusters") or [references.DEFAULT_CLUSTER]
    if len(named) > 100:
        raise errors.invalid_parameter("Clusters cannot have more than 100 elements.")
    include = request.get("include") or ()
    found, failures = [], []
    for name in dict.fromkeys(references.cluster_name(call, each) for each in named):
        cluster = view.get(CLUSTERS, call.scope, name)
        if cluster is None:
            failures.append(errors.failure(cluster_arn(call.scope, name), "MISSING"))
        else:
            found.append(_show(view, cluster, include))
    return {"clusters": found, "failures": failures}


def list_clusters(view: View, call: Call, request: Members) -> Members:
    """The ARNs of the ACTIVE clusters."""
    page = open_page(call, "ListClusters", request)
    shown, token = page.take(
        lambda after, limit: view.find(
            CLUSTERS, call.scope, "status", (ClusterStatus.ACTIVE,), after=after, limit=limit
        ),
        CLUSTERS.key,
    )
    return {"clusterArns": [cluster.arn for cluster in shown], "nextToken": token}


def update_cluster(tx: Transaction, call: Call, request: Members) -> Members:
    """Change settings, configuration and Service Connect defaults; what is not given stays."""
    cluster = references.active_cluster(tx, call, request["cluster"])
    cluster = replace(
        cluster,
        settings=_settings(request, {each.name: each.value for each in cluster.settings}),
        configuration=_configuration(request) or cluster.configuration,
    )
    if request.get("serviceConnectDefaults") is not None:
        cluster = replace(cluster, service_connect_namespace=_namespace(request))
    tx.put(CLUSTERS, cluster)
    return {"cluster": _show(tx, cluster, _EVERYTHING)}


def update_cluster_settings(tx: Transaction, call: Call, request: Members) -> Members:
    """Change settings alone."""
    members = {"cluster": request["cluster"], "settings": request["settings"]}
    return update_cluster(tx, call, members)


def delete_cluster(tx: Transaction, call: Call, request: Members) -> Members:
    """Make a cluster INACTIVE, once nothing is in it any more.

    Machines that joined it by themselves leave it so too: nobody could know to deregister them.
    """
    cluster = references.active_cluster(tx, call, request["cluster"])
    if _has_registered_instances(tx, cluster):
        raise errors.cluster_contains_instances()
    if _tasks(tx, cluster, _UNFINISHED):
        raise errors.cluster_contains_tasks()
    if tx.find(SERVICES, cluster.scope, "present", (cluster.name,), limit=1):
        raise errors.cluster_contains_services()
    _forget_instances(tx, call, cluster.name)
    gone = replace(cluster, status=ClusterStatus.INACTIVE, deleted_at=call.now)
    tx.put(CLUSTERS, gone)
    return {"cluster": _show(tx, gone, _EVERYTHING)}


def put_cluster_capacity_providers(tx: Transaction, call: Call, request: Members) -> Members:
    """Replace the capacity providers and the default strategy of a cluster."""
    cluster = references.active_cluster(tx, call, request["cluster"])
    providers = capacity_providers.existing_names(
        tx, call, cluster.name, request["capacityProviders"]
    )
    strategy = request["defaultCapacityProviderStrategy"]
    if removed := set(cluster.capacity_providers) - set(providers):
        _check_unused(tx, cluster, removed)
    changed = replace(
        cluster,
        capacity_providers=providers,
        default_capacity_provider_strategy=capacity_providers.parse_strategy(strategy, providers),
    )
    tx.put(CLUSTERS, changed)
    return {"cluster": _show(tx, changed, _EVERYTHING)}


OPERATIONS: dict[str, Operation] = {
    "CreateCluster": Writes(create_cluster),
    "DescribeClusters": Reads(describe_clusters),
    "ListClusters": Reads(list_clusters),
    "UpdateCluster": Writes(update_cluster),
    "UpdateClusterSettings": Writes(update_cluster_settings),
    "DeleteCluster": Writes(delete_cluster),
    "PutClusterCapacityProviders": Writes(put_cluster_capacity_providers),
}


def _has_registered_instances(view: View, cluster: Cluster) -> bool:
    """Whether there are instances but those of machines that join clusters by themselves."""
    machines = view.scan(MACHINES, INSTALLATION)
    by_themselves = {machine.id for machine in machines if machine.joins_clusters}
    there = view.scan(CONTAINER_INSTANCES, cluster.scope, prefix=f"{cluster.name}/")
    return any(i.status in _PRESENT and i.machine not in by_themselves for i in there)


def _forget_instances(tx: Transaction, call: Call, name: str) -> None:
    for instance in tx.scan(CONTAINER_INSTANCES, call.scope, prefix=f"{name}/"):
        tx.delete(CONTAINER_INSTANCES, call.scope, CONTAINER_INSTANCES.key(instance))


def _configuration(request: Members) -> ClusterConfiguration | None:
    members = request.get("configuration")
    if members is None:
        return None
    configuration = shapes.from_members(ClusterConfiguration, members)
    execute = configuration.execute_command_configuration
    if execute and execute.logging == "OVERRIDE" and execute.log_configuration is None:
        raise errors.invalid_parameter(
            "A log configuration must be specified when the execute command logging is OVERRIDE."
        )
    return configuration


def _settings(request: Members, known: dict[str, str]) -> tuple[NamedValue, ...]:
    """The ``known`` settings, with those of the request in their place."""
    for setting in request.get("settings") or ():
        name, value = setting.get("name"), setting.get("value")
        if name != CONTAINER_INSIGHTS or value not in {"enabled", "disabled", "enhanced"}:
            raise errors.invalid_parameter(f"Invalid cluster setting: {name}={value}")
        known = {**known, name: value}
    return tuple(NamedValue(name=name, value=value) for name, value in known.items())


def _namespace(request: Members) -> str | None:
    """The default namespace. There is no Cloud Map yet, so none of any name exists."""
    if (request.get("serviceConnectDefaults") or {}).get("namespace"):
        raise errors.namespace_not_found()
    return None


def _check_unused(view: View, cluster: Cluster, providers: set[str]) -> None:
    tasks = (
        task
        for status in _UNFINISHED
        for task in view.find(TASKS, cluster.scope, "cluster_status", (cluster.name, status))
    )
    services = view.find(SERVICES, cluster.scope, "present", (cluster.name,))
    named = {name for service in services for name in _providers_of(service)}
    if named & providers or any(task.capacity_provider in providers for task in tasks):
        raise errors.resource_in_use(
            "The specified capacity provider is in use and cannot be removed."
        )


def _providers_of(service: Service) -> set[str]:
    strategy = service.revision.capacity_provider_strategy if service.revision else ()
    return {item.capacity_provider for item in strategy}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Counts:
    """What a cluster has at the moment; a new one has nothing."""

    instances: int = 0
    services: int = 0
    running: int = 0
    pending: int = 0
    statistics: Sequence[Members] = ()


def _counts(view: View, cluster: Cluster, include: Sequence[str]) -> _Counts:
    return _Counts(
        instances=instances_in(view, cluster),
        services=view.count(SERVICES, cluster.scope, "listed", (cluster.name,)),
        running=_tasks(view, cluster, (TaskStatus.RUNNING,)),
        pending=_tasks(view, cluster, _PENDING),
        statistics=_statistics(view, cluster) if "STATISTICS" in include else (),
    )


def instances_in(view: View, cluster: Cluster) -> int:
    """How many container instances a cluster has."""
    return sum(
        view.count(CONTAINER_INSTANCES, cluster.scope, "cluster", (cluster.name, status))
        for status in _PRESENT
    )


def _tasks(view: View, cluster: Cluster, statuses: Sequence[TaskStatus]) -> int:
    return sum(
        view.count(TASKS, cluster.scope, "cluster_status", (cluster.name, status))
        for status in statuses
    )


def _show(view: View, cluster: Cluster, include: Sequence[str]) -> Members:
    return _members(cluster, include, _counts(view, cluster, include))


def _members(cluster: Cluster, include: Sequence[str], counts: _Counts) -> Members:
    members: dict[str, Any] = {
        "clusterArn": cluster.arn,
        "clusterName": cluster.name,
        "status": str(cluster.status),
        "registeredContainerInstancesCount": counts.instances,
        "runningTasksCount": counts.running,
        "pendingTasksCount": counts.pending,
        "activeServicesCount": counts.services,
        "statistics": list(counts.statistics),
        "tags": tags.show(cluster.tags) if "TAGS" in include else [],
        "settings": [],
        "capacityProviders": list(cluster.capacity_providers),
        "defaultCapacityProviderStrategy": [
            shapes.to_members(item) for item in cluster.default_capacity_provider_strategy
        ],
    }
    if "SETTINGS" in include:
        members["settings"] = [shapes.to_members(setting) for setting in cluster.settings]
    if "CONFIGURATIONS" in include and cluster.configuration:
        members["configuration"] = shapes.to_members(cluster.configuration)
    if "ATTACHMENTS" in include:
        members["attachments"] = []
    if cluster.service_connect_namespace:
        members["serviceConnectDefaults"] = {"namespace": cluster.service_connect_namespace}
    return members


def _statistics(view: View, cluster: Cluster) -> list[dict[str, str]]:
    """Counts by launch type, as strings."""
    running = _by_launch_type(view, cluster, (TaskStatus.RUNNING,))
    pending = _by_launch_type(view, cluster, _PENDING)
    services = view.find(SERVICES, cluster.scope, "present", (cluster.name,))
    active = _launch_types(s for s in services if s.status is ServiceStatus.ACTIVE)
    draining = _launch_types(s for s in services if s.status is ServiceStatus.DRAINING)
    counts: dict[str, int] = {}
    for words, launch_type in (
        ("EC2", LaunchType.EC2),
        ("Fargate", LaunchType.FARGATE),
        ("External", LaunchType.EXTERNAL),
    ):
        counts[f"running{words}TasksCount"] = running[launch_type]
        counts[f"pending{words}TasksCount"] = pending[launch_type]
        counts[f"active{words}ServiceCount"] = active[launch_type]
        counts[f"draining{words}ServiceCount"] = draining[launch_type]
    return [{"name": name, "value": str(count)} for name, count in counts.items()]


def _launch_types(services: Iterable[Service]) -> Counter[LaunchType]:
    """Services by launch type; one with a capacity provider strategy counts as what that is of."""
    return Counter(_launch_type(s.revision) for s in services if s.revision)


def _launch_type(revision: ServiceRevision) -> LaunchType:
    return revision.launch_type or (
        LaunchType.FARGATE if revision.platform_version else LaunchType.MANAGED_INSTANCES
    )


def _by_launch_type(
    view: View, cluster: Cluster, statuses: Sequence[TaskStatus]
) -> Counter[LaunchType]:
    return Counter(
        task.launch_type
        for status in statuses
        for task in view.find(TASKS, cluster.scope, "cluster_status", (cluster.name, status))
    )
