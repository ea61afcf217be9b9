"""Both ways to learn what a container uses tell the same."""

from unittest.mock import PropertyMock, patch

from engine.runtime.conftest import waits
from openecs.runtime.docker.client import EngineClient


async def test_an_engine_elsewhere_tells_what_the_kernel_does_here(engine):
    task = await engine.run(waits())
    observed = await task.observed()
    here = (await task.runtime.usage([observed.id]))[observed.id]
    with patch.object(EngineClient, "is_local", new_callable=PropertyMock, return_value=False):
        told = await task.runtime.usage([observed.id, "0" * 64])
    assert set(told) == {observed.id}
    elsewhere = told[observed.id]
    assert here.cpu <= elsewhere.cpu <= here.cpu + 10**9
    assert abs(here.memory - elsewhere.memory) < 4 * 1024**2
    assert elsewhere.received >= here.received
