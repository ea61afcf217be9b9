"""Who is told what at 169.254.170.2."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from openecs.api.sts import task_sessions
from openecs.app import SystemIds
from openecs.control.retention import Retention
from openecs.decide.task_metadata import metadata_id
from openecs.model.containers import ContainerObservation, ContainerState
from openecs.model.iam import Role
from openecs.model.tasks import TaskStatus
from openecs.node.task_endpoint import Endpoint, TaskEndpoint
from openecs.runtime.simulated import SimulatedRuntime
from openecs.store.iam import ROLES, SESSIONS, iam_scope
from openecs.store.kinds import TASK_DEFINITIONS, TASKS
from openecs.store.memory import MemoryStore
from openecs.testing.builders import (
    NOW,
    SCOPE,
    a_container,
    a_container_definition,
    a_task,
    a_task_definition,
)

TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "ecs-tasks.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
)
ROLE = Role(
    scope=iam_scope(SCOPE.account),
    id="AROA1",
    name="shop",
    path="/",
    created_at=NOW,
    trust=TRUST,
)
HERE, ELSEWHERE = "172.17.0.5", "172.17.0.6"
DEFINITION = replace(
    a_task_definition(container_definitions=(a_container_definition(),)),
    task_role_arn=ROLE.arn,
)
TASK = a_task(
    containers=(a_container(runtime_id="c" * 64),),
    last_status=TaskStatus.RUNNING,
    machine="machine-1",
    tags={"team": "a"},
)


class World:
    """A task with a role, whose container is at an address."""

    def __init__(self, port: int = 80) -> None:
        self.now = NOW
        self.store = MemoryStore()
        seen = ContainerObservation(
            id="c" * 64, name="ecs-app", labels={}, state=ContainerState.RUNNING, ip_address=HERE
        )
        self.endpoint = TaskEndpoint(
            store=self.store,
            runtime=SimulatedRuntime(lambda: self.now),
            clock=lambda: self.now,
            ids=SystemIds(),
            machine="machine-1",
            seen=lambda arn: {"app": seen} if arn == TASK.arn else {},
            endpoint=Endpoint(port=port, api_port=4566),
        )

    async def begin(self, role: Role | None = ROLE) -> None:
        def put(tx):
            tx.put(TASKS, TASK)
            tx.put(TASK_DEFINITIONS, DEFINITION)
            if role is not None:
                tx.put(ROLES, role)

        await self.store.write(put)

    async def variables(self) -> dict[str, str]:
        return dict((await self.endpoint.variables(TASK, DEFINITION))["app"])

    async def credentials(self, client: str = HERE):
        path = (await self.variables())["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"]
        return await self.endpoint.answer(path, client)


@pytest.fixture
async def world():
    made = World()
    await made.begin()
    return made


async def test_a_container_is_told_where_to_ask(world):
    told = await world.variables()
    name = metadata_id(TASK, "app")
    assert told["ECS_CONTAINER_METADATA_URI_V4"] == f"http://169.254.170.2/v4/{name}"
    assert told["ECS_CONTAINER_METADATA_URI"] == f"http://169.254.170.2/v3/{name}"
    assert told["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"].startswith("/v2/credentials/")
    assert told["AWS_ENDPOINT_URL"] == "http://169.254.170.2:4566"
    assert told == await world.variables()


async def test_without_port_80_the_whole_address_is_told():
    world = World(port=20_001)
    await world.begin()
    told = await world.variables()
    full = told["AWS_CONTAINER_CREDENTIALS_FULL_URI"]
    assert full.startswith("http://169.254.170.2:20001/v2/credentials/")
    assert "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI" not in told


async def test_without_an_endpoint_nothing_is_told():
    world = World(port=0)
    await world.begin()
    assert await world.endpoint.variables(TASK, DEFINITION) == {}


@pytest.mark.parametrize("role", [None, replace(ROLE, trust=TRUST.replace("ecs-tasks", "ec2"))])
async def test_a_role_that_tasks_cannot_have_gives_no_credentials(role):
    world = World()
    await world.begin(role)
    assert not [name for name in await world.variables() if name.startswith("AWS_")]


async def test_credentials_last_and_are_renewed_ahead_of_their_end(world):
    first = (await world.credentials()).body
    assert first["RoleArn"] == ROLE.arn
    world.now += task_sessions.LASTS - task_sessions.RENEWED_BEFORE - timedelta(minutes=1)
    assert (await world.credentials()).body == first
    world.now += timedelta(minutes=2)
    second = (await world.credentials()).body
    assert second["AccessKeyId"] != first["AccessKeyId"]
    assert second["Expiration"] > first["Expiration"]


async def test_strangers_are_told_nothing(world):
    name = metadata_id(TASK, "app")
    assert (await world.credentials(ELSEWHERE)).status == 400
    for path in (f"/v4/{name}", f"/v4/{name}/task", "/v2/metadata"):
        assert (await world.endpoint.answer(path, ELSEWHERE)).status == 400
    assert (await world.endpoint.answer("/v2/credentials/0", HERE)).status == 400
    assert (await world.endpoint.answer(f"/v4/{TASK.id}-1", HERE)).status == 400
    assert (await world.endpoint.answer("/", HERE)).status == 404


async def test_metadata_of_each_version(world):
    name = metadata_id(TASK, "app")
    newest = (await world.endpoint.answer(f"/v4/{name}", HERE)).body
    assert (newest["Name"], newest["DockerId"]) == ("app", "c" * 64)
    assert newest["ContainerARN"].startswith(SCOPE.arn("ecs", "container/"))
    older = (await world.endpoint.answer(f"/v3/{name}", HERE)).body
    assert "ContainerARN" not in older
    task = (await world.endpoint.answer(f"/v4/{name}/task", HERE)).body
    assert (task["TaskARN"], task["Family"]) == (TASK.arn, TASK.family)
    assert "TaskTags" not in task
    tagged = (await world.endpoint.answer(f"/v4/{name}/taskWithTags", HERE)).body
    assert tagged["TaskTags"] == {"team": "a"}


@pytest.mark.parametrize("ends", ["with the task", "unseen"])
async def test_credentials_end_with_the_task(world, ends):
    await world.credentials()
    assert await world.store.read(lambda view: view.scan(SESSIONS, None))
    if ends == "unseen":
        stopped = replace(TASK, last_status=TaskStatus.STOPPED, stopped_at=NOW)
        await world.store.write(lambda tx: tx.put(TASKS, stopped))
        hour = timedelta(hours=1)
        await Retention(store=world.store, clock=lambda: NOW, stopped_tasks=hour).run_once()
    else:
        await world.store.write(lambda tx: task_sessions.end(tx, SCOPE, TASKS.key(TASK)))
    assert not await world.store.read(lambda view: view.scan(SESSIONS, None))
