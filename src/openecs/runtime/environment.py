"""A container's environment. Pure.

Later wins: what the machine tells, environment files, the definition's ``environment``, its
``secrets``, the override of RunTask. What the image sets is the engine's business and loses to all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from openecs.model.task_definitions import ContainerDefinition
from openecs.model.tasks import LaunchType, Task

EXECUTION_ENVIRONMENT = {
    LaunchType.EC2: "AWS_ECS_EC2",
    LaunchType.FARGATE: "AWS_ECS_FARGATE",
    LaunchType.EXTERNAL: "AWS_ECS_EXTERNAL",
    LaunchType.MANAGED_INSTANCES: "AWS_ECS_MANAGED_INSTANCES",
}


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a task needs from elsewhere: environment files by ARN, secrets by ``valueFrom``."""

    environment_files: Mapping[str, str] = field(default_factory=dict, repr=False)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    #: What the machine tells each container, by its name.
    told: Mapping[str, Mapping[str, str]] = field(default_factory=dict, repr=False)


def environment_of(task: Task, definition: ContainerDefinition, fetched: Fetched) -> dict[str, str]:
    """The variables a container starts with, but for its image's own."""
    override = task.overrides.of(definition.name)
    environment = {"AWS_EXECUTION_ENV": EXECUTION_ENVIRONMENT[task.launch_type]}
    if task.launch_type is LaunchType.FARGATE:
        environment |= {"AWS_REGION": task.scope.region, "AWS_DEFAULT_REGION": task.scope.region}
    environment |= fetched.told.get(definition.name, {})
    for file in reversed(override.environment_files or definition.environment_files):
        environment |= parse_environment_file(fetched.environment_files[file.value])
    environment |= {pair.name: pair.value for pair in definition.environment}
    environment |= {each.name: fetched.secrets[each.value_from] for each in definition.secrets}
    environment |= {pair.name: pair.value for pair in override.environment}
    return environment


def parse_environment_file(text: str) -> dict[str, str]:
    """The variables of a file of ``NAME=value`` lines; lines that start with # are comments.

    Of a name defined twice the first definition holds. Values are taken as they stand.
    """
    variables: dict[str, str] = {}
    for line in text.splitlines():
        name, equals, value = line.partition("=")
        name = name.strip()
        if equals and name and not name.startswith("#"):
            variables.setdefault(name, value)
    return variables
