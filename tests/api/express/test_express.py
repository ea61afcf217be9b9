"""Express services over the wire and through a database."""

from __future__ import annotations

import re

import pytest

ROLE = "arn:aws:iam::123456789012:role/express"
CONTAINER = {
    "image": "nginx",
    "containerPort": 8080,
    "environment": [{"name": "A", "value": "1"}],
    "command": ["serve"],
}
TARGET = {
    "minTaskCount": 2,
    "maxTaskCount": 4,
    "autoScalingMetric": "REQUEST_COUNT_PER_TARGET",
    "autoScalingTargetValue": 100,
}


def create(ecs, **changes) -> dict:
    request = {
        "serviceName": "web",
        "executionRoleArn": ROLE,
        "infrastructureRoleArn": ROLE,
        "primaryContainer": CONTAINER,
        "scalingTarget": TARGET,
        "healthCheckPath": "/health?deep=1",
        "tags": [{"key": "team", "value": "a"}],
    }
    return ecs.create_express_gateway_service(**{**request, **changes})["service"]


@pytest.mark.covers("ecs:CreateExpressGatewayService", "ecs:DescribeExpressGatewayService")
def test_what_is_asked_for_is_told(client):
    ecs, elb = client("ecs"), client("elbv2")
    arn = create(ecs)["serviceArn"]
    found = ecs.describe_express_gateway_service(serviceArn=arn)["service"]
    assert "tags" not in found
    assert found["status"] == {"statusCode": "ACTIVE"}
    (shown,) = found["activeConfigurations"]
    logs = shown["primaryContainer"].pop("awsLogsConfiguration")
    assert shown["primaryContainer"] == CONTAINER
    assert re.fullmatch("/aws/ecs/default/web-[0-9a-f]{4}", logs["logGroup"])
    assert logs["logStreamPrefix"] == "ecs"
    (group,) = client("logs").describe_log_groups()["logGroups"]
    assert group["logGroupName"] == logs["logGroup"]
    assert shown["scalingTarget"] == TARGET
    assert shown["healthCheckPath"] == "/health?deep=1"
    assert shown["executionRoleArn"] == found["infrastructureRoleArn"] == ROLE
    tagged = ecs.describe_express_gateway_service(serviceArn=arn, include=["TAGS"])["service"]
    assert tagged["tags"] == [{"key": "team", "value": "a"}]
    (cluster,) = ecs.describe_clusters()["clusters"]
    assert (cluster["clusterName"], cluster["capacityProviders"]) == ("default", ["FARGATE"])
    (balancer,) = elb.describe_load_balancers()["LoadBalancers"]
    (listener,) = elb.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
    assert (listener["Protocol"], listener["Port"]) == ("HTTPS", 443)
    tags = elb.describe_tags(ResourceArns=[balancer["LoadBalancerArn"]])["TagDescriptions"]
    assert tags[0]["Tags"] == [{"Key": "AmazonECSManaged", "Value": "true"}]
    groups = elb.describe_target_groups()["TargetGroups"]
    assert {group["HealthCheckPath"] for group in groups} == {"/health?deep=1"}
    assert {group["TargetType"] for group in groups} == {"ip"}
    with pytest.raises(elb.exceptions.ResourceInUseException):
        elb.delete_target_group(TargetGroupArn=groups[0]["TargetGroupArn"])


@pytest.mark.covers("ecs:UpdateExpressGatewayService", "ecs:DeleteExpressGatewayService")
def test_an_update_and_a_deletion(client):
    ecs = client("ecs")
    arn = create(ecs)["serviceArn"]
    updated = ecs.update_express_gateway_service(
        serviceArn=arn, cpu="512", memory="1024", scalingTarget={"minTaskCount": 3}
    )["service"]
    target = updated["targetConfiguration"]
    assert (target["cpu"], target["memory"]) == ("512", "1024")
    kept = target["primaryContainer"]
    assert kept.pop("awsLogsConfiguration")["logStreamPrefix"] == "ecs"
    assert kept == CONTAINER
    assert target["scalingTarget"] == TARGET | {"minTaskCount": 3}
    (service,) = ecs.describe_services(services=["web"])["services"]
    assert service["desiredCount"] == 3
    with pytest.raises(ecs.exceptions.InvalidParameterException, match="DeleteExpress"):
        ecs.delete_service(service="web", force=True)
    gone = ecs.delete_express_gateway_service(serviceArn=arn)["service"]
    assert gone["status"] == {"statusCode": "DRAINING"}
    with pytest.raises(ecs.exceptions.ServiceNotActiveException):
        ecs.update_express_gateway_service(serviceArn=arn, cpu="256")


@pytest.mark.covers("ecs:CreateExpressGatewayService", "ecs:UpdateExpressGatewayService")
def test_it_is_scaled_as_it_is_told(client):
    ecs, scaling = client("ecs"), client("application-autoscaling")
    arn = create(ecs)["serviceArn"]
    (target,) = scaling.describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"]
    assert (target["MinCapacity"], target["MaxCapacity"]) == (2, 4)
    (policy,) = policies(scaling)
    tracking = policy["TargetTrackingScalingPolicyConfiguration"]
    assert tracking["TargetValue"] == 100
    metric = tracking["PredefinedMetricSpecification"]
    assert metric["PredefinedMetricType"] == "ALBRequestCountPerTarget"
    served = ecs.describe_services(services=["web"])["services"][0]["loadBalancers"][0]
    group = served["targetGroupArn"].rpartition(":")[2]
    assert metric["ResourceLabel"].startswith("app/ecs-express-gateway-alb-")
    assert metric["ResourceLabel"].endswith(f"/{group}")
    managed = resources(ecs)
    (told,) = managed["autoScaling"]["applicationAutoScalingPolicies"]
    assert (told["metric"], told["targetValue"]) == ("ALBRequestCountPerTarget", 100)
    assert managed["autoScaling"]["scalableTarget"]["maxCapacity"] == 4
    assert len(managed["metricAlarms"]) == 3
    assert managed["logGroups"][0]["logGroupName"].startswith("/aws/ecs/default/web-")

    ecs.update_express_gateway_service(
        serviceArn=arn,
        scalingTarget={"autoScalingMetric": "AVERAGE_MEMORY", "maxTaskCount": 9},
    )
    (policy,) = policies(scaling)
    metric = policy["TargetTrackingScalingPolicyConfiguration"]["PredefinedMetricSpecification"]
    assert metric == {"PredefinedMetricType": "ECSServiceAverageMemoryUtilization"}
    ecs.delete_express_gateway_service(serviceArn=arn)
    assert scaling.describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"] == []
    (alarm,) = client("cloudwatch").describe_alarms()["MetricAlarms"]
    assert alarm["AlarmName"] == "default/web/RollbackAlarm"


