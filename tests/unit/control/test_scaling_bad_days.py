"""The loop that scales services on bad days: killed, contradicted, and told a wrong time."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from openecs.loops.controller import Again
from openecs.model.alarms import AlarmState
from openecs.model.services import ServiceStatus
from openecs.store.alarms import METRIC_ALARMS
from openecs.store.base import StoreError
from openecs.store.kinds import SERVICES
from openecs.store.scaling import SCALABLE_TARGETS, SCALING_POLICIES
from openecs.testing.builders import NOW, SCOPE
from scaled_world import KEY, WHERE, Scaled

HOUR = timedelta(hours=1)


@pytest.fixture
async def world():
    made = Scaled()
    await made.begin()
    await made.track()
    return made


async def passes(world, **time):
    world.now += timedelta(**time)
    world.begin_anew()
    await world.measured(100)
    return await world.look()


async def done(world) -> list[str]:
    """What was set, the oldest first."""
    return [each["Description"] for each in await world.activities()][::-1]


async def test_killed_at_every_moment_of_a_cooldown_it_adds_what_is_lacking_once(world):
    await world.measured(100)
    await world.alarm("High")
    for _ in range(29):
        await passes(world, seconds=10)
    assert await world.desired() == 4
    assert await done(world) == ["Setting desired count to 4."]
    # The usual 300 seconds are over: what is measured now asks for more.
    await passes(world, seconds=60)
    assert await world.desired() == 8


async def test_an_answer_that_was_lost_is_not_acted_on_twice(world):
    await world.measured(100)
    await world.alarm("High")
    write = world.store.write

    async def deaf(work):
        await write(work)
        raise StoreError("the connection is gone")

    world.store.write = deaf
    with pytest.raises(Again):
        await world.look()
    world.store.write = write
    await passes(world, seconds=1)
    assert await done(world) == ["Setting desired count to 4."]


async def test_killed_before_it_has_written_it_has_lost_nothing(world):
    await world.measured(100)
    await world.alarm("High")

    def killed(_):
        raise StoreError("killed")

    world.begin_anew(guard=killed)
    with pytest.raises(Again):
        await world.look()
    assert await world.desired() == 2
    await passes(world, seconds=1)
    assert await done(world) == ["Setting desired count to 4."]


async def test_a_service_that_is_deleted_under_a_raised_alarm(world):
    await world.measured(100)
    await world.alarm("High")
    await world.put(SERVICES, [replace(await world.service(), status=ServiceStatus.INACTIVE)])
    await world.look()
    for kind in (SCALABLE_TARGETS, SCALING_POLICIES, METRIC_ALARMS):
        assert not await world.store.read(lambda view, kind=kind: view.scan(kind, SCOPE))
    assert await done(world) == []
    assert await world.loop.reconcile(KEY) is None
    code, message = await world.refused(
        "PutScalingPolicy", **WHERE, PolicyName="late", PolicyType="StepScaling"
    )
    assert code == "ObjectNotFoundException"
    assert "No scalable target registered" in message


async def test_a_least_above_the_most_is_refused_and_one_by_the_clock_changes_nothing(world):
    code, _ = await world.refused("RegisterScalableTarget", **WHERE, MinCapacity=11, MaxCapacity=10)
    assert code == "ValidationException"
    await world.do(
        "PutScheduledAction",
        **WHERE,
        ScheduledActionName="wrong",
        Schedule="rate(1 hour)",
        ScalableTargetAction={"MinCapacity": 11},
    )
    world.now += HOUR
    await world.look()
    (told,) = await world.activities()
    assert told["StatusCode"] == "Failed"
    assert "Maximum capacity cannot be less than minimum capacity" in told["StatusMessage"]
    (target,) = await world.store.read(lambda view: view.scan(SCALABLE_TARGETS, SCOPE))
    assert (target.minimum, target.maximum) == (1, 10)
    assert await world.desired() == 2


async def fights(world) -> None:
    """A step policy that takes away on the very alarm by which target tracking adds."""
    put = await world.do(
        "PutScalingPolicy",
        **WHERE,
        PolicyName="shrink",
        PolicyType="StepScaling",
        StepScalingPolicyConfiguration={
            "AdjustmentType": "ChangeInCapacity",
            "Cooldown": 0,
            "StepAdjustments": [{"MetricIntervalLowerBound": 0, "ScalingAdjustment": -1}],
        },
    )
    alarms = await world.store.read(lambda view: view.scan(METRIC_ALARMS, SCOPE))
    high = next(alarm for alarm in alarms if "High" in alarm.name)
    both = replace(high.actions, alarm=(*high.actions.alarm, put["PolicyARN"]))
    raised = replace(high, actions=both, state=AlarmState.ALARM, transitioned_at=world.now)
    await world.put(METRIC_ALARMS, [raised])


async def test_of_policies_that_fight_the_one_that_wants_most_wins(world):
    await fights(world)
    counts = []
    for _ in range(20):
        await passes(world, seconds=60)
        counts.append(await world.desired())
    assert counts == sorted(counts)
    assert counts[-1] == 10


async def test_a_clock_that_is_set_back_does_not_stop_scaling(world):
    await world.measured(100)
    await world.alarm("High")
    await world.look()
    assert await world.desired() == 4
    world.now -= HOUR
    await passes(world, seconds=0)
    assert await world.desired() == 8
    acted = world.now
    wake = await passes(world, seconds=1)
    assert acted < wake <= acted + timedelta(seconds=60)
    assert await done(world) != []


async def test_a_clock_that_jumps_on_scales_once(world):
    await world.measured(100)
    await world.alarm("High")
    await world.look()
    await passes(world, days=30)
    assert await world.desired() == 8
    await passes(world, seconds=1)
    assert await world.desired() == 8
    assert world.now > NOW


async def test_a_schedule_comes_in_time_after_the_clock_was_a_year_ahead(world):
    await world.do(
        "PutScheduledAction",
        **WHERE,
        ScheduledActionName="hourly",
        Schedule="rate(1 hour)",
        ScalableTargetAction={"MinCapacity": 5},
    )
    world.now += timedelta(days=365)
    await world.look()
    assert await world.desired() == 5
    await world.do("RegisterScalableTarget", **WHERE, MinCapacity=1)
    service = replace(await world.service(), desired_count=2)
    await world.put(SERVICES, [service])
    world.now = NOW
    world.begin_anew()
    assert await world.look() <= NOW + HOUR
    assert await world.desired() == 2
    world.now += HOUR
    await world.look()
    assert await world.desired() == 5
