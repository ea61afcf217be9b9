"""What containers find at 169.254.170.2: metadata of their task, credentials of its role.

A container is told of its own task only: by the address it asks from, and by ids nobody else knows.
Amazon ECS Developer Guide, "Task metadata endpoint version 4" and "Task IAM role".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

from openecs.api.base import ApiSettings, Call, Caller
from openecs.api.sts import task_sessions
from openecs.decide import task_metadata
from openecs.decide.task_metadata import Known
from openecs.model.containers import ContainerObservation
from openecs.model.iam import Session
from openecs.model.identity import Ids
from openecs.model.task_credentials import TaskCredentials
from openecs.model.task_definitions import NetworkMode, TaskDefinition
from openecs.model.tasks import Task, TaskStatus
from openecs.runtime.base import Runtime
from openecs.store.base import Store, Transaction, View
from openecs.store.definitions import definition_of
from openecs.store.kinds import TASKS
from openecs.store.task_credentials import TASK_CREDENTIALS

ADDRESS = "169.254.170.2"
PORT = 80
_CREDENTIALS = re.compile(r"/v2/credentials/([0-9a-f-]+)")
_METADATA = re.compile(r"/v([34])/([0-9a-f]+-\d+)(/task|/taskWithTags|/stats|/task/stats)?/?")
_BY_ADDRESS = re.compile(r"/v2/(metadata|metadataWithTags|stats)/?")
_MIB = 1024 * 1024

Seen = Mapping[str, ContainerObservation]


@dataclass(frozen=True, slots=True)
class Answer:
    """A status and what is told, as JSON."""

    status: int
    body: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where containers ask, and where they reach the AWS APIs; ``port`` 0: nobody answers them."""

    port: int = 0
    api_port: int = 0

    @property
    def url(self) -> str:
        """What metadata is asked for at."""
        return f"http://{ADDRESS}" if self.port == PORT else f"http://{ADDRESS}:{self.port}"


