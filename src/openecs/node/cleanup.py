"""Removing what stopped tasks leave in the engine, once it has been kept long enough."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime

import structlog

from openecs.model.containers import PAUSE, ContainerObservation, ContainerState
from openecs.model.identity import parse_arn
from openecs.model.tasks import Task, TaskStatus
from openecs.node.settings import NodeSettings
from openecs.runtime.base import (
    LABEL_CONTAINER_NAME,
    LABEL_TASK_ARN,
    LABEL_VOLUMES,
    EngineError,
    Runtime,
)
from openecs.store.base import Store, StoreError
from openecs.store.kinds import TASKS

log = structlog.get_logger(__name__)


async def sweep(
    *,
    store: Store,
    runtime: Runtime,
    settings: NodeSettings,
    now: datetime,
    is_read: Callable[[ContainerObservation], bool],
) -> None:
    """Remove the containers of stopped or forgotten tasks that ended ``cleanup_wait`` ago.

    Not before their output ``is_read`` where somebody is to read it.
    """
    try:
        for observed in await runtime.observe(settings.installation):
            is_due = _is_due(observed, settings, now) and is_read(observed)
            if is_due and await _is_over(store, observed):
                await remove(runtime, observed)
        await runtime.remove_networks()
    except (EngineError, StoreError) as error:
        log.warning("clean-up waits", reason=str(error))


async def remove_all(runtime: Runtime, installation: str) -> None:
    """Remove every container of an installation at once, with the volumes of their tasks."""
    containers = await runtime.observe(installation)
    pauses = [c for c in containers if c.labels.get(LABEL_CONTAINER_NAME) == PAUSE]
    await _remove(runtime, [c for c in containers if c not in pauses])
    await _remove(runtime, pauses)
    await runtime.remove_networks()


async def remove(runtime: Runtime, observed: ContainerObservation) -> None:
    """Remove a container and the volumes that lived with its task."""
    await runtime.remove(observed.name)
    for volume in observed.labels.get(LABEL_VOLUMES, "").split():
        await runtime.remove_volume(volume)


async def _remove(runtime: Runtime, containers: Sequence[ContainerObservation]) -> None:
    async with asyncio.TaskGroup() as group:
        for observed in containers:
            group.create_task(remove(runtime, observed))


def _is_due(observed: ContainerObservation, settings: NodeSettings, now: datetime) -> bool:
    if observed.state is ContainerState.RUNNING:
        return False
    ended = observed.finished_at
    return ended is None or now - ended >= settings.cleanup_wait


async def _is_over(store: Store, observed: ContainerObservation) -> bool:
    """Whether the container's task is stopped, or so long gone that nobody remembers it."""
    arn = parse_arn(observed.labels.get(LABEL_TASK_ARN, ""))
    if arn is None:
        return False
    key = arn.resource.removeprefix("task/")
    task: Task | None = await store.read(lambda view: view.get(TASKS, arn.scope, key))
    return task is None or task.last_status is TaskStatus.STOPPED
