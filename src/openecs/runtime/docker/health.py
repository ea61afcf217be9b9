"""Health checks run for an engine that does not run them by itself.

Docker has timers of its own. Podman leaves them to systemd; where systemd is not, it only checks
when asked (``podman healthcheck run``), and counts streaks and retries itself. So each container is
watched for longer than an interval first: if nobody else checked it by then, it is done here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import structlog

from openecs.runtime.base import ContainerEvent, EngineUnavailable
from openecs.runtime.docker.client import EngineClient, EngineRefusal

log = structlog.get_logger(__name__)

SECOND = 1_000_000_000
#: Docker's default interval, in seconds (Dockerfile reference, HEALTHCHECK).
INTERVAL = 30.0
#: How much later than its interval the engine's own check may be, in seconds.
LATE = 1.0


class HealthChecks:
    """The checks of the containers of one engine that were shown to it; ``news`` says changes."""

    def __init__(self, client: EngineClient) -> None:
        self._client = client
        self._followed: dict[str, asyncio.Task[None]] = {}
        #: Whether the engine runs checks itself, once that is known.
        self._by_engine: bool | None = None
        self.news: asyncio.Queue[ContainerEvent] = asyncio.Queue()

    def follow(self, shown: Mapping[str, Any]) -> None:
        """See to a container's health from now to its end, if it runs and has a check."""
        if self._by_engine or shown["Id"] in self._followed or not _has_check(shown):
            return
        self._followed[shown["Id"]] = asyncio.create_task(self._check_to_the_end(shown))

    async def close(self) -> None:
        """End all checks."""
        tasks = list(self._followed.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _check_to_the_end(self, shown: Mapping[str, Any]) -> None:
        container, interval = shown["Id"], _interval(shown)
        try:
            if self._by_engine is None:
                self._by_engine = await self._is_checked(shown, interval + LATE)
            else:
                await asyncio.sleep(interval)
            if not self._by_engine:
                await self._check(shown, interval)
        except EngineRefusal:
            log.debug("health checks end", container=container)
        finally:
            del self._followed[container]

    async def _is_checked(self, shown: Mapping[str, Any], within: float) -> bool:
        """Whether somebody else has checked a container within some seconds."""
        await asyncio.sleep(within)
        now = await self._client.call("GET", f"/containers/{shown['Id']}/json")
        return _last_check(now) != _last_check(shown)

    async def _check(self, shown: Mapping[str, Any], interval: float) -> None:
        """Check until the engine refuses: the container does not run any more."""
        path = f"/libpod/containers/{shown['Id']}/healthcheck"
        event = ContainerEvent(name=shown["Name"].removeprefix("/"), labels=_labels(shown))
        last = (shown["State"].get("Health") or {}).get("Status")
        while True:
            try:
                status = (await self._client.call("GET", path))["Status"]
            except EngineUnavailable:
                status = last
            if status != last:
                self.news.put_nowait(event)
            last = status
            await asyncio.sleep(interval)


def _has_check(shown: Mapping[str, Any]) -> bool:
    test = (shown["Config"].get("Healthcheck") or {}).get("Test") or ["NONE"]
    return bool(shown["State"].get("Running")) and test != ["NONE"]


def _interval(shown: Mapping[str, Any]) -> float:
    return (shown["Config"]["Healthcheck"].get("Interval") or 0) / SECOND or INTERVAL


def _last_check(shown: Mapping[str, Any]) -> object:
    checks = (shown["State"].get("Health") or {}).get("Log") or [{}]
    return checks[-1].get("Start")


def _labels(shown: Mapping[str, Any]) -> Mapping[str, str]:
    return shown["Config"].get("Labels") or {}
