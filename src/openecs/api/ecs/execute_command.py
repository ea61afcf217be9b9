"""ExecuteCommand: a session that the caller opens at the address it is given.

API Reference, ``ExecuteCommand``.
"""

from __future__ import annotations

import hashlib
import shlex
from datetime import timedelta

from openecs.api.base import Call, Members, Operation, ServiceError, Writes
from openecs.api.ecs import errors, references
from openecs.model.clusters import Cluster
from openecs.model.exec_sessions import ExecSession
from openecs.model.tasks import Container, ContainerStatus, Task
from openecs.store.base import INSTALLATION, Transaction
from openecs.store.exec_sessions import EXEC_SESSIONS
from openecs.store.kinds import TASKS, task_key

#: How long a token may be used.
LIFE = timedelta(minutes=1)
PATH = "/v1/data-channel/"
NOT_ENABLED = (
    "The execute command failed because execute command was not enabled when the task was run or "
    "the execute command agent isn't running. Wait and try again or run a new task with execute "
    "command enabled and try again."
)


def execute_command(tx: Transaction, call: Call, request: Members) -> Members:
    """Prepare a session; its command runs once the data channel is opened."""
    cluster = references.active_cluster(tx, call, request.get("cluster"))
    if not request["interactive"]:
        raise errors.invalid_parameter("Interactive is the only mode supported currently.")
    _check_configuration(cluster)
    identifier = references.task_id(call, cluster.name, request["task"])
    task = tx.get(TASKS, call.scope, task_key(cluster.name, identifier))
    if task is None:
        raise errors.task_not_found()
    container = _container(task, request.get("container"))
    session, token = _session(call, task, container, _command(request["command"]))
    for old in tx.scan(EXEC_SESSIONS, INSTALLATION):
        if old.expires_at <= call.now:
            tx.delete(EXEC_SESSIONS, INSTALLATION, old.id)
    tx.add(EXEC_SESSIONS, session)
    address = call.endpoint.replace("http", "ws", 1)
    url = f"{address}{PATH}{session.id}?role=publish_subscribe"
    return {
        "clusterArn": cluster.arn,
        "containerArn": task.container_arn(container),
        "containerName": container.name,
        "interactive": True,
        "session": {"sessionId": session.id, "streamUrl": url, "tokenValue": token},
        "taskArn": task.arn,
    }


OPERATIONS: dict[str, Operation] = {"ExecuteCommand": Writes(execute_command)}


def _check_configuration(cluster: Cluster) -> None:
    """What a session would have to do and cannot: it is not left out silently."""
    configuration = cluster.configuration
    execute = configuration.execute_command_configuration if configuration else None
    if execute and execute.kms_key_id:
        raise errors.client("OpenECS has no KMS: remove kmsKeyId of executeCommandConfiguration.")
    if execute and execute.logging == "OVERRIDE":
        raise errors.client(
            "OpenECS does not log sessions yet: set logging of executeCommandConfiguration to NONE."
        )


def _container(task: Task, name: str | None) -> Container:
    if not name and len(task.containers) > 1:
        raise errors.invalid_parameter("A container name is required: the task has several.")
    container = task.container(name) if name else task.containers[0]
    if container is None:
        raise errors.invalid_parameter(f"The container {name} was not found in the task.")
    if not task.enable_execute_command or container.last_status is not ContainerStatus.RUNNING:
        raise errors.invalid_parameter(NOT_ENABLED)
    return container


def _command(text: str) -> tuple[str, ...]:
    """The words, as the ECS agent splits them: no shell is involved."""
    try:
        words = tuple(shlex.split(text, comments=True))
    except ValueError as error:
        raise errors.invalid_parameter(f"The command cannot be split: {error}") from error
    if not words:
        raise errors.invalid_parameter("Command cannot be empty.")
    return words


def _session(
    call: Call, task: Task, container: Container, command: tuple[str, ...]
) -> tuple[ExecSession, str]:
    if task.machine != call.settings.machine or not container.runtime_id:
        raise ServiceError(
            "TargetNotConnectedException",
            "The execute command failed: the task's machine is not this server's. Ask the server "
            "there.",
        )
    token = call.ids.hex32() + call.ids.hex32()
    session = ExecSession(
        scope=call.scope,
        id=f"ecs-execute-command-{call.ids.hex32()[:17]}",
        token_digest=hashlib.sha256(token.encode()).hexdigest(),
        task=task.arn,
        runtime_id=container.runtime_id,
        machine=task.machine,
        command=command,
        expires_at=call.now + LIFE,
    )
    return session, token
