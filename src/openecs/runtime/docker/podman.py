"""What Podman does otherwise than Docker behind the same interface, and what makes up for it.

Seen with Podman 4.3. A container that shares another's namespaces depends on it: Podman starts what
it depends on, too, and refuses to remove that before it. Why a start failed is answered, not kept.
Health checks: see ``health``.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from openecs.model.containers import ContainerObservation, ContainerState
from openecs.runtime.base import (
    CannotStartContainer,
    ContainerEvent,
)
from openecs.runtime.docker.client import EngineClient, EngineRefusal
from openecs.runtime.docker.health import HealthChecks

#: In the refusal of a removal: containers that depend on it are still there.
DEPENDENTS = "dependent containers"
JOINED = "container:"
MODES = ("NetworkMode", "PidMode", "IpcMode")


class Podman:
    """The differences, for one engine that is Podman."""

    def __init__(self, client: EngineClient) -> None:
        self._client = client
        self.health = HealthChecks(client)
        self._start_errors: dict[str, str] = {}
        #: Containers to be removed once those that depend on them are.
        self._lingering: set[str] = set()

    async def before_start(self, name: str) -> None:
        """Refuse, as Docker does, what joins namespaces of a container that does not run.

        Raises ``CannotStartContainer``.
        """
        for owner in sorted(owners(await self._shown(name))):
            state = (await self._shown(owner)).get("State") or {}
            if not state.get("Running"):
                message = f"cannot join namespaces of a non running container: {owner}"
                raise CannotStartContainer(f"Error response from daemon: {message}")

    def refused_start(self, name: str, error: str) -> None:
        """Keep why a container did not start."""
        self._start_errors[name] = error

    def inspected(
        self, shown: Mapping[str, Any], observed: ContainerObservation
    ) -> ContainerObservation:
        """The observation with what is known here, and the container's health seen to."""
        self.health.follow(shown)
        if observed.state is not ContainerState.CREATED:
            self._start_errors.pop(observed.name, None)
        error = self._start_errors.get(observed.name, "")
        return replace(observed, error=error) if error else observed

    async def with_news(
        self, events: AsyncGenerator[ContainerEvent, None]
    ) -> AsyncGenerator[ContainerEvent, None]:
        """The engine's events, and changes of health that it has no event for."""
        news = self.health.news
        heard: asyncio.Future[ContainerEvent] = asyncio.ensure_future(anext(events))
        told = asyncio.ensure_future(news.get())
        try:
            while True:
                await asyncio.wait((heard, told), return_when=asyncio.FIRST_COMPLETED)
                if told.done():
                    yield told.result()
                    told = asyncio.ensure_future(news.get())
                if heard.done():
                    yield await heard
                    heard = asyncio.ensure_future(anext(events))
        except StopAsyncIteration:
            return
        finally:
            heard.cancel()
            told.cancel()
            await asyncio.gather(heard, told, return_exceptions=True)
            await events.aclose()

    async def linger(self, name: str) -> None:
        """Kill a container that others depend on; it is removed after the last of them."""
        self._lingering.add(name)
        await self._client.call("POST", f"/containers/{name}/stop", query={"t": "0"})

    async def removed(self, name: str) -> None:
        """A container is gone: so may those be now that waited for it."""
        self._start_errors.pop(name, None)
        self._lingering.discard(name)
        query = {"force": "1", "v": "1"}
        for waiting in sorted(self._lingering):
            with suppress(EngineRefusal):
                await self._client.call("DELETE", f"/containers/{waiting}", query=query)
                self._lingering.discard(waiting)

    async def _shown(self, name: str) -> Mapping[str, Any]:
        try:
            shown: Mapping[str, Any] = await self._client.call("GET", f"/containers/{name}/json")
        except EngineRefusal:
            return {}
        return shown


def owners(shown: Mapping[str, Any]) -> set[str]:
    """The containers whose namespaces this one joins."""
    config = shown.get("HostConfig") or {}
    modes = [config.get(mode) or "" for mode in MODES]
    return {mode.removeprefix(JOINED) for mode in modes if mode.startswith(JOINED)}
