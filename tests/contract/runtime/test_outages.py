"""What every runtime does while its engine is away: the same errors, and no event is owed."""

import asyncio
import uuid
from contextlib import aclosing, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from contract.runtime.conftest import ENGINES, engine_host
from engine_access import clean, docker_runtime
from openecs.runtime.base import (
    LABEL_INSTALLATION,
    ContainerSpec,
    EngineUnavailable,
    PullBehavior,
    VolumeSpec,
)
from openecs.runtime.docker import DockerRuntime
from openecs.runtime.docker.client import DEFAULT_HOST
from openecs.runtime.simulated import SimulatedRuntime

SPEC = ContainerSpec(name="outage-a", image="busybox", labels={})
CALLS = {
    "info": lambda r: r.info(),
    "pull": lambda r: r.pull("busybox", PullBehavior.PREFER_CACHED, None),
    "prepare_pause": lambda r: r.prepare_pause(),
    "ensure_volume": lambda r: r.ensure_volume(VolumeSpec(name="outage")),
    "remove_volume": lambda r: r.remove_volume("outage"),
    "create": lambda r: r.create(SPEC),
    "start": lambda r: r.start("outage-a"),
    "stop": lambda r: r.stop("outage-a", timedelta(seconds=1)),
    "remove": lambda r: r.remove("outage-a"),
    "inspect": lambda r: r.inspect("outage-a"),
    "observe": lambda r: r.observe("outage"),
}


class Relay:
    """A socket before the engine's that can be cut."""

    def __init__(self, path: str, engine: str) -> None:
        self.path = path
        self._engine = engine
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    async def come_back(self) -> None:
        self._server = await asyncio.start_unix_server(self._serve, self.path)

    def go_away(self) -> None:
        if self._server is not None:
            self._server.close()
        for writer in self._writers:
            writer.transport.abort()
        with suppress(FileNotFoundError):
            Path(self.path).unlink()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        engine_reader, engine_writer = await asyncio.open_unix_connection(self._engine)
        self._writers |= {writer, engine_writer}
        await asyncio.gather(_copy(reader, engine_writer), _copy(engine_reader, writer))


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    writer.close()


class SimulatedOutage:
    """A simulated engine that goes and comes."""

    def __init__(self) -> None:
        self.runtime = SimulatedRuntime(lambda: datetime.now(UTC))
        self.go_away = self.runtime.go_away

    async def come_back(self) -> None:
        self.runtime.come_back()


class DockerOutage:
    """A real engine behind a relay that goes and comes."""

    def __init__(self, relay: Relay) -> None:
        self.runtime = DockerRuntime(f"unix://{relay.path}")
        self.go_away = relay.go_away
        self.come_back = relay.come_back


@pytest.fixture(params=ENGINES)
async def outage(request, tmp_path):
    if request.param == "simulated":
        made = SimulatedOutage()
    else:
        host = engine_host(request) or DEFAULT_HOST
        await (await docker_runtime(host)).close()
        made = DockerOutage(Relay(str(tmp_path / "engine.sock"), host.removeprefix("unix://")))
    await made.come_back()
    await made.runtime.open()
    yield made
    await made.runtime.close()
    made.go_away()


@pytest.mark.parametrize("call", CALLS)
async def test_every_call_says_that_the_engine_is_away(outage, call):
    outage.go_away()
    with pytest.raises(EngineUnavailable):
        await CALLS[call](outage.runtime)
    await outage.come_back()
    await outage.runtime.info()


async def test_watch_outlives_an_outage_and_asks_to_look_at_everything(outage):
    installation = f"outage-{uuid.uuid4().hex[:10]}"
    events = outage.runtime.watch(installation)
    try:
        async with aclosing(events), asyncio.timeout(20):
            assert (await anext(events)).name == ""
            outage.go_away()
            reconnected = asyncio.ensure_future(anext(events))
            await asyncio.sleep(0)
            await outage.come_back()
            assert (await reconnected).name == ""
            spec = ContainerSpec(
                name=installation, image="busybox", labels={LABEL_INSTALLATION: installation}
            )
            await outage.runtime.create(spec)
            assert (await anext(events)).name == installation
    finally:
        await clean(outage.runtime, installation)


async def test_an_engine_that_was_never_there(tmp_path):
    runtime = DockerRuntime(f"unix://{tmp_path}/none.sock")
    await runtime.open()
    with pytest.raises(EngineUnavailable):
        await runtime.info()
    with pytest.raises(EngineUnavailable):
        await runtime.ping()
    await runtime.close()
