"""Policies tried on a modelled service, by the code that scales real ones."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from openecs.simulation import scenario
from openecs.simulation.outcome import summary
from openecs.simulation.plant import Model
from openecs.simulation.scenario import BadScenario
from openecs.simulation.traces import Trace
from openecs.simulation.world import STEP, Setting, simulate

START = datetime(2026, 1, 5, tzinfo=UTC)
CPU = {"PredefinedMetricType": "ECSServiceAverageCPUUtilization"}


def tracking(metric: dict | None = None, target: float = 50.0, **more) -> dict:
    return {
        "PolicyName": "track",
        "PolicyType": "TargetTrackingScaling",
        "TargetTrackingScalingPolicyConfiguration": {
            "TargetValue": target,
            "PredefinedMetricSpecification": metric or CPU,
            **more,
        },
    }


STEPS = [
    {
        "PolicyName": "steps",
        "PolicyType": "StepScaling",
        "StepScalingPolicyConfiguration": {
            "AdjustmentType": "ChangeInCapacity",
            "Cooldown": 60,
            "StepAdjustments": [{"MetricIntervalLowerBound": 0, "ScalingAdjustment": 3}],
        },
    },
    {
        "AlarmName": "busy",
        "Namespace": "AWS/ECS",
        "MetricName": "CPUUtilization",
        "Dimensions": [
            {"Name": "ClusterName", "Value": "simulated"},
            {"Name": "ServiceName", "Value": "service"},
        ],
        "Statistic": "Average",
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 70,
        "ComparisonOperator": "GreaterThanThreshold",
        "AlarmActions": [
            "arn:aws:autoscaling:eu-west-1:1:scalingPolicy:x:resource/ecs/service/c/s:policyName/steps"
        ],
    },
]
NIGHTS = {
    "ScheduledActionName": "night",
    "Schedule": "cron(30 0 * * ? *)",
    "ScalableTargetAction": {"MinCapacity": 4},
}


@pytest.fixture
def run(tmp_path):
    """Simulates a load of some points under some requests."""

    async def simulated(*points, asked=(), deployments=(), least=1, most=20):
        path = tmp_path / "requests.json"
        path.write_text(json.dumps(list(asked)))
        setting = Setting(
            trace=Trace(tuple((60.0 * minute, rate) for minute, rate in points)),
            model=Model(requests_per_task=100.0),
            minimum=least,
            maximum=most,
            start=START,
            deployments=deployments,
        )
        return await simulate(setting, scenario.read([path]))

    return simulated


async def test_a_steady_load_settles_at_the_target(run):
    moments = await run((0, 500.0), (60, 500.0), asked=[tracking(target=50.0)])
    # Ten would be at 51 percent: an idle task uses two.
    assert moments[-1].running == 11
    half_an_hour = moments[len(moments) // 2 :]
    assert {moment.desired for moment in half_an_hour} == {11}


async def test_capacity_stays_within_its_bounds(run):
    moments = await run(
        (0, 0.0), (20, 5000.0), (40, 5000.0), (41, 0.0), (90, 0.0), asked=[tracking()], most=7
    )
    assert {moment.desired for moment in moments} <= set(range(1, 8))
    assert max(moment.desired for moment in moments) == 7
    assert moments[-1].desired < 7


async def test_without_policies_nothing_changes(run):
    moments = await run((0, 500.0), (30, 500.0), least=2)
    assert {moment.desired for moment in moments} == {2}
    told = summary(moments, STEP)
    assert told.missed_percent == pytest.approx(60.0)
    assert told.scale_outs == told.scale_ins == 0


async def test_steps_by_an_alarm_that_names_the_policy_of_another_account(run):
    moments = await run((0, 500.0), (10, 500.0), asked=STEPS)
    assert sorted({moment.desired for moment in moments}) == [1, 4, 7, 10]


async def test_the_clock_sets_bounds(run):
    moments = await run((0, 1.0), (60, 1.0), asked=[NIGHTS])
    before, after = moments[len(moments) // 2 - 6], moments[-1]
    assert (before.desired, after.desired) == (1, 4)


async def test_requests_per_target_are_tracked(run):
    metric = {"PredefinedMetricType": "ALBRequestCountPerTarget", "ResourceLabel": "mine"}
    moments = await run((0, 300.0), (30, 300.0), asked=[tracking(metric, 3000.0)])
    assert moments[-1].running == 6


async def test_nothing_is_scaled_in_during_a_deployment(run):
    points = ((0, 500.0), (20, 500.0), (21, 0.0), (60, 0.0))
    calm = await run(*points, asked=[tracking()])
    begins = next(m.seconds for m in calm if m.seconds > 1300 and m.desired < 10)
    busy = await run(*points, asked=[tracking()], deployments=[begins - 60.0])
    held = next(m.seconds for m in busy if m.seconds > 1300 and m.desired < 10)
    assert held > begins
    assert max(m.present for m in busy) > max(m.present for m in calm)


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ({}, "none of PolicyName"),
        ([1], "is an object, not int"),
        ({"PolicyName": "x", "PolicyType": 7}, "Invalid type for parameter PolicyType"),
        ({"PolicyName": "x", "PolicyType": "None"}, "ValidationException: Invalid policy type"),
        ([STEPS[0], STEPS[1] | {"Dimensions": []}], "the simulated service has the metrics"),
        ({"MinCapacity": 30}, "Maximum capacity cannot be less than minimum capacity"),
    ],
)
async def test_what_cannot_be_tried_is_told(run, asked, why):
    given = asked if isinstance(asked, list) else [asked]
    with pytest.raises(BadScenario, match=why):
        await run((0, 1.0), (1, 1.0), asked=given)
