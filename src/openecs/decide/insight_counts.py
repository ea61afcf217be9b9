"""How much there is of what: Container Insights of clusters and their services.

CloudWatch User Guide, "Amazon ECS Container Insights metrics".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from openecs.decide.utilization import INSIGHTS
from openecs.model.identity import Scope
from openecs.model.metrics import (
    STANDARD_RESOLUTION,
    Dimensions,
    Metric,
    Sample,
    dimensions,
    of_value,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceCounts:
    """What a service has."""

    name: str
    desired: int
    running: int
    pending: int
    deployments: int
    task_sets: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterCounts:
    """What a cluster with Container Insights has; ``tasks`` are those that run."""

    scope: Scope
    name: str
    instances: int
    tasks: int
    services: tuple[ServiceCounts, ...]


def samples(clusters: Iterable[ClusterCounts], at: datetime) -> list[Sample]:
    """The counts of the minute that begins ``at``."""
    return [
        Sample(
            metric=Metric(cluster.scope, INSIGHTS, name, named),
            timestamp=at,
            statistics=of_value(float(count)),
            unit="Count",
            resolution=STANDARD_RESOLUTION,
        )
        for cluster in clusters
        for named, name, count in _counts(cluster)
    ]


def _counts(cluster: ClusterCounts) -> Iterator[tuple[Dimensions, str, int]]:
    whole = dimensions(ClusterName=cluster.name)
    yield whole, "ContainerInstanceCount", cluster.instances
    yield whole, "ServiceCount", len(cluster.services)
    yield whole, "TaskCount", cluster.tasks
    for service in cluster.services:
        named = dimensions(ClusterName=cluster.name, ServiceName=service.name)
        yield named, "DesiredTaskCount", service.desired
        yield named, "RunningTaskCount", service.running
        yield named, "PendingTaskCount", service.pending
        yield named, "DeploymentCount", service.deployments
        yield named, "TaskSetCount", service.task_sets
