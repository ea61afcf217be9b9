"""Deployments that are stopped midway, and task sets, on real containers."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from openecs_server import eventually
from services import RUNS

pytestmark = pytest.mark.system

SICK = RUNS | {"healthCheck": {"command": ["CMD-SHELL", "exit 1"], "interval": 5}}


@pytest.mark.covers("ecs:StopServiceDeployment", "ecs:ContinueServiceDeployment")
def test_a_deployment_that_is_stopped_goes_back(services):
    service = services.started("web", services.define("good"))
    (good,) = services.task_arns("web")
    updated = services.update("web", taskDefinition=services.define("sick", SICK))
    arn = updated["currentServiceDeployment"]
    with pytest.raises(ClientError, match="not associated with the given Resource ARN"):
        services.ecs.continue_service_deployment(serviceDeploymentArn=arn, hookId="ecs-PAUSE-1")
    services.running_of("web", 2)
    services.ecs.stop_service_deployment(serviceDeploymentArn=arn)
    back = services.stable("web")
    assert back["taskDefinition"] == service["taskDefinition"]
    assert services.task_arns("web") == [good], "the task that was good is still there"
    with pytest.raises(ClientError, match="ConflictException"):
        services.ecs.stop_service_deployment(serviceDeploymentArn=arn)


@pytest.mark.covers(
    "ecs:CreateTaskSet",
    "ecs:UpdateTaskSet",
    "ecs:DescribeTaskSets",
    "ecs:DeleteTaskSet",
    "ecs:UpdateServicePrimaryTaskSet",
)
def test_task_sets_of_an_external_service_place_real_tasks(services):
    ecs, here = services.ecs, {"cluster": services.cluster, "service": "web"}
    ecs.create_service(
        cluster=services.cluster,
        serviceName="web",
        desiredCount=3,
        deploymentController={"type": "EXTERNAL"},
    )
    half = {"value": 50, "unit": "PERCENT"}
    made = ecs.create_task_set(**here, taskDefinition=services.define("a"), scale=half)["taskSet"]
    assert made["computedDesiredCount"] == 2

    def steady(count: int) -> bool:
        (now,) = ecs.describe_task_sets(**here, taskSets=[made["id"]])["taskSets"]
        return now["stabilityStatus"] == "STEADY_STATE" and now["runningCount"] == count

    eventually(lambda: steady(2))
    assert services.agrees_with_the_engine("web", 2)
    whole = {"value": 100, "unit": "PERCENT"}
    ecs.update_task_set(**here, taskSet=made["id"], scale=whole)
    eventually(lambda: steady(3))
    ecs.update_service_primary_task_set(**here, primaryTaskSet=made["taskSetArn"])
    (shown,) = services.show("web")["taskSets"]
    assert (shown["status"], shown["runningCount"]) == ("PRIMARY", 3)
    ecs.delete_task_set(**here, taskSet=made["id"], force=True)
    eventually(lambda: not ecs.describe_task_sets(**here)["taskSets"])
    eventually(lambda: not services.containers())


@pytest.mark.covers("ecs:ListServicesByNamespace")
def test_there_are_no_namespaces(services):
    with pytest.raises(ClientError, match="NamespaceNotFoundException"):
        services.ecs.list_services_by_namespace(namespace="nowhere")
