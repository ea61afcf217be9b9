"""``DockerRuntime``: the ``Runtime`` contract on a Docker engine, or Podman's compatible socket."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import aclosing, suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any, TypeVar

import structlog

from openecs.model.containers import ContainerObservation, ContainerUsage
from openecs.model.logs import Piece
from openecs.runtime import ports
from openecs.runtime.base import (
    LABEL_INSTALLATION,
    PAUSE_IMAGE,
    CannotCreateContainer,
    CannotCreateVolume,
    CannotExecute,
    CannotStartContainer,
    CannotStopContainer,
    ContainerEvent,
    ContainerSpec,
    EngineError,
    EngineInfo,
    EngineUnavailable,
    NetworkSpec,
    PlaceLost,
    PullBehavior,
    RegistryAuth,
    TaskGroupSpec,
    VolumeSpec,
)
from openecs.runtime.docker import bodies, cgroups, output, pause, terminal
from openecs.runtime.docker.client import EngineClient, EngineRefusal, EngineSilence
from openecs.runtime.docker.images import Images
from openecs.runtime.docker.networks import Networks
from openecs.runtime.docker.podman import DEPENDENTS, Podman
from openecs.runtime.docker.port_choices import PortChoices
from openecs.runtime.docker.usage import Usages
from openecs.runtime.terminals import ExecSpec, Terminal

DAEMON = "Error response from daemon: "
log = structlog.get_logger(__name__)

NOT_FOUND, CONFLICT = 404, 409
#: Containers made and started at once; more only queue up inside the engine.
AT_ONCE = 6
#: What engines say where a socket of the host has the port, and how many candidates are tried.
IN_USE = "address already in use"
#: Podman's, of a container whose process ended while it was looked at.
ENDED_MEANWHILE = "no such process"
#: Of a container's own address, Docker's words and Podman's; of its network.
PLACE_LOST = re.compile(r"Address already in use|requested ip address|network \S+ not found")
PORTS_TRIED = 10
#: What engines say where a limit is higher than they may give.
RLIMIT = "rlimit"
#: What the ECS agent allows for a create and a start, in seconds.
CREATE_WITHIN, START_WITHIN = 240.0, 180.0
#: A stop may take this much longer than its grace.
STOP_MARGIN = timedelta(minutes=2)
#: Podman's monitor of a container is in its cgroup a moment longer; waits for it to be gone.
UNTIL_EMPTY = (0.05, 0.1, 0.2, 0.4)
#: Waits between attempts to hear the engine's events again.
RECONNECT = (0.1, 0.2, 0.5, 1.0, 2.0)
#: Events that change nothing we look at.
IGNORED = ("exec_", "top", "attach", "resize", "archive", "extract", "export", "copy")

T = TypeVar("T")


class DockerRuntime:
    """Containers on one engine; ``host`` as in ``DOCKER_HOST``."""

    def __init__(self, host: str = "") -> None:
        self._client = EngineClient(host)
        self._images = Images(self._client)
        self._gate = asyncio.Semaphore(AT_ONCE)
        self._info: EngineInfo | None = None
        self._pause = asyncio.Lock()
        self._networks = Networks(self._client)
        self._networking = asyncio.Lock()
        self._paused = False
        self._podman: Podman | None = None
        self._choices = PortChoices()
        self._usages = Usages(self._client)
        self._may_limit_files = True
        #: Containers made with a limit the engine may turn out not to have, until they start.
        self._limited: dict[str, ContainerSpec] = {}

    async def open(self) -> None:
        """Be ready to connect."""
        await self._client.open()

    async def close(self) -> None:
        """Let go; containers go on."""
        if self._podman is not None:
            await self._podman.health.close()
        await self._client.close()

    async def info(self) -> EngineInfo:
        """What machine this is, asked anew."""
        info = await self._call("GET", "/info", timeout=30.0)
        if self._podman is None and "BuildahVersion" in info:
            self._podman = Podman(self._client)
        plugins = info.get("Plugins") or {}
        self._info = EngineInfo(
            version=info["ServerVersion"],
            cpus=info["NCPU"],
            memory=info["MemTotal"],
            architecture=info["Architecture"],
            hostname=info["Name"],
            cgroup_driver=info.get("CgroupDriver") or "",
            cgroup_version=info.get("CgroupVersion") or "1",
            log_drivers=tuple(plugins.get("Log") or ()),
            volume_drivers=tuple(plugins.get("Volume") or ()),
        )
        return self._info

    async def ping(self) -> None:
        """Return if the engine answers."""
        await self._call("HEAD", "/_ping", timeout=30.0)

    async def pull(self, image: str, behavior: PullBehavior, auth: RegistryAuth | None) -> None:
        """Make the image be at hand as ``behavior`` says. Raises ``CannotPullContainer``."""
        await self._images.pull(image, behavior, auth)

    async def prepare_pause(self) -> str:
        """Make the pause image be at hand, and return its name."""
        async with self._pause:
            if not self._paused and not await self._images.is_there(PAUSE_IMAGE):
                await self._make_pause()
            self._paused = True
        return PAUSE_IMAGE

    async def ensure_group(self, spec: TaskGroupSpec) -> bool:
        """Make the cgroup that limits a whole task; False where this process may not."""
        info = self._info or await self.info()
        if info.cgroup_driver != "cgroupfs" or not self._client.is_local:
            return False
        return await asyncio.to_thread(cgroups.ensure, spec, info.cgroup_version)

    async def remove_group(self, cgroup_parent: str) -> None:
        """Remove the cgroup of a task, if it is there and empty."""
        if not self._client.is_local:
            return
        waits = UNTIL_EMPTY if self._podman is not None else ()
        for wait in (0.0, *waits):
            await asyncio.sleep(wait)
            if await asyncio.to_thread(cgroups.remove, cgroup_parent):
                return

    async def ensure_volume(self, spec: VolumeSpec) -> None:
        """Make a volume unless it exists. Raises ``CannotCreateVolume``."""
        if spec.must_exist:
            await self._call("GET", f"/volumes/{spec.name}", error=CannotCreateVolume)
            return
        body = {
            "Name": spec.name,
            "Driver": spec.driver,
            "DriverOpts": dict(spec.driver_opts),
            "Labels": dict(spec.labels),
        }
        await self._call("POST", "/volumes/create", body=body, error=CannotCreateVolume)

    async def remove_volume(self, name: str) -> None:
        """Remove a volume, if it exists and nobody uses it."""
        with suppress(EngineRefusal):
            await self._client.call("DELETE", f"/volumes/{name}")

    async def ensure_network(self, spec: NetworkSpec) -> AbstractSet[str]:
        """Make a network unless it exists; the addresses in use there."""
        async with self._networking:
            return await self._networks.ensure(spec)

    async def remove_networks(self) -> None:
        """Remove the networks made here that no container is in."""
        async with self._networking:
            await self._networks.remove_unused()

    async def create(self, spec: ContainerSpec) -> str:
        """Create the container, or adopt the one of its name; its id."""
        spec = await self._settled(spec)
        body = bodies.create_body(spec)
        async with self._gate:
            try:
                made = await self._client.call(
                    "POST",
                    "/containers/create",
                    query={"name": spec.name},
                    body=body,
                    timeout=CREATE_WITHIN,
                )
            except EngineRefusal as refusal:
                return await self._adopt(spec, refusal)
            except EngineSilence as error:
                raise _timed_out("created", CREATE_WITHIN) from error
        return str(made["Id"])

    async def start(self, name: str) -> None:
        """Start it. Raises ``CannotStartContainer``."""
        try:
            await self._start_on_a_free_port(name)
        except CannotStartContainer as error:
            spec = self._limited.get(name)
            if spec is None or RLIMIT not in error.message.lower():
                raise
            await self._start_without_limit(spec)
        finally:
            self._limited.pop(name, None)
            self._choices.settled(name)

    async def stop(self, name: str, grace: timedelta) -> None:
        """Its stop signal, then SIGKILL after ``grace``; returns once it has exited."""
        within = (grace + STOP_MARGIN).total_seconds()
        try:
            await self._client.call(
                "POST",
                f"/containers/{name}/stop",
                query={"t": str(max(round(grace.total_seconds()), 1))},
                timeout=within,
            )
        except EngineRefusal as refusal:
            if refusal.status != NOT_FOUND:
                raise CannotStopContainer(f"{DAEMON}{refusal.message}") from refusal
        except EngineSilence as error:
            raise _timed_out("stopped", within) from error

    async def remove(self, name: str) -> None:
        """Remove it (killed if it runs) with its anonymous volumes; nothing if not there."""
        try:
            await self._client.call("DELETE", f"/containers/{name}", query={"force": "1", "v": "1"})
        except EngineRefusal as refusal:
            if self._podman is not None and DEPENDENTS in refusal.message:
                await self._podman.linger(name)
                return
            # 409: somebody is removing it already.
            if refusal.status not in {NOT_FOUND, CONFLICT}:
                raise EngineError(f"{DAEMON}{refusal.message}") from refusal
        if self._podman is not None:
            await self._podman.removed(name)

    async def inspect(self, name: str) -> ContainerObservation | None:
        """What the engine says of the container, or None where there is none."""
        try:
            shown = await self._shown(name)
        except EngineRefusal as refusal:
            if refusal.status == NOT_FOUND:
                return None
            raise EngineUnavailable(f"{DAEMON}{refusal.message}") from refusal
        observed = self._images.with_digest(bodies.observation(shown))
        return observed if self._podman is None else self._podman.inspected(shown, observed)

    async def _shown(self, name: str) -> Mapping[str, Any]:
        path = f"/containers/{name}/json"
        try:
            shown: Mapping[str, Any] = await self._client.call("GET", path)
        except EngineRefusal as refusal:
            if ENDED_MEANWHILE not in refusal.message:
                raise
            shown = await self._client.call("GET", path)
        return shown

    async def observe(self, installation: str) -> Sequence[ContainerObservation]:
        """All containers labelled with this installation, running or not."""
        listed = await self._call(
            "GET", "/containers/json", query={"all": "1", "filters": _filters(installation)}
        )
        seen = await _all_of(self.inspect, [entry["Id"] for entry in listed])
        return [observed for observed in seen if observed is not None]

    async def usage(self, ids: Sequence[str]) -> Mapping[str, ContainerUsage]:
        """What containers use; those that do not run are missing."""
        return await self._usages.of(ids)

    async def output(self, id_: str, since: int, /) -> AsyncIterator[Sequence[Piece]]:
        """What a container printed from a time on, and prints until it ends."""
        try:
            shown = await self._shown(id_)
            is_terminal = bool(shown["Config"].get("Tty"))
            async for pieces in output.read(self._client, id_, since, is_terminal=is_terminal):
                yield pieces
        except EngineRefusal as refusal:
            if refusal.status != NOT_FOUND:
                raise EngineUnavailable(f"{DAEMON}{refusal.message}") from refusal

    async def execute(self, id_: str, spec: ExecSpec) -> Terminal:
        """Run a command in a running container. Raises ``CannotExecute``."""
        try:
            return await terminal.start(self._client, id_, spec)
        except EngineRefusal as refusal:
            raise CannotExecute(f"{DAEMON}{refusal.message}") from refusal

    async def watch(self, installation: str) -> AsyncIterator[ContainerEvent]:
        """When containers of this installation change, for ever."""
        attempt = 0
        while True:
            try:
                async with aclosing(await self._heard(installation)) as events:
                    async for event in events:
                        attempt = 0
                        yield event
            except (EngineUnavailable, EngineRefusal) as error:
                log.debug("engine events lost", reason=str(error))
            await asyncio.sleep(RECONNECT[min(attempt, len(RECONNECT) - 1)])
            attempt += 1

    async def _heard(self, installation: str) -> AsyncGenerator[ContainerEvent, None]:
        events = self._events(installation)
        podman = await self._known_podman()
        return events if podman is None else podman.with_news(events)

    async def _settled(self, spec: ContainerSpec) -> ContainerSpec:
        """The container as the engine can make it: with ports, and limits it may give."""
        # Podman takes no candidates for a host port.
        choosy = await self._known_podman() is not None
        if ports.is_open(spec, every_choice=choosy):
            listed = await self._call("GET", "/containers/json")
            taken = bodies.published(listed) | self._choices.refused(spec)
            spec = ports.settled(spec, taken, every_choice=choosy)
        if spec.open_files and self._may_limit_files:
            self._limited[spec.name] = spec
            return spec
        return replace(spec, open_files=0)

    async def _known_podman(self) -> Podman | None:
        if self._info is None:
            await self.info()
        return self._podman

    async def _start_on_a_free_port(self, name: str) -> None:
        """Start it; the engine goes to the next candidate for a port with every attempt."""
        for attempt in range(1, PORTS_TRIED + 1):
            try:
                await self._start(name)
            except CannotStartContainer as error:
                last = attempt == PORTS_TRIED or IN_USE not in error.message
                if last or not await self._may_try_again(name, error.message):
                    raise
            else:
                return

    async def _may_try_again(self, name: str, error: str) -> bool:
        """Whether another attempt goes to another port: of a container made anew, or as it is."""
        spec = self._choices.again(name, error)
        if spec is None:
            shown = await self._call("GET", f"/containers/{name}/json")
            return self._podman is None and bodies.has_candidates(shown)
        await self.remove(name)
        await self.create(spec)
        return True

    async def _start(self, name: str) -> None:
        podman = await self._known_podman()
        if podman is not None:
            await podman.before_start(name)
        path = f"/containers/{name}/start"
        async with self._gate:
            try:
                await self._call("POST", path, error=CannotStartContainer, timeout=START_WITHIN)
            except EngineSilence as error:
                raise _timed_out("started", START_WITHIN) from error
            except CannotStartContainer as error:
                if podman is not None:
                    podman.refused_start(name, error.message.removeprefix(DAEMON))
                if PLACE_LOST.search(error.message):
                    raise PlaceLost(error.message) from error
                raise

    async def _start_without_limit(self, spec: ContainerSpec) -> None:
        """An engine without CAP_SYS_RESOURCE cannot raise its own limit: its containers keep it."""
        await self.remove(spec.name)
        await self.create(replace(spec, open_files=0))
        await self._start_on_a_free_port(spec.name)
        self._may_limit_files = False

    async def _make_pause(self) -> None:
        info = self._info or await self.info()
        try:
            archive = pause.archive(info.architecture)
            await self._images.load(PAUSE_IMAGE, archive, ["/pause"])
        except KeyError as error:
            raise EngineError(f"no pause program for {info.architecture}") from error
        except EngineRefusal as refusal:
            raise EngineError(f"{DAEMON}{refusal.message}") from refusal

    async def _events(self, installation: str) -> AsyncGenerator[ContainerEvent, None]:
        query = {"filters": _filters(installation, type="container")}
        async with self._client.stream("GET", "/events", query) as lines:
            yield ContainerEvent(name="", labels={})
            async for line in lines:
                if not line["Action"].startswith(IGNORED):
                    labels = line["Actor"]["Attributes"]
                    yield ContainerEvent(name=labels.get("name", ""), labels=labels)

    async def _adopt(self, spec: ContainerSpec, refusal: EngineRefusal) -> str:
        """A container of the name exists: it is ours from before, or the name is taken."""
        # Podman answers 500.
        conflict = refusal.status == CONFLICT or "already in use" in refusal.message
        known = await self.inspect(spec.name) if conflict else None
        mine = spec.labels.get(LABEL_INSTALLATION)
        if known is None or known.labels.get(LABEL_INSTALLATION) != mine:
            raise CannotCreateContainer(f"{DAEMON}{refusal.message}") from refusal
        return known.id

    async def _call(
        self,
        method: str,
        path: str,
        *,
        error: type[EngineError] = EngineUnavailable,
        **members: Any,
    ) -> Any:
        try:
            return await self._client.call(method, path, **members)
        except EngineRefusal as refusal:
            raise error(f"{DAEMON}{refusal.message}") from refusal


async def _all_of(look: Callable[[str], Awaitable[T]], names: Sequence[str]) -> list[T]:
    """The results of many looks, a few at a time, in order; the first failure once all are done."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(name: str) -> T:
        async with gate:
            return await look(name)

    results = await asyncio.gather(*(one(name) for name in names), return_exceptions=True)
    found: list[T] = []
    for result in results:
        if isinstance(result, BaseException):
            raise result
        found.append(result)
    return found


def _filters(installation: str, **others: str) -> str:
    filters = {"label": [f"{LABEL_INSTALLATION}={installation}"]}
    return bodies.encode(filters | {name: [value] for name, value in others.items()})


def _timed_out(transition: str, seconds: float) -> EngineError:
    waited = f"{seconds // 60:.0f}m{seconds % 60:.0f}s"
    return DockerTimeout(f"Could not transition to {transition}; timed out after waiting {waited}")


class DockerTimeout(EngineError):
    """The engine took longer than the ECS agent waits."""

    name = "DockerTimeoutError"
