"""The loop that scales services: what is due is done once, whole, and told."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from openecs.api.base import ApiSettings
from openecs.control.lease import LeaseLost
from openecs.loops.controller import Again
from openecs.model.metrics import Metric, Sample, of_value
from openecs.model.services import ServiceStatus
from openecs.model.tasks import TaskStatus
from openecs.store.alarms import METRIC_ALARMS
from openecs.store.kinds import SERVICES, TASKS
from openecs.store.scaling import SCALABLE_TARGETS, SCHEDULED_ACTIONS
from openecs.testing.builders import NOW, SCOPE
from openecs.testing.service_world import a_service_task
from scaled_world import WHERE, Scaled


@pytest.fixture
def world():
    return Scaled()


async def test_an_alarm_scales_the_service_once_and_says_so(world):
    await world.begin()
    await world.track()
    await world.measured(100)
    await world.alarm("High")
    await world.look()
    await world.look()
    service = await world.service()
    assert (service.desired_count, service.deployments[0].desired_count) == (4, 4)
    (activity,) = await world.activities()
    assert activity["Cause"].startswith("monitor alarm TargetTracking-service/default/web-AlarmHi")
    assert activity["Cause"].endswith(" in state ALARM triggered policy cpu")
    assert activity["StatusCode"] == "InProgress"


async def test_metric_math_is_tracked(world):
    await world.begin()
    stat = {"Metric": {"Namespace": "Shop", "MetricName": "Queued"}, "Stat": "Sum"}
    metrics = [
        {"Id": "queued", "MetricStat": stat, "ReturnData": False},
        {"Id": "half", "Expression": "queued / 2"},
    ]
    await world.do(
        "PutScalingPolicy",
        **WHERE,
        PolicyName="backlog",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={
            "TargetValue": 50.0,
            "CustomizedMetricSpecification": {"Metrics": metrics},
        },
    )
    at = world.now - timedelta(seconds=70)
    metric = Metric(SCOPE, "Shop", "Queued")
    await world.metrics.put([Sample(metric=metric, timestamp=at, statistics=of_value(200.0))])
    await world.alarm("AlarmHigh")
    await world.look()
    assert await world.desired() == 4


async def test_a_change_is_successful_when_as_many_tasks_run(world):
    await world.begin(least=3)
    await world.look()
    assert (await world.activities())[0]["StatusCode"] == "InProgress"
    tasks = [a_service_task(n, last_status=TaskStatus.RUNNING) for n in range(1, 4)]
    await world.put(TASKS, tasks)
    await world.look()
    (activity,) = await world.activities()
    assert (activity["StatusCode"], activity["StatusMessage"]) == (
        "Successful",
        "Successfully set desired count to 3. Change successfully fulfilled by ecs.",
    )


async def test_without_a_value_nothing_is_scaled(world):
    await world.begin()
    await world.track()
    await world.alarm("High")
    assert await world.look() == NOW + timedelta(seconds=10)
    assert await world.desired() == 2


async def test_why_nothing_was_scaled_is_told_once(world):
    await world.begin(most=2)
    await world.track()
    await world.alarm("High")
    for minute in range(3):
        world.now = NOW + timedelta(minutes=minute)
        await world.measured(100)
        await world.look()
    assert await world.activities() == []
    (told,) = await world.activities(IncludeNotScaledActivities=True)
    assert told["NotScaledReasons"] == [
        {"Code": "AlreadyAtMaxCapacity", "MaxCapacity": 2, "CurrentCapacity": 2}
    ]


async def test_a_scheduled_action_that_was_missed_often_is_done_once(world):
    await world.begin()
    await world.do(
        "PutScheduledAction",
        **WHERE,
        ScheduledActionName="hourly",
        Schedule="rate(1 hour)",
        ScalableTargetAction={"MinCapacity": 5, "MaxCapacity": 8},
    )
    assert await world.look() == NOW + timedelta(hours=1)
    world.now = NOW + timedelta(hours=3, minutes=1)
    await world.look()
    assert await world.desired() == 5
    set_count, set_bounds = sorted(await world.activities(), key=lambda a: a["Description"][8:9])
    assert set_count["Cause"] == "minimum capacity was set to 5"
    assert set_bounds["Description"] == "Setting min capacity to 5 and max capacity to 8"
    assert set_bounds["Cause"] == "scheduled action name hourly was triggered"
    (action,) = await world.store.read(lambda view: view.scan(SCHEDULED_ACTIONS, SCOPE))
    assert action.next_at == NOW + timedelta(hours=4)


async def test_what_is_suspended_is_missed_for_good(world):
    await world.begin()
    await world.do(
        "RegisterScalableTarget", **WHERE, SuspendedState={"ScheduledScalingSuspended": True}
    )
    await world.do(
        "PutScheduledAction",
        **WHERE,
        ScheduledActionName="once",
        Schedule=f"at({NOW + timedelta(hours=1):%Y-%m-%dT%H:%M:%S})",
        ScalableTargetAction={"MinCapacity": 5},
    )
    world.now = NOW + timedelta(hours=2)
    assert await world.look() is None
    assert await world.desired() == 2


async def test_a_target_goes_with_its_service(world):
    await world.begin()
    await world.track()
    await world.put(SERVICES, [replace(await world.service(), status=ServiceStatus.INACTIVE)])
    await world.look()
    for kind in (SCALABLE_TARGETS, METRIC_ALARMS):
        assert not await world.store.read(lambda view, kind=kind: view.scan(kind, SCOPE))


async def test_who_has_lost_the_lease_scales_nothing():
    def lost(_):
        raise LeaseLost

    world = Scaled(guard=lost)
    await world.begin()
    await world.track()
    await world.measured(100)
    await world.alarm("High")
    with pytest.raises(Again):
        await world.look()
    assert await world.desired() == 2


async def test_the_installation_says_how_fast_target_tracking_looks_unless_a_target_does(world):
    await world.begin()
    settings = ApiSettings(scaling_period=10, scale_out_datapoints=2, scale_in_datapoints=12)
    world.call = replace(world.call, settings=settings)
    await world.track()
    assert await paces(world) == {(10, 2), (10, 12)}
    (target,) = await world.store.read(lambda view: view.scan(SCALABLE_TARGETS, SCOPE))
    tags = {"openecs:scaling-period": "30"}
    await world.do("TagResource", ResourceARN=target.arn, Tags=tags)
    assert await paces(world) == {(30, 2), (30, 12)}
    await world.do("UntagResource", ResourceARN=target.arn, TagKeys=list(tags))
    assert await paces(world) == {(10, 2), (10, 12)}


async def paces(world):
    alarms = await world.store.read(lambda view: view.scan(METRIC_ALARMS, SCOPE))
    return {(alarm.period, alarm.evaluation_periods) for alarm in alarms}
