"""The loop that counts, once a minute, what clusters with Container Insights have."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from openecs.api.ecs.clusters import instances_in
from openecs.api.ecs.service_views import counts_of, tasks_of
from openecs.decide.insight_counts import ClusterCounts, ServiceCounts, samples
from openecs.loops.periods import periods
from openecs.model.clusters import Cluster
from openecs.model.services import Service
from openecs.model.tasks import TaskStatus
from openecs.store.base import Store, StoreError, View
from openecs.store.kinds import CLUSTERS, SERVICES, TASK_SETS, TASKS, service_key
from openecs.store.metrics import MetricStore

log = structlog.get_logger(__name__)

MINUTE = timedelta(minutes=1)


class InsightCounts:
    """Counts shortly before each minute of the clock ends."""

    def __init__(
        self, *, store: Store, metrics: MetricStore, clock: Callable[[], datetime]
    ) -> None:
        self._store = store
        self._metrics = metrics
        self._clock = clock

    async def run(self) -> None:
        """Work until cancelled."""
        async for minute in periods(self._clock, MINUTE):
            try:
                await self.count(minute)
            except StoreError as error:
                log.info("services are not counted", reason=str(error))

    async def count(self, minute: datetime) -> None:
        """Count once, for a minute that is about to end. Raises ``StoreError``."""
        if found := samples(await self._store.read(_clusters), minute):
            await self._metrics.put(found)


def _clusters(view: View) -> list[ClusterCounts]:
    return [
        _counted(view, each)
        for each in view.scan(CLUSTERS, None)
        if each.container_insights != "disabled"
    ]


def _counted(view: View, cluster: Cluster) -> ClusterCounts:
    services = view.find(SERVICES, cluster.scope, "listed", (cluster.name,))
    running = (cluster.name, TaskStatus.RUNNING)
    return ClusterCounts(
        scope=cluster.scope,
        name=cluster.name,
        instances=instances_in(view, cluster),
        tasks=view.count(TASKS, cluster.scope, "cluster_status", running),
        services=tuple(_service(view, each) for each in services),
    )


def _service(view: View, service: Service) -> ServiceCounts:
    counts = counts_of(tasks_of(view, service))
    prefix = f"{service_key(service.cluster, service.name)}/"
    return ServiceCounts(
        name=service.name,
        desired=service.desired_count,
        running=counts.running,
        pending=counts.pending,
        deployments=len(service.deployments),
        task_sets=len(view.scan(TASK_SETS, service.scope, prefix=prefix)),
    )
