"""Answers that go on: AWS's event streams, and those that are open.

https://smithy.io/2.0/aws/amazon-eventstream.html
"""

from __future__ import annotations

import asyncio
import struct
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, MutableMapping
from typing import Any

from openecs.api.base import ServiceError, Told
from openecs.gateway.exchange import Reply
from openecs.gateway.protocol.bodies import JsonBody
from openecs.gateway.protocol.shape import Operation

_Message = MutableMapping[str, Any]
_BODY = JsonBody("application/json")
#: A header's value that is a text.
_TEXT = 7


class OpenStreams:
    """The answers that go on, so that all can be ended."""

    def __init__(self) -> None:
        self._open: set[asyncio.Task[None]] = set()

    def end(self) -> None:
        """End all."""
        for each in self._open:
            each.cancel()

    async def send(
        self,
        parts: AsyncIterator[bytes],
        receive: Callable[[], Awaitable[_Message]],
        send: Callable[[_Message], Awaitable[None]],
    ) -> None:
        """Send parts until there are no more, the client has gone, or ``end``."""
        sending = asyncio.create_task(_send(parts, send))
        leaving = asyncio.create_task(_gone(receive))
        self._open.add(sending)
        try:
            await asyncio.wait({sending, leaving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._open.discard(sending)
            for each in (sending, leaving):
                each.cancel()
            await asyncio.gather(sending, leaving, return_exceptions=True)
        await send({"type": "http.response.body", "body": b""})


def streamed(operation: Operation, told: AsyncIterator[Told]) -> Reply:
    """The reply that tells events as they come."""
    headers = {"Content-Type": "application/vnd.amazon.eventstream"}
    return Reply(status=200, headers=headers, body=b"", parts=_frames(operation, told))


def frame(headers: Mapping[str, str], payload: bytes) -> bytes:
    """One message of a stream."""
    head = b"".join(_header(name, value) for name, value in headers.items())
    prelude = struct.pack(">II", 16 + len(head) + len(payload), len(head))
    message = prelude + struct.pack(">I", zlib.crc32(prelude)) + head + payload
    return message + struct.pack(">I", zlib.crc32(message))


async def _frames(operation: Operation, told: AsyncIterator[Told]) -> AsyncIterator[bytes]:
    output: Any = operation.output_shape
    shape = next(member for member in output.members.values() if _is_stream(member))
    yield _event("initial-response", b"{}")
    try:
        async for name, members in told:
            yield _event(name, _BODY.write(shape.members[name], members, name))
    except ServiceError as error:
        headers = {":message-type": "exception", ":exception-type": error.code}
        payload = _BODY.write(shape.members[error.code], {"message": error.message}, error.code)
        yield frame({**headers, ":content-type": _BODY.content_type}, payload)


def _is_stream(member: Any) -> bool:
    return bool(member.serialization.get("eventstream"))


def _event(name: str, payload: bytes) -> bytes:
    headers = {
        ":message-type": "event",
        ":event-type": name,
        ":content-type": _BODY.content_type,
    }
    return frame(headers, payload)


def _header(name: str, value: str) -> bytes:
    key, text = name.encode(), value.encode()
    return bytes([len(key)]) + key + struct.pack(">BH", _TEXT, len(text)) + text


async def _send(parts: AsyncIterator[bytes], send: Callable[[_Message], Awaitable[None]]) -> None:
    async for part in parts:
        await send({"type": "http.response.body", "body": part, "more_body": True})


async def _gone(receive: Callable[[], Awaitable[_Message]]) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
