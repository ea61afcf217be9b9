"""A service's life through the unmodified AWS CLI, on real containers."""

import json

import pytest

from openecs_server import docker, eventually
from services import Services, runtime_id, short

pytestmark = pytest.mark.system

CONTAINER = {
    "name": "app",
    "image": "busybox",
    "memory": 16,
    "command": ["sleep", "3600"],
    "linuxParameters": {"initProcessEnabled": True},
}


class Cli:
    """``aws ecs … --cluster C``, and what one expects of it."""

    def __init__(self, services: Services) -> None:
        self.services = services

    def __call__(self, operation: str, *arguments: str) -> dict:
        return self.services.server.aws(
            "ecs", operation, "--cluster", self.services.cluster, *arguments
        )

    def wait(self, waiter: str) -> None:
        where = ("--cluster", self.services.cluster, "--services", "myService")
        self.services.server.aws("ecs", "wait", waiter, *where)

    def register(self, version: str) -> str:
        definition = [CONTAINER | {"environment": [{"name": "VERSION", "value": version}]}]
        made = self.services.server.aws(
            "ecs",
            "register-task-definition",
            "--family",
            self.services.family("myTaskDef"),
            "--container-definitions",
            json.dumps(definition),
        )["taskDefinition"]
        return f"{made['family']}:{made['revision']}"


@pytest.fixture
def aws(services) -> Cli:
    return Cli(services)


@pytest.mark.timeout(120)
@pytest.mark.covers(
    "ecs:CreateService", "ecs:UpdateService", "ecs:DescribeServices", "ecs:DeleteService"
)
def test_created_scaled_healed_rolled_and_deleted(services, aws):
    first = aws.register("1")
    made = aws(
        "create-service",
        "--service-name",
        "myService",
        "--task-definition",
        first.partition(":")[0],
        "--desired-count",
        "2",
    )["service"]
    assert (made["status"], made["desiredCount"]) == ("ACTIVE", 2)
    assert made["taskDefinition"].endswith(f"/{first}")
    services.stable("myService")
    aws.wait("services-stable")
    assert len(services.containers()) == 2

    aws("update-service", "--service", "myService", "--desired-count", "3")
    assert len(eventually(lambda: len(c := services.containers()) == 3 and c)) == 3
    services.stable("myService")

    victim = services.tasks_of("myService")[0]
    docker("rm", "-f", runtime_id(victim))
    assert eventually(lambda: len(services.containers()) == 3, within=10)
    assert runtime_id(victim) not in services.containers()
    services.running_of("myService", 3, within=10)

    second = aws.register("2")
    aws("update-service", "--service", "myService", "--task-definition", second)
    services.stable("myService")
    aws.wait("services-stable")
    tasks = services.tasks_of("myService")
    assert {t["taskDefinitionArn"].rpartition("/")[2] for t in tasks} == {second}
    inside = [docker("exec", runtime_id(t), "sh", "-c", "echo $VERSION") for t in tasks]
    assert inside == ["2", "2", "2"]

    described = aws("describe-services", "--services", "myService")["services"][0]
    told = [event["message"] for event in described["events"]]
    new = described["deployments"][0]["id"]
    assert told[:2] == [
        "(service myService) has reached a steady state.",
        f"(service myService) (deployment {new}) deployment completed.",
    ]
    assert described["deployments"][0]["rolloutStateReason"] == f"ECS deployment {new} completed."
    named = " ".join(told)
    assert all(f"(task {short(task)})" in named for task in tasks)
    assert any("(service myService) has stopped " in message for message in told)

    with pytest.raises(AssertionError) as refused:
        aws("delete-service", "--service", "myService")
    assert refused.match(
        r"InvalidParameterException\).*: "
        r"The service cannot be stopped while it is scaled above 0\."
    )
    deleted = aws("delete-service", "--service", "myService", "--force")["service"]
    assert (deleted["status"], deleted["desiredCount"]) == ("DRAINING", 0)
    eventually(lambda: services.show("myService")["status"] == "INACTIVE")
    aws.wait("services-inactive")
    assert eventually(lambda: services.containers() == [])


@pytest.mark.covers("ecs:ListServices", "ecs:ListTasks")
def test_listed_until_deleted(services):
    definition = services.define("f")
    services.create("a", definition, 0)
    arn = services.create("b", definition, 1)["serviceArn"]
    services.stable("b")
    listed = services.ecs.list_services(cluster=services.cluster, schedulingStrategy="REPLICA")
    assert sorted(a.rpartition("/")[2] for a in listed["serviceArns"]) == ["a", "b"]
    assert len(services.task_arns("b")) == 1
    services.delete("b", force=True)
    left = services.ecs.list_services(cluster=services.cluster)["serviceArns"]
    assert arn not in left
    eventually(lambda: services.show("b")["status"] == "INACTIVE")
    services.delete("a")
    eventually(lambda: services.show("a")["status"] == "INACTIVE")
    again = services.create("a", definition, 0)
    assert again["status"] == "ACTIVE"
