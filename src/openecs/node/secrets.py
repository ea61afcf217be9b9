"""The secrets of tasks, read with their execution roles as tasks start, and kept nowhere.

Amazon ECS Developer Guide, "Pass sensitive data to an Amazon ECS container".
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import partial

from openecs.api.base import ServiceError
from openecs.api.iam import judging, service_roles
from openecs.api.iam.principals import Known
from openecs.api.secretsmanager import errors, policies, references, values
from openecs.decide.secret_references import SecretReference, secret_reference
from openecs.model.task_definitions import ContainerDefinition, TaskDefinition
from openecs.model.tasks import Task
from openecs.node.resources import ResourceInitialization, registry_auth
from openecs.runtime.base import RegistryAuth
from openecs.store.base import Store, Transaction, View

#: By what ``valueFrom`` says.
Values = Mapping[str, str]

_UNABLE = (
    "unable to pull secrets or registry auth: execution resource retrieval failed: unable to "
    "retrieve secret from asm: service call has been retried 1 time(s): "
)


class TaskSecrets:
    """Reads secrets; ``registries`` has those that the settings of this machine know."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Callable[[], datetime],
        registries: Mapping[str, RegistryAuth],
    ) -> None:
        self._store = store
        self._clock = clock
        self._registries = registries

    async def values(self, task: Task, definition: TaskDefinition) -> Values:
        """What the containers' ``secrets`` and their log drivers' are now.

        Raises ``ResourceInitialization`` where one cannot be read.
        """
        wanted = {each: secret_reference(each) for each in _named(definition)}
        known = {each: found for each, found in wanted.items() if found is not None}
        if not known:
            return {}
        return await self._store.write(partial(self._read, task, definition, known))

    async def registry(
        self, task: Task, definition: TaskDefinition, container: ContainerDefinition
    ) -> RegistryAuth | None:
        """What opens the container's registry; None where the definition names no secret.

        Raises ``ResourceInitialization`` where it names one that is not to be had.
        """
        if container.repository_credentials is None:
            return None
        known = registry_auth(container, self._registries)
        if known is not None:
            return known
        named = container.repository_credentials.credentials_parameter
        if not _role_of(task, definition):
            raise ResourceInitialization(
                f"{_UNABLE}{named}: not among the registry_credentials of this machine, and the "
                "task has no execution role to read it from Secrets Manager with"
            )
        reference = secret_reference(named) or SecretReference(secret=named)
        read = partial(self._read, task, definition, {named: reference})
        found = await self._store.write(read)
        return _registry(named, found[named])

    def _read(
        self,
        task: Task,
        definition: TaskDefinition,
        wanted: Mapping[str, SecretReference],
        tx: Transaction,
    ) -> Values:
        arn = _role_of(task, definition)
        told = judging.circumstances(self._clock(), task.scope.region)
        role = service_roles.assumed(tx, arn, service_roles.TASKS, task.id, told)
        if role is None:
            raise ResourceInitialization(_not_assumed(arn))
        reader = partial(self._value, tx, task, role, told)
        return {value_from: reader(reference) for value_from, reference in wanted.items()}

    def _value(
        self,
        tx: Transaction,
        task: Task,
        role: Known,
        told: Mapping[str, tuple[str, ...]],
        wanted: SecretReference,
    ) -> str:
        try:
            _check(tx, task, role, told, wanted)
            return self._text(tx, task, wanted)
        except ServiceError as error:
            raise ResourceInitialization(
                f"{_UNABLE}failed to fetch secret {wanted.secret} from secrets manager: {error}"
            ) from error

    def _text(self, tx: Transaction, task: Task, wanted: SecretReference) -> str:
        secret = references.find(tx, task.scope, wanted.secret)
        if secret is None:
            raise errors.not_found()
        if secret.deleted_at is not None:
            raise errors.marked_for_deletion()
        version = values.version_of(tx, secret, wanted.version, wanted.stage)
        values.read(tx, secret, version, self._clock())
        if version.text is None:
            raise ResourceInitialization(f"{_UNABLE}the secret {wanted.secret} is binary")
        return _member(wanted, version.text) if wanted.json_key else version.text


def _check(
    view: View,
    task: Task,
    role: Known,
    told: Mapping[str, tuple[str, ...]],
    wanted: SecretReference,
) -> None:
    """Raise where the role may not read the secret."""
    asked = policies.asked(view, task.scope, "GetSecretValue", wanted.secret)
    if refused := judging.refusal(role, [asked], told):
        raise ServiceError("AccessDeniedException", refused)


def _named(definition: TaskDefinition) -> Iterator[str]:
    for container in definition.container_definitions:
        logs = container.log_configuration
        for secret in (*container.secrets, *(logs.secret_options if logs else ())):
            yield secret.value_from


def _role_of(task: Task, definition: TaskDefinition) -> str:
    return task.overrides.execution_role_arn or definition.execution_role_arn or ""


def _not_assumed(role: str) -> str:
    return (
        f"ECS was unable to assume the role '{role}' that was provided for this task. Please "
        "verify that the role being passed has the proper trust relationship and permissions and "
        "that your IAM user has permissions to pass this role."
    )


def _member(wanted: SecretReference, text: str) -> str:
    """A member of the JSON that a secret is, as the ECS agent takes it."""
    try:
        found = json.loads(text)[wanted.json_key]
    except (ValueError, TypeError, LookupError) as error:
        raise ResourceInitialization(
            f"{_UNABLE}retrieved secret from Secrets Manager did not contain json key "
            f"{wanted.json_key}"
        ) from error
    return found if isinstance(found, str) else json.dumps(found)


def _registry(named: str, text: str) -> RegistryAuth:
    try:
        found = json.loads(text)
        return RegistryAuth(username=str(found["username"]), password=str(found["password"]))
    except (ValueError, TypeError, LookupError) as error:
        raise ResourceInitialization(
            f"{_UNABLE}the secret {named} is not JSON with username and password"
        ) from error
