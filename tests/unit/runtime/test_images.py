import asyncio
from contextlib import asynccontextmanager

import pytest

from openecs.runtime.base import CannotPullContainer, PullBehavior, RegistryAuth
from openecs.runtime.docker.client import EngineRefusal
from openecs.runtime.docker.images import Images


class NoSuchImage:
    """An engine's client that counts the pulls, all of which fail when they may."""

    def __init__(self) -> None:
        self.pulls = 0
        self.go = asyncio.Event()

    async def call(self, method: str, path: str) -> None:
        raise EngineRefusal(404, f"{method} {path}: no such image")

    @asynccontextmanager
    async def stream(self, *_arguments, **_members):
        self.pulls += 1
        await self.go.wait()
        raise EngineRefusal(404, "manifest unknown")
        yield


@pytest.mark.parametrize(("auths", "pulls"), [((None, None), 1), ((None, "other"), 2)])
async def test_those_that_wait_for_a_pull_share_its_failure(auths, pulls):
    client = NoSuchImage()
    images = Images(client)
    keys = [RegistryAuth(username=a, password=a) if a else None for a in auths]
    asking = [
        asyncio.create_task(images.pull("none", PullBehavior.PREFER_CACHED, key)) for key in keys
    ]
    while not client.pulls:
        await asyncio.sleep(0)
    client.go.set()
    failures = await asyncio.gather(*asking, return_exceptions=True)
    assert [type(failure) for failure in failures] == [CannotPullContainer] * 2
    assert client.pulls == pulls
    with pytest.raises(CannotPullContainer, match="manifest unknown"):
        await images.pull("none", PullBehavior.PREFER_CACHED, None)
    assert client.pulls == pulls + 1
