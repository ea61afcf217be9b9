"""What a node does next for one task: state in, steps out.

The record (already brought up to date by ``lifecycle.absorb``) and the sighting it came from go in;
out come steps that may run side by side. Every step may be repeated: after a crash the same plan
comes out again from what is stored and what really runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from openecs.decide import dependencies, restarts, serving
from openecs.decide.lifecycle import Sighting, is_over
from openecs.model.containers import ContainerState
from openecs.model.task_definitions import ContainerDefinition, TaskDefinition
from openecs.model.tasks import Container, ContainerStatus, Task, TaskStatus


@dataclass(frozen=True, slots=True)
class SetUp:
    """Make what the containers need before the first of them: group, volumes, pause container."""


@dataclass(frozen=True, slots=True)
class Launch:
    """Bring a container up: image, create, start."""

    name: str


@dataclass(frozen=True, slots=True)
class Restart:
    """Start a container that exited again, by its restart policy."""

    name: str


@dataclass(frozen=True, slots=True)
class Stop:
    """Stop a container: its stop signal, and SIGKILL after ``grace``."""

    name: str
    grace: timedelta


@dataclass(frozen=True, slots=True)
class TearDown:
    """Remove what was set up, then record the task as STOPPED."""


Step = SetUp | Launch | Restart | Stop | TearDown


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskPlan:
    """Steps to take, containers that can never start and why, and when to look again at last."""

    steps: tuple[Step, ...] = ()
    failures: Mapping[str, str] = field(default_factory=dict)
    wake: datetime | None = None


def plan(
    task: Task,
    definition: TaskDefinition,
    sighting: Sighting,
    *,
    is_set_up: bool,
    now: datetime,
    stop_timeout: timedelta,
) -> TaskPlan:
    """The next steps of a task. ``is_set_up``: whether SetUp was done by this process.

    ``stop_timeout`` serves containers that name none of their own.
    """
    if task.last_status is TaskStatus.STOPPED:
        return TaskPlan()
    if task.desired_status is TaskStatus.STOPPED:
        return _stopping(task, definition, sighting, now, stop_timeout)
    if not is_set_up:
        return TaskPlan(steps=(SetUp(),))
    return _starting(task, definition, sighting, now)


def _stopping(
    task: Task,
    definition: TaskDefinition,
    sighting: Sighting,
    now: datetime,
    stop_timeout: timedelta,
) -> TaskPlan:
    if is_over(task):
        return TaskPlan(steps=(TearDown(),))
    if serving.is_held(task, now):
        return TaskPlan(wake=task.drained_at)
    return TaskPlan(
        steps=tuple(
            Stop(c.name, _grace(definition.container(c.name), stop_timeout))
            for c in task.containers
            if _is_running(c, sighting) and dependencies.may_stop(c.name, definition, task)
        )
    )


def _is_running(container: Container, sighting: Sighting) -> bool:
    observed = sighting.seen.get(container.name)
    return observed is not None and observed.state is ContainerState.RUNNING


def _grace(definition: ContainerDefinition | None, default: timedelta) -> timedelta:
    if definition is None or definition.stop_timeout is None:
        return default
    return timedelta(seconds=definition.stop_timeout)


def _starting(
    task: Task, definition: TaskDefinition, sighting: Sighting, now: datetime
) -> TaskPlan:
    alive = [c for c in task.containers if c.last_status is not ContainerStatus.STOPPED]
    restarts_due = [Restart(c.name) for c in alive if _is_restart_due(c, sighting)]
    verdicts = {
        c.name: dependencies.may_start(containing, definition, task, now)
        for c in alive
        if _is_unborn(c, sighting) and (containing := definition.container(c.name))
    }
    launches = [Launch(n) for n, v in verdicts.items() if isinstance(v, dependencies.Ready)]
    never = [n for n, v in verdicts.items() if isinstance(v, dependencies.Never)]
    waits = [v.until for v in verdicts.values() if isinstance(v, dependencies.NotYet) and v.until]
    return TaskPlan(
        steps=(*restarts_due, *launches),
        failures={name: _dependency_error(task) for name in never},
        wake=min(waits, default=None),
    )


def _is_unborn(container: Container, sighting: Sighting) -> bool:
    observed = sighting.seen.get(container.name)
    return observed is None or observed.state is ContainerState.CREATED


def _is_restart_due(container: Container, sighting: Sighting) -> bool:
    observed = sighting.seen.get(container.name)
    if observed is None or observed.state is not ContainerState.EXITED:
        return False
    return restarts.is_restart_due(container, observed)


def _dependency_error(task: Task) -> str:
    return f"TaskDependencyError: Task dependencies cannot be resolved, taskArn: {task.arn}"
