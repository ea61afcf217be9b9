"""What a task is told of secrets, and what it hears where it may not know."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from openecs.model import task_definitions as m
from openecs.model.iam import Role
from openecs.model.secrets import CURRENT, PREVIOUS, Secret, SecretVersion
from openecs.node.resources import ResourceInitialization
from openecs.node.secrets import TaskSecrets
from openecs.runtime.base import RegistryAuth
from openecs.store.iam import ROLES, iam_scope
from openecs.store.memory import MemoryStore
from openecs.store.secrets import SECRET_VERSIONS, SECRETS
from openecs.testing.builders import NOW, SCOPE, a_container_definition, a_task, a_task_definition

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
READS = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": "*"}
        ],
    }
)
ROLE = Role(
    scope=iam_scope(SCOPE.account),
    id="AROA1",
    name="execution",
    path="/",
    created_at=NOW,
    trust=TRUST,
    inline={"reads": READS},
)
SECRET = Secret(
    scope=SCOPE,
    name="db",
    suffix="AbCdEf",
    stages={CURRENT: "v2", PREVIOUS: "v1"},
    created_at=NOW,
    changed_at=NOW,
)
UNABLE = (
    "unable to pull secrets or registry auth: execution resource retrieval failed: unable to "
    "retrieve secret from asm: service call has been retried 1 time(s): "
)
TASK = a_task()


class World:
    """A secret with two values, a role that may read it, and a task that wants it."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        self.secrets = TaskSecrets(store=self.store, clock=lambda: NOW, registries={})

    async def keep(self, role=ROLE, secret=SECRET, current='{"user": "shop", "port": 5432}'):
        def put(tx):
            tx.put(ROLES, role)
            tx.put(SECRETS, secret)
            for id_, text in (("v1", "old"), ("v2", current)):
                version = SecretVersion(scope=SCOPE, secret="db", id=id_, text=text, created_at=NOW)
                tx.put(SECRET_VERSIONS, version)

        await self.store.write(put)

    async def read(self, behind: str = "", role: str = ROLE.arn) -> str:
        named = SECRET.arn + behind
        container = a_container_definition(secrets=(m.Secret(name="S", value_from=named),))
        definition = replace(
            a_task_definition(container_definitions=(container,)), execution_role_arn=role
        )
        return (await self.secrets.values(TASK, definition))[named]

    async def refused(self, behind: str = "", role: str = ROLE.arn) -> str:
        with pytest.raises(ResourceInitialization) as caught:
            await self.read(behind, role)
        return caught.value.message


@pytest.fixture
async def world():
    made = World()
    await made.keep()
    return made


@pytest.mark.parametrize(
    ("behind", "value"),
    [
        ("", '{"user": "shop", "port": 5432}'),
        (":user::", "shop"),
        (":port::", "5432"),
        ("::AWSPREVIOUS:", "old"),
        (":::v1", "old"),
    ],
)
async def test_a_task_is_told_the_version_and_the_part_it_names(world, behind, value):
    assert await world.read(behind) == value


async def test_reading_is_noted(world):
    await world.read()
    (secret,) = await world.store.read(lambda view: view.scan(SECRETS, None))
    assert secret.accessed_at == NOW.replace(hour=0, minute=0, second=0, microsecond=0)


async def test_who_may_not_read_it_is_told_so_in_the_words_of_iam(world):
    await world.keep(role=replace(ROLE, inline={}))
    session = f"arn:aws:sts::{SCOPE.account}:assumed-role/execution/{TASK.id}"
    assert await world.refused() == (
        f"{UNABLE}failed to fetch secret {SECRET.arn} from secrets manager: "
        f"AccessDeniedException: User: {session} is not authorized to perform: "
        f"secretsmanager:GetSecretValue on resource: {SECRET.arn} because no identity-based "
        "policy allows the secretsmanager:GetSecretValue action"
    )


@pytest.mark.parametrize("role", ["", "arn:aws:iam::123456789012:role/other"])
async def test_a_role_that_is_not_there_is_not_assumed(world, role):
    assert (await world.refused(role=role)).startswith(
        f"ECS was unable to assume the role '{role}' that was provided for this task."
    )


async def test_a_role_that_does_not_trust_tasks_is_not_assumed(world):
    trust = TRUST.replace("ecs-tasks", "ec2")
    await world.keep(role=replace(ROLE, trust=trust))
    assert (await world.refused()).startswith("ECS was unable to assume the role")


async def test_what_is_not_there_is_told(world):
    assert (await world.refused(":colour::")).endswith("did not contain json key colour")
    assert (await world.refused("::NONE:")).endswith(
        "ResourceNotFoundException: Secrets Manager can't find the specified secret value for "
        "staging label: NONE"
    )
    await world.keep(current="no json")
    assert (await world.refused(":user::")).endswith("did not contain json key user")
    await world.keep(secret=replace(SECRET, deleted_at=NOW, gone_at=NOW + timedelta(days=7)))
    assert (await world.refused()).endswith("because it was marked for deletion.")


async def test_a_registry_is_opened_by_a_secret(world):
    await world.keep(current='{"username": "u", "password": "p"}')
    credentials = m.RepositoryCredentials(credentials_parameter=SECRET.arn)
    container = a_container_definition(repository_credentials=credentials)
    definition = replace(a_task_definition(), execution_role_arn=ROLE.arn)
    found = await world.secrets.registry(TASK, definition, container)
    assert found == RegistryAuth(username="u", password="p")
    with pytest.raises(ResourceInitialization, match="registry_credentials"):
        await world.secrets.registry(TASK, a_task_definition(), container)
