"""The volumes of a task: what the engine has to make, and what a mount of them refers to. Pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping

from openecs.model.task_definitions import ContainerDefinition, TaskDefinition, Volume
from openecs.model.tasks import Task
from openecs.runtime.base import CannotCreateVolume, Mount, VolumeSpec


def to_make(task: Task, definition: TaskDefinition) -> tuple[VolumeSpec, ...]:
    """The volumes of the engine that must exist before the task's containers.

    A shared volume is made only where ``autoprovision`` says so; otherwise it has to be there.
    """
    return tuple(_spec(task, volume) for volume in definition.volumes if _is_engine_volume(volume))


def of_task(task: Task, definition: TaskDefinition) -> tuple[str, ...]:
    """The engine's names of the volumes that go when the task's containers go."""
    return tuple(
        _name(task, v) for v in definition.volumes if _is_engine_volume(v) and _lives_with_task(v)
    )


def source(task: Task, volume: Volume, file_systems: Mapping[str, str]) -> Mount:
    """What a mount of the volume refers to (its target is the mount point's)."""
    if volume.host is not None and volume.host.source_path:
        return Mount(type="bind", source=volume.host.source_path, target="")
    if path := _mapped_path(volume, file_systems):
        return Mount(type="bind", source=path, target="")
    return Mount(type="volume", source=_name(task, volume), target="")


def mounts(definition: ContainerDefinition, sources: Mapping[str, Mount]) -> Iterator[Mount]:
    """The mounts of a container."""
    for point in definition.mount_points:
        found = sources.get(point.source_volume or "")
        if found is not None and point.container_path:
            yield Mount(
                type=found.type,
                source=found.source,
                target=point.container_path,
                read_only=bool(point.read_only),
            )


def _mapped_path(volume: Volume, file_systems: Mapping[str, str]) -> str | None:
    efs, fsx = (
        volume.efs_volume_configuration,
        volume.fsx_windows_file_server_volume_configuration,
    )
    given = efs or fsx
    if given is None:
        return None
    if given.file_system_id not in file_systems:
        raise CannotCreateVolume(f"{given.file_system_id} is not mapped to a local path")
    base = file_systems[given.file_system_id].rstrip("/")
    inner = (given.root_directory or "").replace("\\", "/").strip("/")
    return f"{base}/{inner}" if inner else base or "/"


def _is_engine_volume(volume: Volume) -> bool:
    elsewhere = (
        volume.efs_volume_configuration
        or volume.fsx_windows_file_server_volume_configuration
        or (volume.host is not None and volume.host.source_path)
    )
    return not elsewhere


def _lives_with_task(volume: Volume) -> bool:
    docker = volume.docker_volume_configuration
    return docker is None or docker.scope != "shared"


def _autoprovisioned(volume: Volume) -> bool:
    docker = volume.docker_volume_configuration
    return docker is not None and bool(docker.autoprovision)


def _name(task: Task, volume: Volume) -> str:
    if not _lives_with_task(volume):
        return volume.name
    digest = hashlib.sha256(f"{task.arn} {volume.name}".encode()).hexdigest()[:20]
    plain = re.sub(r"[^A-Za-z0-9-]", "", volume.name)
    return f"ecs-{task.family}-{task.revision}-{plain}-{digest}"


def _spec(task: Task, volume: Volume) -> VolumeSpec:
    docker = volume.docker_volume_configuration
    return VolumeSpec(
        name=_name(task, volume),
        driver=(docker.driver if docker else None) or "local",
        driver_opts=(docker.driver_opts if docker else None) or {},
        labels=(docker.labels if docker else None) or {},
        must_exist=not _lives_with_task(volume) and not _autoprovisioned(volume),
    )
