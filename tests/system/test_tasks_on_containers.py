"""What a container definition says, happens: through the API, read back from real containers."""

import socket
import urllib.request

import pytest
from botocore.exceptions import ClientError

from openecs_server import containers_of, docker, eventually, free_port
from tasks import DEFAULTS, WAITS, container

pytestmark = pytest.mark.system


def inspect(runtime_id: str, template: str) -> str:
    return docker("inspect", "-f", template, runtime_id)


def logs(task: dict, name: str = "app") -> str:
    return docker("logs", container(task, name)["runtimeId"])


def test_an_essential_container_that_exits_takes_the_others_along(tasks):
    arn = tasks.launch(
        WAITS | {"name": "side"},
        {"name": "app", "command": ["sh", "-c", "sleep 0.5; exit 3"]},
    )
    task = tasks.stopped(arn)
    assert (task["stopCode"], task["stoppedReason"]) == (
        "EssentialContainerExited",
        "Essential container in task exited",
    )
    assert container(task)["exitCode"] == 3
    assert "reason" not in container(task)
    assert container(task, "side")["exitCode"] == 0
    assert task["startedAt"] <= task["executionStoppedAt"] <= task["stoppedAt"]


def test_a_container_killed_by_hand_is_noticed_at_once(tasks):
    arn = tasks.launch(WAITS)
    docker("kill", container(tasks.running(arn))["runtimeId"])
    task = tasks.when(arn, "STOPPED", within=5)
    assert container(task)["exitCode"] == 137


def test_an_image_that_does_not_exist(tasks):
    task = tasks.stopped(tasks.launch({"image": "localhost:1/no/such:image"}))
    assert task["stopCode"] == "TaskFailedToStart"
    assert task["stoppedReason"].startswith("CannotPullContainerError: ")
    assert container(task)["reason"] == task["stoppedReason"]
    assert "startedAt" not in task
    assert "exitCode" not in container(task)


def test_a_command_that_does_not_exist(tasks):
    task = tasks.stopped(tasks.launch({"command": ["/no/such/program"]}))
    assert task["stopCode"] == "TaskFailedToStart"
    assert "/no/such/program" in container(task)["reason"]
    assert container(task)["reason"].startswith("CannotStartContainerError: ")


