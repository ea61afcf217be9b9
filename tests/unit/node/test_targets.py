"""A task in its target groups, from its first request to its last."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from openecs.decide import lifecycle, serving, task_plan
from openecs.decide.lifecycle import Sighting
from openecs.model.containers import ContainerObservation, ContainerState
from openecs.model.load_balancing import TargetHealth, TargetState, TargetType
from openecs.model.tasks import (
    ContainerStatus,
    NetworkBinding,
    NetworkInterface,
    ServedGroup,
    StopCode,
    TaskStatus,
)
from openecs.node import targets
from openecs.store.kinds import (
    CONTAINER_INSTANCES,
    SERVICE_EVENTS,
    TARGET_GROUPS,
    TARGET_HEALTH,
    TARGETS,
    service_key,
)
from openecs.store.memory import MemoryStore
from openecs.testing.builders import (
    NOW,
    SCOPE,
    a_container,
    a_container_instance,
    a_target_group,
    a_task,
    a_task_definition,
)

GROUP = a_target_group(attributes={"deregistration_delay.timeout_seconds": "30"})
SERVED = ServedGroup(target_group_arn=GROUP.arn, container_name="app", container_port=80)
INSTANCE = a_container_instance()
DRAINED = NOW + timedelta(seconds=30)
DEFINITION = a_task_definition("web")


def bound(port: int):
    return a_container(
        last_status=ContainerStatus.RUNNING,
        started_at=NOW,
        network_bindings=(NetworkBinding(container_port=80, host_port=port),),
    )


TASK = a_task(
    group="service:web", containers=(bound(49153),), served_groups=(SERVED,), started_at=NOW
)


@pytest.fixture
async def store():
    store = MemoryStore()
    await store.write(lambda tx: tx.put(TARGET_GROUPS, GROUP))
    await store.write(lambda tx: tx.put(CONTAINER_INSTANCES, INSTANCE))
    return store


async def settle(store, task, now=NOW, *, are_balanced=True):
    return await store.write(lambda tx: targets.settle(tx, task, now, are_balanced=are_balanced))


async def registered(store):
    found = await store.read(lambda view: view.scan(TARGETS, SCOPE))
    return {(t.id, t.port): t for t in found}


async def told(store):
    key = service_key("default", "web")
    story = await store.read(lambda view: view.get(SERVICE_EVENTS, SCOPE, key))
    return [event.message for event in reversed(story.events)] if story else []


def stopping(task, code=StopCode.USER_INITIATED):
    return lifecycle.request_stop(task, code, "because", NOW)


def dead(task):
    gone = tuple(replace(c, last_status=ContainerStatus.STOPPED) for c in task.containers)
    return replace(task, containers=gone)


async def test_a_running_task_is_registered_once(store) -> None:
    task = await settle(store, TASK)
    assert not list(serving.changes(task))
    (target,) = (await registered(store)).values()
    assert (target.id, target.port) == (INSTANCE.ec2_instance_id, 49153)
    assert (target.address, target.task) == ("127.0.0.1", f"default/{TASK.id}")
    assert await told(store) == [
        f"(service web) registered 1 targets in (target-group {GROUP.arn})"
    ]
    assert await settle(store, task) == task


@pytest.mark.parametrize(("protocol", "port"), [("HTTP", 49153), ("TCP", 49153), ("UDP", 49154)])
@pytest.mark.parametrize("is_reversed", [False, True])
async def test_a_port_bound_for_two_protocols_serves_by_the_groups(
    store, protocol, port, is_reversed
) -> None:
    await store.write(lambda tx: tx.put(TARGET_GROUPS, replace(GROUP, protocol=protocol)))
    bindings = (
        NetworkBinding(container_port=80, host_port=49153),
        NetworkBinding(container_port=80, host_port=49154, protocol="udp"),
    )
    if is_reversed:
        bindings = bindings[::-1]
    container = replace(bound(1), network_bindings=bindings)
    task = await settle(store, replace(TASK, containers=(container,)))
    assert {known for _, known in await registered(store)} == {port}
    assert await settle(store, task) == task
    await store.write(lambda tx: tx.delete(TARGET_GROUPS, SCOPE, TARGET_GROUPS.key(GROUP)))
    assert await settle(store, task) == task


async def test_a_port_bound_for_another_protocol_only_serves_nobody(store) -> None:
    await store.write(lambda tx: tx.put(TARGET_GROUPS, replace(GROUP, protocol="UDP")))
    task = await settle(store, TASK)
    assert not await registered(store)
    # The record knows now, and is not written again.
    assert not list(serving.changes(task))


async def test_without_load_balancers_nothing_is_drained(store) -> None:
    running = await settle(store, TASK)
    draining = await settle(store, stopping(running))
    assert serving.is_held(draining, NOW)
    for task in (running, draining):
        after = await settle(store, task, are_balanced=False)
        assert not serving.is_held(stopping(after), NOW)
        assert not list(serving.changes(after, are_balanced=False))
    assert await registered(store) == {}


async def test_a_task_with_an_address_is_registered_by_it(store) -> None:
    group = replace(GROUP, target_type=TargetType.IP)
    await store.write(lambda tx: tx.put(TARGET_GROUPS, group))
    interface = NetworkInterface(attachment_id="a", private_ipv4_address="10.0.0.7")
    container = replace(bound(1), network_bindings=(), network_interfaces=(interface,))
    await settle(store, replace(TASK, containers=(container,)))
    (target,) = (await registered(store)).values()
    assert (target.id, target.port, target.address) == ("10.0.0.7", 80, "10.0.0.7")


@pytest.mark.parametrize(
    "task",
    [
        replace(TASK, last_status=TaskStatus.PENDING),
        stopping(TASK),
        dead(TASK),
        replace(TASK, containers=(replace(bound(1), network_bindings=()),)),
    ],
)
async def test_who_does_not_run_is_not_registered(store, task) -> None:
    after = await settle(store, task)
    assert not any(served.target_id for served in after.served_groups)
    assert not await registered(store)


async def test_who_is_to_stop_drains_first(store) -> None:
    task = await settle(store, stopping(await settle(store, TASK)))
    (target,) = (await registered(store)).values()
    assert (target.draining_since, target.drained_at) == (NOW, DRAINED)
    assert task.drained_at == DRAINED
    assert (await told(store))[-1] == (
        f"(service web) deregistered 1 targets in (target-group {GROUP.arn})"
    )
    assert serving.is_held(task, DRAINED - timedelta(seconds=1))
    assert not serving.is_held(task, DRAINED)


async def test_containers_wait_for_the_last_request(store) -> None:
    seen = ContainerObservation(
        id="1", name="n", labels={}, state=ContainerState.RUNNING, started_at=NOW
    )
    sighting = Sighting(seen={"app": seen})
    task = await settle(store, stopping(await settle(store, TASK)))

    def plan(now):
        current = lifecycle.absorb(task, DEFINITION, sighting, now)
        steps = task_plan.plan(
            current,
            DEFINITION,
            sighting,
            is_set_up=True,
            now=now,
            stop_timeout=timedelta(seconds=1),
        )
        return current.last_status, steps

    assert plan(NOW) == (TaskStatus.DEACTIVATING, task_plan.TaskPlan(wake=DRAINED))
    status, after = plan(DRAINED)
    assert (status, after.wake) == (TaskStatus.STOPPING, None)
    assert after.steps == (task_plan.Stop("app", timedelta(seconds=1)),)


@pytest.mark.parametrize("is_draining", [False, True])
async def test_the_dead_are_gone_at_once(store, is_draining) -> None:
    task = await settle(store, TASK)
    await _make_healthy(store)
    if is_draining:
        task = await settle(store, stopping(task))
    code = StopCode.ESSENTIAL_CONTAINER_EXITED
    task = await settle(store, stopping(dead(task), code))
    assert not await registered(store)
    assert not await store.read(lambda view: view.scan(TARGET_HEALTH, SCOPE))
    assert not serving.is_held(task, NOW)
    assert len(await told(store)) == 2
    assert await settle(store, task) == task


async def test_a_restart_on_another_port_is_another_target(store) -> None:
    task = replace(await settle(store, TASK), containers=(bound(49154),))
    task = await settle(store, await settle(store, task))
    assert list(await registered(store)) == [(INSTANCE.ec2_instance_id, 49154)]
    assert task.served_groups[0].target_port == 49154


async def test_a_target_group_that_is_gone_holds_nobody(store) -> None:
    task = await settle(store, TASK)
    await store.write(lambda tx: tx.delete(TARGET_GROUPS, SCOPE, GROUP.path))
    task = await settle(store, stopping(task))
    assert not serving.is_held(task, NOW)


async def test_a_missing_target_group_is_told_of_once(store) -> None:
    await store.write(lambda tx: tx.delete(TARGET_GROUPS, SCOPE, GROUP.path))
    for _ in range(2):
        assert await settle(store, TASK) == TASK
    assert await told(store) == [
        (
            f"(service web) failed to register targets in (target-group {GROUP.arn}) with (error "
            f"The target group {GROUP.arn} not found)"
        )
    ]


async def _make_healthy(store) -> None:
    (target,) = (await registered(store)).values()
    health = TargetHealth(
        scope=SCOPE,
        target_group=GROUP.path,
        id=target.id,
        port=target.port,
        state=TargetState.HEALTHY,
        registered_at=target.registered_at,
    )
    await store.write(lambda tx: tx.put(TARGET_HEALTH, health))
