"""Host ports that are chosen here, for engines that would not: those that turn out to be taken.

A port that no container has may still be somebody's: another server's, or the near end of a
connection. Only the engine's refusal to start the container tells.
"""

from __future__ import annotations

import re

from openecs.runtime.base import ContainerSpec

#: In the refusal of a start: a socket of the host has the port.
_IN_USE = re.compile(r":(?P<port>\d+): (?:bind: )?address already in use")


class PortChoices:
    """Containers whose host ports were chosen, from their making to the end of their start."""

    def __init__(self) -> None:
        self._made: dict[str, ContainerSpec] = {}
        self._refused: dict[str, set[tuple[int, str]]] = {}

    def refused(self, spec: ContainerSpec) -> set[tuple[int, str]]:
        """Ports the container could not have so far; it is about to be made with others."""
        self._made[spec.name] = spec
        return self._refused.get(spec.name, set())

    def again(self, name: str, error: str) -> ContainerSpec | None:
        """What to make again with another port than the one ``error`` names, if there is one."""
        spec, named = self._made.get(name), _IN_USE.search(error)
        if spec is None or named is None:
            return None
        port = int(named["port"])
        chosen = (b for b in spec.ports if b.host_port_first != b.host_port_last)
        if not any(b.host_port_first <= port <= b.host_port_last for b in chosen):
            return None
        self._refused.setdefault(name, set()).update({(port, "tcp"), (port, "udp")})
        return spec

    def settled(self, name: str) -> None:
        """The container started, or failed to: its ports are chosen no more."""
        self._made.pop(name, None)
        self._refused.pop(name, None)
