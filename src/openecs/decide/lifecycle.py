"""The life of a task: what its record becomes when the engine has been looked at.

PROVISIONING, PENDING, ACTIVATING, RUNNING, DEACTIVATING, STOPPING, DEPROVISIONING, STOPPED:
forward only. Rules: Amazon ECS Developer Guide, "Amazon ECS task lifecycle"; the ECS agent (a task
runs once every container has; one essential container that stops takes the others with it; a task
is stopped only when all of them are).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from openecs.decide import health, network, restarts, serving
from openecs.model.containers import PAUSE, ContainerObservation, ContainerState
from openecs.model.task_definitions import ContainerDefinition, TaskDefinition
from openecs.model.tasks import Container, ContainerStatus, StopCode, Task, TaskStatus

ORDER = tuple(TaskStatus)

ESSENTIAL_EXITED = "Essential container in task exited"
VANISHED = "ContainerVanishedError: No container matching saved ID found"
OUT_OF_MEMORY = "OutOfMemoryError: Container killed due to memory usage"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """What is known of a task's containers at one moment.

    ``seen`` maps container names (and ``PAUSE``) to the engine's containers: complete, so that what
    is not in it does not exist. ``launching`` names those on their way into the engine that can
    not be called back any more. ``failures`` maps containers that could not be brought up to why.
    """

    seen: Mapping[str, ContainerObservation]
    launching: frozenset[str] = frozenset()
    failures: Mapping[str, str] | None = None
    pull_started_at: datetime | None = None
    pull_stopped_at: datetime | None = None


def absorb(task: Task, definition: TaskDefinition, sighting: Sighting, now: datetime) -> Task:
    """The task's record after a sighting; ``version`` grows if anything else did.

    A stopped task stays as it is. Nothing but STOPPED's own time is left for ``finish``. That the
    engine was reached, and when images were pulled, is noted along with what came of it.
    """
    if task.last_status is TaskStatus.STOPPED:
        return task
    after = _look(task, definition, sighting, now)
    if after.desired_status is not task.desired_status:
        # What is seen means something else for a task that is to stop.
        after = _look(after, definition, sighting, now)
    after = _advance(after, now)
    after = replace(after, health_status=health.task_health(definition, after.containers))
    if after == task:
        return task
    return replace(
        after,
        connectivity_at=task.connectivity_at or now,
        pull_started_at=task.pull_started_at or sighting.pull_started_at,
        pull_stopped_at=task.pull_stopped_at or sighting.pull_stopped_at,
        version=task.version + 1,
    )


def finish(task: Task, now: datetime) -> Task:
    """The task's record once its containers have stopped and what was set up for it is gone."""
    if task.last_status is TaskStatus.STOPPED:
        return task
    return replace(
        task,
        last_status=TaskStatus.STOPPED,
        stopped_at=now,
        stopping_at=task.stopping_at or now,
        execution_stopped_at=task.execution_stopped_at or now,
        attachments=tuple(replace(a, status="DELETED") for a in task.attachments),
        version=task.version + 1,
    )


def request_stop(task: Task, code: StopCode, reason: str, now: datetime) -> Task:
    """The task with desired status STOPPED; the first reason stays."""
    if task.desired_status is TaskStatus.STOPPED:
        return task
    return replace(
        task,
        desired_status=TaskStatus.STOPPED,
        stop_code=code,
        stopped_reason=reason,
        stopping_at=now,
        version=task.version + 1,
    )


def is_over(task: Task) -> bool:
    """Whether no container of the task runs or can run any more."""
    return all(c.last_status is ContainerStatus.STOPPED for c in task.containers)


def has_started(container: Container) -> bool:
    """Whether the container reached RUNNING, even if it has stopped since."""
    return container.started_at is not None


def _look(task: Task, definition: TaskDefinition, sighting: Sighting, now: datetime) -> Task:
    containers = tuple(
        _absorb_container(task, definition, container, sighting, now)
        for container in task.containers
    )
    after = replace(task, containers=containers)
    after = network.absorb(after, definition, sighting.seen.get(PAUSE))
    after = _stop_with_essential(after, definition, sighting, now)
    return _abandon_unborn(after, sighting.launching)


def _absorb_container(
    task: Task,
    definition: TaskDefinition,
    container: Container,
    sighting: Sighting,
    now: datetime,
) -> Container:
    observed = sighting.seen.get(container.name)
    containing = definition.container(container.name)
    if container.last_status is ContainerStatus.STOPPED or containing is None:
        return container
    failure = (sighting.failures or {}).get(container.name)
    if observed is None:
        return _stopped(container, None, failure) if failure else _unseen(container, sighting)
    container = _identified(container, task, containing, observed)
    if failure:
        return _stopped(container, observed, failure)
    if container.name in sighting.launching and observed.state is not ContainerState.RUNNING:
        return container
    match observed.state:
        case ContainerState.RUNNING:
            return replace(container, last_status=ContainerStatus.RUNNING)
        case ContainerState.CREATED:
            return _created(task, container)
        case ContainerState.EXITED:
            return _exited(task, containing, container, observed, now)


