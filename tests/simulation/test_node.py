"""The node on a simulated engine: outages, crashes between any two steps, lost events."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openecs.api.ecs import SERVICE
from openecs.decide import lifecycle
from openecs.model.containers import ContainerState, Health
from openecs.model.task_definitions import (
    ContainerDependency,
    DependencyCondition,
    HealthCheck,
    NetworkMode,
)
from openecs.model.tasks import ContainerStatus, HealthStatus, StopCode, Task, TaskStatus
from openecs.node.node import Node
from openecs.node.settings import NodeSettings
from openecs.runtime.base import CannotStopContainer, EngineUnavailable, NetworkSpec
from openecs.runtime.behavior import Behavior, RemoteImage
from openecs.runtime.simulated import SimulatedRuntime
from openecs.store.base import INSTALLATION, Conflict
from openecs.store.kinds import CLUSTERS, MACHINES, TASK_DEFINITIONS, TASKS
from openecs.store.memory import MemoryStore
from openecs.testing.builders import (
    SCOPE,
    SUBNET,
    a_call,
    a_cluster,
    a_container_definition,
    a_task_definition,
)

NETWORK = {"awsvpcConfiguration": {"subnets": [SUBNET]}}


def clock() -> datetime:
    return datetime.now(UTC)


class Rig:
    """A store and an engine that outlive any number of nodes."""

    def __init__(self, **engine) -> None:
        self.store = MemoryStore()
        self.runtime = SimulatedRuntime(clock, **engine)
        self.call = a_call(now=clock())
        self.settings = NodeSettings(
            installation="rig",
            machine="m" * 32,
            agent_version="0",
            resync=timedelta(seconds=0.2),
            heartbeat=timedelta(seconds=0.02),
            stop_timeout=timedelta(seconds=1),
        )

    @contextlib.asynccontextmanager
    async def node(self):
        node = Node(store=self.store, runtime=self.runtime, clock=clock, settings=self.settings)
        await node.register()
        running = asyncio.create_task(node.run())
        try:
            yield node
        finally:
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running

    async def put(self, kind, value) -> None:
        await self.store.write(lambda tx: tx.put(kind, value))

    async def do(self, operation: str, **request):
        function = SERVICE.operations[operation].function
        return await self.store.write(lambda tx: function(tx, self.call, request))

    async def run(self, *containers, **members) -> list[str]:
        count = members.pop("count", 1)
        await self.put(CLUSTERS, a_cluster())
        await self.put(TASK_DEFINITIONS, a_task_definition("f", 1, *containers, **members))
        extra = {"networkConfiguration": NETWORK} if members.get("network_mode") else {}
        answer = await self.do("RunTask", taskDefinition="f", count=count, **extra)
        assert answer["failures"] == []
        return [task["taskArn"].partition(":task/")[2] for task in answer["tasks"]]

    async def task(self, key: str) -> Task:
        found = await self.store.read(lambda view: view.get(TASKS, SCOPE, key))
        assert found is not None
        return found

    async def until(self, key: str, holds: Callable[[Task], bool]) -> Task:
        async with asyncio.timeout(10):
            while not holds(task := await self.task(key)):
                await asyncio.sleep(0.002)
            return task

    async def when(self, key: str, status: TaskStatus) -> Task:
        return await self.until(key, lambda task: task.last_status is status)

    def count(self, effect: str) -> int:
        return sum(done == effect for done, _ in self.runtime.effects)


@pytest.fixture
def rig() -> Rig:
    return Rig()


async def test_a_task_runs_and_stops(rig):
    async with rig.node():
        (key,) = await rig.run()
        task = await rig.when(key, TaskStatus.RUNNING)
        assert task.containers[0].runtime_id
        await rig.do("StopTask", task=task.id)
        task = await rig.when(key, TaskStatus.STOPPED)
    assert [effect for effect, _ in rig.runtime.effects] == ["create", "start", "stop"]


async def test_a_task_is_there_before_its_node(rig):
    async with rig.node():
        pass
    (key,) = await rig.run()
    async with rig.node():
        await rig.when(key, TaskStatus.RUNNING)


async def test_an_awsvpc_task_sets_up_and_tears_down(rig):
    async with rig.node():
        (key,) = await rig.run(network_mode=NetworkMode.AWSVPC)
        task = await rig.when(key, TaskStatus.RUNNING)
        assert task.containers[0].network_interfaces[0].private_ipv4_address
        await rig.do("StopTask", task=task.id)
        await rig.when(key, TaskStatus.STOPPED)
        left = await rig.runtime.observe("rig")
    assert [c.labels["com.amazonaws.ecs.container-name"] for c in left] == ["app"]


async def test_the_default_vpc_gives_way_to_a_network_that_has_its_range(rig):
    rig.runtime.networks["office"] = NetworkSpec(name="office", cidr="172.16.0.0/12")
    async with rig.node():
        (key,) = await rig.run(network_mode=NetworkMode.AWSVPC)
        task = await rig.when(key, TaskStatus.RUNNING)
    address = task.containers[0].network_interfaces[0].private_ipv4_address
    assert address.startswith("172.17.")


async def test_a_pull_is_cut_short_when_the_task_stops():
    rig = Rig(images=(), registry={"busybox": RemoteImage(takes=timedelta(hours=1))})
    async with rig.node():
        (key,) = await rig.run()
        await asyncio.sleep(0.05)
        await rig.do("StopTask", task=(await rig.task(key)).id)
        task = await rig.when(key, TaskStatus.STOPPED)
    assert task.stop_code is StopCode.USER_INITIATED
    assert rig.count("create") == 0


async def test_an_engine_that_is_away_is_waited_for(rig):
    async with rig.node():
        (first,) = await rig.run()
        await rig.when(first, TaskStatus.RUNNING)
        rig.runtime.go_away()
        machine = await _machine(rig, connected=False)
        assert machine.connected is False
        await rig.do("StopTask", task=(await rig.task(first)).id)
        rig.runtime.come_back()
        await rig.when(first, TaskStatus.STOPPED)
        await _machine(rig, connected=True)


async def _machine(rig: Rig, *, connected: bool):
    async with asyncio.timeout(5):
        while True:
            machine = await rig.store.read(
                lambda view: view.get(MACHINES, INSTALLATION, rig.settings.machine)
            )
            if machine and machine.connected is connected:
                return machine
            await asyncio.sleep(0.002)


async def test_health_is_reported_as_it_turns():
    check = HealthCheck(command=("CMD", "true"))
    rig = Rig(behaves=lambda _: Behavior(health=Health.HEALTHY))
    async with rig.node():
        (key,) = await rig.run(a_container_definition(health_check=check))
        task = await rig.until(key, lambda t: t.health_status is HealthStatus.HEALTHY)
        (observed,) = await rig.runtime.observe("rig")
        rig.runtime.turn(observed.name, Health.UNHEALTHY)
        task = await rig.until(key, lambda t: t.health_status is HealthStatus.UNHEALTHY)
    assert task.last_status is TaskStatus.RUNNING


async def test_a_container_removed_by_hand_is_noticed(rig):
    async with rig.node():
        (key,) = await rig.run()
        await rig.when(key, TaskStatus.RUNNING)
        (observed,) = await rig.runtime.observe("rig")
        await rig.runtime.remove(observed.name)
        task = await rig.when(key, TaskStatus.STOPPED)
    assert task.containers[0].reason == lifecycle.VANISHED


async def test_lost_events_are_made_up_for(rig):
    async with rig.node():
        (key,) = await rig.run()
        await rig.when(key, TaskStatus.RUNNING)
        (observed,) = await rig.runtime.observe("rig")
        rig.runtime._tell = lambda _: None
        rig.runtime.end(observed.name, 3)
        task = await rig.when(key, TaskStatus.STOPPED)
    assert task.containers[0].exit_code == 3


async def test_a_stop_that_fails_is_tried_again_and_not_taken_for_done(rig):
    stop, refusals = rig.runtime.stop, [CannotStopContainer("busy")]

    async def refusing(name, grace):
        if refusals:
            raise refusals.pop()
        await stop(name, grace)

    rig.runtime.stop = refusing
    async with rig.node():
        (key,) = await rig.run()
        task = await rig.when(key, TaskStatus.RUNNING)
        await rig.do("StopTask", task=task.id)
        task = await rig.when(key, TaskStatus.STOPPED)
        assert not any(c.state is ContainerState.RUNNING for c in await rig.runtime.observe("rig"))
    assert task.containers[0].reason is None


async def test_stopped_containers_go_after_their_time(rig):
    object.__setattr__(rig.settings, "cleanup_wait", timedelta(seconds=0.05))
    async with rig.node():
        (key,) = await rig.run()
        task = await rig.when(key, TaskStatus.RUNNING)
        await rig.do("StopTask", task=task.id)
        await rig.when(key, TaskStatus.STOPPED)
        async with asyncio.timeout(5):
            while await rig.runtime.observe("rig"):
                await asyncio.sleep(0.01)


async def test_a_store_that_is_away_is_waited_for(rig):
    write, failures = rig.store.write, [Conflict("moved")] * 3

    async def flaky(work):
        if failures and "record" in getattr(work, "__qualname__", ""):
            raise failures.pop()
        return await write(work)

    rig.store.write = flaky
    async with rig.node():
        (key,) = await rig.run()
        await rig.when(key, TaskStatus.RUNNING)
    assert failures == []


FAULTS = st.lists(st.integers(0, 40), max_size=6)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 12), min_size=1, max_size=5), FAULTS)
def test_killed_at_any_moment_no_task_is_lost_or_doubled(kills, faults):
    """The node dies after so many looks at the loop, again and again; calls fail in between."""
    asyncio.run(_killed(kills, set(faults)))


async def _killed(kills: list[int], faults: set[int]) -> None:
    rig = Rig()
    _break(rig.runtime, faults)
    first = a_container_definition("a")
    wants = ContainerDependency(container_name="a", condition=DependencyCondition.START)
    keys = await _prepared(rig, first, a_container_definition("b", depends_on=(wants,)))
    for steps in kills:
        async with rig.node():
            for _ in range(steps):
                await asyncio.sleep(0)
    async with rig.node():
        for key in keys:
            await rig.when(key, TaskStatus.RUNNING)
        names = [c.name for c in await rig.runtime.observe("rig")]
        assert len(names) == len(set(names)) == 2 * len(keys)
        assert rig.count("create") == len(names)
        await rig.do("StopTask", task=(await rig.task(keys[0])).id)
    for steps in kills:
        async with rig.node():
            for _ in range(steps):
                await asyncio.sleep(0)
    async with rig.node():
        task = await rig.when(keys[0], TaskStatus.STOPPED)
        assert all(c.last_status is ContainerStatus.STOPPED for c in task.containers)
        assert (await rig.task(keys[1])).last_status is TaskStatus.RUNNING


async def _prepared(rig: Rig, *containers) -> list[str]:
    async with rig.node():
        pass
    return await rig.run(*containers, count=2)


def _break(runtime: SimulatedRuntime, faults: set[int]) -> None:
    """Every so-many-th effect on the engine gets no answer, before or after it was done."""
    calls = iter(range(10**9))
    for name in ("create", "start", "stop", "inspect"):
        effect = getattr(runtime, name)

        async def faulty(*arguments, effect=effect):
            number = next(calls)
            if number in faults and number % 2:
                raise EngineUnavailable("no answer")
            answer = await effect(*arguments)
            if number in faults:
                raise EngineUnavailable("the answer was lost")
            return answer

        setattr(runtime, name, faulty)
