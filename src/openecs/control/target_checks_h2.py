"""The HTTP/2 and gRPC requests of health checks and what their answers say, without I/O."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import (
    ConnectionTerminated,
    Event,
    ResponseReceived,
    StreamEnded,
    StreamReset,
    TrailersReceived,
)

#: An empty message: no compression, length 0.
_EMPTY_MESSAGE = bytes(5)

Headers = list[tuple[str, str]]


def http2_request(
    protocol: str, authority: str, path: str, agent: str
) -> tuple[H2Connection, bytes]:
    """A connection with prior knowledge and the bytes that ask ``GET path``."""
    headers = _headers("GET", protocol, authority, path, agent)
    return _connection(headers, None)


def grpc_request(
    protocol: str, authority: str, path: str, agent: str
) -> tuple[H2Connection, bytes]:
    """A connection and the bytes that call the method at ``path`` with an empty message."""
    headers = _headers("POST", protocol, authority, path, agent)
    more = [("content-type", "application/grpc"), ("te", "trailers")]
    return _connection(headers + more, _EMPTY_MESSAGE)


def http2_status(events: Sequence[Event]) -> int | None:
    """The status, once it came. Raises ``ValueError`` where none will come."""
    for event in events:
        if isinstance(event, ResponseReceived):
            return _number(event.headers, b":status")
    _refuse_end(events)
    return None


def grpc_status(events: Sequence[Event]) -> int | None:
    """The gRPC status, once it came. Raises ``ValueError`` where none will come."""
    for event in events:
        if isinstance(event, ResponseReceived) and _number(event.headers, b":status") != 200:
            raise ValueError("the answer is not gRPC's")
        if isinstance(event, ResponseReceived | TrailersReceived):
            code = _number(event.headers, b"grpc-status")
            if code is not None:
                return code
    _refuse_end(events)
    return None


def _headers(method: str, protocol: str, authority: str, path: str, agent: str) -> Headers:
    return [
        (":method", method),
        (":scheme", protocol.lower()),
        (":authority", authority),
        (":path", path),
        ("user-agent", agent),
    ]


def _connection(headers: Headers, body: bytes | None) -> tuple[H2Connection, bytes]:
    connection = H2Connection(H2Configuration(client_side=True, header_encoding=None))
    connection.initiate_connection()
    connection.send_headers(1, headers, end_stream=body is None)
    if body is not None:
        connection.send_data(1, body, end_stream=True)
    return connection, connection.data_to_send()


def _number(headers: Iterable[tuple[bytes, bytes]] | None, name: bytes) -> int | None:
    return next((int(value) for key, value in headers or () if key == name), None)


def _refuse_end(events: Sequence[Event]) -> None:
    if any(isinstance(e, StreamEnded | StreamReset | ConnectionTerminated) for e in events):
        raise ValueError("the stream ended without a status")
