"""What a task's target groups are to know of it: when it serves, drains, and is gone.

Developer Guide, "Use load balancing to distribute Amazon ECS service traffic": a task is registered
when it runs, and deregistered and drained before its containers are sent their stop signal. What
has died takes no more requests at once: its port may soon be somebody else's.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from openecs.model.tasks import (
    Container,
    ContainerStatus,
    NetworkBinding,
    ServedGroup,
    StopCode,
    Task,
    TaskStatus,
)

#: The protocols of network bindings that a target group's protocol is served by: all others by TCP.
_SERVED_BY = {"UDP": ("udp",), "TCP_UDP": ("tcp", "udp")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Register:
    """It serves: as this target."""

    group: ServedGroup
    #: None: as the container instance it runs on.
    address: str | None
    port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Deregister:
    """It is to stop: ``at_once`` where it is dead, else by draining."""

    group: ServedGroup
    at_once: bool


def changes(task: Task, *, are_balanced: bool = True) -> Iterator[Register | Deregister]:
    """What its target groups do not know yet.

    Where no load balancer runs any more (``are_balanced``), nothing needs to be drained.
    """
    for group in task.served_groups:
        change = _change(task, group) if are_balanced else _withdrawal(group)
        if change is not None:
            yield change


def is_held(task: Task, now: datetime) -> bool:
    """Whether requests may still come to the task: its containers have to wait."""
    return any(
        group.target_id is not None and (group.drained_at is None or now < group.drained_at)
        for group in task.served_groups
    )


def registered(task: Task, change: Register, target_id: str) -> Task:
    """The task once it is a target."""
    return _with(task, replace(change.group, target_id=target_id, target_port=change.port))


def deregistered(task: Task, change: Deregister, drained_at: datetime) -> Task:
    """The task once it takes no new requests; one that is to run may be registered anew."""
    if not change.at_once:
        return _with(task, replace(change.group, drained_at=drained_at))
    is_over = task.desired_status is TaskStatus.STOPPED
    return _with(
        task,
        replace(
            change.group,
            target_id=None,
            target_port=None,
            drained_at=drained_at if is_over else None,
        ),
    )


def _with(task: Task, group: ServedGroup) -> Task:
    name = group.target_group_arn, group.container_name, group.container_port
    groups = tuple(
        group if (g.target_group_arn, g.container_name, g.container_port) == name else g
        for g in task.served_groups
    )
    return replace(task, served_groups=groups)


def _change(task: Task, group: ServedGroup) -> Register | Deregister | None:
    container = task.container(group.container_name)
    is_alive = container is not None and container.last_status is ContainerStatus.RUNNING
    if group.target_id is None:
        wanted = task.desired_status is TaskStatus.RUNNING and group.drained_at is None
        runs = task.last_status is TaskStatus.RUNNING and is_alive
        return _registration(container, group) if container and wanted and runs else None
    if not is_alive or task.stop_code is StopCode.ESSENTIAL_CONTAINER_EXITED:
        return Deregister(group=group, at_once=True)
    if task.desired_status is TaskStatus.STOPPED:
        return Deregister(group=group, at_once=False) if group.is_serving else None
    current = _registration(container, group) if container else None
    if current is not None and current.port != group.target_port:
        # Restarted in place, on another port of the host.
        return Deregister(group=group, at_once=True)
    return None


def _withdrawal(group: ServedGroup) -> Deregister | None:
    return None if group.target_id is None else Deregister(group=group, at_once=True)


def _registration(container: Container, group: ServedGroup) -> Register | None:
    if container.network_interfaces:
        address = container.network_interfaces[0].private_ipv4_address
        return Register(group=group, address=address, port=group.container_port)
    port = _host_port(container, group)
    return None if port is None else Register(group=group, address=None, port=port)


def _host_port(container: Container, group: ServedGroup) -> int | None:
    bound = (b for b in container.network_bindings if _is_served_by(group, b))
    binding: NetworkBinding | None = next(bound, None)
    return binding.host_port if binding else None


def _is_served_by(group: ServedGroup, binding: NetworkBinding) -> bool:
    if binding.container_port != group.container_port:
        return False
    # Of a group that is gone nothing is known but the port.
    return group.protocol is None or is_served_by(group.protocol, binding.protocol)


def is_served_by(group_protocol: str, protocol: str) -> bool:
    """Whether a port of a container's, bound for ``tcp`` or ``udp``, serves a target group."""
    return protocol in _SERVED_BY.get(group_protocol, ("tcp",))
