"""What a task definition says that is not done here yet: said plainly, never dropped.

Whoever starts tasks refuses such a definition with these texts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from openecs.decide.secret_references import secret_reference
from openecs.model.task_definitions import ContainerDefinition, TaskDefinition, Volume

UNBUILT_LOG_DRIVERS = ("awsfirelens",)
ELSEWHERE = "awslogs, json-file, local, syslog, journald, fluentd, gelf or splunk"


def refusals(definition: TaskDefinition, file_systems: Mapping[str, str]) -> tuple[str, ...]:
    """Why no task of the definition can be started; nothing if one can.

    ``file_systems`` maps the ids of EFS and FSx file systems to the local paths that stand in.
    """
    return (
        *_of_task(definition),
        *(text for c in definition.container_definitions for text in _of_container(c)),
        *(text for v in definition.volumes for text in _of_volume(v, file_systems)),
    )


def _of_task(definition: TaskDefinition) -> Iterator[str]:
    platform = definition.runtime_platform
    if platform and (platform.operating_system_family or "LINUX") != "LINUX":
        yield f"OpenECS runs Linux containers, not {platform.operating_system_family}."
    if definition.inference_accelerators:
        yield "OpenECS has no inference accelerators: remove inferenceAccelerators."
    if definition.proxy_configuration:
        yield "OpenECS has not built App Mesh: remove proxyConfiguration."
    if definition.enable_fault_injection:
        yield "OpenECS has not built fault injection: remove enableFaultInjection."


def _of_container(container: ContainerDefinition) -> Iterator[str]:
    where = f"container '{container.name}'"
    logs = container.log_configuration
    if logs and logs.log_driver in UNBUILT_LOG_DRIVERS:
        yield (
            f"OpenECS has not built the log driver {logs.log_driver} yet ({where}): "
            f"use {ELSEWHERE}, or leave out logConfiguration."
        )
    for secret in (*container.secrets, *(logs.secret_options if logs else ())):
        if secret_reference(secret.value_from) is None:
            yield (
                f"OpenECS has not built Parameter Store yet ({where}, {secret.name}): use a secret "
                "of Secrets Manager."
            )
    if container.resource_requirements:
        kinds = ", ".join(sorted({r.type for r in container.resource_requirements}))
        yield f"OpenECS cannot give a container {kinds} ({where}): remove resourceRequirements."
    if container.firelens_configuration:
        yield f"OpenECS has not built FireLens yet ({where}): remove firelensConfiguration."
    if container.credential_specs:
        yield f"OpenECS has not built credentialSpecs ({where}): remove them."


def _of_volume(volume: Volume, file_systems: Mapping[str, str]) -> Iterator[str]:
    efs = volume.efs_volume_configuration
    fsx = volume.fsx_windows_file_server_volume_configuration
    for system in (efs, fsx):
        if system and system.file_system_id not in file_systems:
            yield (
                f"Volume '{volume.name}': the file system {system.file_system_id} is not mapped to "
                "a local path: add it to the file_systems setting of OpenECS."
            )
    if volume.s3files_volume_configuration:
        yield f"Volume '{volume.name}': OpenECS has not built S3 Files volumes."
    if volume.configured_at_launch:
        yield f"Volume '{volume.name}': OpenECS has no EBS volumes to configure at launch."
