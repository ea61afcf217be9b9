"""What a container engine says of a container: the observations that decisions are made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

#: Container name of the container that owns a task's namespaces, as the ECS agent names it.
PAUSE = "~internal~ecs~pause"


class ContainerState(StrEnum):
    """Where a container is in the engine."""

    CREATED = "created"
    RUNNING = "running"
    EXITED = "exited"


class Health(StrEnum):
    """What the engine says of a health check; NONE where there is none."""

    NONE = "none"
    STARTING = "starting"
    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedPort:
    """A published port as the engine has it."""

    container_port: int
    host_port: int
    protocol: str
    host_ip: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerObservation:
    """What the engine says of one container of ours."""

    id: str
    name: str
    labels: Mapping[str, str]
    state: ContainerState
    exit_code: int | None = None
    oom_killed: bool = False
    #: The engine's own error for the container (``State.Error``), mostly a failed start.
    error: str = ""
    health: Health = Health.NONE
    started_at: datetime | None = None
    finished_at: datetime | None = None
    ports: tuple[ObservedPort, ...] = ()
    ip_address: str = ""
    mac_address: str = ""
    gateway: str = ""
    image_id: str = ""
    image_digest: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerUsage:
    """What a container has used since it started, and the memory it has now.

    ``cpu`` nanoseconds of one core; everything else bytes. Memory is without what the kernel may
    take back at once, as ``docker stats`` tells it. The network is that of its whole task where
    its containers share one.
    """

    cpu: int
    memory: int
    received: int = 0
    sent: int = 0
    read: int = 0
    written: int = 0
