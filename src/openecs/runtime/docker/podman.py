"""What Podman does otherwise than Docker behind the same interface, and what makes up for it.

Seen with Podman 4.3. A container that shares another's namespaces or volumes depends on it: Podman
starts what it depends on, and refuses to remove that before it. The reason of a failed start is
answered, and not kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from openecs.runtime.base import CannotStartContainer
from openecs.runtime.docker.client import EngineClient, EngineRefusal

#: In a refused removal: containers that depend on it are still there.
DEPENDENTS = "dependent containers"
JOINED = "container:"


class Podman:
    """The differences of one engine that is Podman."""

    def __init__(self, client: EngineClient) -> None:
        self._client = client
        self._start_errors: dict[str, str] = {}
        #: Containers to be removed once those that depend on them are.
        self._lingering: set[str] = set()

    async def before_start(self, name: str) -> None:
        """Refuse what Podman would do instead: start the owner of the network, too.

        Raises ``CannotStartContainer`` with Docker's words.
        """
        shown = await self._shown(name)
        owner = owner_of_network(shown)
        if owner and not (await self._shown(owner)).get("State", {}).get("Running"):
            message = f"cannot join network of a non running container: {owner}"
            raise CannotStartContainer(f"Error response from daemon: {message}")

    def started(self, name: str, error: str = "") -> None:
        """Keep why a container did not start, or that it did."""
        if error:
            self._start_errors[name] = error
        else:
            self._start_errors.pop(name, None)

    def start_error(self, name: str) -> str:
        """Why the last start of the container failed, as far as this process has seen it."""
        return self._start_errors.get(name, "")

    async def linger(self, name: str) -> None:
        """Kill a container that others depend on; ``removed`` removes it after the last of them."""
        self._lingering.add(name)
        try:
            await self._client.call("POST", f"/containers/{name}/stop", query={"t": "0"})
        except EngineRefusal as refusal:
            if refusal.status != 404:
                raise

    async def removed(self, name: str) -> None:
        """A container is gone: so may those be now that waited for it."""
        self._start_errors.pop(name, None)
        self._lingering.discard(name)
        for waiting in sorted(self._lingering):
            try:
                await self._client.call(
                    "DELETE", f"/containers/{waiting}", query={"force": "1", "v": "1"}
                )
            except EngineRefusal as refusal:
                if DEPENDENTS in refusal.message:
                    continue
            self._lingering.discard(waiting)

    async def _shown(self, name: str) -> dict[str, Any]:
        try:
            return dict(await self._client.call("GET", f"/containers/{name}/json"))
        except EngineRefusal:
            return {}


def owner_of_network(shown: Mapping[str, Any]) -> str:
    """The container whose network this one joins, or nothing."""
    mode = (shown.get("HostConfig") or {}).get("NetworkMode") or ""
    return mode.removeprefix(JOINED) if mode.startswith(JOINED) else ""
