"""Consecutive host ports for consecutive container ports. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace

from openecs.runtime.base import CannotCreateContainer, ContainerSpec, PortBinding


def is_open(spec: ContainerSpec, *, every_choice: bool = False) -> bool:
    """Whether a host port is to be chosen that the engine cannot choose.

    That is a block of more than one, or ``every_choice`` where the engine takes no candidates.
    """
    return any(_is_open(binding, every_choice=every_choice) for binding in spec.ports)


def settled(
    spec: ContainerSpec, taken: set[tuple[int, str]], *, every_choice: bool = False
) -> ContainerSpec:
    """The container with what is open settled on host ports that are not ``taken``.

    Engines choose host ports one by one, so a block is chosen here. It begins at a place that
    follows from the container's name, so that two made at once seldom want the same one. Raises
    ``CannotCreateContainer`` where no block is free.
    """
    ports: list[PortBinding] = []
    for binding in spec.ports:
        if not _is_open(binding, every_choice=every_choice):
            ports.append(binding)
            continue
        also = {(p.host_port_first, p.protocol) for p in ports}
        ports.extend(_split(binding, _first(spec.name, binding, taken | also)))
    return replace(spec, ports=tuple(ports))


def _is_open(binding: PortBinding, *, every_choice: bool) -> bool:
    return binding.count > 1 or (every_choice and binding.host_port_first != binding.host_port_last)


def _split(binding: PortBinding, first: int) -> Iterator[PortBinding]:
    for offset in range(binding.count):
        host_port = first + offset if first else 0
        yield replace(
            binding,
            container_port=binding.container_port + offset,
            host_port_first=host_port,
            host_port_last=host_port,
            count=1,
        )


def _first(name: str, binding: PortBinding, taken: set[tuple[int, str]]) -> int:
    low, high = binding.host_port_first, binding.host_port_last - binding.count + 1
    if not low:
        return 0
    slots = max(high - low + 1, 0)
    digest = hashlib.sha256(f"{name} {binding.container_port}".encode()).digest()
    begin = int.from_bytes(digest[:4], "big")
    candidates = (low + (begin + n) % slots for n in range(slots))
    for first in candidates:
        wanted = range(first, first + binding.count)
        if not any((port, binding.protocol) in taken for port in wanted):
            return first
    raise CannotCreateContainer(
        f"no {binding.count} consecutive free ports from {low} to {binding.host_port_last}"
    )
