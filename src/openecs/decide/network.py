"""What the API says of a task's network: port bindings, its interface and address.

Rules: Amazon ECS API Reference, NetworkBinding, NetworkInterface, Attachment.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from openecs.model.containers import ContainerObservation, ContainerState, ObservedPort
from openecs.model.task_definitions import (
    ContainerDefinition,
    NamedValue,
    NetworkMode,
    PortMapping,
    TaskDefinition,
)
from openecs.model.tasks import Attachment, NetworkBinding, NetworkInterface, Task


def absorb(task: Task, definition: TaskDefinition, pause: ContainerObservation | None) -> Task:
    """The task with its interface attached, once the container that owns it runs."""
    if definition.effective_network_mode is not NetworkMode.AWSVPC or pause is None:
        return task
    if pause.state is not ContainerState.RUNNING or not pause.ip_address or is_attached(task):
        return task
    attachments = tuple(_attached(a, pause) for a in task.attachments)
    interfaces = tuple(
        NetworkInterface(attachment_id=a.id, private_ipv4_address=pause.ip_address)
        for a in attachments
    )
    containers = tuple(replace(c, network_interfaces=interfaces) for c in task.containers)
    return replace(task, attachments=attachments, containers=containers)


def is_attached(task: Task) -> bool:
    """Whether the task's own interface, if it has one, is there."""
    return any(a.status == "ATTACHED" for a in task.attachments)


def is_lost(task: Task, definition: TaskDefinition, pause: ContainerObservation | None) -> bool:
    """Whether the task had an interface of its own, and the container that owned it is gone."""
    if definition.effective_network_mode is not NetworkMode.AWSVPC or not is_attached(task):
        return False
    return pause is None or pause.state is ContainerState.EXITED


def bindings(
    task: Task, definition: ContainerDefinition, observed: ContainerObservation
) -> tuple[NetworkBinding, ...]:
    """A container's ports on the host: as published, or its own ones in host mode."""
    if task.attachments:
        return ()
    if not observed.ports:
        return _host_bindings(task, definition)
    published = {(p.container_port, p.protocol): p for p in observed.ports if ":" not in p.host_ip}
    found: list[NetworkBinding] = []
    for mapping in definition.port_mappings:
        found.extend(_bindings_of(mapping, published.values()))
    return tuple(found)


def port_range(text: str) -> range:
    """The ports of ``a-b`` (or of ``a``)."""
    first, _, last = text.partition("-")
    return range(int(first), int(last or first) + 1)


def _attached(attachment: Attachment, pause: ContainerObservation) -> Attachment:
    known = {
        "macAddress": pause.mac_address,
        "privateIPv4Address": pause.ip_address,
    }
    kept = tuple(d for d in attachment.details if d.name not in known)
    added = tuple(NamedValue(name=n, value=v) for n, v in known.items() if v)
    return replace(attachment, status="ATTACHED", details=kept + added)


def _host_bindings(task: Task, definition: ContainerDefinition) -> tuple[NetworkBinding, ...]:
    """In host mode the container's ports are the host's; bridge always publishes what is mapped."""
    held = set(task.host_ports)
    return tuple(
        NetworkBinding(
            container_port=m.container_port, host_port=m.container_port, protocol=m.protocol
        )
        for m in definition.port_mappings
        if m.container_port and f"{m.container_port}/{m.protocol}" in held
    )


def _bindings_of(mapping: PortMapping, published: Iterable[ObservedPort]) -> list[NetworkBinding]:
    if mapping.container_port_range:
        return _range_binding(mapping, mapping.container_port_range, published)
    return [
        NetworkBinding(
            bind_ip=p.host_ip or "0.0.0.0",  # noqa: S104 - the address AWS reports
            container_port=p.container_port,
            host_port=p.host_port,
            protocol=p.protocol,
        )
        for p in published
        if (p.container_port, p.protocol) == (mapping.container_port, mapping.protocol)
    ]


def _range_binding(
    mapping: PortMapping, text: str, published: Iterable[ObservedPort]
) -> list[NetworkBinding]:
    wanted = port_range(text)
    hosts = [
        p.host_port
        for p in published
        if p.container_port in wanted and p.protocol == mapping.protocol
    ]
    if not hosts:
        return []
    return [
        NetworkBinding(
            container_port_range=text,
            host_port_range=f"{min(hosts)}-{max(hosts)}",
            protocol=mapping.protocol,
        )
    ]
