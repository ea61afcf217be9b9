"""Scalable targets, policies, scheduled actions and activities over the wire."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest
from botocore.exceptions import ClientError

from openecs.model.alarms import Comparison
from openecs.store.alarms import METRIC_ALARMS
from openecs.store.kinds import SERVICES

from .conftest import SCOPE

WHERE = {
    "ServiceNamespace": "ecs",
    "ResourceId": "service/default/web",
    "ScalableDimension": "ecs:service:DesiredCount",
}
IDENTITY = {key: WHERE[key] for key in ("ServiceNamespace", "ResourceId")}
CPU = {
    "TargetValue": 70.0,
    "PredefinedMetricSpecification": {"PredefinedMetricType": "ECSServiceAverageCPUUtilization"},
}
STEPS = {
    "AdjustmentType": "ChangeInCapacity",
    "StepAdjustments": [{"MetricIntervalLowerBound": 0.0, "ScalingAdjustment": 2}],
    "Cooldown": 30,
}


def refused(call, **members) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(**members)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def register(scaling, least=1, most=4, **members):
    return scaling.register_scalable_target(
        **WHERE, MinCapacity=least, MaxCapacity=most, **members
    )["ScalableTargetARN"]


def track(scaling, name="cpu", configuration=CPU):
    return scaling.put_scaling_policy(
        **WHERE,
        PolicyName=name,
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration=configuration,
    )


def alarms_in(store):
    return asyncio.run(store.read(lambda view: view.scan(METRIC_ALARMS, SCOPE)))


def desired(store) -> int:
    found = asyncio.run(store.read(lambda view: view.get(SERVICES, SCOPE, "default/web")))
    return found.desired_count


@pytest.mark.covers(
    "application-autoscaling:RegisterScalableTarget",
    "application-autoscaling:DescribeScalableTargets",
)
def test_a_target_is_registered_changed_and_shown(scaling):
    arn = register(scaling)
    scaling.register_scalable_target(
        **WHERE, MaxCapacity=9, SuspendedState={"DynamicScalingInSuspended": True}
    )
    (shown,) = scaling.describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"]
    assert shown["ScalableTargetARN"] == arn
    assert len(arn.rpartition("/")[2]) == 36
    assert (shown["MinCapacity"], shown["MaxCapacity"]) == (1, 9)
    assert shown["SuspendedState"]["DynamicScalingInSuspended"] is True
    assert shown["RoleARN"].endswith("AWSServiceRoleForApplicationAutoScaling_ECSService")


def test_a_service_outside_the_bounds_is_brought_between_them_at_registration(scaling, store):
    register(scaling, 3, 5)
    assert desired(store) == 3
    register(scaling, 0, 1)
    assert desired(store) == 1
    newest, older = scaling.describe_scaling_activities(**IDENTITY)["ScalingActivities"]
    assert newest["Cause"] == "maximum capacity was set to 1"
    assert newest["Description"] == "Setting desired count to 1."
    assert (older["StatusCode"], newest["StatusCode"]) == ("Overridden", "InProgress")


def test_what_cannot_be_scaled_is_refused(scaling):
    gone = WHERE | {"ResourceId": "service/default/gone"}
    bounds = {"MinCapacity": 1, "MaxCapacity": 2}
    assert refused(scaling.register_scalable_target, **gone, **bounds) == (
        "ValidationException",
        "ECS service doesn't exist: service/default/gone",
    )
    other = {
        "ServiceNamespace": "dynamodb",
        "ResourceId": "table/t",
        "ScalableDimension": "dynamodb:table:ReadCapacityUnits",
    }
    assert refused(scaling.register_scalable_target, **other, **bounds) == (
        "ValidationException",
        "Unsupported service namespace, resource type or scalable dimension",
    )
    assert refused(scaling.register_scalable_target, **WHERE, MinCapacity=3, MaxCapacity=2) == (
        "ValidationException",
        "Maximum capacity cannot be less than minimum capacity",
    )
    code, message = refused(scaling.put_scaling_policy, **WHERE, PolicyName="p")
    assert code == "ObjectNotFoundException"
    assert message == (
        "No scalable target registered for service namespace: ecs, resource ID:"
        " service/default/web, scalable dimension: ecs:service:DesiredCount"
    )


@pytest.mark.covers("application-autoscaling:PutScalingPolicy")
def test_target_tracking_makes_its_alarms(scaling, store):
    register(scaling)
    answer = track(scaling)
    high, low = alarms_in(store)
    assert [alarm["AlarmName"] for alarm in answer["Alarms"]] == [high.name, low.name]
    assert high.name.startswith("TargetTracking-service/default/web-AlarmHigh-")
    assert low.name.startswith("TargetTracking-service/default/web-AlarmLow-")
    assert (high.threshold, low.threshold) == (70, 63)
    assert (high.comparison, low.comparison) == (Comparison.GREATER, Comparison.LESS)
    assert (high.evaluation_periods, low.evaluation_periods) == (3, 15)
    assert high.metric == low.metric
    assert high.metric.dimensions == (("ClusterName", "default"), ("ServiceName", "web"))
    (action,) = high.actions.alarm
    assert action.startswith(f"{answer['PolicyARN']}:createdBy/")
    assert track(scaling, configuration=CPU | {"DisableScaleIn": True})["Alarms"] == [
        answer["Alarms"][0]
    ]
    assert len(alarms_in(store)) == 1


def test_tags_of_a_target_make_target_tracking_look_faster(scaling, store):
    arn = register(scaling)
    track(scaling)
    tags = {
        "openecs:scaling-period": "10",
        "openecs:scale-out-datapoints": "1",
        "openecs:scale-in-datapoints": "6",
    }
    scaling.tag_resource(ResourceARN=arn, Tags=tags)
    assert [(a.period, a.evaluation_periods) for a in alarms_in(store)] == [(10, 1), (10, 6)]
    bad = {"openecs:scaling-period": "7"}
    assert refused(scaling.tag_resource, ResourceARN=arn, Tags=bad)[0] == "ValidationException"


@pytest.mark.covers(
    "application-autoscaling:TagResource",
    "application-autoscaling:UntagResource",
    "application-autoscaling:ListTagsForResource",
)
def test_tags_come_and_go(scaling):
    arn = register(scaling, Tags={"team": "web"})
    scaling.tag_resource(ResourceARN=arn, Tags={"stage": "test"})
    scaling.untag_resource(ResourceARN=arn, TagKeys=["team"])
    assert scaling.list_tags_for_resource(ResourceARN=arn)["Tags"] == {"stage": "test"}
    code, _ = refused(scaling.list_tags_for_resource, ResourceARN=f"{arn}x")
    assert code == "ResourceNotFoundException"


@pytest.mark.covers(
    "application-autoscaling:DescribeScalingPolicies",
    "application-autoscaling:DeleteScalingPolicy",
)
def test_policies_are_shown_as_put_and_go_with_their_alarms(scaling, store):
    register(scaling)
    label = "app/front/0123456789abcdef/targetgroup/web/fedcba9876543210"
    requests = {
        "TargetValue": 600.0,
        "PredefinedMetricSpecification": {
            "PredefinedMetricType": "ALBRequestCountPerTarget",
            "ResourceLabel": label,
        },
        "ScaleOutCooldown": 10,
        "ScaleInCooldown": 20,
        "DisableScaleIn": True,
    }
    track(scaling, "requests", requests)
    scaling.put_scaling_policy(
        **WHERE,
        PolicyName="steps",
        PolicyType="StepScaling",
        StepScalingPolicyConfiguration=STEPS,
    )
    first, second = scaling.describe_scaling_policies(**IDENTITY)["ScalingPolicies"]
    assert first["TargetTrackingScalingPolicyConfiguration"] == requests
    assert second["StepScalingPolicyConfiguration"] == STEPS | {"MetricAggregationType": "Average"}
    (alarm,) = alarms_in(store)
    assert alarm.metric.dimensions == (("TargetGroup", "targetgroup/web/fedcba9876543210"),)
    scaling.delete_scaling_policy(**WHERE, PolicyName="requests")
    assert not alarms_in(store)
    code, _ = refused(scaling.delete_scaling_policy, **WHERE, PolicyName="requests")
    assert code == "ObjectNotFoundException"


@pytest.mark.parametrize(
    "steps",
    [
        [(0.0, 10.0, 1), (20.0, None, 2)],
        [(0.0, 20.0, 1), (10.0, None, 2)],
        [(0.0, 10.0, 1)],
        [(-10.0, 0.0, -1)],
    ],
)
def test_steps_with_gaps_overlaps_or_open_ends_are_refused(scaling, steps):
    register(scaling)
    names = ("MetricIntervalLowerBound", "MetricIntervalUpperBound", "ScalingAdjustment")
    given = [
        {name: value for name, value in zip(names, step, strict=True) if value is not None}
        for step in steps
    ]
    code, _ = refused(
        scaling.put_scaling_policy,
        **WHERE,
        PolicyName="steps",
        PolicyType="StepScaling",
        StepScalingPolicyConfiguration=STEPS | {"StepAdjustments": given},
    )
    assert code == "ValidationException"


def test_one_policy_tracks_a_metric_and_its_type_stays(scaling):
    register(scaling)
    track(scaling)
    with pytest.raises(ClientError, match="Only one TargetTrackingScaling policy"):
        track(scaling, "again")
    code, _ = refused(
        scaling.put_scaling_policy,
        **WHERE,
        PolicyName="cpu",
        PolicyType="StepScaling",
        StepScalingPolicyConfiguration=STEPS,
    )
    assert code == "ValidationException"
    code, message = refused(
        scaling.put_scaling_policy, **WHERE, PolicyName="p", PolicyType="PredictiveScaling"
    )
    assert message == "OpenECS does not build predictive scaling yet."


def backlog(expression="queued / FILL(tasks, 1)"):
    def metric(id_, name):
        where = {"Namespace": "Shop", "MetricName": name}
        stat = {"Metric": {**where, "Dimensions": []}, "Stat": "Average", "Unit": "Count"}
        return {"Id": id_, "MetricStat": stat, "ReturnData": False}

    told = {"Id": "backlog", "Expression": expression, "Label": "each", "ReturnData": True}
    metrics = [metric("queued", "Queued"), metric("tasks", "Tasks"), told]
    return {"TargetValue": 10.0, "CustomizedMetricSpecification": {"Metrics": metrics}}


@pytest.mark.covers("application-autoscaling:PutScalingPolicy")
def test_target_tracking_of_metric_math(scaling, store):
    arn = register(scaling)
    track(scaling, configuration=backlog())
    (shown,) = scaling.describe_scaling_policies(ServiceNamespace="ecs")["ScalingPolicies"]
    configured = shown["TargetTrackingScalingPolicyConfiguration"]
    assert configured == {**backlog(), "DisableScaleIn": False}
    high, low = alarms_in(store)
    assert (high.metric, high.queries) == (None, low.queries)
    assert [each.expression for each in high.queries] == [None, None, "queued / FILL(tasks, 1)"]
    assert {each.stat.period for each in high.queries if each.stat} == {60}
    scaling.tag_resource(ResourceARN=arn, Tags={"openecs:scaling-period": "10"})
    assert {alarm.period for alarm in alarms_in(store)} == {60}


def test_metric_math_that_cannot_be_tracked(scaling):
    register(scaling)

    def problem(configuration):
        code, message = refused(track, scaling=scaling, configuration=configuration)
        assert code == "ValidationException"
        return message

    assert "it ends too early" in problem(backlog("queued /"))
    assert "a single time series" in problem(backlog("METRICS()"))
    assert "SEARCH is not supported" in problem(backlog("SUM(SEARCH('{A} b', 'Sum', 60))"))

    def changed(**members):
        configuration = backlog()
        metrics = configuration["CustomizedMetricSpecification"]["Metrics"]
        metrics[0] = {**metrics[0], **members}
        return configuration

    assert "must return data" in problem(changed(ReturnData=True))
    assert "must be unique" in problem(changed(Id="tasks"))
    assert "lowercase" in problem(changed(Id="Queued"))
    assert "either a MetricStat or an Expression" in problem(changed(Expression="tasks"))
    configuration = backlog()
    configuration["CustomizedMetricSpecification"]["Namespace"] = "Shop"
    assert "single metric" in problem(configuration)


@pytest.mark.covers(
    "application-autoscaling:PutScheduledAction",
    "application-autoscaling:DescribeScheduledActions",
    "application-autoscaling:DeleteScheduledAction",
)
def test_scheduled_actions_are_put_changed_and_removed(scaling):
    register(scaling)
    scaling.put_scheduled_action(
        **WHERE,
        ScheduledActionName="morning",
        Schedule="cron(0 9 ? * MON-FRI *)",
        Timezone="Europe/Berlin",
        ScalableTargetAction={"MinCapacity": 3},
    )
    end = datetime(2099, 1, 1, tzinfo=UTC)
    scaling.put_scheduled_action(**WHERE, ScheduledActionName="morning", EndTime=end)
    (shown,) = scaling.describe_scheduled_actions(**IDENTITY)["ScheduledActions"]
    assert (shown["Schedule"], shown["Timezone"]) == ("cron(0 9 ? * MON-FRI *)", "Europe/Berlin")
    assert shown["EndTime"] == end
    assert shown["ScalableTargetAction"] == {"MinCapacity": 3}
    scaling.delete_scheduled_action(**WHERE, ScheduledActionName="morning")
    assert not scaling.describe_scheduled_actions(**IDENTITY)["ScheduledActions"]


@pytest.mark.parametrize(
    "changes",
    [
        {"Schedule": "cron(0 9 * * *)"},
        {"Timezone": "Europe/Atlantis"},
        {"Schedule": "at(2020-01-01T00:00:00)"},
        {"ScalableTargetAction": {"MinCapacity": 3, "MaxCapacity": 2}},
        {"ScheduledActionName": "a:b"},
    ],
)
def test_scheduled_actions_that_cannot_be_meant_are_refused(scaling, changes):
    register(scaling)
    given = {
        "ScheduledActionName": "a",
        "Schedule": "rate(1 hour)",
        "ScalableTargetAction": {"MinCapacity": 3},
    }
    code, _ = refused(scaling.put_scheduled_action, **WHERE, **(given | changes))
    assert code == "ValidationException"


@pytest.mark.covers(
    "application-autoscaling:DeregisterScalableTarget",
    "application-autoscaling:DescribeScalingActivities",
)
def test_a_target_goes_with_all_it_has(scaling, store):
    register(scaling)
    track(scaling)
    scaling.deregister_scalable_target(**WHERE)
    assert not alarms_in(store)
    assert not scaling.describe_scaling_policies(ServiceNamespace="ecs")["ScalingPolicies"]
    assert not scaling.describe_scaling_activities(ServiceNamespace="ecs")["ScalingActivities"]
    code, _ = refused(scaling.deregister_scalable_target, **WHERE)
    assert code == "ObjectNotFoundException"
