"""The parts of a simulated engine: its containers, what their processes do, its registry."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from openecs.model.containers import ContainerState, Health, ObservedPort
from openecs.runtime.base import ContainerSpec, RegistryAuth


@dataclass(frozen=True, slots=True, kw_only=True)
class Behavior:
    """What a container's process does. Unless told otherwise it runs until it is stopped."""

    exits_after: timedelta | None = None
    exit_code: int = 0
    oom_killed: bool = False
    #: The exit code when told to stop; None: it takes SIGKILL.
    exit_code_on_stop: int | None = 143
    #: Not empty: it cannot be started, for this reason.
    start_error: str = ""
    #: What its health check comes to, and when; without a health check it has none.
    health: Health = Health.HEALTHY
    health_after: timedelta = timedelta(0)
    #: Cores it keeps busy, and bytes of memory it has.
    cores: float = 0.0
    memory: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteImage:
    """An image in a registry: how long its pull takes, and whom it is for."""

    takes: timedelta = timedelta(0)
    auth: RegistryAuth | None = None


@dataclass(slots=True, kw_only=True)
class SimulatedContainer:
    """A container as it is now."""

    id: str
    spec: ContainerSpec
    state: ContainerState = ContainerState.CREATED
    exit_code: int | None = None
    oom_killed: bool = False
    error: str = ""
    health: Health = Health.NONE
    started_at: datetime | None = None
    finished_at: datetime | None = None
    ports: tuple[ObservedPort, ...] = ()
    address: str = ""
    exited: asyncio.Event = field(default_factory=asyncio.Event)
    timers: list[asyncio.TimerHandle] = field(default_factory=list)

    @property
    def is_running(self) -> bool:
        """Whether its process is there."""
        return self.state is ContainerState.RUNNING
