"""What changes in a service, and what of it reaches its tasks: protection, tags, scaling."""

import pytest
from botocore.exceptions import ClientError

from openecs_server import eventually

pytestmark = [pytest.mark.system, pytest.mark.timeout(120)]


@pytest.mark.covers("ecs:UpdateTaskProtection", "ecs:GetTaskProtection")
def test_a_protected_task_outlives_scaling_in_and_a_deployment(services):
    services.started("s", services.define("f"), 3)
    kept = services.tasks_of("s")[-1]["taskArn"]
    protected = services.ecs.update_task_protection(
        cluster=services.cluster, tasks=[kept], protectionEnabled=True, expiresInMinutes=5
    )
    assert protected["failures"] == []
    assert protected["protectedTasks"][0]["protectionEnabled"] is True
    services.update("s", desiredCount=1)
    (left,) = services.running_of("s", 1)
    assert left["taskArn"] == kept
    services.update("s", desiredCount=0)
    held = services.said("s", "protected tasks are more than the desired count")
    assert held.startswith(
        "(service s) was unable to reach steady state because task set (ecs-svc/"
    )
    services.update("s", desiredCount=1, taskDefinition=services.define("f"))
    services.running_of("s", 2)
    eventually(lambda: services.show("s")["deployments"][0]["runningCount"] == 1)
    assert kept in services.task_arns("s")
    found = services.ecs.get_task_protection(cluster=services.cluster, tasks=[kept])
    assert found["protectedTasks"][0]["expirationDate"]
    services.ecs.update_task_protection(
        cluster=services.cluster, tasks=[kept], protectionEnabled=False
    )
    services.stable("s")
    assert kept not in services.task_arns("s")


@pytest.mark.covers("ecs:ListTagsForResource", "ecs:TagResource")
def test_tags_are_propagated(services):
    definition = services.define("f", tags=[{"key": "of", "value": "definition"}])
    team = {"key": "team", "value": "a"}
    services.started(
        "s", definition, 1, propagateTags="SERVICE", tags=[team], enableECSManagedTags=True
    )
    services.started("d", definition, 1, propagateTags="TASK_DEFINITION")

    def tags(name: str) -> dict[str, str]:
        (arn,) = services.task_arns(name)
        found = services.ecs.describe_tasks(
            cluster=services.cluster, tasks=[arn], include=["TAGS"]
        )["tasks"][0]["tags"]
        return {tag["key"]: tag["value"] for tag in found}

    assert tags("s") == {
        "team": "a",
        "aws:ecs:clusterName": services.cluster,
        "aws:ecs:serviceName": "s",
    }
    assert tags("d") == {"of": "definition"}
    shown = services.show("s", include=["TAGS"])
    assert shown["tags"] == [team]
    arn = shown["serviceArn"]
    services.ecs.tag_resource(resourceArn=arn, tags=[{"key": "more", "value": "b"}])
    listed = services.ecs.list_tags_for_resource(resourceArn=arn)["tags"]
    assert {tag["key"] for tag in listed} == {"team", "more"}


def test_scaled_out_and_in(services):
    services.started("s", services.define("f"), 1)
    (first,) = services.tasks_of("s")
    services.update("s", desiredCount=4)
    services.running_of("s", 4)
    services.update("s", desiredCount=2)
    services.running_of("s", 2)
    services.stable("s")
    assert eventually(lambda: len(services.containers()) == 2)
    for task in services.stopped_of("s"):
        assert task["stopCode"] == "ServiceSchedulerInitiated"
        deployment = services.show("s")["deployments"][0]["id"]
        reason = f"Scaling activity initiated by (deployment {deployment})"
        assert task["stoppedReason"] == reason
    assert first["startedBy"] == deployment


def test_a_task_stopped_by_its_user_is_replaced(services):
    services.started("s", services.define("f"), 2)
    old = services.tasks_of("s")[0]["taskArn"]
    services.stop(old)
    services.stopped(old)
    assert old not in {t["taskArn"] for t in services.running_of("s", 2)}
    assert services.describe(old)["stopCode"] == "UserInitiated"


@pytest.mark.covers("ecs:CreateService", "ecs:UpdateService", "ecs:DeleteService")
def test_refused_in_awss_words(services):
    definition = services.define("f")
    services.create("s", definition, 1)
    again = services.create("s", definition, 1)
    assert again["serviceName"] == "s"
    with pytest.raises(ClientError, match=r"Creation of service was not idempotent\."):
        services.create("s", definition, 2)
    with pytest.raises(ClientError, match=r"ServiceNotFoundException.*Service not found\."):
        services.update("no-such", desiredCount=1)
    with pytest.raises(ClientError, match=r"ClientException.*TaskDefinition not found\."):
        services.update("s", taskDefinition="no-such")
    services.delete("s", force=True)
    eventually(lambda: services.show("s")["status"] == "INACTIVE")
    with pytest.raises(ClientError, match=r"ServiceNotActiveException.*Service was not ACTIVE\."):
        services.update("s", desiredCount=1)
    found = services.ecs.describe_services(cluster=services.cluster, services=["no-such"])
    assert [f["reason"] for f in found["failures"]] == ["MISSING"]


@pytest.mark.covers(
    "ecs:CreateTaskSet", "ecs:UpdateServicePrimaryTaskSet", "ecs:DeleteTaskSet", "ecs:UpdateTaskSet"
)
def test_task_sets_of_an_external_service(services):
    first, second = services.define("f"), services.define("f")
    services.ecs.create_service(
        cluster=services.cluster,
        serviceName="s",
        desiredCount=2,
        deploymentController={"type": "EXTERNAL"},
    )
    where = {"cluster": services.cluster, "service": "s"}

    def task_set(definition: str) -> str:
        made = services.ecs.create_task_set(
            **where, taskDefinition=definition, scale={"value": 100, "unit": "PERCENT"}
        )
        return made["taskSet"]["taskSetArn"]

    def running() -> list[str]:
        found = services.tasks_of("s")
        return sorted(t["taskDefinitionArn"][-1] for t in found if t["lastStatus"] == "RUNNING")

    blue = task_set(first)
    services.ecs.update_service_primary_task_set(**where, primaryTaskSet=blue)
    eventually(lambda: running() == ["1", "1"])
    green = task_set(second)
    eventually(lambda: running() == ["1", "1", "2", "2"])
    services.ecs.update_task_set(**where, taskSet=blue, scale={"value": 50, "unit": "PERCENT"})
    eventually(lambda: running() == ["1", "2", "2"])
    services.ecs.update_service_primary_task_set(**where, primaryTaskSet=green)
    services.ecs.delete_task_set(**where, taskSet=blue, force=True)
    eventually(lambda: running() == ["2", "2"])
    eventually(lambda: len(services.ecs.describe_task_sets(**where)["taskSets"]) == 1)
