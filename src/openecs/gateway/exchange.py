"""A request as it was received and the reply as it will be sent: HTTP, nothing of AWS yet."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from urllib.parse import unquote_plus

from openecs.gateway.refusal import Reason, Refused, malformed

#: The largest body taken, as sent and again when unpacked, in bytes. Amazon ECS has no documented
#: limit of the body, but none of its requests may come near: a task definition has at most 64 KiB.
BODY_LIMIT = 10 * 1024 * 1024


def too_large() -> Refused:
    """The body is larger than ``BODY_LIMIT``."""
    return Refused(Reason.TOO_LARGE, f"Request body is larger than {BODY_LIMIT} bytes.")


@dataclass(frozen=True, kw_only=True)
class Request:
    """An HTTP request.

    ``path`` and ``query`` are as on the wire, still percent-encoded. Header names are in lower
    case; the values of a header given several times are joined by commas, as signing wants it.
    """

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    #: The address it came from, and whether by TLS.
    client: str = ""
    is_secure: bool = False

    @cached_property
    def content(self) -> bytes:
        """The body, unpacked. Raises ``Refused`` where it cannot be or grows beyond the limit."""
        if self.headers.get("content-encoding", "").lower() != "gzip":
            return self.body
        unpacker = zlib.decompressobj(wbits=31)
        try:
            content = unpacker.decompress(self.body, BODY_LIMIT + 1)
        except zlib.error:
            raise malformed("Request body is not valid gzip.") from None
        if len(content) > BODY_LIMIT:
            raise too_large()
        if not unpacker.eof:
            raise malformed("Request body is not valid gzip.")
        return content

    @cached_property
    def content_type(self) -> str:
        """The media type of the body in lower case, without parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @cached_property
    def arguments(self) -> tuple[tuple[str, str], ...]:
        """The decoded names and values of the query string, in order."""
        return pairs(self.query)

    @cached_property
    def form(self) -> Mapping[str, str]:
        """Names and values of a query-protocol request: its query string, then its body."""
        try:
            body = self.content.decode()
        except UnicodeDecodeError:
            raise malformed("Request body is not valid UTF-8.") from None
        return {**dict(self.arguments), **dict(pairs(body))}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An HTTP reply; ``headers`` leave out what every reply has (length, date, request id)."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    #: What comes behind the body, whenever it does; None: nothing.
    parts: AsyncIterator[bytes] | None = None


def pairs(encoded: str) -> tuple[tuple[str, str], ...]:
    """The decoded names and values of ``a=b&c=d``; a name without ``=`` has an empty value."""
    found = []
    for part in encoded.split("&"):
        if part:
            name, _, value = part.partition("=")
            found.append((_decoded(name), _decoded(value)))
    return tuple(found)


def _decoded(text: str) -> str:
    return unquote_plus(text, errors="replace") if "%" in text or "+" in text else text
