"""The Docker Engine API over HTTP: requests, errors, streams. Nothing of ours beyond that.

aiohttp rather than a Docker client library: all we need is a request, and the libraries start
background tasks of their own for events (docs/decisions/0006).
"""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import msgspec

from openecs.runtime.base import EngineUnavailable

#: Old enough for Docker 20.10 and Podman 4, new enough for all we use.
API_VERSION = "v1.41"
DEFAULT_HOST = "unix:///var/run/docker.sock"
#: A quick answer; long work (pull, stop) brings its own.
TIMEOUT = 240.0
#: A line of a stream carries all labels of a container, which aiohttp's default has no room for.
LINE_LIMIT = 1024 * 1024


class EngineRefusal(Exception):
    """The engine answered with an error."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status
        self.message = message


class EngineSilence(EngineUnavailable):
    """The engine was given time to answer, and did not."""


class EngineClient:
    """A connection pool to one engine."""

    def __init__(self, host: str = "") -> None:
        self.host = host or os.environ.get("DOCKER_HOST") or DEFAULT_HOST
        self._session: aiohttp.ClientSession | None = None
        self._base = ""

    @property
    def is_local(self) -> bool:
        """Whether the engine is on this machine, so that its cgroups can be reached."""
        return self.host.startswith("unix://")

    async def open(self) -> None:
        """Make the pool; the engine is not asked yet."""
        scheme, _, rest = self.host.partition("://")
        connector: aiohttp.BaseConnector
        if scheme == "unix":
            connector = aiohttp.UnixConnector(path=rest, limit=0)
            self._base = f"http://engine/{API_VERSION}"
        else:
            context = _tls()
            connector = aiohttp.TCPConnector(limit=0, ssl=context or False)
            self._base = f"{'https' if context else 'http'}://{rest}/{API_VERSION}"
        self._session = aiohttp.ClientSession(connector=connector, read_bufsize=LINE_LIMIT)

    async def close(self) -> None:
        """Close the pool."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: object = None,
        timeout: float = TIMEOUT,  # noqa: ASYNC109 - handed to the HTTP client
    ) -> Any:
        """The decoded answer, None for an empty one.

        Raises ``EngineRefusal``, ``EngineUnavailable``, and ``EngineSilence`` after ``timeout``.
        """
        data = None if body is None else msgspec.json.encode(body)
        headers = {"Content-Type": "application/json"}
        limits = aiohttp.ClientTimeout(total=timeout)
        async with self._request(
            method, path, params=query, data=data, headers=headers, timeout=limits
        ) as response:
            content = await response.read()
        return msgspec.json.decode(content) if content else None

    async def post_data(
        self, path: str, query: Mapping[str, str], data: bytes, content_type: str
    ) -> None:
        """Send bytes that are not JSON."""
        headers = {"Content-Type": content_type}
        limits = aiohttp.ClientTimeout(total=TIMEOUT)
        async with self._request(
            "POST", path, params=query, data=data, headers=headers, timeout=limits
        ) as response:
            await response.read()

    @asynccontextmanager
    async def stream(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        *,
        headers: Mapping[str, str] | None = None,
        silence: float | None = None,
    ) -> AsyncIterator[AsyncIterator[dict[str, Any]]]:
        """The JSON lines of an answer; ``silence`` seconds without one raise ``EngineSilence``."""
        limits = aiohttp.ClientTimeout(total=None, sock_read=silence)
        async with self._request(
            method, path, params=query, headers=headers, timeout=limits
        ) as response:
            yield _lines(response)

    @asynccontextmanager
    async def chunks(
        self, method: str, path: str, query: Mapping[str, str]
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """The bytes of an answer without an end, as they come."""
        limits = aiohttp.ClientTimeout(total=None)
        async with self._request(method, path, params=query, timeout=limits) as response:
            yield response.content.iter_any()

    async def hijack(
        self, path: str, body: object
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Post a request whose connection is the caller's from then on, both ways.

        Raises ``EngineRefusal`` and ``EngineUnavailable``.
        """
        content = msgspec.json.encode(body)
        head = (
            f"POST /{API_VERSION}{path} HTTP/1.1\r\nHost: engine\r\n"
            "Connection: Upgrade\r\nUpgrade: tcp\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
        )
        try:
            reader, writer = await self._connect()
            writer.write(head.encode() + content)
            answer = await reader.readuntil(b"\r\n\r\n")
            status = int(answer.split(b" ", 2)[1])
            if status >= 400:
                writer.close()
                raise EngineRefusal(status, _message(await reader.read(LINE_LIMIT)))
        except (OSError, asyncio.IncompleteReadError) as error:
            raise EngineUnavailable(f"{self.host}: {error}") from error
        return reader, writer

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        scheme, _, rest = self.host.partition("://")
        if scheme == "unix":
            return await asyncio.open_unix_connection(rest)
        host, _, port = rest.rpartition(":")
        return await asyncio.open_connection(host, int(port), ssl=_tls())

    @asynccontextmanager
    async def _request(
        self, method: str, path: str, **members: Any
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        if self._session is None:
            raise EngineUnavailable("not connected")
        try:
            async with self._session.request(method, self._base + path, **members) as response:
                if response.status >= 400:
                    raise EngineRefusal(response.status, _message(await response.read()))
                yield response
        except TimeoutError as error:
            raise EngineSilence(f"{self.host}: no answer to {method} {path}") from error
        except (aiohttp.ClientError, OSError) as error:
            raise EngineUnavailable(f"{self.host}: {error}") from error


async def _lines(response: aiohttp.ClientResponse) -> AsyncIterator[dict[str, Any]]:
    # A line without its end is one the engine died over.
    while (line := await response.content.readline()).endswith(b"\n"):
        if line.strip():
            yield msgspec.json.decode(line)


def _message(content: bytes) -> str:
    try:
        return str(msgspec.json.decode(content)["message"])
    except (msgspec.DecodeError, KeyError, TypeError):
        return content.decode(errors="replace").strip()


def _tls() -> ssl.SSLContext | None:
    """TLS as the docker command's environment asks for it."""
    if not os.environ.get("DOCKER_TLS_VERIFY"):
        return None
    folder = Path(os.environ.get("DOCKER_CERT_PATH") or Path.home() / ".docker")
    context = ssl.create_default_context(cafile=str(folder / "ca.pem"))
    context.load_cert_chain(str(folder / "cert.pem"), str(folder / "key.pem"))
    return context
