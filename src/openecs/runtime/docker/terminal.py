"""An exec of the engine: its terminal is a connection that stops being HTTP."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import structlog

from openecs.runtime.base import EngineUnavailable
from openecs.runtime.docker.client import EngineClient, EngineRefusal
from openecs.runtime.terminals import ExecSpec

#: As much of the output as is read at once.
CHUNK = 16 * 1024
#: How long processes may take over SIGHUP, and how often that is looked at, in seconds.
HANG_UP_WITHIN, LOOK_EVERY = 3.0, 0.05
#: The engine knows the process a moment after the start.
KNOWN_WITHIN = 2.0
#: The engine tells the exit code a moment after the terminal's end.
EXIT_CODE_WITHIN = 5.0

log = structlog.get_logger(__name__)


async def start(client: EngineClient, name: str, spec: ExecSpec) -> DockerTerminal:
    """Run the command. Raises ``EngineRefusal`` and ``EngineUnavailable``."""
    body = {
        "AttachStdin": True,
        "AttachStdout": True,
        "AttachStderr": True,
        "Tty": True,
        "Cmd": list(spec.command),
        "Env": [f"{key}={value}" for key, value in spec.environment.items()],
        "User": spec.user,
    }
    made = await client.call("POST", f"/containers/{name}/exec", body=body)
    exec_id = str(made["Id"])
    started = {"Detach": False, "Tty": True}
    reader, writer = await client.hijack(f"/exec/{exec_id}/start", started)
    return DockerTerminal(client, exec_id, reader, writer)


class DockerTerminal:
    """The terminal of one exec."""

    def __init__(
        self,
        client: EngineClient,
        exec_id: str,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self._client, self._exec = client, exec_id
        self._reader, self._writer = reader, writer

    async def output(self) -> AsyncIterator[bytes]:
        """What appears on the terminal, until the command has ended."""
        try:
            while data := await self._reader.read(CHUNK):
                yield data
        except OSError as error:
            raise EngineUnavailable(str(error)) from error

    async def write(self, data: bytes) -> None:
        """Type."""
        with suppress(OSError):
            self._writer.write(data)
            await self._writer.drain()

    async def resize(self, *, rows: int, columns: int) -> None:
        """Make the terminal that large."""
        size = {"h": str(rows), "w": str(columns)}
        # Refused where it has ended.
        with suppress(EngineRefusal):
            await self._client.call("POST", f"/exec/{self._exec}/resize", query=size)

    async def exit_code(self) -> int | None:
        """What the command ended with; None while it runs."""
        shown = await self._shown()
        waited = 0.0
        while shown["Running"] and self._reader.at_eof() and waited < EXIT_CODE_WITHIN:
            await asyncio.sleep(LOOK_EVERY)
            waited += LOOK_EVERY
            shown = await self._shown()
        code = shown.get("ExitCode")
        return None if shown["Running"] or code is None else int(code)

    async def hang_up(self) -> None:
        """Take the terminal away: engines leave a command running whose terminal nobody has."""
        try:
            leader = await self._leader() if self._client.is_local else None
            if leader is not None:
                await _end(leader)
            elif (await self._shown())["Running"]:
                log.warning("a command is left running: not a process here", exec=self._exec)
        finally:
            self._writer.close()
            with suppress(OSError):
                await self._writer.wait_closed()

    async def _leader(self) -> int | None:
        """The command's process, which the engine names a moment after the start."""
        waited = 0.0
        while waited < KNOWN_WITHIN and (shown := await self._shown())["Running"]:
            pid = int(shown.get("Pid") or 0)
            if pid and _is_of(pid, str(shown["ContainerID"])):
                return pid
            await asyncio.sleep(LOOK_EVERY)
            waited += LOOK_EVERY
        return None

    async def _shown(self) -> Any:
        try:
            return await self._client.call("GET", f"/exec/{self._exec}/json")
        except EngineRefusal as refusal:
            raise EngineUnavailable(refusal.message) from refusal


async def _end(leader: int) -> None:
    members = await asyncio.to_thread(_session, leader)
    if not _signal(members, signal.SIGHUP):
        log.warning("a command is left running: no right to end it", pid=leader)
        return
    waited = 0.0
    while waited < HANG_UP_WITHIN and any(_is_there(pid) for pid in members):
        await asyncio.sleep(LOOK_EVERY)
        waited += LOOK_EVERY
    _signal([pid for pid in members if _is_there(pid)], signal.SIGKILL)


def _is_of(pid: int, container: str) -> bool:
    """Whether the process is known here by the number the engine has for it."""
    try:
        return container in Path(f"/proc/{pid}/cgroup").read_text()
    except OSError:
        return False


def _session(leader: int) -> list[int]:
    """The leader of a terminal's session and its foreground, as a terminal hangs up on them."""
    found = [leader]
    for pid, group, session, foreground in _processes():
        if session == leader and group == foreground and pid != leader:
            found.append(pid)
    return found


def _processes() -> Iterator[tuple[int, int, int, int]]:
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError, ValueError):
                # Behind the name, which may hold anything: state, parent, group, session, ...
                behind = (entry / "stat").read_text().rpartition(")")[2].split()
                yield int(entry.name), int(behind[2]), int(behind[3]), int(behind[5])


def _signal(pids: list[int], number: signal.Signals) -> bool:
    """Whether all that are there could be signalled."""
    try:
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, number)
    except PermissionError:
        return False
    return True


def _is_there(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
