"""``server.json`` in the data directory: which server runs there, for the other commands to find.

The server holds a lock on the file for as long as it lives, so that neither a crash nor a process
identifier used again makes anyone believe in a server that is gone.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TextIO

FILE = "server.json"

#: Seconds in which whoever only looks has let go of the lock again.
_LOOKING = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A server that runs: its process, where it listens, and the defaults of its clients.

    ``has_given_key`` is whether its root key was given in its environment and is on no disk.
    """

    pid: int
    url: str
    account_id: str
    region: str
    ephemeral: bool
    has_given_key: bool


class AlreadyClaimed(Exception):
    """Another server lives in the directory; it is ``server``, unless it has only just begun."""

    def __init__(self, server: Server | None) -> None:
        super().__init__(f"claimed by {server}")
        self.server = server


@contextmanager
def claim(directory: Path, server: Server) -> Iterator[None]:
    """Be the server of the directory. Raises ``AlreadyClaimed``, ``OSError``."""
    with (directory / FILE).open("a+", encoding="ascii") as file:
        if not _lock_within(file, _LOOKING):
            raise AlreadyClaimed(running(directory))
        file.truncate(0)
        json.dump(asdict(server), file)
        file.flush()
        try:
            yield
        finally:
            file.truncate(0)


def running(directory: Path) -> Server | None:
    """The server that runs in the directory, or None."""
    try:
        file = (directory / FILE).open(encoding="ascii")
    except (FileNotFoundError, NotADirectoryError):
        return None
    with file:
        if _lock(file, fcntl.LOCK_SH):
            return None
        with suppress(json.JSONDecodeError, TypeError):
            return Server(**json.load(file))
    return None


def wait_until_gone(directory: Path, seconds: float) -> bool:
    """Whether the directory's server ended in that time."""
    deadline = time.monotonic() + seconds
    while running(directory) is not None:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def make_private(directory: Path) -> None:
    """Make the directory, for its owner alone. Raises ``PermissionError`` where it is another's."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    owner = directory.stat().st_uid
    if owner not in {os.geteuid(), 0}:
        raise PermissionError(f"{directory} belongs to user {owner}")


def _lock_within(file: TextIO, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not _lock(file, fcntl.LOCK_EX):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _lock(file: TextIO, how: int) -> bool:
    try:
        fcntl.flock(file, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
