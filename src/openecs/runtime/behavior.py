"""The parts of a simulated engine: its containers, what their processes do, its registry."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
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
    #: What commands run in it do; any other echoes what is typed until Ctrl-D.
    executes: Mapping[tuple[str, ...], Executed] = field(default_factory=dict)
    memory: int = 0


@dataclass(frozen=True, slots=True)
class Executed:
    """What a command run in a container prints before it ends with a code."""

    prints: bytes
    exit_code: int


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


class SimulatedTerminal:
    """The terminal of a command in a simulated container."""

    def __init__(self, executed: Executed | None) -> None:
        self._pieces: asyncio.Queue[bytes] = asyncio.Queue()
        self._exit_code: int | None = None
        #: Rows and columns it was told last.
        self.size = (0, 0)
        if executed is not None:
            self._pieces.put_nowait(executed.prints)
            self._end(executed.exit_code)

    async def output(self) -> AsyncIterator[bytes]:
        """What appears on it, until the command has ended."""
        while piece := await self._pieces.get():
            yield piece

    async def write(self, data: bytes) -> None:
        """Type; Ctrl-D ends the command."""
        if self._exit_code is None:
            typed, ends, _ = data.partition(b"\x04")
            if typed:
                self._pieces.put_nowait(typed)
            if ends:
                self._end(0)

    async def resize(self, *, rows: int, columns: int) -> None:
        """Remember how large it is."""
        self.size = (rows, columns)

    async def exit_code(self) -> int | None:
        """What the command ended with."""
        return self._exit_code

    async def hang_up(self) -> None:
        """SIGHUP ends the command."""
        if self._exit_code is None:
            self._end(129)

    def _end(self, exit_code: int) -> None:
        self._exit_code = exit_code
        self._pieces.put_nowait(b"")
