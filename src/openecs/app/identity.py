"""The clock, the dice, and what this installation is called."""

from __future__ import annotations

import contextlib
import hashlib
import os
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import UUID

if TYPE_CHECKING:
    from openecs.config import Settings


class _Randomness(threading.local):
    """The system's randomness, fetched for many identifiers at once: each fetch is a system call.

    Each thread has its own, so that no byte is ever used twice.
    """

    def __init__(self) -> None:
        self._bytes = b""

    def take(self, count: int) -> bytes:
        """So many random bytes."""
        if len(self._bytes) < count:
            self._bytes = os.urandom(4096)
        taken, self._bytes = self._bytes[:count], self._bytes[count:]
        return taken


class SystemIds:
    """Identifiers from the system's randomness."""

    def __init__(self) -> None:
        self._randomness = _Randomness()

    def uuid(self) -> str:
        """A random UUID."""
        return str(self._uuid())

    def hex32(self) -> str:
        """32 random hexadecimal digits."""
        return self._uuid().hex

    def digits(self, count: int) -> str:
        """Random decimal digits, the first not 0."""
        # Sixteen bytes more than needed leave no digit likelier than another that one could tell.
        number = int.from_bytes(self._randomness.take(count // 2 + 16))
        return str(10 ** (count - 1) + number % (9 * 10 ** (count - 1)))

    def _uuid(self) -> UUID:
        return UUID(bytes=self._randomness.take(16), version=4)


def now() -> datetime:
    """The time, in UTC."""
    return datetime.now(UTC)


def installation(settings: Settings) -> str:
    """What this installation's containers are labelled with.

    It lives with the data. An ephemeral one is known by its port, so that the next one there
    clears what a killed one left.
    """
    if settings.ephemeral:
        return f"ephemeral-{settings.port}"
    path = settings.directory / "installation-id"
    with contextlib.suppress(FileExistsError), path.open("x", encoding="ascii") as file:
        file.write(SystemIds().hex32())
    return path.read_text(encoding="ascii").strip()


def machine_id(settings: Settings) -> str:
    """What the machine of this installation is called."""
    return hashlib.sha256(installation(settings).encode()).hexdigest()[:32]
