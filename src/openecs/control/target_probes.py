"""One health check of one target, as a load balancer makes it.

Every check is a connection of its own. Nothing is read beyond what is judged: a target may answer
whatever it likes for as long as it likes.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass

import httptools

from openecs.decide.target_health import FAILED, TIMEOUT, WELL, Outcome, failure, judged
from openecs.model.load_balancing import TargetHealthCheck

USER_AGENT = "ELB-HealthChecker/2.0"

#: What an answer's head may have, and how much is read at a time.
_LARGEST_HEAD, _CHUNK = 65_536, 4_096

_DEFAULT_CODES = "200"


@dataclass(frozen=True, slots=True)
class Address:
    """Where a target is checked."""

    host: str
    port: int


async def probe(address: Address, check: TargetHealthCheck) -> Outcome:
    """Check a target once; no longer than the check's timeout."""
    try:
        async with asyncio.timeout(check.timeout):
            if check.protocol == "TCP":
                return await _connect(address)
            return await _request(address, check)
    except TimeoutError:
        return failure(TIMEOUT)
    except (OSError, EOFError, httptools.HttpParserError):
        return failure(FAILED)


async def _connect(address: Address) -> Outcome:
    async with _connection(address, None):
        return WELL


async def _request(address: Address, check: TargetHealthCheck) -> Outcome:
    context = _context() if check.protocol == "HTTPS" else None
    async with _connection(address, context) as (reader, writer):
        head = (
            f"GET {check.path or '/'} HTTP/1.1\r\nHost: {address.host}:{address.port}\r\n"
            f"User-Agent: {USER_AGENT}\r\nConnection: close\r\nAccept-Encoding: gzip, compressed"
            "\r\n\r\n"
        )
        writer.write(head.encode())
        return judged(await _status(reader), check.http_codes or _DEFAULT_CODES)


async def _status(reader: asyncio.StreamReader) -> int:
    """The status of the answer, once its head is whole."""
    head = _Head()
    parser = httptools.HttpResponseParser(head)
    taken = 0
    while not head.is_whole:
        chunk = await reader.read(_CHUNK)
        taken += len(chunk)
        if not chunk or taken > _LARGEST_HEAD:
            raise EOFError
        parser.feed_data(chunk)
    return int(parser.get_status_code())


class _Head:
    """What the parser tells: when the head of an answer is whole."""

    def __init__(self) -> None:
        self.is_whole = False

    def on_headers_complete(self) -> None:
        """All header fields have come."""
        self.is_whole = True


@contextlib.asynccontextmanager
async def _connection(
    address: Address, context: ssl.SSLContext | None
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection(address.host, address.port, ssl=context)
    try:
        yield reader, writer
    finally:
        # Nothing more is owed to the target: no wait for its goodbye.
        writer.transport.abort()


def _context() -> ssl.SSLContext:
    """Load balancers do not verify the certificates of targets."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
