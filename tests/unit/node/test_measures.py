"""Tasks on a simulated engine, measured."""

from datetime import timedelta

import pytest

from openecs.model.clusters import ContainerInstanceStatus
from openecs.model.metrics import Metric, dimensions
from openecs.model.task_definitions import NamedValue
from openecs.model.tasks import TaskStatus
from openecs.node.measures import Measures
from openecs.runtime.base import ContainerSpec
from openecs.runtime.behavior import Behavior
from openecs.runtime.simulated import SimulatedRuntime
from openecs.store.kinds import CLUSTERS, CONTAINER_INSTANCES, MACHINES, TASK_DEFINITIONS, TASKS
from openecs.store.memory import MemoryStore
from openecs.store.memory_metrics import MemoryMetricStore
from openecs.store.metrics import MetricFilter, Span
from openecs.testing.builders import (
    NOW,
    SCOPE,
    a_cluster,
    a_container,
    a_container_definition,
    a_container_instance,
    a_machine,
    a_task,
    a_task_definition,
)

TEN = timedelta(seconds=10)
DEFINITION = a_task_definition(container_definitions=(a_container_definition(cpu=512, memory=64),))


class World:
    """A machine with one task, half a core of work and 32 MiB."""

    def __init__(self):
        self.now = NOW
        work = Behavior(cores=0.25, memory=32 * 1024**2)
        self.runtime = SimulatedRuntime(lambda: self.now, behaves=lambda _: work)
        self.store, self.metrics = MemoryStore(), MemoryMetricStore()
        self.measures = Measures(
            store=self.store,
            metrics=self.metrics,
            runtime=self.runtime,
            clock=lambda: self.now,
            machine="machine-1",
            interval=TEN,
        )

    async def begin(self, **members):
        id_ = await self.runtime.create(ContainerSpec(name="a", image="busybox", labels={}))
        await self.runtime.start("a")
        app = a_container(runtime_id=id_)
        task = a_task(**{"containers": (app,), "group": "service:web", **members})
        await self.keep(TASKS, task)
        await self.keep(TASK_DEFINITIONS, DEFINITION)

    async def keep(self, kind, value):
        await self.store.write(lambda transaction: transaction.put(kind, value))

    async def measure(self):
        await self.measures.measure(self.now - TEN)
        self.now += TEN

    async def names(self):
        return {each.name for each in await self.metrics.metrics(MetricFilter(scope=SCOPE))}

    async def average(self, name, **named):
        metric = Metric(SCOPE, "AWS/ECS", name, dimensions(**named))
        span = Span(metric=metric, start=NOW - TEN, end=self.now, period=1)
        found = (await self.metrics.read([span]))[0]
        return [each.statistics.sum / each.statistics.count for each in found]


@pytest.fixture
async def world():
    made = World()
    yield made
    await made.runtime.close()


async def test_a_service_is_measured(world):
    await world.begin()
    for _ in range(3):
        await world.measure()
    named = {"ClusterName": "default", "ServiceName": "web"}
    assert await world.average("CPUUtilization", **named) == pytest.approx([50, 50])
    assert await world.average("MemoryUtilization", **named) == pytest.approx([50, 50, 50])


async def test_a_cluster_is_measured_by_its_machine(world):
    await world.begin()
    await world.keep(MACHINES, a_machine(cpu=1024, memory=128))
    await world.keep(CONTAINER_INSTANCES, a_container_instance())
    for _ in range(2):
        await world.measure()
    assert await world.average("CPUUtilization", ClusterName="default") == pytest.approx([25])
    assert await world.average("MemoryReservation", ClusterName="default") == [50, 50]


async def test_an_instance_that_left_its_cluster_counts_no_more(world):
    await world.begin()
    await world.keep(MACHINES, a_machine())
    gone = a_container_instance(status=ContainerInstanceStatus.INACTIVE)
    await world.keep(CONTAINER_INSTANCES, gone)
    await world.measure()
    assert await world.average("MemoryUtilization", ClusterName="default") == []


async def test_container_insights_are_for_clusters_that_asked(world):
    await world.begin()
    await world.measure()
    assert "MemoryUtilized" not in await world.names()
    setting = NamedValue(name="containerInsights", value="enabled")
    await world.keep(CLUSTERS, a_cluster(settings=(setting,)))
    await world.measure()
    assert "MemoryUtilized" in await world.names()


@pytest.mark.parametrize("status", [TaskStatus.PENDING, TaskStatus.STOPPING])
async def test_only_running_tasks_are_measured(world, status):
    await world.begin(last_status=status)
    await world.measure()
    assert await world.names() == set()


async def test_tasks_of_other_machines_are_theirs_to_measure(world):
    await world.begin(machine="machine-2")
    await world.measure()
    assert await world.names() == set()