class TaskEndpoint:
    """Answers the containers of this machine; ``seen`` has those of a task by its ARN."""

    def __init__(  # noqa: PLR0913 - what a task may ask about, once
        self,
        *,
        store: Store,
        runtime: Runtime,
        clock: Callable[[], datetime],
        ids: Ids,
        machine: str,
        seen: Callable[[str], Seen],
        endpoint: Endpoint,
    ) -> None:
        self._store = store
        self._runtime = runtime
        self._clock = clock
        self._ids = ids
        self._machine = machine
        self._seen = seen
        self._endpoint = endpoint

    async def variables(
        self, task: Task, definition: TaskDefinition
    ) -> Mapping[str, Mapping[str, str]]:
        """What each container is told in its environment, by the container's name."""
        if not self._endpoint.port:
            return {}
        credentials = await self._of_role(task, definition)
        return {
            each.name: {**self._metadata(task, each.name), **credentials}
            for each in definition.container_definitions
        }

    async def answer(self, path: str, client: str) -> Answer:
        """What a container that asks from that address is told."""
        if match := _CREDENTIALS.fullmatch(path):
            return await self._credentials(match[1], client)
        if match := _METADATA.fullmatch(path):
            version, name, what = int(match[1]), match[2], match[3] or ""
            task_id = name.rpartition("-")[0]
            known = await self._known(lambda task: task.id == task_id, client)
            return await self._told(known, name, what, version)
        if match := _BY_ADDRESS.fullmatch(path):
            return await self._told_by_address(match[1], client)
        return Answer(404, {"message": f"{path} is nothing a task can ask for"})

    def _metadata(self, task: Task, container: str) -> Mapping[str, str]:
        name = task_metadata.metadata_id(task, container)
        return {
            "ECS_CONTAINER_METADATA_URI": f"{self._endpoint.url}/v3/{name}",
            "ECS_CONTAINER_METADATA_URI_V4": f"{self._endpoint.url}/v4/{name}",
        }

    async def _of_role(self, task: Task, definition: TaskDefinition) -> Mapping[str, str]:
        """Where the credentials of the task's role are, and the APIs they are for."""
        arn = task.overrides.task_role_arn or definition.task_role_arn
        if not arn:
            return {}
        prepared = await self._store.write(partial(self._prepare, task, arn))
        if prepared is None:
            return {}
        path = f"/v2/credentials/{prepared.id}"
        found = {
            "AWS_ENDPOINT_URL": f"http://{ADDRESS}:{self._endpoint.api_port}",
            "AWS_REGION": task.scope.region,
            "AWS_DEFAULT_REGION": task.scope.region,
        }
        if self._endpoint.port == PORT:
            return {**found, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": path}
        return {**found, "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{self._endpoint.url}{path}"}

    def _prepare(self, task: Task, arn: str, tx: Transaction) -> TaskCredentials | None:
        if task_sessions.assumable(tx, arn, self._call(task)) is None:
            return None
        return task_sessions.prepared(tx, task, arn, self._ids)

    async def _credentials(self, name: str, client: str) -> Answer:
        found = await self._store.read(
            lambda view: view.find(TASK_CREDENTIALS, None, "id", (name,))
        )
        credentials = found[0] if found else None
        known = await self._known(
            lambda task: (
                credentials is not None
                and (task.scope, TASKS.key(task)) == (credentials.scope, credentials.task)
            ),
            client,
        )
        if known is None or credentials is None:
            return _not_found("CredentialsV2Request: Credentials not found")
        call = self._call(known.task)
        renew = partial(_current, call, credentials)
        session = await self._store.write(renew)
        if session is None:
            return _not_found("CredentialsV2Request: Credentials not found")
        return Answer(200, _shown(credentials, session))

    async def _known(self, is_meant: Callable[[Task], bool], client: str) -> Known | None:
        """The task that is meant, where the one who asks is it."""
        for task, definition in await self._store.read(self._tasks):
            known = Known(task=task, definition=definition, seen=self._seen(task.arn))
            if is_meant(task) and client in _addresses(known):
                return known
        return None

    def _tasks(self, view: View) -> list[tuple[Task, TaskDefinition]]:
        return [
            (task, definition)
            for task in view.find(TASKS, None, "machine", (self._machine,))
            if task.last_status is not TaskStatus.STOPPED
            and (definition := definition_of(view, task)) is not None
        ]

    async def _told(self, known: Known | None, name: str, what: str, version: int) -> Answer:
        container = task_metadata.container_of(known.task, name) if known else None
        if known is None or container is None:
            return _not_found(f"V{version}: unable to get container or task metadata")
        match what:
            case "":
                return Answer(200, task_metadata.of_container(known, container, version=version))
            case "/stats":
                return Answer(200, (await self._stats(known)).get(container.runtime_id or "", {}))
            case "/task/stats":
                return Answer(200, await self._stats(known))
            case _:
                with_tags = what == "/taskWithTags"
                told = task_metadata.of_task(known, version=version, with_tags=with_tags)
                return Answer(200, told)

    async def _told_by_address(self, what: str, client: str) -> Answer:
        """Version 2: the task is the one that has the address, so only of awsvpc tasks."""
        known = await self._known(lambda _: True, client)
        if known is None or known.definition.effective_network_mode is not NetworkMode.AWSVPC:
            return _not_found("V2: unable to get task arn from request")
        if what == "stats":
            return Answer(200, await self._stats(known))
        with_tags = what == "metadataWithTags"
        return Answer(200, task_metadata.of_task(known, version=2, with_tags=with_tags))

    async def _stats(self, known: Known) -> Mapping[str, Any]:
        limits = {each.runtime_id: each.memory or 0 for each in known.task.containers}
        found = await self._runtime.usage([id_ for id_ in limits if id_])
        now = self._clock()
        return {
            id_: task_metadata.stats(usage, None, now, (limits.get(id_) or 0) * _MIB)
            for id_, usage in found.items()
        }

    def _call(self, task: Task) -> Call:
        caller = Caller(arn="", user_id="", account=task.scope.account, access_key_id="")
        return Call(
            scope=task.scope,
            caller=caller,
            request_id=self._ids.uuid(),
            now=self._clock(),
            ids=self._ids,
            settings=ApiSettings(),
        )


def _current(call: Call, credentials: TaskCredentials, tx: Transaction) -> Session | None:
    known = tx.get(TASK_CREDENTIALS, credentials.scope, credentials.task)
    return task_sessions.current(tx, call, known) if known is not None else None


def _addresses(known: Known) -> set[str]:
    """Where the containers of a task ask from; those of the host's network ask from the host."""
    if known.definition.effective_network_mode is NetworkMode.HOST:
        return {ADDRESS, "127.0.0.1"}
    return {each.ip_address for each in known.seen.values() if each.ip_address}


def _not_found(message: str) -> Answer:
    body = {"code": "InvalidIdInRequest", "message": message, "HTTPErrorCode": 400}
    return Answer(400, body)


def _shown(credentials: TaskCredentials, session: Session) -> Mapping[str, str]:
    expires = session.expires_at.astimezone(UTC)
    return {
        "RoleArn": credentials.role_arn,
        "AccessKeyId": session.id,
        "SecretAccessKey": session.secret,
        "Token": session.token,
        "Expiration": expires.isoformat(timespec="seconds").replace("+00:00", "Z"),
    }
