"""The delivery of logs: every 5 minutes what Envoy has noted becomes files in AWS's form.

What is taken away from Envoy at one delivery is delivered with the next one, when Envoy has long
begun a new file. A delivery that was cut short is made again under the same key.
"""

from __future__ import annotations

import asyncio
import gzip
import hashlib
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
import structlog

from openecs.edge import access_logs, connection_logs
from openecs.edge.envoy import Envoy, EnvoyUnavailable

log = structlog.get_logger(__name__)

EVERY = timedelta(minutes=5)

_TAKEN = ".taken"


class Deliveries:
    """What is noted in ``notes`` goes to ``logs``, the place of all buckets."""

    def __init__(
        self, *, envoy: Envoy, notes: Path, logs: Path, clock: Callable[[], datetime]
    ) -> None:
        self._envoy = envoy
        self._notes = notes
        self._logs = logs
        self._clock = clock

    async def run(self) -> None:
        """Deliver at every full 5 minutes until cancelled."""
        while True:
            await asyncio.sleep(until_next(self._clock()).total_seconds())
            try:
                await self.deliver()
            except (OSError, EnvoyUnavailable, msgspec.MsgspecError) as error:
                log.warning("access logs are not delivered", reason=str(error))

    async def deliver(self) -> None:
        """Write what was taken the last time, and take what has been noted since."""
        for taken in self._notes.rglob(f"*{_TAKEN}"):
            await asyncio.to_thread(self._write, taken)
        if self._take(self._clock()):
            await self._envoy.reopen_logs()

    def _take(self, now: datetime) -> bool:
        noted = [path for path in self._notes.rglob("*.json") if path.stat().st_size]
        for path in noted:
            path.rename(path.with_name(f"{path.name}.{now:%Y%m%dT%H%M%S%z}{_TAKEN}"))
        return bool(noted)

    def _write(self, taken: Path) -> None:
        name, _, stamp = taken.name.removesuffix(_TAKEN).rpartition(".")
        noted = taken.with_name(name).relative_to(self._notes)
        mark = hashlib.sha256(taken.name.encode()).hexdigest()[:8]
        at = datetime.strptime(stamp, "%Y%m%dT%H%M%S%z")
        target = self._logs / access_logs.key(noted, at, mark)
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = target.with_suffix(".draft")
        with gzip.open(draft, "wt", encoding="utf-8") as file:
            file.writelines(_lines(taken, noted))
        draft.replace(target)
        taken.unlink()


def until_next(now: datetime) -> timedelta:
    """The time until the next delivery."""
    return EVERY - timedelta(seconds=now.timestamp() % EVERY.total_seconds())


def _lines(taken: Path, noted: Path) -> Iterator[str]:
    balancer = access_logs.balancer_name(noted)
    is_of_requests = balancer.startswith("app/") and not noted.name.startswith("conn_log.")
    line = access_logs.line if is_of_requests else connection_logs.line
    with taken.open("rb") as notes:
        for note in notes:
            try:
                yield f"{line(msgspec.json.decode(note), balancer)}\n"
            except (msgspec.DecodeError, KeyError, TypeError):
                # Envoy was killed while it wrote, or was another version's.
                log.warning("a line of an access log is lost", file=taken.name)
