"""The order in which the containers of a task start and stop: ``dependsOn``, links, volumesFrom.

"Not yet" and "never" are different answers. Rules: Amazon ECS API Reference, ContainerDependency;
the ECS agent's dependency graph (a condition blocks the creation of the dependent container).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from openecs.model.task_definitions import (
    ContainerDefinition,
    ContainerDependency,
    DependencyCondition,
    TaskDefinition,
)
from openecs.model.tasks import Container, ContainerStatus, HealthStatus, Task


@dataclass(frozen=True, slots=True)
class Ready:
    """The container may be created now."""


@dataclass(frozen=True, slots=True)
class NotYet:
    """A condition does not hold yet; ``until``: when a start timeout ends the wait."""

    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Never:
    """A condition can no longer come true."""

    dependency: str
    condition: DependencyCondition


Verdict = Ready | NotYet | Never


def dependencies(definition: ContainerDefinition) -> tuple[ContainerDependency, ...]:
    """All a container waits for: ``dependsOn``, and a START for each link and volumesFrom."""
    named = {d.container_name for d in definition.depends_on}
    linked = [link.split(":", 1)[0] for link in definition.links]
    mounted = [v.source_container for v in definition.volumes_from if v.source_container]
    implied = dict.fromkeys(n for n in [*linked, *mounted] if n not in named)
    return definition.depends_on + tuple(
        ContainerDependency(container_name=name, condition=DependencyCondition.START)
        for name in implied
    )


def edges(containers: Iterable[ContainerDefinition]) -> dict[str, list[str]]:
    """The names of what each container waits for, by its own."""
    return {c.name: [d.container_name for d in dependencies(c)] for c in containers}


def find_cycle(edges: Mapping[str, Iterable[str]]) -> tuple[str, ...]:
    """The names on a cycle of a graph, in order, or nothing."""
    done: set[str] = set()

    def visit(name: str, path: tuple[str, ...]) -> tuple[str, ...]:
        if name in path:
            return path[path.index(name) :]
        if name in done:
            return ()
        for target in edges.get(name, ()):
            if cycle := visit(target, (*path, name)):
                return cycle
        done.add(name)
        return ()

    return next((cycle for name in edges if (cycle := visit(name, ()))), ())


def may_start(
    definition: ContainerDefinition, task_definition: TaskDefinition, task: Task, now: datetime
) -> Verdict:
    """Whether a container's dependencies let it be created now."""
    waits: list[NotYet] = []
    for dependency in dependencies(definition):
        match _verdict(dependency, task_definition, task, now):
            case Never() as never:
                return never
            case NotYet() as wait:
                waits.append(wait)
            case Ready():
                pass
    if not waits:
        return Ready()
    return NotYet(min((w.until for w in waits if w.until), default=None))


def may_stop(name: str, task_definition: TaskDefinition, task: Task) -> bool:
    """Whether a container may stop: every container that depends on it has stopped."""
    dependents = {
        c.name
        for c in task_definition.container_definitions
        if any(d.container_name == name for d in dependencies(c))
    }
    return all(
        c.last_status is ContainerStatus.STOPPED for c in task.containers if c.name in dependents
    )


def _verdict(
    dependency: ContainerDependency, task_definition: TaskDefinition, task: Task, now: datetime
) -> Verdict:
    container = task.container(dependency.container_name)
    definition = task_definition.container(dependency.container_name)
    if container is None or definition is None:
        return Never(dependency.container_name, dependency.condition)
    verdict = _condition(dependency, container)
    if not isinstance(verdict, NotYet) or dependency.condition is DependencyCondition.START:
        return verdict
    return _timed(dependency, definition, container, now)


def _condition(dependency: ContainerDependency, container: Container) -> Verdict:
    stopped = container.last_status is ContainerStatus.STOPPED
    ran = container.started_at is not None
    never = Never(dependency.container_name, dependency.condition)
    if stopped and not ran:
        return never
    match dependency.condition:
        case DependencyCondition.START:
            return Ready() if ran else NotYet()
        case DependencyCondition.COMPLETE:
            return Ready() if stopped else NotYet()
        case DependencyCondition.SUCCESS:
            holds = stopped and container.exit_code == 0
        case DependencyCondition.HEALTHY:
            holds = container.health_status is HealthStatus.HEALTHY
    if holds:
        return Ready()
    return never if stopped else NotYet()


def _timed(
    dependency: ContainerDependency,
    definition: ContainerDefinition,
    container: Container,
    now: datetime,
) -> Verdict:
    """A wait bounded by the dependency's startTimeout, which counts from its own start."""
    if definition.start_timeout is None or container.started_at is None:
        return NotYet()
    until = container.started_at + timedelta(seconds=definition.start_timeout)
    if now >= until:
        return Never(dependency.container_name, dependency.condition)
    return NotYet(until)
