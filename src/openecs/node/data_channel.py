"""One end of a data channel: a terminal here, the Session Manager plugin there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from openecs.api.channels import Channel
from openecs.decide.data_channel.messages import (
    TERMINATE_SESSION,
    Malformed,
    Message,
    MessageType,
    PayloadType,
    decode,
    encode,
)
from openecs.decide.data_channel.streams import Incoming, Outgoing
from openecs.model.identity import Ids
from openecs.runtime.terminals import Terminal

#: How often is looked for what to send again, and how long the last of it is waited for.
LOOK_EVERY, DRAINED_WITHIN = 0.1, 10.0
#: A session in which nothing happens ends, as at AWS.
IDLE = timedelta(minutes=20)
IDLE_TEXT = "Your session timed out due to inactivity."
#: What the handshake says of this end: the version whose protocol it speaks.
AGENT_VERSION = "3.1.1732.0"


class DataChannel:
    """The protocol, from the handshake to the end; ``run`` once."""

    def __init__(
        self, channel: Channel, session: str, clock: Callable[[], datetime], ids: Ids
    ) -> None:
        self._channel, self._session = channel, session
        self._clock, self._ids = clock, ids
        self._outgoing, self._incoming = Outgoing(), Incoming()
        self._news = asyncio.Event()
        self._ready = asyncio.Event()
        self._terminated = False
        self._begun = self._active = clock()

    async def run(self, terminal: Terminal) -> None:
        """Serve the terminal until its command ends, or the client does."""
        work = {
            asyncio.create_task(self._receive(terminal)),
            asyncio.create_task(self._publish(terminal)),
            asyncio.create_task(self._repeat()),
        }
        try:
            await asyncio.wait(work, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in work:
                task.cancel()
            results = await asyncio.gather(*work, return_exceptions=True)
        for result in results:
            if isinstance(result, Exception):
                raise result

    async def close(self, output: str) -> None:
        """Tell the client that the session is over, and why if not by itself."""
        content = {
            "MessageId": self._ids.uuid(),
            "CreatedDate": self._clock().isoformat(),
            "DestinationId": self._session,
            "SessionId": self._session,
            "MessageType": str(MessageType.CHANNEL_CLOSED),
            "SchemaVersion": 1,
            "Output": output,
        }
        await self._channel.send(encode(self._message(MessageType.CHANNEL_CLOSED, content)))

    async def _receive(self, terminal: Terminal) -> None:
        while not self._terminated and (data := await self._channel.receive()) is not None:
            if isinstance(data, bytes):
                # What cannot be read is not acknowledged, so it comes again.
                with suppress(Malformed, msgspec.DecodeError):
                    await self._take(decode(data, self._clock()), terminal)

    async def _take(self, message: Message, terminal: Terminal) -> None:
        if message.type is MessageType.ACKNOWLEDGE:
            acknowledged = msgspec.json.decode(message.payload, type=_Acknowledged)
            number = acknowledged.AcknowledgedMessageSequenceNumber
            self._outgoing = self._outgoing.acknowledged(number)
            self._news.set()
        elif message.type is MessageType.INPUT:
            self._incoming, ready, taken = self._incoming.came(message)
            if taken:
                await self._acknowledge(message)
            for each in ready:
                await self._handle(each, terminal)

    async def _acknowledge(self, message: Message) -> None:
        content = {
            "AcknowledgedMessageType": str(message.type),
            "AcknowledgedMessageId": str(message.id),
            "AcknowledgedMessageSequenceNumber": message.sequence,
            "IsSequentialMessage": True,
        }
        await self._channel.send(encode(self._message(MessageType.ACKNOWLEDGE, content)))

    async def _handle(self, message: Message, terminal: Terminal) -> None:
        self._active = self._clock()
        match message.payload_type:
            case PayloadType.HANDSHAKE_RESPONSE:
                self._ready.set()
            case PayloadType.OUTPUT:
                await terminal.write(message.payload)
            case PayloadType.SIZE:
                size = msgspec.json.decode(message.payload, type=_Size)
                await terminal.resize(rows=size.rows, columns=size.cols)
            case PayloadType.FLAG:
                self._terminated = int.from_bytes(message.payload) == TERMINATE_SESSION
            case _:
                pass

    async def _publish(self, terminal: Terminal) -> None:
        await self._stream(PayloadType.HANDSHAKE_REQUEST, msgspec.json.encode(_REQUEST))
        await self._ready.wait()
        took = int((self._clock() - self._begun).total_seconds() * 1e9)
        complete = {"HandshakeTimeToComplete": took, "CustomerMessage": ""}
        await self._stream(PayloadType.HANDSHAKE_COMPLETE, msgspec.json.encode(complete))
        async for data in terminal.output():
            self._active = self._clock()
            await self._stream(PayloadType.OUTPUT, data)
        with suppress(TimeoutError):
            async with asyncio.timeout(DRAINED_WITHIN):
                await self._until(lambda: not self._outgoing.waiting)
        await self.close("")

    async def _stream(self, kind: PayloadType, payload: bytes) -> None:
        await self._until(lambda: not self._outgoing.is_full)
        message = Message(
            type=MessageType.OUTPUT,
            id=UUID(self._ids.uuid()),
            created_at=self._clock(),
            payload_type=kind,
            payload=payload,
        )
        self._outgoing, numbered = self._outgoing.sent(message, self._clock())
        await self._channel.send(encode(numbered))

    async def _until(self, holds: Callable[[], bool]) -> None:
        while not holds():
            self._news.clear()
            await self._news.wait()

    async def _repeat(self) -> None:
        """Send again what is not acknowledged, until nobody can be there."""
        while not self._outgoing.is_lost:
            await asyncio.sleep(LOOK_EVERY)
            if self._clock() - self._active > IDLE:
                await self.close(IDLE_TEXT)
                return
            self._outgoing, again = self._outgoing.due(self._clock())
            for message in again:
                await self._channel.send(encode(message))

    def _message(self, kind: MessageType, content: dict[str, Any]) -> Message:
        payload = msgspec.json.encode(content)
        return Message(
            type=kind, id=UUID(self._ids.uuid()), created_at=self._clock(), payload=payload
        )


_REQUEST = {
    "AgentVersion": AGENT_VERSION,
    "RequestedClientActions": [
        {
            "ActionType": "SessionType",
            "ActionParameters": {"SessionType": "InteractiveCommands", "Properties": None},
        }
    ],
}


class _Acknowledged(msgspec.Struct):
    AcknowledgedMessageSequenceNumber: int


class _Size(msgspec.Struct):
    cols: int
    rows: int