def test_its_deployments_are_watched_by_an_alarm(client):
    ecs, watch = client("ecs"), client("cloudwatch")
    arn = create(ecs)["serviceArn"]
    (service,) = ecs.describe_services(services=["web"])["services"]
    named = {"alarmNames": ["default/web/RollbackAlarm"], "enable": True, "rollback": True}
    assert service["deploymentConfiguration"]["alarms"] == named
    (first,) = watch.describe_alarms(AlarmNamePrefix="default/")["MetricAlarms"]
    assert (first["EvaluationPeriods"], first["DatapointsToAlarm"]) == (3, 2)
    assert first["TreatMissingData"] == "notBreaching"
    ecs.update_express_gateway_service(serviceArn=arn, cpu="512", memory="1024")
    (then,) = watch.describe_alarms(AlarmNamePrefix="default/")["MetricAlarms"]
    assert canary(then) == primary(first)
    assert primary(then) == canary(first)


def canary(alarm: dict) -> dict:
    return queried(alarm, "m0_5xx")


def primary(alarm: dict) -> dict:
    return queried(alarm, "m1_5xx")


def queried(alarm: dict, named: str) -> dict:
    (found,) = (each for each in alarm["Metrics"] if each["Id"] == named)
    return found["MetricStat"]


def test_what_was_changed_elsewhere_stays_until_it_is_told_again(client):
    ecs, scaling = client("ecs"), client("application-autoscaling")
    arn = create(ecs)["serviceArn"]
    named = {
        "ServiceNamespace": "ecs",
        "ResourceId": "service/default/web",
        "ScalableDimension": "ecs:service:DesiredCount",
    }
    scaling.register_scalable_target(**named, MinCapacity=1, MaxCapacity=30)
    ecs.update_express_gateway_service(serviceArn=arn, healthCheckPath="/other")
    (target,) = scaling.describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"]
    assert target["MaxCapacity"] == 30
    ecs.update_express_gateway_service(serviceArn=arn, scalingTarget={"maxTaskCount": 5})
    (target,) = scaling.describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"]
    assert (target["MinCapacity"], target["MaxCapacity"]) == (2, 5)
    scaling.deregister_scalable_target(**named)
    assert "autoScaling" not in resources(ecs)
    ecs.delete_express_gateway_service(serviceArn=arn)


def policies(scaling) -> list[dict]:
    return scaling.describe_scaling_policies(ServiceNamespace="ecs")["ScalingPolicies"]


def resources(ecs) -> dict:
    """What was made for the service's newest revision."""
    arn = "arn:aws:ecs:eu-central-1:123456789012:service/default/web"
    shown = ecs.describe_express_gateway_service(serviceArn=arn)["service"]
    revision = shown["activeConfigurations"][0]["serviceRevisionArn"]
    found = ecs.describe_service_revisions(serviceRevisionArns=[revision])["serviceRevisions"]
    return found[0]["ecsManagedResources"]


def test_its_container_logs_where_it_is_told_to(client):
    ecs = client("ecs")
    logs = {"logGroup": "/a", "logStreamPrefix": "ecs"}
    create(ecs, primaryContainer=CONTAINER | {"awsLogsConfiguration": logs})
    (arn,) = ecs.list_task_definitions()["taskDefinitionArns"]
    definition = ecs.describe_task_definition(taskDefinition=arn)["taskDefinition"]
    assert definition["containerDefinitions"][0]["logConfiguration"] == {
        "logDriver": "awslogs",
        "options": {
            "awslogs-group": "/a",
            "awslogs-region": "eu-central-1",
            "awslogs-stream-prefix": "ecs",
        },
    }


def test_what_is_not_there_or_may_not_be(client):
    ecs = client("ecs")
    arn = "arn:aws:ecs:eu-central-1:123456789012:service/default/web"
    with pytest.raises(ecs.exceptions.ResourceNotFoundException):
        ecs.describe_express_gateway_service(serviceArn=arn)
    with pytest.raises(ecs.exceptions.ServiceNotFoundException):
        ecs.update_express_gateway_service(serviceArn=arn)
    with pytest.raises(ecs.exceptions.ServiceNotFoundException):
        ecs.delete_express_gateway_service(serviceArn=arn)
    with pytest.raises(ecs.exceptions.ClusterNotFoundException):
        create(ecs, cluster="other")
    with pytest.raises(ecs.exceptions.ClientException, match="Role is not valid"):
        create(ecs, infrastructureRoleArn="me")
    # Nothing is left of what was refused.
    assert client("elbv2").describe_load_balancers()["LoadBalancers"] == []
    assert ecs.list_task_definitions()["taskDefinitionArns"] == []
