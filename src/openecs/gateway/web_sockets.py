"""WebSockets at the door: the data channels of sessions."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from openecs.api.channels import ServeSession
from openecs.api.ecs.execute_command import PATH

_Message = MutableMapping[str, Any]
_Receive = Callable[[], Awaitable[_Message]]
_Send = Callable[[_Message], Awaitable[None]]


async def serve(
    scope: _Message, receive: _Receive, send: _Send, session: ServeSession | None
) -> None:
    """Serve a data channel; any other WebSocket is refused."""
    await receive()
    path = str(scope["path"])
    if session is None or not path.startswith(PATH):
        await send({"type": "websocket.close", "code": 1000})
        return
    await send({"type": "websocket.accept"})
    web_socket = _WebSocket(receive, send)
    try:
        await session(path.removeprefix(PATH), web_socket)
    finally:
        await web_socket.close()


class _WebSocket:
    """An accepted WebSocket as a ``Channel``."""

    def __init__(self, receive: _Receive, send: _Send) -> None:
        self._receive, self._send = receive, send
        self._is_open = True

    async def receive(self) -> bytes | str | None:
        """The next message; None once the client has gone."""
        if not self._is_open:
            return None
        message = await self._receive()
        if message["type"] != "websocket.receive":
            self._is_open = False
            return None
        data: bytes | None = message.get("bytes")
        return data if data is not None else str(message["text"])

    async def send(self, data: bytes) -> None:
        """Send a message; nothing happens where the client has gone."""
        if self._is_open:
            await self._send({"type": "websocket.send", "bytes": data})

    async def close(self) -> None:
        """Close it, unless the client did."""
        if self._is_open:
            self._is_open = False
            await self._send({"type": "websocket.close", "code": 1000})