def _created(task: Task, container: Container) -> Container:
    """A container made but never started stops with its task; until then its start goes on."""
    if task.desired_status is TaskStatus.STOPPED:
        return replace(container, last_status=ContainerStatus.STOPPED)
    return container


def _unseen(container: Container, sighting: Sighting) -> Container:
    """A container that was in the engine once, and is neither there nor coming, was removed."""
    if container.runtime_id is None or container.name in sighting.launching:
        return container
    return replace(container, last_status=ContainerStatus.STOPPED, reason=VANISHED)


def _identified(
    container: Container,
    task: Task,
    definition: ContainerDefinition,
    observed: ContainerObservation,
) -> Container:
    return replace(
        container,
        runtime_id=observed.id,
        image_digest=observed.image_digest or None,
        started_at=container.started_at or observed.started_at,
        health_status=health.container_health(definition, observed.health),
        network_bindings=network.bindings(task, definition, observed) or container.network_bindings,
    )


def _exited(
    task: Task,
    definition: ContainerDefinition,
    container: Container,
    observed: ContainerObservation,
    now: datetime,
) -> Container:
    if task.desired_status is TaskStatus.RUNNING:
        if restarts.is_restart_due(container, observed):
            return container
        if restarts.should_restart(definition.restart_policy, container, observed, now):
            return replace(container, restart_count=container.restart_count + 1, restarted_at=now)
    return _stopped(container, observed, _reason(observed))


def _reason(observed: ContainerObservation) -> str | None:
    if observed.oom_killed:
        return OUT_OF_MEMORY
    return f"DockerStateError: {observed.error}"[:1024] if observed.error else None


def _stopped(
    container: Container, observed: ContainerObservation | None, reason: str | None
) -> Container:
    ran = observed is not None and observed.started_at is not None
    return replace(
        container,
        last_status=ContainerStatus.STOPPED,
        reason=reason,
        exit_code=observed.exit_code if observed is not None and ran else None,
        finished_at=observed.finished_at if observed else None,
    )


def _stop_with_essential(
    task: Task, definition: TaskDefinition, sighting: Sighting, now: datetime
) -> Task:
    """An essential container that stopped, or the lost network, wants the whole task stopped."""
    essential = {c.name for c in definition.container_definitions if c.essential}
    dead = [
        c
        for c in task.containers
        if c.name in essential and c.last_status is ContainerStatus.STOPPED
    ]
    lost = network.is_lost(task, definition, sighting.seen.get(PAUSE))
    if not dead and not lost:
        return task
    task = replace(task, execution_stopped_at=task.execution_stopped_at or now)
    unborn = next((c for c in dead if not has_started(c) and c.reason), None)
    if unborn is not None and task.started_at is None:
        return request_stop(task, StopCode.TASK_FAILED_TO_START, unborn.reason or "", now)
    return request_stop(task, StopCode.ESSENTIAL_CONTAINER_EXITED, ESSENTIAL_EXITED, now)


def _abandon_unborn(task: Task, launching: Iterable[str]) -> Task:
    """Containers that never came to be are stopped with their task."""
    if task.desired_status is not TaskStatus.STOPPED:
        return task
    return replace(
        task,
        containers=tuple(
            replace(c, last_status=ContainerStatus.STOPPED)
            if c.runtime_id is None and c.name not in launching
            else c
            for c in task.containers
        ),
    )


def _advance(task: Task, now: datetime) -> Task:
    if task.started_at is None and _has_run(task):
        task = replace(task, started_at=now)
    status = max(task.last_status, _status(task, now), key=ORDER.index)
    return task if status is task.last_status else replace(task, last_status=status)


def _has_run(task: Task) -> bool:
    """Whether every container started; while the task is to run, one that could not counts too."""
    if task.desired_status is TaskStatus.STOPPED:
        return all(has_started(c) for c in task.containers)
    return all(has_started(c) or c.last_status is ContainerStatus.STOPPED for c in task.containers)


def _status(task: Task, now: datetime) -> TaskStatus:
    if task.desired_status is TaskStatus.STOPPED:
        if is_over(task):
            return TaskStatus.DEPROVISIONING if task.attachments else TaskStatus.STOPPING
        if serving.is_held(task, now):
            return TaskStatus.DEACTIVATING
        exited = task.stop_code is StopCode.ESSENTIAL_CONTAINER_EXITED
        return task.last_status if exited else TaskStatus.STOPPING
    if task.started_at:
        return TaskStatus.RUNNING
    if task.attachments and task.attachments[0].status != "ATTACHED":
        return TaskStatus.PROVISIONING
    return TaskStatus.PENDING