def test_a_port_somebody_else_holds(tasks):
    with socket.socket() as taken:
        taken.bind(("0.0.0.0", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ports = [{"containerPort": 80, "hostPort": port}]
        task = tasks.stopped(tasks.launch(WAITS | {"portMappings": ports}))
    assert task["stopCode"] == "TaskFailedToStart"
    assert container(task)["reason"].startswith("CannotStartContainerError: ")


def test_a_port_another_task_holds_is_refused_by_placement(tasks):
    ports = [{"containerPort": 80, "hostPort": free_port()}]
    definition = tasks.register(WAITS | {"portMappings": ports})
    tasks.running(tasks.start(definition))
    refused = tasks.run(definition)
    assert [f["reason"] for f in refused["failures"]] == ["RESOURCE:PORTS"]


def test_more_than_the_machine_has_is_refused(tasks):
    too_much = tasks.register({"memory": 16 * 1024 * 1024})
    assert [f["reason"] for f in tasks.run(too_much)["failures"]] == ["RESOURCE:MEMORY"]
    too_many = tasks.register({"cpu": 1024 * 1024})
    assert [f["reason"] for f in tasks.run(too_many)["failures"]] == ["RESOURCE:CPU"]


def test_memory_beyond_the_limit_is_out_of_memory(tasks):
    hog = {"memory": 16, "command": ["sh", "-c", "tail /dev/zero"]}
    task = tasks.stopped(tasks.launch(hog))
    assert container(task)["reason"] == "OutOfMemoryError: Container killed due to memory usage"
    assert container(task)["exitCode"] == 137


def test_environment_entry_point_command_and_overrides(tasks):
    arn = tasks.launch(
        {
            "entryPoint": ["sh", "-c"],
            "command": ["never"],
            "environment": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
            "workingDirectory": "/tmp",
            "user": "1234",
        },
        overrides={
            "containerOverrides": [
                {
                    "name": "app",
                    "command": ["echo $A $B $AWS_EXECUTION_ENV $PWD $(id -u)"],
                    "environment": [{"name": "B", "value": "3"}],
                }
            ]
        },
    )
    assert logs(tasks.stopped(arn)) == "1 3 AWS_ECS_EC2 /tmp 1234"


def test_limits_can_be_read_back(tasks):
    arn = tasks.launch(
        WAITS | {"cpu": 256, "memory": 128, "memoryReservation": 64}, cpu="512", memory="256"
    )
    runtime_id = container(tasks.running(arn))["runtimeId"]
    limits = inspect(
        runtime_id,
        "{{.HostConfig.Memory}} {{.HostConfig.MemoryReservation}} {{.HostConfig.CpuShares}}",
    )
    assert limits == f"{128 << 20} {64 << 20} 256"


def test_depends_on_orders_start_and_stop(tasks):
    arn = tasks.launch(
        WAITS
        | {
            "name": "db",
            "healthCheck": {
                "command": ["CMD-SHELL", "test -e /tmp/ready"],
                "interval": 5,
                "retries": 10,
            },
            "command": ["sh", "-c", "trap 'exit 0' TERM; touch /tmp/ready; sleep 300 & wait"],
        },
        {
            "name": "migrate",
            "essential": False,
            "command": ["sh", "-c", "exit 0"],
            "dependsOn": [{"containerName": "db", "condition": "HEALTHY"}],
        },
        WAITS
        | {
            "name": "app",
            "dependsOn": [
                {"containerName": "migrate", "condition": "SUCCESS"},
                {"containerName": "db", "condition": "START"},
            ],
        },
    )
    task = tasks.running(arn)

    def moment(name: str, field: str) -> str:
        return inspect(container(task, name)["runtimeId"], f"{{{{.State.{field}}}}}")

    assert moment("db", "StartedAt") < moment("migrate", "StartedAt")
    assert moment("migrate", "FinishedAt") < moment("app", "StartedAt")
    assert container(task, "db")["healthStatus"] == "HEALTHY"
    assert task["healthStatus"] == "HEALTHY"
    tasks.stop(arn)
    tasks.stopped(arn)
    assert moment("app", "FinishedAt") < moment("db", "FinishedAt")


def test_a_dependency_that_fails_fails_the_task(tasks):
    arn = tasks.launch(
        {"name": "init", "essential": False, "command": ["sh", "-c", "exit 7"]},
        WAITS | {"name": "app", "dependsOn": [{"containerName": "init", "condition": "SUCCESS"}]},
    )
    task = tasks.stopped(arn)
    assert task["stopCode"] == "TaskFailedToStart"
    assert "dependencies cannot be resolved" in task["stoppedReason"]
    assert containers_of(arn) == []


def test_a_restart_policy_restarts_in_place(tasks):
    arn = tasks.launch(
        WAITS,
        {
            "name": "worker",
            "essential": False,
            "restartPolicy": {"enabled": True, "restartAttemptPeriod": 60},
            "command": ["sh", "-c", "exit 1"],
        },
    )
    task = tasks.running(arn)
    # Its first run ended within the attempt period, so it stays down and the task runs on.
    assert eventually(lambda: container(tasks.describe(arn), "worker")["lastStatus"] == "STOPPED")
    assert tasks.describe(arn)["lastStatus"] == task["lastStatus"]


def test_host_network(tasks):
    port = free_port()
    arn = tasks.launch(
        {
            "image": "python:3-slim",
            "portMappings": [{"containerPort": port}],
            "command": ["python3", "-m", "http.server", str(port)],
        },
        networkMode="host",
    )
    task = tasks.running(arn)
    assert container(task)["networkBindings"][0]["hostPort"] == port

    def page() -> bytes | None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5) as answer:
                return answer.read()
        except OSError:
            return None

    assert eventually(page)


def test_awsvpc_gives_the_task_an_address_its_containers_share(tasks):
    definition = tasks.register(
        {"name": "web", "image": "nginx", "portMappings": [{"containerPort": 80}]},
        {
            "name": "app",
            "image": "nginx",
            "command": ["sh", "-c", "until curl -sf localhost:80 >/dev/null; do :; done; sleep 99"],
            "linuxParameters": {"initProcessEnabled": True},
        },
        networkMode="awsvpc",
    )
    arn = tasks.start(
        definition,
        networkConfiguration={"awsvpcConfiguration": {"subnets": ["subnet-237866da2d7a564b6"]}},
    )
    task = tasks.running(arn)
    details = {d["name"]: d["value"] for d in task["attachments"][0]["details"]}
    address = details["privateIPv4Address"]
    assert task["attachments"][0]["status"] == "ATTACHED"
    assert [c["networkInterfaces"][0]["privateIpv4Address"] for c in task["containers"]] == [
        address
    ] * 2
    with urllib.request.urlopen(f"http://{address}/", timeout=10) as page:
        assert b"nginx" in page.read()
    tasks.stop(arn)
    task = tasks.stopped(arn)
    assert task["attachments"][0]["status"] == "DELETED"


def test_a_bind_mount_and_a_shared_task_volume(tasks, tmp_path):
    (tmp_path / "in").write_text("from the host")
    arn = tasks.launch(
        {
            "name": "writer",
            "essential": False,
            "command": ["sh", "-c", "cp /host/in /shared/out"],
            "mountPoints": [
                {"sourceVolume": "host", "containerPath": "/host", "readOnly": True},
                {"sourceVolume": "scratch", "containerPath": "/shared"},
            ],
        },
        {
            "name": "app",
            "command": ["sh", "-c", "cat /shared/out"],
            "volumesFrom": [{"sourceContainer": "writer"}],
            "dependsOn": [{"containerName": "writer", "condition": "SUCCESS"}],
        },
        volumes=[
            {"name": "host", "host": {"sourcePath": str(tmp_path)}},
            {"name": "scratch", "host": {}},
        ],
    )
    assert logs(tasks.stopped(arn)) == "from the host"


@pytest.mark.parametrize("driver", ["local", "none", "json-file"])
def test_log_drivers_of_the_engine(tasks, driver):
    unchecked = tasks.server.client("ecs", parameter_validation=False)
    logs_to = WAITS | {"logConfiguration": {"logDriver": driver}}
    made = unchecked.register_task_definition(
        family=f"logs-{driver}", containerDefinitions=[DEFAULTS | logs_to]
    )
    arn = tasks.start(made["taskDefinition"]["taskDefinitionArn"])
    runtime_id = container(tasks.running(arn))["runtimeId"]
    assert inspect(runtime_id, "{{.HostConfig.LogConfig.Type}}") == driver
    tasks.stop(arn)


def test_what_cannot_be_done_is_refused_and_not_dropped(tasks):
    definition = tasks.register(
        WAITS
        | {
            "logConfiguration": {"logDriver": "awsfirelens"},
        }
    )
    with pytest.raises(ClientError, match="awsfirelens"):
        tasks.run(definition)


def test_stopping_waits_for_the_stop_timeout_then_kills(tasks):
    arn = tasks.launch({"command": ["sleep", "300"], "stopTimeout": 2})
    tasks.running(arn)
    tasks.stop(arn)
    assert container(tasks.stopped(arn))["exitCode"] == 137


def test_a_task_stopped_before_its_image_came(tasks):
    arn = tasks.launch({"image": "10.255.255.1:5000/never:comes"})
    tasks.stop(arn)
    task = tasks.when(arn, "STOPPED", within=20)
    assert task["stopCode"] in {"UserInitiated", "TaskFailedToStart"}
