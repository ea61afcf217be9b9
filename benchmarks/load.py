"""A load generator that costs little: connections that send requests signed beforehand.

It must not be what is measured: requests are ready bytes, answers are only framed and counted.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, cast

import httptools
import uvloop
from botocore.awsrequest import AWSPreparedRequest, AWSResponse

Asked = tuple[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a server did in a time: ``latencies`` in seconds, of answers with status 200."""

    seconds: float
    latencies: Sequence[float]
    refused: int

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.latencies) / self.seconds

    def percentile(self, percent: float) -> float:
        """That part of the answers took this long or less, in seconds."""
        ranked = sorted(self.latencies)
        return ranked[min(int(len(ranked) * percent / 100), len(ranked) - 1)]


def sign(client: Any, asked: Iterator[Asked] | Sequence[Asked]) -> list[bytes]:
    """Requests as they go over the wire, signed now: they are good for five minutes."""
    ready: list[bytes] = []

    def catch(request: AWSPreparedRequest, **_: object) -> AWSResponse:
        ready.append(_on_the_wire(request))
        return AWSResponse(request.url, 200, {}, _Empty())

    event = f"before-send.{client.meta.service_model.service_id.hyphenize()}"
    client.meta.events.register(event, catch)
    for operation, members in asked:
        getattr(client, operation)(**members)
    client.meta.events.unregister(event, catch)
    return ready


class _Empty:
    def stream(self, *_: object, **__: object) -> Iterator[bytes]:
        return iter([b"{}"])

    def read(self, *_: object) -> bytes:
        return b"{}"


def _on_the_wire(request: AWSPreparedRequest) -> bytes:
    _, _, rest = request.url.partition("://")
    host, _, path = rest.partition("/")
    lines = [f"{request.method} /{path} HTTP/1.1", f"Host: {host}"]
    for name, value in request.headers.items():
        lines.append(f"{name}: {value.decode() if isinstance(value, bytes) else value}")
    body = request.body or b""
    return "\r\n".join([*lines, "", ""]).encode() + body


def run(port: int, requests: Sequence[bytes], *, connections: int, seconds: float) -> Outcome:
    """Send requests, each once and then from the start again, for that time."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_run(port, requests, connections, seconds))


def run_once(port: int, requests: Sequence[bytes], *, connections: int) -> Outcome:
    """Send every request once, as fast as may be."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_run(port, requests, connections, None))


async def _run(
    port: int, requests: Sequence[bytes], connections: int, seconds: float | None
) -> Outcome:
    begun = time.perf_counter()
    until = None if seconds is None else begun + seconds
    source = _Source(requests, until)
    loop = asyncio.get_running_loop()
    ends = [loop.create_future() for _ in range(min(connections, len(requests)))]
    for end in ends:
        await loop.create_connection(partial(_Connection, source, end, port), "127.0.0.1", port)
    await asyncio.gather(*ends)
    elapsed = time.perf_counter() - begun
    return Outcome(seconds=elapsed, latencies=source.latencies, refused=source.refused)


@dataclass
class _Source:
    """What is sent next, and what came back."""

    requests: Sequence[bytes]
    until: float | None
    position: int = 0
    refused: int = 0
    latencies: list[float] = field(default_factory=list)

    def next(self) -> bytes | None:
        over = self.position >= len(self.requests)
        if over if self.until is None else time.perf_counter() > self.until:
            return None
        request = self.requests[self.position % len(self.requests)]
        self.position += 1
        return request

    def came(self, status: int, seconds: float) -> None:
        if status == 200:
            self.latencies.append(seconds)
        else:
            self.refused += 1


class _Connection(asyncio.Protocol):
    """Sends a request, waits for its answer, sends the next; connects anew where it is hung up."""

    def __init__(self, source: _Source, end: asyncio.Future[None], port: int) -> None:
        self._source, self._end, self._port = source, end, port
        self._transport: asyncio.Transport | None = None
        self._sent = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._send()

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        self._source.came(self._parser.get_status_code(), time.perf_counter() - self._sent)
        if self._parser.should_keep_alive():
            self._send()
        elif self._transport is not None:
            self._transport.close()

    def connection_lost(self, _: Exception | None) -> None:
        if not self._end.done():
            self._reconnecting = asyncio.ensure_future(self._again())

    async def _again(self) -> None:
        again: Callable[[], asyncio.Protocol] = lambda: self  # noqa: E731 - named for its type
        await asyncio.get_running_loop().create_connection(again, "127.0.0.1", self._port)

    def _send(self) -> None:
        assert self._transport is not None
        request = self._source.next()
        if request is None:
            self._end.set_result(None)
            self._transport.close()
            return
        self._parser = httptools.HttpResponseParser(self)
        self._sent = time.perf_counter()
        self._transport.write(request)
