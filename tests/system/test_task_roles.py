"""What containers find at 169.254.170.2: metadata, and the credentials of their task's role."""

from __future__ import annotations

import json
import uuid
from pathlib import Path

import boto3
import pytest

from openecs_server import containers_of, docker, eventually
from tasks import WAITS, Tasks

pytestmark = pytest.mark.system

#: boto3 of this process, for containers of the same Python.
LIBRARIES = str(Path(boto3.__file__).parents[1])
TRUST = {
    "Effect": "Allow",
    "Principal": {"Service": "ecs-tasks.amazonaws.com"},
    "Action": "sts:AssumeRole",
}
ASKS = """
import json, os, time, urllib.request, boto3, botocore
told = {"arn": boto3.client("sts").get_caller_identity()["Arn"]}
boto3.client("cloudwatch").put_metric_data(
    Namespace="Shop", MetricData=[{"MetricName": "Orders", "Value": 1}])
try:
    boto3.client("ecs").list_clusters()
except botocore.exceptions.ClientError as error:
    told["refused"] = error.response["Error"]["Code"]
metadata = os.environ["ECS_CONTAINER_METADATA_URI_V4"]
told["task"] = json.load(urllib.request.urlopen(metadata + "/task"))
print(json.dumps(told), flush=True)
"""


def document(*statements: dict) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


@pytest.fixture
def role(server):
    """A role that may put metrics, and nothing else."""
    iam, name = server.client("iam"), f"r-{uuid.uuid4().hex[:8]}"
    made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document(TRUST))["Role"]
    allowed = {"Effect": "Allow", "Action": "cloudwatch:PutMetricData", "Resource": "*"}
    iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=document(allowed))
    return made["Arn"]


def asking(**members) -> dict:
    return {
        "image": "python:3-slim",
        "memory": 128,
        "command": ["python3", "-c", ASKS],
        "environment": [{"name": "PYTHONPATH", "value": "/libraries"}],
        "mountPoints": [{"sourceVolume": "libraries", "containerPath": "/libraries"}],
        **members,
    }


@pytest.mark.parametrize("mode", ["bridge", "host", "awsvpc"])
def test_a_task_works_with_its_role_and_no_more(server, tasks: Tasks, role, mode):
    definition = tasks.register(
        asking(),
        taskRoleArn=role,
        networkMode=mode,
        volumes=[{"name": "libraries", "host": {"sourcePath": LIBRARIES}}],
    )
    subnet = server.client("ec2").describe_subnets()["Subnets"][0]["SubnetId"]
    network = {"awsvpcConfiguration": {"subnets": [subnet]}}
    arn = tasks.start(definition, **({"networkConfiguration": network} if mode == "awsvpc" else {}))
    tasks.stopped(arn)
    (container,) = (c for c in containers_of(arn, everything=True) if "pause" not in name_of(c))
    told = json.loads(docker("logs", container).splitlines()[-1])
    name, task = role.rpartition("/")[2], arn.rpartition("/")[2]
    assert told["arn"] == f"arn:aws:sts::000000000000:assumed-role/{name}/{task}"
    assert told["refused"] == "AccessDeniedException"
    assert told["task"]["TaskARN"] == arn
    (shown,) = told["task"]["Containers"]
    assert (shown["Name"], shown["KnownStatus"]) == ("app", "RUNNING")
    metrics = server.client("cloudwatch").list_metrics(Namespace="Shop")["Metrics"]
    assert [each["MetricName"] for each in metrics] == ["Orders"]


def name_of(container: str) -> str:
    return docker("inspect", "--format", "{{.Name}}", container)


def asked(container: str, variable: str, behind: str = "") -> dict:
    """What a container is answered at the URL in a variable of its own."""
    script = (
        "import json, os, urllib.request, urllib.error\n"
        f"try: print(urllib.request.urlopen({variable!r} + {behind!r}).read().decode())\n"
        "except urllib.error.HTTPError as error: print(error.read().decode())"
    )
    return json.loads(docker("exec", container, "python3", "-c", script))


def environment(container: str) -> dict[str, str]:
    lines = docker("exec", container, "env").splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line)


def test_credentials_are_one_tasks_and_end_with_it(server, tasks: Tasks, role):
    definition = tasks.register(WAITS | {"image": "python:3-slim", "memory": 64}, taskRoleArn=role)
    one, other = tasks.start(definition), tasks.start(definition)
    for arn in (one, other):
        tasks.running(arn)
    (own,), (stranger,) = containers_of(one), containers_of(other)
    told = environment(own)
    url = told["ECS_CONTAINER_METADATA_URI_V4"]
    relative = told.get("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")
    full = f"http://169.254.170.2{relative}" if relative else None
    credentials = told.get("AWS_CONTAINER_CREDENTIALS_FULL_URI") or full
    found = asked(own, credentials)
    assert found["RoleArn"] == role
    assert asked(own, credentials)["AccessKeyId"] == found["AccessKeyId"]
    assert asked(own, url)["DockerId"] == own
    assert asked(own, url, "/stats")["memory_stats"]["usage"] > 0
    assert own in asked(own, url, "/task/stats")
    for forbidden in (credentials, url, f"{url}/task"):
        assert asked(stranger, forbidden)["code"] == "InvalidIdInRequest"

    sts = boto3.client(
        "sts",
        endpoint_url=server.url,
        region_name="us-east-1",
        aws_access_key_id=found["AccessKeyId"],
        aws_secret_access_key=found["SecretAccessKey"],
        aws_session_token=found["Token"],
    )
    assert sts.get_caller_identity()["Arn"].endswith(one.rpartition("/")[2])
    tasks.stop(one)
    tasks.stopped(one)
    with pytest.raises(sts.exceptions.ClientError, match="InvalidClientTokenId"):
        sts.get_caller_identity()


def test_a_role_that_is_not_there_gives_nothing(tasks: Tasks):
    role = "arn:aws:iam::000000000000:role/nobody"
    arn = tasks.launch(WAITS, taskRoleArn=role)
    tasks.running(arn)
    (container,) = containers_of(arn)
    told = environment(container)
    assert not [name for name in told if name.startswith("AWS_CONTAINER_CREDENTIALS")]
    assert "ECS_CONTAINER_METADATA_URI_V4" in told
    eventually(lambda: tasks.describe(arn)["lastStatus"] == "RUNNING")
