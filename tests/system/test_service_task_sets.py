"""Deployments that are stopped midway, and task sets, on real containers."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from openecs.testing.traffic import traffic
from openecs_server import eventually
from services import RUNS
from shifted import Shifted, says

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


@pytest.fixture
def shifted(services):
    shifted = Shifted(services)
    yield shifted
    shifted.close()


class Sets:
    """The task sets of an EXTERNAL service ``s``, each behind a target group of its own."""

    def __init__(self, shifted: Shifted, count: int) -> None:
        self.shifted, self.ecs = shifted, shifted.services.ecs
        self.here = {"cluster": shifted.services.cluster, "service": "s"}
        self.ecs.create_service(
            cluster=self.here["cluster"],
            serviceName="s",
            desiredCount=count,
            deploymentController={"type": "EXTERNAL"},
        )

    def create(self, word: str, group: str, percent: int) -> str:
        """The id of a new one, whose tasks answer with the word."""
        made = self.ecs.create_task_set(
            **self.here,
            taskDefinition=self.shifted.services.define(word, says(word)),
            scale={"value": percent, "unit": "PERCENT"},
            loadBalancers=[{"targetGroupArn": group, "containerName": "app", "containerPort": 80}],
        )
        return made["taskSet"]["id"]

    def steady(self, name: str, count: int) -> None:
        """Wait until one is steady with so many tasks."""

        def look() -> bool:
            (now,) = self.ecs.describe_task_sets(**self.here, taskSets=[name])["taskSets"]
            return now["stabilityStatus"] == "STEADY_STATE" and now["runningCount"] == count

        eventually(look, within=60)

    def scale(self, name: str, percent: int) -> None:
        """Have one run another share of the service's tasks."""
        scale = {"value": percent, "unit": "PERCENT"}
        self.ecs.update_task_set(**self.here, taskSet=name, scale=scale)

    def delete(self, name: str) -> None:
        """Have one go, and wait until it has."""
        self.ecs.delete_task_set(**self.here, taskSet=name, force=True)

        def gone() -> bool:
            found = self.ecs.describe_task_sets(**self.here)["taskSets"]
            return name not in {each["id"] for each in found}

        eventually(gone, within=60)


@pytest.mark.timeout(150)
def test_task_sets_behind_target_groups_change_places_without_a_failed_request(shifted):
    shifted.active()
    sets = Sets(shifted, 2)
    blue = sets.create("blue", shifted.group, 100)
    sets.steady(blue, 2)
    eventually(lambda: set(shifted.answers(4)) == {"blue"})
    with traffic(f"http://127.0.0.1:{shifted.port}/", host=shifted.host) as load:
        green = sets.create("green", shifted.alternate, 50)
        sets.steady(green, 1)
        shifted.shift(50, 50)
        eventually(lambda: set(shifted.answers(40)) == {"blue", "green"})
        sets.scale(green, 100)
        sets.steady(green, 2)
        shifted.shift(0, 100)
        sets.ecs.update_service_primary_task_set(**sets.here, primaryTaskSet=green)
        eventually(lambda: set(shifted.answers(10)) == {"green"})
        sets.scale(blue, 50)
        sets.steady(blue, 1)
        sets.delete(blue)
    assert load.failures == []
    assert set(load.bodies) == {"blue", "green"}


@pytest.mark.covers("ecs:ListServicesByNamespace")
def test_there_are_no_namespaces(services):
    with pytest.raises(ClientError, match="NamespaceNotFoundException"):
        services.ecs.list_services_by_namespace(namespace="nowhere")
