"""A process's connections to the store and its engine: slow, failing, cut when the process dies.

A process that is killed does nothing more: what it has begun happened or did not, and it never
learns which. ``Line.cut`` is that moment; whatever the process still tries, as its coroutines are
unwound, has no effect.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

from openecs.model.containers import ContainerObservation
from openecs.runtime.base import (
    ContainerEvent,
    ContainerSpec,
    EngineInfo,
    EngineUnavailable,
    NetworkSpec,
    PullBehavior,
    RegistryAuth,
    Runtime,
    TaskGroupSpec,
    VolumeSpec,
)
from openecs.store.base import (
    Change,
    Conflict,
    FeedTruncated,
    Revision,
    Store,
    StoreUnavailable,
    Transaction,
    View,
)

R = TypeVar("R")


@dataclass(slots=True, kw_only=True)
class Weather:
    """How often, from 0 to 1, what goes wrong; ``delay`` is the longest a call takes.

    Shared by the lines of all processes, and changed while they work.
    """

    delay: timedelta = timedelta(0)
    conflicts: float = 0.0
    store_away: float = 0.0
    feed_truncated: float = 0.0
    engine_silent: float = 0.0
    events_lost: float = 0.0
    events_repeated: float = 0.0


class Line:
    """What connects one process to the world. ``chance`` gives numbers from 0 to 1."""

    def __init__(self, weather: Weather, chance: Callable[[], float]) -> None:
        self.weather = weather
        self.is_cut = False
        self._chance = chance
        self._flows = asyncio.Event()
        self._flows.set()

    def cut(self) -> None:
        """The process is dead."""
        self.is_cut = True
        self._flows.set()

    def freeze(self) -> None:
        """Nothing gets through until ``thaw``: the process is suspended, or cut off."""
        self._flows.clear()

    def thaw(self) -> None:
        """Everything that was held up goes on."""
        self._flows.set()

    async def takes_time(self) -> None:
        """A moment in which anything can happen, the death of the process among it."""
        await asyncio.sleep(self.weather.delay.total_seconds() * self._chance())
        if not self.is_cut:
            await self._flows.wait()

    def happens(self, likelihood: float) -> bool:
        """Whether something of that likelihood happens now."""
        return likelihood > 0 and self._chance() < likelihood


class FaultyStore:
    """A store at the other end of a line."""

    def __init__(self, store: Store, line: Line) -> None:
        self._store = store
        self._line = line

    async def open(self) -> None:
        """The store is open."""

    async def close(self) -> None:
        """The store stays open: others use it."""

    async def read(self, work: Callable[[View], R]) -> R:
        """Read, a moment later."""
        await self._line.takes_time()
        self._answer()
        result = await self._store.read(work)
        await self._line.takes_time()
        return result

    async def write(self, work: Callable[[Transaction], R]) -> R:
        """Write, a moment later; the answer takes its time too."""
        await self._line.takes_time()
        self._answer()
        if self._line.happens(self._line.weather.conflicts):
            raise Conflict("somebody else was first")
        result = await self._store.write(work)
        await self._line.takes_time()
        return result

    async def follow(self, after: Revision) -> AsyncIterator[Sequence[Change]]:
        """Changes, until the feed is said to have been trimmed."""
        async for batch in self._store.follow(after):
            await self._line.takes_time()
            if self._line.happens(self._line.weather.feed_truncated):
                raise FeedTruncated("changes are no longer kept")
            yield batch

    async def clear(self) -> None:
        """Forget everything."""
        await self._store.clear()

    def _answer(self) -> None:
        if self._line.is_cut or self._line.happens(self._line.weather.store_away):
            raise StoreUnavailable("the database does not answer")


class FaultyRuntime:
    """An engine at the other end of a line."""

    def __init__(self, engine: Runtime, line: Line) -> None:
        self._engine = engine
        self._line = line

    async def open(self) -> None:
        """The engine is there."""

    async def close(self) -> None:
        """The engine stays there."""

    async def info(self) -> EngineInfo:
        """What machine this is."""
        return await self._call(self._engine.info)

    async def ping(self) -> None:
        """Return if the engine answers."""
        await self._call(self._engine.ping)

    async def pull(self, image: str, behavior: PullBehavior, auth: RegistryAuth | None) -> None:
        """Make the image be at hand."""
        await self._call(lambda: self._engine.pull(image, behavior, auth))

    async def prepare_pause(self) -> str:
        """Make the pause image be at hand."""
        return await self._call(self._engine.prepare_pause)

    async def ensure_group(self, spec: TaskGroupSpec) -> bool:
        """Make a cgroup."""
        return await self._call(lambda: self._engine.ensure_group(spec))

    async def remove_group(self, cgroup_parent: str) -> None:
        """Remove a cgroup."""
        await self._call(lambda: self._engine.remove_group(cgroup_parent))

    async def ensure_network(self, spec: NetworkSpec) -> AbstractSet[str]:
        """As the engine does."""
        return await self._call(lambda: self._engine.ensure_network(spec))

    async def remove_networks(self) -> None:
        """As the engine does."""
        await self._call(self._engine.remove_networks)

    async def ensure_volume(self, spec: VolumeSpec) -> None:
        """Make a volume."""
        await self._call(lambda: self._engine.ensure_volume(spec))

    async def remove_volume(self, name: str) -> None:
        """Remove a volume."""
        await self._call(lambda: self._engine.remove_volume(name))

    async def create(self, spec: ContainerSpec) -> str:
        """Create a container."""
        return await self._call(lambda: self._engine.create(spec))

    async def start(self, name: str) -> None:
        """Start a container."""
        await self._call(lambda: self._engine.start(name))

    async def stop(self, name: str, grace: timedelta) -> None:
        """Stop a container."""
        await self._call(lambda: self._engine.stop(name, grace))

    async def remove(self, name: str) -> None:
        """Remove a container."""
        await self._call(lambda: self._engine.remove(name))

    async def inspect(self, name: str) -> ContainerObservation | None:
        """Look at a container."""
        return await self._call(lambda: self._engine.inspect(name))

    async def observe(self, installation: str) -> Sequence[ContainerObservation]:
        """Look at all containers."""
        return await self._call(lambda: self._engine.observe(installation))

    async def watch(self, installation: str) -> AsyncIterator[ContainerEvent]:
        """Events, some of them lost or told twice."""
        weather = self._line.weather
        async for event in self._engine.watch(installation):
            await self._line.takes_time()
            if event.name and self._line.happens(weather.events_lost):
                continue
            yield event
            if self._line.happens(weather.events_repeated):
                yield event

    async def _call(self, effect: Callable[[], Awaitable[R]]) -> R:
        """The call is lost, or its answer is, or all is well."""
        await self._line.takes_time()
        self._answer()
        result = await effect()
        await self._line.takes_time()
        self._answer()
        return result

    def _answer(self) -> None:
        if self._line.is_cut or self._line.happens(self._line.weather.engine_silent):
            raise EngineUnavailable("the engine does not answer")
