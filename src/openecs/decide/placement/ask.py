"""What a task asks of an instance: the same for RunTask, services and every "what if"."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from openecs.model.task_definitions import (
    ContainerDefinition,
    NetworkMode,
    PlacementConstraint,
    TaskDefinition,
)
from openecs.model.tasks import TaskOverride

ARCHITECTURES = {"X86_64": "x86_64", "ARM64": "arm64"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One task's needs: CPU units, MiB, static host ports as ``8080/tcp``, attributes.

    ``group`` is the task group that ``distinctInstance`` keeps apart.
    """

    cpu: int
    memory: int
    host_ports: frozenset[str] = frozenset()
    required_attributes: frozenset[str] = frozenset()
    architecture: str | None = None
    constraints: tuple[PlacementConstraint, ...] = ()
    group: str = ""


def ask_of(
    definition: TaskDefinition,
    overrides: TaskOverride,
    *,
    constraints: tuple[PlacementConstraint, ...] = (),
    group: str = "",
) -> Ask:
    """What a task of the definition asks; ``constraints`` come on top of the definition's own.

    Size: the task's where it is given, else the sum over its containers of cpu and of
    memoryReservation (memory where there is none). API Reference, ``Task.cpu``.
    """
    platform = definition.runtime_platform
    architecture = platform.cpu_architecture if platform else None
    return Ask(
        cpu=cpu_of(definition, overrides),
        memory=memory_of(definition, overrides),
        host_ports=frozenset(host_ports(definition)),
        required_attributes=frozenset(a.name for a in definition.requires_attributes),
        architecture=ARCHITECTURES.get(architecture or ""),
        constraints=(*definition.placement_constraints, *constraints),
        group=group,
    )


def cpu_of(definition: TaskDefinition, overrides: TaskOverride) -> int:
    """The CPU units a task reserves."""
    given = overrides.cpu or definition.cpu
    return given or sum(_cpu(c, overrides) for c in definition.container_definitions)


def memory_of(definition: TaskDefinition, overrides: TaskOverride) -> int:
    """The memory a task reserves, in MiB."""
    given = overrides.memory or definition.memory
    return given or sum(_memory(c, overrides) for c in definition.container_definitions)


def host_ports(definition: TaskDefinition) -> Iterator[str]:
    """The static host ports a task holds: mapped ones in bridge mode, its own in host mode."""
    mode = definition.effective_network_mode
    if mode not in {NetworkMode.BRIDGE, NetworkMode.HOST}:
        return
    for container in definition.container_definitions:
        for mapping in container.port_mappings:
            own = mapping.container_port if mode is NetworkMode.HOST else None
            if port := mapping.host_port or own:
                yield f"{port}/{mapping.protocol}"


def _cpu(container: ContainerDefinition, overrides: TaskOverride) -> int:
    given = overrides.of(container.name).cpu
    return container.cpu if given is None else given


def _memory(container: ContainerDefinition, overrides: TaskOverride) -> int:
    override = overrides.of(container.name)
    soft = override.memory_reservation or container.memory_reservation
    return soft or override.memory or container.memory or 0
