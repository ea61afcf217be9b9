"""A command run in a container with a terminal of its own: the contract's ``execute``."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecSpec:
    """What is run, in whose name; ``user`` empty: the container's own."""

    command: tuple[str, ...]
    user: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)


class Terminal(Protocol):
    """A running command and its terminal. Every method may raise ``EngineUnavailable``."""

    def output(self) -> AsyncIterator[bytes]:
        """What appears on the terminal, until the command has ended and all of it is read."""
        ...

    async def write(self, data: bytes) -> None:
        """Type: returns once the engine has taken it. Nothing happens after the end."""
        ...

    async def resize(self, *, rows: int, columns: int) -> None:
        """Make the terminal that large. Nothing happens after the end."""
        ...

    async def exit_code(self) -> int | None:
        """What the command ended with; None while it runs."""
        ...

    async def hang_up(self) -> None:
        """Take the terminal away: its processes get SIGHUP, then SIGKILL if they stay."""
        ...
