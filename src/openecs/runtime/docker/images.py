"""Images: pulling as the ECS agent does, and making our own."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from openecs.model.containers import ContainerObservation
from openecs.runtime.base import CannotPullContainer, PullBehavior, RegistryAuth
from openecs.runtime.docker import bodies
from openecs.runtime.docker.client import EngineClient, EngineRefusal, EngineSilence

#: The agent's limits: five attempts, from 1.1 to 5 seconds apart, a minute without progress.
ATTEMPTS = 5
FIRST_WAIT, LONGEST_WAIT = 1.1, 5.0
INACTIVITY = 60.0

#: Words of a refusal that no further attempt changes.
FINAL = (
    "access denied",
    "denied:",
    "invalid reference format",
    "manifest unknown",
    "must be lowercase",
    "no basic auth",
    "not found",
    "repository does not exist",
    "unauthorized",
)


class Images:
    """The images of one engine."""

    def __init__(self, client: EngineClient) -> None:
        self._client = client
        self._pulls: dict[str, asyncio.Lock] = {}
        #: What the last pull of an image, with these credentials, failed of.
        self._failed: dict[tuple[str, RegistryAuth | None], CannotPullContainer] = {}
        self._pulled: set[str] = set()
        self._digests: dict[str, str] = {}

    async def pull(self, image: str, behavior: PullBehavior, auth: RegistryAuth | None) -> None:
        """Make an image be at hand. Tasks that want the same one share one pull, and its failure.

        Raises ``CannotPullContainer``.
        """
        if behavior is PullBehavior.PREFER_CACHED and await self.is_there(image):
            return
        before = self._failed.get((image, auth))
        async with self._pulls.setdefault(image, asyncio.Lock()):
            failure = self._failed.get((image, auth))
            if failure is not None and failure is not before:
                raise CannotPullContainer(failure.message)
            try:
                await self._pull(image, behavior, auth)
            except CannotPullContainer as error:
                self._failed[image, auth] = error
                raise
            self._failed.pop((image, auth), None)

    async def is_there(self, image: str) -> bool:
        """Whether the engine has the image; what it is is remembered."""
        try:
            shown = await self._client.call("GET", f"/images/{image}/json")
        except EngineRefusal:
            return False
        self._learn(shown)
        return True

    async def load(self, image: str, archive: bytes, command: Sequence[str]) -> None:
        """Make an image of a file system archive (tar)."""
        # The tag in the name: Podman does not look for it elsewhere.
        query = {
            "fromSrc": "-",
            "repo": image,
            "changes": f"ENTRYPOINT {bodies.encode(list(command))}",
        }
        await self._client.post_data("/images/create", query, archive, "application/x-tar")

    def with_digest(self, observed: ContainerObservation) -> ContainerObservation:
        """The observation with its image's registry digest, where it came from a registry."""
        digest = self._digests.get(observed.image_id)
        return replace(observed, image_digest=digest) if digest else observed

    async def _pull(self, image: str, behavior: PullBehavior, auth: RegistryAuth | None) -> None:
        once = behavior is PullBehavior.ONCE and image in self._pulled
        cached = behavior is PullBehavior.PREFER_CACHED
        if (once or cached) and await self.is_there(image):
            return
        try:
            await self._attempt_often(image, auth)
        except CannotPullContainer:
            if behavior is PullBehavior.DEFAULT and await self.is_there(image):
                return
            raise
        if not await self.is_there(image):
            raise CannotPullContainer(f"pull of {image} ended early")
        self._pulled.add(image)

    async def _attempt_often(self, image: str, auth: RegistryAuth | None) -> None:
        wait = FIRST_WAIT
        for attempt in range(1, ATTEMPTS + 1):
            try:
                await self._attempt(image, auth)
            except CannotPullContainer as error:
                if attempt == ATTEMPTS or any(w in error.message.lower() for w in FINAL):
                    raise
                await asyncio.sleep(wait)
                wait = min(wait * 2, LONGEST_WAIT)
            else:
                return

    async def _attempt(self, image: str, auth: RegistryAuth | None) -> None:
        try:
            headers = _auth_header(image, auth)
            query = _reference(image)
            async with self._client.stream(
                "POST", "/images/create", query, headers=headers, silence=INACTIVITY
            ) as lines:
                async for line in lines:
                    if "error" in line:
                        raise CannotPullContainer(str(line["error"]))
        except EngineRefusal as refusal:
            raise CannotPullContainer(f"Error response from daemon: {refusal.message}") from refusal
        except EngineSilence as error:
            raise CannotPullContainer("inactivity time exceeded timeout: no progress") from error

    def _learn(self, shown: Mapping[str, Any]) -> None:
        for reference in shown.get("RepoDigests") or ():
            self._digests[shown["Id"]] = reference.partition("@")[2]


def _reference(image: str) -> dict[str, str]:
    name = image.rsplit("/", 1)[-1]
    return {"fromImage": image} if ":" in name or "@" in name else {"fromImage": f"{image}:latest"}


def _auth_header(image: str, auth: RegistryAuth | None) -> dict[str, str]:
    if auth is None:
        return {}
    registry = image.split("/", 1)[0] if "/" in image else "docker.io"
    given = {
        "username": auth.username,
        "password": auth.password,
        "serveraddress": registry,
    }
    return {"X-Registry-Auth": base64.urlsafe_b64encode(bodies.encode(given).encode()).decode()}
