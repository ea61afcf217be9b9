"""One health check of a target: a new connection, a request, and as much answer as it takes.

Whatever the other side does, a check ends within its timeout and reads ``MOST`` bytes at most.
Elastic Load Balancing, "Health checks for Application Load Balancer target groups".
"""

from __future__ import annotations

import asyncio
import errno
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from functools import cache

import httptools
import structlog
from h2.exceptions import H2Error

from openecs.control.target_checks_h2 import grpc_request, grpc_status, http2_request, http2_status
from openecs.decide.target_health import Answered, Connected, Failure, Outcome

log = structlog.get_logger(__name__)

AGENT = "ELB-HealthChecker/2.0"
#: Of an answer; ALB's own limit for response headers is 32K.
MOST = 65536
CHUNK = 16384

#: What is missing on this side, so that nothing is known of the target.
_OURS = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EADDRNOTAVAIL})


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """What is checked and how. Seconds."""

    address: str
    port: int
    #: ``HTTP``, ``HTTPS``, ``TCP``.
    protocol: str
    #: ``HTTP1``, ``HTTP2``, ``GRPC``.
    version: str
    path: str
    timeout: float

    @property
    def authority(self) -> str:
        """``IP:port``; IPv6 in brackets."""
        host = f"[{self.address}]" if ":" in self.address else self.address
        return f"{host}:{self.port}"


async def perform(check: Check) -> Outcome:
    """What the check came to; never raises but when cancelled."""
    try:
        async with asyncio.timeout(check.timeout):
            return await _perform(check)
    except TimeoutError:
        return Failure.TIMEOUT
    except OSError as error:
        return Failure.INTERNAL if error.errno in _OURS else Failure.FAILED
    except (EOFError, ValueError, H2Error, httptools.HttpParserError):
        return Failure.FAILED
    except Exception:  # whatever one target brings about, the others are checked
        log.exception("health check broke", target=check.authority)
        return Failure.INTERNAL


async def _perform(check: Check) -> Outcome:
    security = _security(check.version) if check.protocol == "HTTPS" else None
    reader, writer = await asyncio.open_connection(check.address, check.port, ssl=security)
    try:
        if check.protocol == "TCP":
            return Connected()
        return Answered(await _ASK[check.version](check, reader, writer))
    finally:
        writer.transport.abort()


async def _http1(check: Check, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> int:
    lines = (
        f"GET {check.path} HTTP/1.1",
        f"Host: {check.authority}",
        "Connection: close",
        f"User-Agent: {AGENT}",
        "Accept-Encoding: gzip, compressed",
    )
    writer.write("\r\n".join((*lines, "", "")).encode())
    answer = _Answer()
    parser = httptools.HttpResponseParser(answer)
    answer.code_of = parser.get_status_code
    async for received in _received(reader):
        try:
            parser.feed_data(received)
        except httptools.HttpParserUpgrade:
            return int(parser.get_status_code())
        except httptools.HttpParserError:
            # What comes after the head does not matter any more.
            if answer.code is None:
                raise
        if answer.code is not None:
            return answer.code
    raise EOFError


class _Answer:
    """Notes the first final status; interim ones (1xx) go by."""

    def __init__(self) -> None:
        self.code: int | None = None
        self.code_of: Callable[[], int]

    def on_headers_complete(self) -> None:
        code = self.code_of()
        if self.code is None and code >= 200:
            self.code = code


async def _http2(check: Check, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> int:
    connection, request = http2_request(check.protocol, check.authority, check.path, AGENT)
    writer.write(request)
    async for received in _received(reader):
        code = http2_status(connection.receive_data(received))
        if code is not None:
            return code
        writer.write(connection.data_to_send())
    raise EOFError


async def _grpc(check: Check, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> int:
    connection, request = grpc_request(check.protocol, check.authority, check.path, AGENT)
    writer.write(request)
    async for received in _received(reader):
        code = grpc_status(connection.receive_data(received))
        if code is not None:
            return code
        writer.write(connection.data_to_send())
    raise EOFError


async def _received(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    """What comes, until its end. Raises ``ValueError`` where there is too much of it."""
    total = 0
    while received := await reader.read(CHUNK):
        yield received
        total += len(received)
        if total > MOST:
            raise ValueError("the answer has no end")


_Ask = Callable[[Check, asyncio.StreamReader, asyncio.StreamWriter], Awaitable[int]]
_ASK: dict[str, _Ask] = {"HTTP1": _http1, "HTTP2": _http2, "GRPC": _grpc}


@cache
def _security(version: str) -> ssl.SSLContext:
    """TLS without a look at the certificate, as load balancers do towards targets."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(["http/1.1" if version == "HTTP1" else "h2"])
    return context
