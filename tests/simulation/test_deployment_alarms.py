"""Alarms that fail deployments, in virtual time, with every loop running."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from openecs.model.alarms import AlarmState, Comparison, MetricAlarm, MetricStat
from openecs.model.services import RolloutState
from openecs.store.alarms import METRIC_ALARMS
from openecs.testing.builders import NOW, SCOPE
from openecs.testing.simulation import virtual_time
from simulation.world import World

MINUTES = timedelta(minutes=20)
ALARM = MetricAlarm(
    scope=SCOPE,
    name="errors",
    metric=MetricStat(namespace="A", name="B", period=60, stat="Sum"),
    comparison=Comparison.GREATER,
    threshold=1.0,
    evaluation_periods=5,
    configured_at=NOW,
    state=AlarmState.OK,
    updated_at=NOW,
    transitioned_at=NOW,
)
ALARMS = {"alarms": {"alarmNames": ["errors"], "enable": True, "rollback": True}}


async def put(world: World, state: AlarmState) -> None:
    await world.store.write(lambda tx: tx.put(METRIC_ALARMS, replace(ALARM, state=state)))


async def deployed(world: World) -> str:
    """A steady service without alarms, and then a deployment with; its first revision."""
    request = {"serviceName": "web", "taskDefinition": "good", "desiredCount": 2}
    await world.call("CreateService", **request)
    assert await world.until(lambda: is_completed(world), MINUTES)
    first = world.service("web").revision.id
    await world.call(
        "UpdateService", service="web", forceNewDeployment=True, deploymentConfiguration=ALARMS
    )
    return first


def is_completed(world: World) -> bool:
    return world.service("web").primary.rollout_state is RolloutState.COMPLETED


def is_baking(world: World) -> bool:
    watch = world.service("web").primary.alarm_watch
    return bool(watch and watch.baked_at)


async def rolled_back(world: World) -> None:
    await put(world, AlarmState.OK)
    first = await deployed(world)
    assert await world.until(lambda: is_baking(world), MINUTES)
    assert not is_completed(world)
    await put(world, AlarmState.ALARM)
    assert await world.until(lambda: world.service("web").revision.id == first, MINUTES)
    assert await world.until(lambda: is_completed(world), MINUTES)
    assert world.running("web") == 2


async def completed(world: World) -> None:
    await put(world, AlarmState.OK)
    first = await deployed(world)
    assert await world.until(lambda: is_baking(world), MINUTES)
    began = world.clock()
    assert await world.until(lambda: is_completed(world), MINUTES)
    assert timedelta(minutes=4) < world.clock() - began <= timedelta(minutes=6)
    assert world.service("web").revision.id != first
    await put(world, AlarmState.ALARM)
    await world.until(lambda: False, timedelta(minutes=1))
    assert world.service("web").revision.id != first


async def ignored(world: World) -> None:
    await put(world, AlarmState.ALARM)
    first = await deployed(world)
    assert await world.until(lambda: is_completed(world), MINUTES)
    assert world.service("web").revision.id != first


@pytest.mark.parametrize("story", [rolled_back, completed, ignored])
def test_deployments_with_alarms(story):
    async def told() -> None:
        world = World()
        await world.begin()
        try:
            await story(world)
            assert (world.broken, world.checks.broken) == ([], [])
        finally:
            await world.end()

    virtual_time.run(told)
