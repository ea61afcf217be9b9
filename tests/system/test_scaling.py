"""Application Auto Scaling of a real server, on real containers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from balanced import Balanced
from openecs_server import eventually


@pytest.mark.system
def test_bounds_and_schedules_scale_a_service(services, quick_server):
    scaling = quick_server.client("application-autoscaling")
    services.started("web", services.define("web"))
    where = {
        "ServiceNamespace": "ecs",
        "ResourceId": f"service/{services.cluster}/web",
        "ScalableDimension": "ecs:service:DesiredCount",
    }

    def activities() -> list[dict]:
        named = {key: where[key] for key in ("ServiceNamespace", "ResourceId")}
        return scaling.describe_scaling_activities(**named)["ScalingActivities"]

    def newest(cause: str) -> dict:
        return next(a for a in activities() if a["Cause"] == cause)

    scaling.register_scalable_target(**where, MinCapacity=2, MaxCapacity=4)
    eventually(lambda: services.show("web")["runningCount"] == 2)
    eventually(lambda: newest("minimum capacity was set to 2")["StatusCode"] == "Successful")

    soon = datetime.now(UTC) + timedelta(seconds=4)
    scaling.put_scheduled_action(
        **where,
        ScheduledActionName="night",
        Schedule=f"at({soon:%Y-%m-%dT%H:%M:%S})",
        ScalableTargetAction={"MinCapacity": 0, "MaxCapacity": 1},
    )
    eventually(lambda: services.show("web")["runningCount"] == 1)
    eventually(lambda: newest("maximum capacity was set to 1")["StatusCode"] == "Successful")
    assert newest("scheduled action name night was triggered")["StatusCode"] == "Successful"

    services.delete("web", force=True)
    eventually(
        lambda: (
            not scaling.describe_scalable_targets(
                ServiceNamespace="ecs", ResourceIds=[where["ResourceId"]]
            )["ScalableTargets"]
        )
    )


@pytest.mark.system
@pytest.mark.timeout(150)
def test_a_metric_of_ones_own_brings_tasks_and_survives_a_kill(services, quick_server):
    scaling = quick_server.client("application-autoscaling")
    cloudwatch = quick_server.client("cloudwatch")
    services.started("web", services.define("web"))
    where = {
        "ServiceNamespace": "ecs",
        "ResourceId": f"service/{services.cluster}/web",
        "ScalableDimension": "ecs:service:DesiredCount",
    }
    scaling.register_scalable_target(**where, MinCapacity=1, MaxCapacity=3)
    policy = scaling.put_scaling_policy(
        **where,
        PolicyName="busy",
        PolicyType="StepScaling",
        StepScalingPolicyConfiguration={
            "AdjustmentType": "ChangeInCapacity",
            "StepAdjustments": [{"MetricIntervalLowerBound": 0, "ScalingAdjustment": 2}],
            "Cooldown": 300,
        },
    )["PolicyARN"]
    metric = {"Namespace": services.cluster, "MetricName": "Queue"}
    cloudwatch.put_metric_alarm(
        AlarmName=f"{services.cluster}-busy",
        **metric,
        Statistic="Maximum",
        Period=10,
        EvaluationPeriods=1,
        Threshold=10,
        ComparisonOperator="GreaterThanThreshold",
        AlarmActions=[policy],
    )

    def busy() -> bool:
        datum = {"MetricName": "Queue", "Value": 50.0, "StorageResolution": 1}
        cloudwatch.put_metric_data(Namespace=services.cluster, MetricData=[datum])
        return services.show("web")["runningCount"] == 3

    eventually(busy, within=90)
    (activity,) = (
        each
        for each in scaling.describe_scaling_activities(
            ServiceNamespace="ecs", ResourceId=where["ResourceId"]
        )["ScalingActivities"]
        if "monitor alarm" in each["Cause"]
    )
    assert activity["Description"] == "Setting desired count to 3."

    def most() -> list[float]:
        now = datetime.now(UTC)
        told = cloudwatch.get_metric_statistics(
            **metric,
            StartTime=now - timedelta(minutes=10),
            EndTime=now + timedelta(minutes=1),
            Period=600,
            Statistics=["Maximum"],
        )
        return [point["Maximum"] for point in told["Datapoints"]]

    assert most() == [50.0]
    quick_server.kill()
    quick_server.start()
    assert most() == [50.0]
    cloudwatch.delete_alarms(AlarmNames=[f"{services.cluster}-busy"])


@pytest.mark.system
@pytest.mark.timeout(150)
def test_requests_bring_tasks_and_metrics_tell_why(services, quick_server, request):
    scaling = quick_server.client("application-autoscaling")
    balanced = Balanced(services)
    request.addfinalizer(balanced.close)
    balanced.serve(1)
    where = {
        "ServiceNamespace": "ecs",
        "ResourceId": f"service/{services.cluster}/s",
        "ScalableDimension": "ecs:service:DesiredCount",
    }
    quick = {"openecs:scaling-period": "10", "openecs:scale-out-datapoints": "1"}
    scaling.register_scalable_target(**where, MinCapacity=1, MaxCapacity=2, Tags=quick)
    target = balanced.group.rpartition(":")[2]
    label = f"{balanced.arn.partition(':loadbalancer/')[2]}/{target}"
    scaling.put_scaling_policy(
        **where,
        PolicyName="requests",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={
            "TargetValue": 10,
            "PredefinedMetricSpecification": {
                "PredefinedMetricType": "ALBRequestCountPerTarget",
                "ResourceLabel": label,
            },
        },
    )

    def asked_enough() -> bool:
        balanced.answers(5)
        return services.show("s")["runningCount"] == 2

    eventually(asked_enough, within=90)
    now = datetime.now(UTC)

    def most(namespace: str, name: str, **named: str) -> float:
        told = quick_server.client("cloudwatch").get_metric_statistics(
            Namespace=namespace,
            MetricName=name,
            Dimensions=[{"Name": key, "Value": value} for key, value in named.items()],
            StartTime=now - timedelta(minutes=10),
            EndTime=now + timedelta(minutes=1),
            Period=600,
            Statistics=["Maximum"],
        )
        return max((point["Maximum"] for point in told["Datapoints"]), default=0)

    of = {"ClusterName": services.cluster, "ServiceName": "s"}
    assert most("AWS/ApplicationELB", "RequestCountPerTarget", TargetGroup=target) > 10 / 6

    def is_measured(name: str) -> bool:
        balanced.answers(5)
        return most("AWS/ECS", name, **of) > 0

    # How much CPU was used is known once the task has been looked at twice.
    for name in ("CPUUtilization", "MemoryUtilization"):
        eventually(lambda name=name: is_measured(name), within=40)
