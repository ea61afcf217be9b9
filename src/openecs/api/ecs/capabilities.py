"""The attributes a container instance must have to run a task definition: ``requiresAttributes``.

Names are those the ECS agent registers, version of the Docker API included (``ecs-agent``,
``agent/app/agent_capability.go``).
"""

from __future__ import annotations

from collections.abc import Iterator

from openecs.api.ecs.fargate_rules import ECR_IMAGE
from openecs.model.task_definitions import (
    Attribute,
    ContainerDefinition,
    LogConfiguration,
    NetworkMode,
    Secret,
    TaskDefinition,
    Volume,
)

_COM = "com.amazonaws.ecs.capability."
_ECS = "ecs.capability."

#: The Docker API a log driver came with.
_LOG_DRIVER_API = {
    "json-file": "1.18",
    "syslog": "1.18",
    "journald": "1.19",
    "gelf": "1.20",
    "fluentd": "1.20",
    "awslogs": "1.21",
    "splunk": "1.22",
}


def required_attributes(definition: TaskDefinition) -> tuple[Attribute, ...]:
    """The attributes, each once, in the order of their names."""
    names = set(_of_task(definition))
    for container in definition.container_definitions:
        names.update(_of_container(definition, container))
    for volume in definition.volumes:
        names.update(_of_volume(volume))
    return tuple(Attribute(name=name) for name in sorted(names))


def _of_task(definition: TaskDefinition) -> Iterator[str]:
    if definition.task_role_arn:
        host = definition.network_mode is NetworkMode.HOST
        yield _COM + ("task-iam-role-network-host" if host else "task-iam-role")
    if definition.network_mode is NetworkMode.AWSVPC:
        yield _ECS + "task-eni"
    if definition.cpu is not None or definition.memory is not None:
        yield _ECS + "task-cpu-mem-limit"
    if definition.pid_mode or definition.ipc_mode:
        yield _ECS + "pid-ipc-namespace-sharing"
    if definition.proxy_configuration:
        yield _ECS + "aws-appmesh"
    if definition.enable_fault_injection:
        yield _ECS + "fault-injection"


def _of_container(definition: TaskDefinition, container: ContainerDefinition) -> Iterator[str]:
    with_role = bool(definition.execution_role_arn)
    if ECR_IMAGE.fullmatch(container.image):
        yield _COM + "ecr-auth"
        if with_role:
            yield _ECS + "execution-role-ecr-pull"
    if container.log_configuration:
        yield from _of_log(container.log_configuration, with_role=with_role)
    for secret in container.secrets:
        yield f"{_ECS}secrets.{_store_of(secret)}.environment-variables"
    for present, name in (
        (container.privileged, _COM + "privileged-container"),
        (container.memory_reservation is not None, _COM + "docker-remote-api.1.21"),
        (container.health_check, _ECS + "container-health-check"),
        (container.health_check, _COM + "docker-remote-api.1.29"),
        (container.depends_on, _ECS + "container-ordering"),
        (container.environment_files, _ECS + "env-files.s3"),
        (
            container.repository_credentials,
            _ECS + "private-registry-authentication.secretsmanager",
        ),
        (container.restart_policy, _ECS + "container-restart-policy"),
        (
            any(mapping.container_port_range for mapping in container.port_mappings),
            _ECS + "container-port-range",
        ),
    ):
        if present:
            yield name
    if container.firelens_configuration:
        yield f"{_ECS}firelens.{container.firelens_configuration.type}"


def _of_log(log: LogConfiguration, *, with_role: bool) -> Iterator[str]:
    yield f"{_COM}logging-driver.{log.log_driver}"
    if log.log_driver in _LOG_DRIVER_API:
        yield f"{_COM}docker-remote-api.{_LOG_DRIVER_API[log.log_driver]}"
    if log.log_driver == "awslogs" and with_role:
        yield _ECS + "execution-role-awslogs"
    for secret in log.secret_options:
        yield f"{_ECS}secrets.{_store_of(secret)}.bootstrap.log-driver"


def _of_volume(volume: Volume) -> Iterator[str]:
    docker, efs = volume.docker_volume_configuration, volume.efs_volume_configuration
    if docker:
        yield f"{_COM}docker-plugin.{docker.driver or 'local'}"
    if efs:
        yield _ECS + ("efsAuth" if efs.authorization_config else "efs")
    if volume.fsx_windows_file_server_volume_configuration:
        yield _ECS + "fsxWindowsFileServer"


def _store_of(secret: Secret) -> str:
    return "asm" if ":secretsmanager:" in secret.value_from else "ssm"
