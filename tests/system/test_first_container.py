"""The first steps of the README, through the unmodified AWS CLI and boto3, on real containers."""

import json
import urllib.request

import pytest

from openecs_server import containers_of

pytestmark = pytest.mark.system

TASK_DEFINITION = {
    "family": "my-task",
    "containerDefinitions": [
        {
            "name": "my-container",
            "image": "nginx",
            "cpu": 256,
            "memory": 512,
            "essential": True,
            "portMappings": [{"containerPort": 80}],
        }
    ],
}


@pytest.mark.covers(
    "ecs:CreateCluster", "ecs:RegisterTaskDefinition", "ecs:RunTask", "ecs:StopTask"
)
def test_the_readmes_first_steps_through_the_aws_cli(server, tmp_path):
    (tmp_path / "task-def.json").write_text(json.dumps(TASK_DEFINITION))
    made = server.aws("ecs", "create-cluster", "--cluster-name", "my-ecs-cluster")
    assert made["cluster"]["status"] == "ACTIVE"
    registered = server.aws(
        "ecs",
        "register-task-definition",
        "--cli-input-json",
        f"file://{tmp_path}/task-def.json",
    )
    assert registered["taskDefinition"]["revision"] == 1
    started = server.aws(
        "ecs", "run-task", "--cluster", "my-ecs-cluster", "--task-definition", "my-task"
    )
    assert started["failures"] == []
    arn = started["tasks"][0]["taskArn"]
    where = ("--cluster", "my-ecs-cluster", "--tasks", arn)
    server.aws("ecs", "wait", "tasks-running", *where)
    task = server.aws("ecs", "describe-tasks", *where)["tasks"][0]
    container = task["containers"][0]
    assert containers_of(arn) == [container["runtimeId"]]
    port = container["networkBindings"][0]["hostPort"]
    assert 49153 <= port <= 65535
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10) as page:
        assert b"nginx" in page.read()
    server.aws(
        "ecs", "stop-task", "--cluster", "my-ecs-cluster", "--task", arn, "--reason", "enough"
    )
    server.aws("ecs", "wait", "tasks-stopped", *where)
    task = server.aws("ecs", "describe-tasks", *where)["tasks"][0]
    assert (task["stopCode"], task["stoppedReason"]) == ("UserInitiated", "enough")
    assert task["containers"][0]["exitCode"] == 0
    assert containers_of(arn) == []


@pytest.mark.covers("ecs:DescribeTasks", "ecs:ListTasks", "ecs:DescribeClusters")
def test_the_same_through_boto3(server):
    ecs = server.client("ecs")
    ecs.create_cluster(clusterName="boto")
    ecs.register_task_definition(**(TASK_DEFINITION | {"family": "boto-task"}))
    started = ecs.run_task(cluster="boto", taskDefinition="boto-task", count=2)
    arns = [task["taskArn"] for task in started["tasks"]]
    ecs.get_waiter("tasks_running").wait(
        cluster="boto", tasks=arns, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )
    assert sorted(ecs.list_tasks(cluster="boto")["taskArns"]) == sorted(arns)
    assert ecs.describe_clusters(clusters=["boto"])["clusters"][0]["runningTasksCount"] == 2
    assert ecs.list_container_instances(cluster="boto")["containerInstanceArns"]
    ports = {
        task["containers"][0]["networkBindings"][0]["hostPort"]
        for task in ecs.describe_tasks(cluster="boto", tasks=arns)["tasks"]
    }
    assert len(ports) == 2
    for arn in arns:
        ecs.stop_task(cluster="boto", task=arn)
    ecs.get_waiter("tasks_stopped").wait(
        cluster="boto", tasks=arns, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )
    assert ecs.list_tasks(cluster="boto")["taskArns"] == []
    assert sorted(ecs.list_tasks(cluster="boto", desiredStatus="STOPPED")["taskArns"]) == sorted(
        arns
    )
