"""What a task needs from outside the engine: environment files and registry credentials."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from openecs.model.task_definitions import ContainerDefinition, EnvironmentFile, TaskDefinition
from openecs.model.tasks import TaskOverride
from openecs.runtime.base import EngineError, RegistryAuth

S3_PREFIX = "arn:aws:s3:::"


class ResourceInitialization(EngineError):
    """Something the task needs before its containers could not be had."""

    name = "ResourceInitializationError"


def read_environment_files(
    definition: TaskDefinition, overrides: TaskOverride, directory: Path | None
) -> Mapping[str, str]:
    """The contents of all environment files of a task, by their ARN.

    Raises ``ResourceInitialization`` where one cannot be read.
    """
    wanted: dict[str, EnvironmentFile] = {}
    for container in definition.container_definitions:
        given = overrides.of(container.name).environment_files or container.environment_files
        wanted.update({f.value: f for f in given})
    return {arn: _read(arn, directory) for arn in wanted}


def registry_auth(
    container: ContainerDefinition, registries: Mapping[str, RegistryAuth]
) -> RegistryAuth | None:
    """What opens the container's registry, where the settings know the secret it names."""
    if container.repository_credentials is None:
        return None
    secret = container.repository_credentials.credentials_parameter
    named = (secret, secret.rpartition(":secret:")[2], _secret_name(secret))
    return next((registries[known] for known in named if known in registries), None)


def _secret_name(secret: str) -> str:
    """The name in a secret's ARN, without the six characters AWS puts behind it."""
    name = secret.rpartition(":secret:")[2]
    head, dash, tail = name.rpartition("-")
    return head if dash and len(tail) == 6 else name


def _read(arn: str, directory: Path | None) -> str:
    if directory is None:
        raise ResourceInitialization(
            f"failed to download env files: {arn}: no environment_files_dir is set"
        )
    root = directory.resolve()
    path = (root / arn.removeprefix(S3_PREFIX)).resolve()
    if not arn.startswith(S3_PREFIX) or not path.is_relative_to(root):
        raise ResourceInitialization(f"failed to download env files: {arn}: not an S3 object ARN")
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ResourceInitialization(
            f"failed to download env files: {arn}: {path}: {error}"
        ) from error
