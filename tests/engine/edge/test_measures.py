"""What a real Envoy counts, as metrics."""

import asyncio
import os
import signal
from datetime import timedelta

import pytest

from edge_world import GROUP, OTHER, fixed, says, to, upstream
from openecs.edge.measures import TrafficMeasures
from openecs.model.load_balancing import Condition, LoadBalancerStateCode
from openecs.model.metrics import Metric, dimensions
from openecs.store.memory_metrics import MemoryMetricStore
from openecs.store.metrics import Span
from openecs.testing.builders import NOW, SCOPE

TEN = timedelta(seconds=10)
#: The last ten seconds of a minute: gauges are told.
PERIOD = NOW.replace(second=50)


class Measured:
    """Looks at an edge's Envoy by hand; each look is one period."""

    def __init__(self, world, edge):
        self.balancer = world.balancer
        self.metrics = MemoryMetricStore()
        self.measures = TrafficMeasures(
            store=world.store,
            metrics=self.metrics,
            envoy=edge.envoy,
            clock=lambda: NOW,
            interval=TEN,
        )

    async def look(self):
        await self.measures.measure(PERIOD)

    async def statistics(self, name, *, group=None):
        named = {"LoadBalancer": self.balancer.path}
        if group is not None:
            named["TargetGroup"] = group.arn.rpartition(":")[2]
        metric = Metric(SCOPE, "AWS/ApplicationELB", name, dimensions(**named))
        span = Span(metric=metric, start=PERIOD, end=PERIOD + TEN, period=10)
        found = (await self.metrics.read([span]))[0]
        return found[0].statistics if found else None

    async def sum(self, name, *, group=None):
        found = await self.statistics(name, group=group)
        return found.sum if found else 0

    async def until(self, name, value, *, group=None):
        """Look until so much has come: Envoy counts a request after its answer."""
        async with asyncio.timeout(15):
            while await self.sum(name, group=group) < value:
                await self.look()
                await asyncio.sleep(0.02)


@pytest.fixture
async def served(world):
    """A load balancer that serves, looked at once, and what measures it."""
    async with upstream("a") as a, world.edge() as edge:
        await world.balance(GROUP)
        await world.serve(a)
        await world.until(says("a"))
        await world.until_state(LoadBalancerStateCode.ACTIVE)
        measured = Measured(world, edge)
        await measured.look()
        yield measured


async def test_requests_are_counted_where_they_went(world, served) -> None:
    condition = Condition(field="path-pattern", values=("/fixed",))
    await world.rule(1, fixed("hello"), condition)
    await world.until(lambda _, body: body == "hello", path="/fixed")
    await served.until("HTTP_Fixed_Response_Count", 1)
    for _ in range(5):
        await world.get()
    await served.until("RequestCount", 5, group=GROUP)
    requests = await served.sum("RequestCount", group=GROUP)
    assert await served.sum("RequestCount") == requests
    assert await served.sum("RequestCountPerTarget", group=GROUP) == requests
    assert await served.sum("HTTPCode_Target_2XX_Count", group=GROUP) > 0
    assert await served.sum("HealthyHostCount", group=GROUP) > 0
    assert await served.sum("ProcessedBytes") > 500
    assert await served.sum("NewConnectionCount") >= 5


async def test_how_long_targets_took(world, served) -> None:
    for _ in range(5):
        await world.get()
    async with asyncio.timeout(15):
        while await served.statistics("TargetResponseTime", group=GROUP) is None:
            await served.look()
            await asyncio.sleep(0.1)
    time = await served.statistics("TargetResponseTime", group=GROUP)
    assert 0 < time.minimum <= time.maximum < 5


async def test_a_group_without_targets_is_the_load_balancers_fault(world, served) -> None:
    condition = Condition(field="path-pattern", values=("/empty",))
    await world.balance(GROUP, OTHER)
    await world.rule(1, to(OTHER), condition)
    await world.until(lambda status, _: status == 503, path="/empty")
    await served.until("HTTPCode_ELB_503_Count", 1)
    assert await served.sum("HTTPCode_ELB_5XX_Count") >= 1
    assert await served.sum("RequestCount", group=OTHER) >= 1


async def test_an_envoy_that_was_killed_counts_anew(world, served) -> None:
    for _ in range(3):
        await world.get()
    await served.until("RequestCount", 3)
    os.kill(served.measures._envoy.pid, signal.SIGKILL)
    await world.until(says("a"))
    await served.until("RequestCount", 4)
