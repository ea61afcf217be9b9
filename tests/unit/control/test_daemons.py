"""The loop of daemons on a store in memory; the test plays the node."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from openecs.api.ecs import SERVICE
from openecs.control.daemons import Daemons
from openecs.decide import lifecycle
from openecs.decide.services.state import SchedulerSettings
from openecs.model.alarms import AlarmState, Comparison, MetricAlarm, MetricStat
from openecs.model.clusters import CapacityProvider, ManagedInstancesProvider
from openecs.model.tasks import LaunchType, StopCode, Task, TaskStatus
from openecs.store.alarms import METRIC_ALARMS
from openecs.store.definitions import definition_of
from openecs.store.kinds import (
    CAPACITY_PROVIDERS,
    CLUSTERS,
    CONTAINER_INSTANCES,
    DAEMON_TASK_DEFINITIONS,
    DAEMONS,
    MACHINES,
    TASKS,
)
from openecs.store.memory import MemoryStore
from openecs.testing.builders import (
    NOW,
    SCOPE,
    CountingIds,
    a_call,
    a_cluster,
    a_machine,
    a_task,
)

DAEMON = "arn:aws:ecs:eu-central-1:123456789012:daemon/default/agent"
PROVIDERS = {"capacityProviderArns": ["mi"]}


class World:
    """A store, the loop on it, and a clock that is moved by hand."""

    def __init__(self, store: MemoryStore) -> None:
        self.store = store
        self.now = NOW
        self.call = a_call()
        settings = SchedulerSettings(healthy_after=timedelta(0))
        self.loop = Daemons(
            store=store, clock=lambda: self.now, ids=CountingIds(), settings=settings
        )

    async def do(self, operation: str, **request):
        function = SERVICE.operations[operation].function
        return await self.store.write(lambda tx: function(tx, self.call, request))

    async def put(self, kind, *values) -> None:
        await self.store.write(lambda tx: [tx.put(kind, value) for value in values])

    async def tasks(self) -> list[Task]:
        found = await self.store.read(lambda view: view.scan(TASKS, None))
        return [t for t in found if t.daemon and t.last_status is not TaskStatus.STOPPED]

    async def until(self, is_so: Callable[[list[Task]], bool]) -> list[Task]:
        async with asyncio.timeout(5):
            while not is_so(tasks := await self.tasks()):
                await asyncio.sleep(0)
        return tasks

    async def started(self, count: int = 1) -> list[Task]:
        """The tasks, once there are so many, all of them running then."""
        tasks = await self.until(lambda tasks: len(tasks) == count)
        running = [
            replace(task, last_status=TaskStatus.RUNNING, started_at=self.now) for task in tasks
        ]
        await self.put(TASKS, *running)
        return running

    async def end(self, task: Task) -> None:
        code = StopCode.ESSENTIAL_CONTAINER_EXITED
        stopping = lifecycle.request_stop(task, code, "", self.now)
        await self.put(TASKS, lifecycle.finish(stopping, self.now))

    async def status(self, arn: str, wanted: str) -> None:
        """Wait until a deployment has that status."""
        async with asyncio.timeout(5):
            while True:
                answer = await self.do("DescribeDaemonDeployments", daemonDeploymentArns=[arn])
                if answer["daemonDeployments"][0]["status"] == wanted:
                    return
                await asyncio.sleep(0)


@pytest.fixture
async def world() -> AsyncIterator[World]:
    store = MemoryStore()
    await store.open()
    world = World(store)
    managed = ManagedInstancesProvider(document="{}")
    await world.put(CLUSTERS, a_cluster(capacity_providers=("mi",)))
    await world.put(
        CAPACITY_PROVIDERS,
        CapacityProvider(
            scope=SCOPE, name="mi", cluster="default", managed_instances_provider=managed
        ),
    )
    await world.put(MACHINES, a_machine())
    for _ in range(2):
        await world.do(
            "RegisterDaemonTaskDefinition",
            family="agent",
            containerDefinitions=[{"name": "agent", "image": "busybox", "memory": 64}],
        )
    running = asyncio.create_task(world.loop.run())
    yield world
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await store.close()


async def create(world: World, definition: str = "agent:1", **members) -> str:
    answer = await world.do(
        "CreateDaemon",
        daemonName="agent",
        daemonTaskDefinitionArn=definition,
        **PROVIDERS,
        **members,
    )
    return answer["deploymentArn"]


async def test_the_machine_joins_with_its_first_task(world) -> None:
    tags = [{"key": "a", "value": "1"}]
    arn = await create(world, tags=tags, propagateTags="DAEMON", enableECSManagedTags=True)
    (task,) = await world.started()
    assert (task.launch_type, task.capacity_provider) == (LaunchType.MANAGED_INSTANCES, "mi")
    assert task.definition_arn.endswith("daemon-task-definition/agent:1")
    assert task.tags == {"aws:ecs:clusterName": "default", "a": "1"}
    (instance,) = await world.store.read(lambda view: view.scan(CONTAINER_INSTANCES, None))
    assert (instance.id, instance.capacity_provider) == (task.container_instance, "mi")
    await world.status(arn, "SUCCESSFUL")


async def test_the_node_finds_what_the_task_runs(world) -> None:
    await create(world)
    (task,) = await world.started()
    runs = await world.store.read(lambda view: definition_of(view, task))
    assert runs is not None
    assert [c.name for c in runs.container_definitions] == ["agent"]


async def test_a_dead_task_is_replaced(world) -> None:
    await create(world)
    (task,) = await world.started()
    await world.end(task)
    (new,) = await world.until(lambda tasks: bool(tasks) and tasks[0].id != task.id)
    assert new.container_instance == task.container_instance


async def test_a_new_machine_gets_its_task(world) -> None:
    await create(world)
    await world.started()
    await world.put(MACHINES, a_machine(2))
    await world.until(lambda tasks: {t.machine for t in tasks} == {"machine-1", "machine-2"})


async def test_room_that_is_given_back_is_taken(world) -> None:
    full = a_task(99, memory=4096)
    await world.put(TASKS, full)
    await create(world)
    async with asyncio.timeout(5):
        while not world.loop._blocked:
            await asyncio.sleep(0)
    await world.put(TASKS, lifecycle.finish(full, NOW))
    await world.started()


async def test_an_update_stops_the_old_task_first(world) -> None:
    arn = await create(world)
    (old,) = await world.started()
    await world.status(arn, "SUCCESSFUL")
    answer = await world.do(
        "UpdateDaemon", daemonArn=DAEMON, daemonTaskDefinitionArn="agent:2", **PROVIDERS
    )
    (old,) = await world.until(lambda tasks: tasks[0].desired_status is TaskStatus.STOPPED)
    assert old.stop_code is StopCode.SERVICE_SCHEDULER_INITIATED
    await world.put(TASKS, lifecycle.finish(old, world.now))
    (new,) = await world.started()
    assert new.revision == 2
    await world.status(answer["deploymentArn"], "SUCCESSFUL")


async def test_deleted_its_tasks_stop_and_it_is_gone(world) -> None:
    await world.status(await create(world), "IN_PROGRESS")
    await world.started()
    answer = await world.do("DeleteDaemon", daemonArn=DAEMON)
    (task,) = await world.until(lambda tasks: tasks[0].desired_status is TaskStatus.STOPPED)
    await world.put(TASKS, lifecycle.finish(task, world.now))
    await world.status(answer["deploymentArn"], "SUCCESSFUL")
    assert not await world.store.read(lambda view: view.scan(DAEMONS, None))


async def test_a_deleted_definition_is_deleted_once_no_daemon_runs_it(world) -> None:
    arn = await create(world)
    await world.started()
    await world.status(arn, "SUCCESSFUL")
    for name in ("agent:1", "agent:2"):
        await world.do("DeleteDaemonTaskDefinition", daemonTaskDefinition=name)

    def statuses(view) -> list[str]:
        return [str(each.status) for each in view.scan(DAEMON_TASK_DEFINITIONS, None)]

    async with asyncio.timeout(5):
        while await world.store.read(statuses) != ["DELETE_IN_PROGRESS", "DELETED"]:
            await asyncio.sleep(0)
        await world.do("DeleteDaemon", daemonArn=DAEMON)
        (task,) = await world.until(lambda tasks: tasks[0].desired_status is TaskStatus.STOPPED)
        await world.put(TASKS, lifecycle.finish(task, world.now))
        while await world.store.read(statuses) != ["DELETED", "DELETED"]:
            await asyncio.sleep(0)


async def test_a_second_loop_after_the_first_doubles_nothing(world) -> None:
    await create(world)
    (task,) = await world.started()
    second = Daemons(store=world.store, clock=lambda: world.now, ids=CountingIds())
    running = asyncio.create_task(second.run())
    await second._observe()
    await second._reconcile((SCOPE, "default/agent"))
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert [each.id for each in await world.tasks()] == [task.id]


async def test_without_leave_nothing_is_written(world) -> None:
    class NotTheLeader(Exception):
        pass

    def guard(_) -> None:
        raise NotTheLeader

    loop = Daemons(store=world.store, clock=lambda: NOW, ids=CountingIds(), guard=guard)
    with pytest.raises(NotTheLeader):
        await loop._reconcile((SCOPE, "default/agent"))


async def test_an_alarm_rolls_a_deployment_back(world) -> None:
    alarm = MetricAlarm(
        scope=SCOPE,
        name="errors",
        metric=MetricStat(namespace="A", name="B", period=60, stat="Sum"),
        comparison=Comparison.GREATER,
        threshold=1.0,
        evaluation_periods=1,
        configured_at=NOW,
        updated_at=NOW,
        transitioned_at=NOW,
    )
    await world.put(METRIC_ALARMS, alarm)
    created = await create(world)
    await world.started()
    await world.status(created, "SUCCESSFUL")
    answer = await world.do(
        "UpdateDaemon",
        daemonArn=DAEMON,
        daemonTaskDefinitionArn="agent:2",
        deploymentConfiguration={"alarms": {"alarmNames": ["errors"], "enable": True}},
        **PROVIDERS,
    )
    await world.status(answer["deploymentArn"], "IN_PROGRESS")
    await world.put(METRIC_ALARMS, replace(alarm, state=AlarmState.ALARM))
    await world.status(answer["deploymentArn"], "ROLLBACK_IN_PROGRESS")
