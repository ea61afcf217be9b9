"""What a container printed, as the engine kept it: its ``logs`` in pieces with times."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import UTC, datetime
from functools import lru_cache

from openecs.model.logs import Piece
from openecs.runtime.docker.client import EngineClient

_SECOND = 1_000_000_000
#: The header of a frame: which output, three bytes of nothing, four of its length.
_HEADER = 8
_STDOUT = 1


async def read(
    client: EngineClient, name: str, since: int, *, is_terminal: bool
) -> AsyncIterator[Sequence[Piece]]:
    """What there is from a time on, and what comes until the container ends.

    Raises ``EngineRefusal`` and ``EngineUnavailable``.
    """
    query = {
        "follow": "1",
        "stdout": "1",
        "stderr": "1",
        "timestamps": "1",
        "since": f"{since // _SECOND}.{since % _SECOND:09d}",
    }
    unpack = _Lines() if is_terminal else _Frames()
    async with client.chunks("GET", f"/containers/{name}/logs", query) as chunks:
        async for chunk in chunks:
            pieces = list(unpack.fed(chunk))
            if pieces:
                yield pieces
    if left := list(unpack.ended()):
        yield left


class _Frames:
    """Without a terminal, each piece is in a frame."""

    def __init__(self) -> None:
        self._left = b""

    def fed(self, chunk: bytes) -> Iterator[Piece]:
        data, at = self._left + chunk, 0
        while len(data) - at >= _HEADER:
            behind = at + _HEADER + int.from_bytes(data[at + 4 : at + _HEADER])
            if behind > len(data):
                break
            yield _piece(data[at], data[at + _HEADER : behind])
            at = behind
        self._left = data[at:]

    def ended(self) -> Iterator[Piece]:
        """A frame that is cut off comes whole with the next look."""
        yield from ()


class _Lines:
    """With a terminal there is one output, and nothing but lines."""

    def __init__(self) -> None:
        self._left = b""

    def fed(self, chunk: bytes) -> Iterator[Piece]:
        *lines, self._left = (self._left + chunk).split(b"\n")
        for line in lines:
            yield _piece(_STDOUT, line + b"\n")

    def ended(self) -> Iterator[Piece]:
        """The last line may have no end."""
        if self._left:
            yield _piece(_STDOUT, self._left)


def _piece(output: int, content: bytes) -> Piece:
    time, _, text = content.partition(b" ")
    ends = text.endswith(b"\n")
    return Piece(_nanoseconds(time), output, text.rstrip(b"\r\n") if ends else text, ends)


def _nanoseconds(time: bytes) -> int:
    """RFC 3339; the fraction may have fewer digits than nine."""
    if time[-1:] != b"Z":
        return int(datetime.fromisoformat(time.decode()).timestamp() * 1_000_000) * 1000
    return _seconds(time[:19]) * _SECOND + int(time[20:-1].ljust(9, b"0") or b"0")


@lru_cache(maxsize=16)
def _seconds(time: bytes) -> int:
    return int(datetime.fromisoformat(time.decode()).replace(tzinfo=UTC).timestamp())
