"""Bad days of the whole installation, one by one."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine
from datetime import timedelta

import pytest

from openecs.model.services import RolloutState, ServiceDeploymentStatus
from openecs.model.tasks import TaskStatus
from openecs.store.base import INSTALLATION
from openecs.store.kinds import LEASES, SERVICE_DEPLOYMENTS
from openecs.testing.builders import SCOPE
from openecs.testing.simulation import virtual_time
from openecs.testing.simulation.faults import Weather
from openecs.testing.simulation.virtual_time import Deadlock, Livelock
from simulation.world import World

MINUTES = timedelta(minutes=10)


def lives(test: Callable[[], Coroutine[None, None, None]]) -> Callable[[], None]:
    """The test in virtual time."""

    def lived() -> None:
        virtual_time.run(test)

    return lived


@contextlib.asynccontextmanager
async def a_world(**settings) -> AsyncIterator[World]:
    """A world in which no rule is broken."""
    world = World(**settings)
    await world.begin()
    try:
        yield world
        assert world.checks.broken == []
        assert world.broken == []
    finally:
        await world.end()


async def create(world: World, name: str, image: str = "good", desired: int = 4, **more) -> None:
    request = {"serviceName": name, "taskDefinition": image, "desiredCount": desired, **more}
    await world.call("CreateService", **request)


def is_steady(world: World, name: str) -> bool:
    service = world.service(name)
    return (
        service.primary.rollout_state is RolloutState.COMPLETED
        and len(service.deployments) == 1
        and world.running(name) == service.desired_count == len(world.tasks(name))
    )


async def steady(world: World, name: str, within: timedelta = MINUTES) -> None:
    assert await world.until(lambda: is_steady(world, name), within), world.service(name)


def records(world: World, name: str) -> list[ServiceDeploymentStatus]:
    found = world.store._state.scan(SERVICE_DEPLOYMENTS, SCOPE, prefix=f"default/{name}/")
    return [r.status for r in sorted(found, key=lambda r: r.created_at)]


async def _crash_loops() -> None:
    async with a_world(machines=3) as world:
        await create(world, "unharmed", desired=10)
        await steady(world, "unharmed")
        for number in range(20):
            await create(world, f"loops-{number:02}", "crash", desired=10)
        fewest = [10]

        def look() -> bool:
            fewest.append(world.running("unharmed"))
            return False

        await world.until(look, timedelta(minutes=90))
        assert min(fewest) == 10
        counts = world.checks.starts
        early = max(n for (name, _), n in counts.items() if "loops" in name)
        late = max(n for (name, hour), n in counts.items() if "loops" in name and hour.hour == 4)
        # Ten tasks each time: five times at once, ten times after waits that grow, ...
        assert 0 < early <= 160
        # ... and then every 15 minutes.
        assert 0 < late <= 50


@pytest.mark.timeout(180)
def test_two_hundred_crash_loops_do_not_spin_hot_and_harm_nobody():
    virtual_time.run(_crash_loops)


@lives
async def test_a_dead_leader_is_succeeded_in_time():
    async with a_world(machines=2) as world:
        await create(world, "web", desired=6)
        await steady(world, "web")
        lease = world.store._state.scan(LEASES, INSTALLATION)
        holder = next(each.holder for each in lease if each.name == "control")
        leader = next(m for m in world.fleet if holder.startswith(m.name))
        other = next(m for m in world.fleet if m is not leader)
        await world.kill(leader)
        victim = next(t for t in world.tasks("web") if t.machine == other.name)
        await world.call("StopTask", task=victim.id)
        began = world.clock()
        assert await world.until(lambda: world.running("web") == 6, timedelta(seconds=10))
        assert world.clock() - began <= timedelta(seconds=10)
        assert len(world.checks.tasks) == 7


@lives
async def test_all_processes_die_in_the_middle_of_a_deployment_again_and_again():
    async with a_world(machines=2, weather=Weather(delay=timedelta(seconds=0.3))) as world:
        await create(world, "web", desired=6)
        await steady(world, "web")
        await world.call("UpdateService", service="web", taskDefinition="checked")
        for _ in range(10):
            await asyncio.sleep(world.chance.uniform(0, 12))
            for machine in world.fleet:
                await world.kill(machine)
            await asyncio.sleep(world.chance.uniform(0, 3))
            for machine in world.fleet:
                world.start(machine)
        await steady(world, "web")
        assert {t.family for t in world.tasks("web")} == {"checked"}
        # Six old ones, six new ones: none was lost, none doubled.
        assert len(world.checks.tasks) == 12


@pytest.mark.parametrize("image", ["broken", "missing", "sick"])
def test_a_bad_image_is_rolled_back_without_harm(image):
    async def live() -> None:
        async with a_world(machines=2) as world:
            breaker = {"deploymentCircuitBreaker": {"enable": True, "rollback": True}}
            await create(world, "web", deploymentConfiguration=breaker)
            await steady(world, "web")
            await world.call("UpdateService", service="web", taskDefinition=image)
            fewest = [4]

            def is_back() -> bool:
                fewest.append(world.running("web"))
                return records(world, "web")[-1] is ServiceDeploymentStatus.ROLLBACK_SUCCESSFUL

            assert await world.until(is_back, MINUTES)
            await steady(world, "web")
            assert {t.family for t in world.tasks("web")} == {"good"}
            assert min(fewest) == 4

    virtual_time.run(live)


@lives
async def test_a_draining_instance_is_emptied_and_none_is_missed():
    async with a_world(machines=2) as world:
        await create(world, "web", desired=6)
        await steady(world, "web")
        leaving = world.fleet[0].name
        (instance,) = [i.id for i in world.checks.instances.values() if i.machine == leaving]
        await asyncio.sleep(60)
        request = {"containerInstances": [instance], "status": "DRAINING"}
        await world.call("UpdateContainerInstancesState", **request)
        fewest = [6]

        def is_empty() -> bool:
            fewest.append(world.running("web"))
            return not any(t.machine == leaving for t in world.tasks("web"))

        assert await world.until(is_empty, MINUTES)
        await steady(world, "web")
        assert min(fewest) == 6


@lives
async def test_a_dead_machine_loses_its_tasks_once_its_instance_is_deregistered():
    async with a_world(machines=3) as world:
        await create(world, "web", desired=6)
        await steady(world, "web")
        dead = world.fleet[0]
        await world.kill(dead)
        dead.engine.go_away()
        (instance,) = [i.id for i in world.checks.instances.values() if i.machine == dead.name]
        await asyncio.sleep(60)
        # As at AWS, tasks stay where an agent is not connected: they may well be running.
        assert world.running("web") == 6
        request = {"containerInstance": instance, "force": True}
        await world.call("DeregisterContainerInstance", **request)

        def is_healed() -> bool:
            running = [t for t in world.tasks("web") if t.desired_status is TaskStatus.RUNNING]
            return len(running) == 6 and not any(t.machine == dead.name for t in running)

        assert await world.until(is_healed, MINUTES)


@lives
async def test_a_daemon_rolls_over_its_instances_within_its_floor():
    async with a_world(machines=3) as world:
        limits = {"maximumPercent": 100, "minimumHealthyPercent": 60}
        request = {"schedulingStrategy": "DAEMON", "deploymentConfiguration": limits}
        await create(world, "agent", desired=None, **request)
        assert await world.until(lambda: world.running("agent") == 3, MINUTES)
        await steady(world, "agent")
        await world.call("UpdateService", service="agent", taskDefinition="checked")
        fewest = [3]

        def is_done() -> bool:
            fewest.append(world.running("agent"))
            return is_steady(world, "agent")

        assert await world.until(is_done, MINUTES)
        assert min(fewest) == 2
        assert len({t.machine for t in world.tasks("agent")}) == 3


def test_a_world_in_which_nothing_can_happen_is_dead():
    async def wait() -> None:
        await asyncio.Event().wait()

    with pytest.raises(Deadlock):
        virtual_time.run(wait)


def test_a_world_that_spins_is_found_out():
    async def spin() -> None:
        while True:
            await asyncio.sleep(0)

    with pytest.raises(Livelock):
        virtual_time.run(spin)


def test_hours_pass_at_once_and_in_order():
    async def live() -> list[str]:
        order: list[str] = []

        async def later(name: str, hours: float) -> None:
            await asyncio.sleep(hours * 3600)
            order.append(name)

        await asyncio.gather(later("late", 5), later("early", 1), later("between", 2))
        assert asyncio.get_running_loop().time() == pytest.approx(5 * 3600)
        return order

    assert virtual_time.run(live) == ["early", "between", "late"]
