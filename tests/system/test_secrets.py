"""Secrets reach the containers that name them, and nobody else."""

from __future__ import annotations

import json
import uuid

import pytest

from openecs_server import containers_of, docker
from tasks import container

pytestmark = pytest.mark.system

TRUST = {
    "Effect": "Allow",
    "Principal": {"Service": "ecs-tasks.amazonaws.com"},
    "Action": "sts:AssumeRole",
}


def document(*statements: dict) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


@pytest.fixture
def secret(server):
    """A secret with a user and a password, by its ARN."""
    name, value = f"s-{uuid.uuid4().hex[:8]}", {"user": "shop", "password": "hunter2-first"}
    manager = server.client("secretsmanager")
    return manager.create_secret(Name=name, SecretString=json.dumps(value))["ARN"]


def a_role(server, *statements: dict) -> str:
    iam, name = server.client("iam"), f"r-{uuid.uuid4().hex[:8]}"
    made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document(TRUST))["Role"]
    if statements:
        policy = document(*statements)
        iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=policy)
    return made["Arn"]


def reads(secret: str) -> dict:
    return {"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": secret}


def printed(tasks, arn: str) -> str:
    assert container(tasks.stopped(arn))["exitCode"] == 0
    (only,) = containers_of(arn, everything=True)
    return docker("logs", only)


def test_a_task_is_told_its_secret_and_the_next_one_the_new(server, tasks, secret):
    definition = tasks.register(
        {
            "command": ["sh", "-c", "echo $PASSWORD; echo $WHOLE"],
            "secrets": [
                {"name": "PASSWORD", "valueFrom": f"{secret}:password::"},
                {"name": "WHOLE", "valueFrom": secret},
            ],
        },
        executionRoleArn=a_role(server, reads(secret)),
    )
    first = tasks.start(definition)
    assert printed(tasks, first).splitlines() == [
        "hunter2-first",
        '{"user": "shop", "password": "hunter2-first"}',
    ]
    value = json.dumps({"password": "hunter2-second"})
    server.client("secretsmanager").put_secret_value(SecretId=secret, SecretString=value)
    second = tasks.start(definition)
    assert printed(tasks, second).splitlines() == ["hunter2-second", value]
    shown = json.dumps([tasks.describe(first), tasks.describe(second)], default=str)
    assert "hunter2" not in shown
    (only,) = containers_of(second, everything=True)
    assert "hunter2" not in docker("inspect", "--format", "{{json .Config.Labels}}", only)
    assert "hunter2" not in server.log.read_text()


def test_a_task_whose_role_may_not_read_it_does_not_start(server, tasks, secret):
    role = a_role(server)
    arn = tasks.launch(
        {"command": ["true"], "secrets": [{"name": "S", "valueFrom": secret}]},
        executionRoleArn=role,
    )
    stopped = tasks.stopped(arn)
    assert stopped["stopCode"] == "TaskFailedToStart"
    reason = stopped["stoppedReason"]
    assert reason.startswith(
        "ResourceInitializationError: unable to pull secrets or registry auth: execution resource "
        "retrieval failed: unable to retrieve secret from asm: service call has been retried 1 "
        f"time(s): failed to fetch secret {secret} from secrets manager: AccessDeniedException: "
    )
    session = f"assumed-role/{role.rpartition('/')[2]}/{arn.rpartition('/')[2]}"
    assert session in reason
    assert containers_of(arn, everything=True) == []
