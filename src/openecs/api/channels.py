"""A connection that goes both ways, as the gateway has one open with a client."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol


class Channel(Protocol):
    """One WebSocket."""

    async def receive(self) -> bytes | str | None:
        """The next message; None once the client has gone."""
        ...

    async def send(self, data: bytes) -> None:
        """Send a message; nothing happens where the client has gone."""
        ...


#: Serves the data channel of a session until it ends.
ServeSession = Callable[[str, Channel], Awaitable[None]]
