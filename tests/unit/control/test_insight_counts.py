"""What clusters with Container Insights have, counted."""

from datetime import timedelta

from openecs.control.insight_counts import InsightCounts
from openecs.model.metrics import Metric, dimensions
from openecs.model.task_definitions import NamedValue
from openecs.model.tasks import TaskStatus
from openecs.store.kinds import CLUSTERS, CONTAINER_INSTANCES, SERVICES, TASKS
from openecs.store.memory import MemoryStore
from openecs.store.memory_metrics import MemoryMetricStore
from openecs.store.metrics import MetricFilter, Span
from openecs.testing.builders import NOW, SCOPE, a_cluster, a_container_instance, a_task
from openecs.testing.service_world import a_service

MINUTE = timedelta(minutes=1)
AT = NOW.replace(second=0, microsecond=0)


class World:
    """A cluster with a service of three tasks, of which two run, and a task of nobody."""

    def __init__(self, insights: str) -> None:
        self.store, self.metrics = MemoryStore(), MemoryMetricStore()
        self.counts = InsightCounts(store=self.store, metrics=self.metrics, clock=lambda: NOW)
        self.cluster = a_cluster(settings=(NamedValue(name="containerInsights", value=insights),))

    async def count(self) -> None:
        service = a_service(cluster=self.cluster.name, desired_count=3)
        of_service = {"cluster": self.cluster.name, "group": f"service:{service.name}"}
        tasks = [
            a_task(id="a", last_status=TaskStatus.RUNNING, **of_service),
            a_task(id="b", last_status=TaskStatus.RUNNING, **of_service),
            a_task(id="c", last_status=TaskStatus.PENDING, **of_service),
            a_task(id="d", last_status=TaskStatus.RUNNING, cluster=self.cluster.name),
        ]
        instance = a_container_instance(cluster=self.cluster.name)

        def keep(tx):
            tx.put(CLUSTERS, self.cluster)
            tx.put(SERVICES, service)
            tx.put(CONTAINER_INSTANCES, instance)
            for task in tasks:
                tx.put(TASKS, task)

        await self.store.write(keep)
        await self.counts.count(AT)

    async def told(self, **named) -> dict[str, float]:
        found = await self.metrics.metrics(MetricFilter(scope=SCOPE))
        wanted = [each for each in found if each.dimensions == dimensions(**named)]
        return {each.name: await self.value(each) for each in wanted}

    async def value(self, metric: Metric) -> float:
        span = Span(metric=metric, start=AT, end=AT + MINUTE, period=60)
        ((point,),) = await self.metrics.read([span])
        return point.statistics.sum


async def test_what_there_is_of_what():
    world = World("enabled")
    await world.count()
    assert await world.told(ClusterName=world.cluster.name) == {
        "ContainerInstanceCount": 1.0,
        "ServiceCount": 1.0,
        "TaskCount": 3.0,
    }
    service = a_service().name
    assert await world.told(ClusterName=world.cluster.name, ServiceName=service) == {
        "DesiredTaskCount": 3.0,
        "RunningTaskCount": 2.0,
        "PendingTaskCount": 1.0,
        "DeploymentCount": 1.0,
        "TaskSetCount": 0.0,
    }


async def test_nobody_counts_what_nobody_asked_for():
    world = World("disabled")
    await world.count()
    assert not await world.metrics.metrics(MetricFilter(scope=SCOPE))
