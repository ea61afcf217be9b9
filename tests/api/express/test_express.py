"""Express services over the wire and through a database."""

from __future__ import annotations

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
    assert shown["primaryContainer"] == CONTAINER
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
    assert target["primaryContainer"] == CONTAINER
    assert target["scalingTarget"] == TARGET | {"minTaskCount": 3}
    (service,) = ecs.describe_services(services=["web"])["services"]
    assert service["desiredCount"] == 3
    with pytest.raises(ecs.exceptions.InvalidParameterException, match="DeleteExpress"):
        ecs.delete_service(service="web", force=True)
    gone = ecs.delete_express_gateway_service(serviceArn=arn)["service"]
    assert gone["status"] == {"statusCode": "DRAINING"}
    with pytest.raises(ecs.exceptions.ServiceNotActiveException):
        ecs.update_express_gateway_service(serviceArn=arn, cpu="256")


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
