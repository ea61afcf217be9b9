"""What Podman does otherwise than Docker behind the same interface, and what makes up for it.

Seen with Podman 4.3. A container that shares another's namespaces depends on it: Podman starts what
it depends on, too, and refuses to remove that before it. Why a start failed is answered, not kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from openecs.runtime.base import CannotStartContainer
from openecs.runtime.docker.client import EngineClient, EngineRefusal

#: In the refusal of a removal: containers that depend on it are still there.
DEPENDENTS = "dependent containers"
JOINED = "container:"
MODES = ("NetworkMode", "PidMode", "IpcMode")


class Podman:
    """The differences, for one engine that is Podman."""

    def __init__(self, client: EngineClient) -> None:
        self._client = client
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

    def started(self, name: str, error: str = "") -> None:
        """Keep why a container did not start, or that it did."""
        if error:
            self._start_errors[name] = error
        else:
            self._start_errors.pop(name, None)

    def start_error(self, name: str) -> str:
        """Why the last start of a container failed, as far as this process has seen it."""
        return self._start_errors.get(name, "")

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
