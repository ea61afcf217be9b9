"""The Session Manager plugin's side of a data channel, written from its layout alone."""

from __future__ import annotations

import asyncio
import hashlib
import json
import struct
import time
import uuid

import aiohttp

LAYOUT = ">L32sLQqQQQ32sLL"


class Plugin:
    """A client that opens one session; ``output`` has all that appeared."""

    def __init__(self, session: dict, *, drop_every: int = 0) -> None:
        self.session, self.drop_every = session, drop_every
        self.output, self.closed, self.gone = b"", None, False
        self._sent = self._expected = self._seen = 0
        self._ahead = {}

    async def __aenter__(self):
        self._http = aiohttp.ClientSession()
        self._socket = await self._http.ws_connect(self.session["streamUrl"], max_msg_size=0)
        await self._socket.send_str(
            json.dumps(
                {
                    "MessageSchemaVersion": "1.0",
                    "RequestId": str(uuid.uuid4()),
                    "TokenValue": self.session["tokenValue"],
                    "ClientId": str(uuid.uuid4()),
                    "ClientVersion": "1.2.707.0",
                }
            )
        )
        self._reading = asyncio.create_task(self._read())
        return self

    async def __aexit__(self, *_):
        self._reading.cancel()
        await asyncio.gather(self._reading, return_exceptions=True)
        await self._socket.close()
        await self._http.close()

    async def type(self, data: bytes) -> None:
        await self._input(1, data)

    async def resize(self, rows: int, columns: int) -> None:
        await self._input(3, json.dumps({"cols": columns, "rows": rows}).encode())

    async def terminate(self) -> None:
        await self._input(10, (2).to_bytes(4))

    async def until(self, holds, within: float = 30.0) -> None:
        deadline = time.monotonic() + within
        while not holds(self):
            assert time.monotonic() < deadline, self.output[-500:]
            await asyncio.sleep(0.01)

    async def shows(self, text: bytes) -> None:
        await self.until(lambda plugin: text in plugin.output)

    async def ended(self) -> None:
        await self.until(lambda plugin: plugin.gone)

    async def _input(self, kind: int, payload: bytes) -> None:
        data = pack("input_stream_data", self._sent, kind, payload)
        self._sent += 1
        await self._socket.send_bytes(data)
        if self.drop_every:
            # What comes twice is to be taken once.
            await self._socket.send_bytes(data)

    async def _read(self) -> None:
        async for message in self._socket:
            if message.type is aiohttp.WSMsgType.BINARY:
                await self._message(message.data)
        self.gone = True

    async def _message(self, data: bytes) -> None:
        head = struct.unpack_from(LAYOUT, data)
        kind, sequence, low, high, digest = head[1].rstrip(), *head[4:5], *head[6:9]
        payload_type, length, payload = head[9], head[10], data[120:]
        assert head[0] == 116
        assert head[3] > 0
        assert length == len(payload)
        assert hashlib.sha256(payload).digest() == digest
        if kind == b"channel_closed":
            self.closed = json.loads(payload)
        if kind != b"output_stream_data":
            return
        self._seen += 1
        if self.drop_every and self._seen % self.drop_every == 0:
            return
        await self._socket.send_bytes(acknowledgement(sequence, high, low))
        self._ahead[sequence] = (payload_type, payload)
        while self._expected in self._ahead:
            await self._take(*self._ahead.pop(self._expected))
            self._expected += 1

    async def _take(self, payload_type: int, payload: bytes) -> None:
        if payload_type == 5:
            (action,) = json.loads(payload)["RequestedClientActions"]
            assert action["ActionParameters"]["SessionType"] == "InteractiveCommands"
            done = {"ActionType": "SessionType", "ActionStatus": 1, "ActionResult": None}
            answer = {"ClientVersion": "1.2.707.0", "ProcessedClientActions": [done]}
            await self._input(6, json.dumps(answer).encode())
        elif payload_type == 1:
            self.output += payload


def pack(kind: str, sequence: int, payload_type: int, payload: bytes) -> bytes:
    number = uuid.uuid4().int
    low, high = number & (2**64 - 1), number >> 64
    now = int(time.time() * 1000)
    digest = hashlib.sha256(payload).digest()
    name = kind.ljust(32).encode()
    fields = (116, name, 1, now, sequence, 0, low, high, digest, payload_type, len(payload))
    return struct.pack(LAYOUT, *fields) + payload


def acknowledgement(sequence: int, high: int, low: int) -> bytes:
    content = {
        "AcknowledgedMessageType": "output_stream_data",
        "AcknowledgedMessageId": str(uuid.UUID(int=high << 64 | low)),
        "AcknowledgedMessageSequenceNumber": sequence,
        "IsSequentialMessage": True,
    }
    return pack("acknowledge", 0, 0, json.dumps(content).encode())
