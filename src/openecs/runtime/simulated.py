"""A container engine in memory, for tests that need no real one.

It is a verified fake: the contract suite that Docker passes is its own too. What the process in a
container does is told by a ``Behavior``; time passes by the event loop's timers.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta
from ipaddress import ip_network

from openecs.model.containers import (
    ContainerObservation,
    ContainerState,
    ContainerUsage,
    Health,
    ObservedPort,
)
from openecs.model.logs import Piece
from openecs.runtime import ports
from openecs.runtime.base import (
    LABEL_INSTALLATION,
    PAUSE_IMAGE,
    CannotCreateContainer,
    CannotCreateNetwork,
    CannotCreateVolume,
    CannotExecute,
    CannotPullContainer,
    CannotStartContainer,
    ContainerEvent,
    ContainerSpec,
    EngineInfo,
    EngineUnavailable,
    NetworkSpec,
    PlaceLost,
    PortBinding,
    PullBehavior,
    RegistryAuth,
    TaskGroupSpec,
    VolumeSpec,
)
from openecs.runtime.behavior import (
    Behavior,
    RemoteImage,
    SimulatedContainer,
    SimulatedTerminal,
)
from openecs.runtime.terminals import ExecSpec, Terminal

DAEMON = "Error response from daemon: "
KILLED = 137
INFO = EngineInfo(
    version="simulated", cpus=4, memory=8 * 1024**3, architecture="x86_64", hostname="simulated"
)


class SimulatedRuntime:
    """The ``Runtime`` contract in memory.

    ``behaves`` says what a container's process does, ``images`` are at hand, ``registry`` has those
    that can be pulled. ``effects`` records what was done, as ``("start", name)``.
    """

    def __init__(
        self,
        clock: Callable[[], datetime],
        *,
        behaves: Callable[[ContainerSpec], Behavior] = lambda _: Behavior(),
        images: Iterable[str] = ("busybox",),
        registry: Mapping[str, RemoteImage] | None = None,
        makes_groups: bool = True,
    ) -> None:
        self.behaves = behaves
        self.images = {_tagged(image) for image in images}
        self.registry = {_tagged(name): image for name, image in (registry or {}).items()}
        self.makes_groups = makes_groups
        self.groups: dict[str, TaskGroupSpec] = {}
        self.volumes: dict[str, VolumeSpec] = {}
        self.networks: dict[str, NetworkSpec] = {}
        self.effects: list[tuple[str, str]] = []
        self._clock = clock
        self._containers: dict[str, SimulatedContainer] = {}
        self._watchers: set[asyncio.Queue[ContainerEvent | None]] = set()
        self._there = asyncio.Event()
        self._there.set()
        self._pulled: set[str] = set()
        self._made = 0

    def go_away(self) -> None:
        """The engine stops answering; its containers go on."""
        self._there.clear()
        for watcher in self._watchers:
            watcher.put_nowait(None)

    def come_back(self) -> None:
        """The engine answers again."""
        self._there.set()

    def end(self, name: str, exit_code: int, *, oom_killed: bool = False) -> None:
        """The process of a running container ends by itself."""
        container = self._containers[name]
        container.oom_killed = oom_killed
        self._exit(container, exit_code)

    def turn(self, name: str, health: Health) -> None:
        """The health check of a running container comes to another result."""
        container = self._containers[name]
        container.health = health
        self._tell(container)

    async def open(self) -> None:
        """Nothing to connect to."""

    async def close(self) -> None:
        """Let go, and end the time of all containers."""
        for container in self._containers.values():
            _cancel(container)

    async def info(self) -> EngineInfo:
        """What machine this is."""
        self._answer()
        return INFO

    async def ping(self) -> None:
        """Return if the engine answers."""
        self._answer()

    async def pull(self, image: str, behavior: PullBehavior, auth: RegistryAuth | None) -> None:
        """Make the image be at hand as ``behavior`` says. Raises ``CannotPullContainer``."""
        self._answer()
        name = _tagged(image)
        once = behavior is PullBehavior.ONCE and name in self._pulled
        if name in self.images and (once or behavior is PullBehavior.PREFER_CACHED):
            return
        remote = self.registry.get(name)
        if remote is None or (remote.auth and remote.auth != auth):
            if behavior is PullBehavior.DEFAULT and name in self.images:
                return
            raise CannotPullContainer(
                f"{DAEMON}pull access denied for {image}, repository does not exist or may require "
                "'docker login': denied: requested access to the resource is denied"
            )
        await asyncio.sleep(remote.takes.total_seconds())
        self._answer()
        self._done("pull", name)
        self._pulled.add(name)
        self.images.add(name)

    async def prepare_pause(self) -> str:
        """Make the pause image be at hand, and return its name."""
        self._answer()
        self.images.add(PAUSE_IMAGE)
        return PAUSE_IMAGE

    async def ensure_group(self, spec: TaskGroupSpec) -> bool:
        """Remember the group; False where this engine is told not to."""
        self._answer()
        if self.makes_groups:
            self.groups[spec.cgroup_parent] = spec
        return self.makes_groups

    async def remove_group(self, cgroup_parent: str) -> None:
        """Forget the group."""
        self._answer()
        self.groups.pop(cgroup_parent, None)

    async def ensure_volume(self, spec: VolumeSpec) -> None:
        """Make a volume unless it exists. Raises ``CannotCreateVolume``."""
        self._answer()
        if spec.must_exist and spec.name not in self.volumes:
            raise CannotCreateVolume(f"{DAEMON}get {spec.name}: no such volume")
        if refused := set(spec.driver_opts) - {"type", "o", "device", "size"}:
            raise CannotCreateVolume(
                f'{DAEMON}create {spec.name}: invalid option: "{min(refused)}"'
            )
        self.volumes.setdefault(spec.name, spec)

    async def remove_volume(self, name: str) -> None:
        """Remove a volume, if it exists and nobody uses it."""
        self._answer()
        mounts = (m for c in self._containers.values() for m in c.spec.mounts)
        if not any(m.type == "volume" and m.source == name for m in mounts):
            self.volumes.pop(name, None)

    async def ensure_network(self, spec: NetworkSpec) -> AbstractSet[str]:
        """Make a network unless it exists; the addresses in use there."""
        self._answer()
        wanted = ip_network(spec.cidr)
        others = (ip_network(n.cidr) for n in self.networks.values() if n.name != spec.name)
        if any(wanted.overlaps(other) for other in others):
            raise CannotCreateNetwork("Pool overlaps with other one on this address space")
        self.networks[spec.name] = spec
        return self._addresses_in(spec.name)

    async def remove_networks(self) -> None:
        """Remove the networks that no container is in."""
        self._answer()
        used = {c.spec.network_mode for c in self._containers.values()}
        for name in self.networks.keys() - used:
            del self.networks[name]

    def _addresses_in(self, network: str) -> set[str]:
        running = (c for c in self._containers.values() if c.is_running)
        return {c.spec.ip_address for c in running if c.spec.network_mode == network}

    async def create(self, spec: ContainerSpec) -> str:
        """Create the container, or adopt the one of its name; its id."""
        self._answer()
        known = self._containers.get(spec.name)
        if known is not None:
            return _adopt(known, spec)
        if _tagged(spec.image) not in self.images:
            raise CannotCreateContainer(f"{DAEMON}No such image: {_tagged(spec.image)}")
        spec = ports.settled(spec, self._taken())
        self._made += 1
        container = SimulatedContainer(id=_digest(f"{spec.name} {self._made}"), spec=spec)
        self._containers[spec.name] = container
        self._done("create", spec.name)
        self._tell(container)
        return container.id

    async def start(self, name: str) -> None:
        """Start it. Raises ``CannotStartContainer``."""
        self._answer()
        container = self._containers.get(name)
        if container is None:
            raise CannotStartContainer(f"{DAEMON}No such container: {name}")
        if container.is_running:
            return
        behavior = self.behaves(container.spec)
        address, network = container.spec.ip_address, container.spec.network_mode
        if address and address in self._addresses_in(network):
            raise PlaceLost(f"{DAEMON}Address already in use")
        container.error = behavior.start_error or self._obstacle(container)
        if container.error:
            raise CannotStartContainer(f"{DAEMON}{container.error}")
        self._run(container, behavior)

    async def stop(self, name: str, grace: timedelta) -> None:
        """Its stop signal, then SIGKILL after ``grace``; returns once it has exited."""
        self._answer()
        container = self._containers.get(name)
        if container is None or not container.is_running:
            return
        self._done("stop", name)
        code = self.behaves(container.spec).exit_code_on_stop
        if code is None:
            loop = asyncio.get_running_loop()
            kill = loop.call_later(grace.total_seconds(), self._exit, container, KILLED)
            container.timers.append(kill)
            await container.exited.wait()
        else:
            self._exit(container, code)

    async def remove(self, name: str) -> None:
        """Remove it (killed if it runs); nothing if not there."""
        self._answer()
        container = self._containers.get(name)
        if container is None:
            return
        if container.is_running:
            self._exit(container, KILLED)
        del self._containers[name]
        self._done("remove", name)
        self._tell(container)

    async def inspect(self, name: str) -> ContainerObservation | None:
        """What there is to say of the container, or None where there is none."""
        self._answer()
        container = self._containers.get(name)
        return None if container is None else self._observation(container)

    async def observe(self, installation: str) -> Sequence[ContainerObservation]:
        """All containers labelled with this installation, running or not."""
        self._answer()
        return [
            self._observation(container)
            for container in self._containers.values()
            if container.spec.labels.get(LABEL_INSTALLATION) == installation
        ]

    async def usage(self, ids: Sequence[str]) -> Mapping[str, ContainerUsage]:
        """What running containers use, as their behaviors say."""
        self._answer()
        running = {each.id: each for each in self._containers.values() if each.is_running}
        return {id_: self._usage(running[id_]) for id_ in ids if id_ in running}

    def _usage(self, container: SimulatedContainer) -> ContainerUsage:
        behavior, begun = self.behaves(container.spec), container.started_at
        ran = (self._clock() - begun).total_seconds() if begun else 0.0
        return ContainerUsage(cpu=int(behavior.cores * ran * 1e9), memory=behavior.memory)

    async def output(self, _: str, __: int, /) -> AsyncIterator[Sequence[Piece]]:
        """Simulated containers print nothing."""
        self._answer()
        nothing: tuple[Sequence[Piece], ...] = ()
        for pieces in nothing:
            yield pieces

    async def execute(self, id_: str, spec: ExecSpec) -> Terminal:
        """Run a command as the container's behavior says. Raises ``CannotExecute``."""
        self._answer()
        container = next((c for c in self._containers.values() if c.id == id_), None)
        if container is None or not container.is_running:
            raise CannotExecute(f"{DAEMON}Container {id_} is not running")
        return SimulatedTerminal(self.behaves(container.spec).executes.get(spec.command))

    async def watch(self, installation: str) -> AsyncIterator[ContainerEvent]:
        """When containers of this installation change, for ever."""
        while True:
            await self._there.wait()
            queue: asyncio.Queue[ContainerEvent | None] = asyncio.Queue()
            self._watchers.add(queue)
            try:
                yield ContainerEvent(name="", labels={})
                while (event := await queue.get()) is not None:
                    if event.labels.get(LABEL_INSTALLATION) == installation:
                        yield event
            finally:
                self._watchers.discard(queue)

    def _answer(self) -> None:
        if not self._there.is_set():
            raise EngineUnavailable("the simulated engine is away")

    def _done(self, effect: str, name: str) -> None:
        self.effects.append((effect, name))

    def _obstacle(self, container: SimulatedContainer) -> str:
        """Why the engine cannot start it, empty if it can; publishes its ports."""
        kind, _, owner = container.spec.network_mode.partition(":")
        if kind == "container":
            joined = self._containers.get(owner)
            if joined is None:
                return f"No such container: {owner}"
            if not joined.is_running:
                return f"cannot join network of a non running container: {joined.id}"
        published: list[ObservedPort] = []
        for binding in container.spec.ports:
            if not binding.host_port_first:
                continue
            port = self._free_port(binding, published)
            if port is None:
                return (
                    f"Bind for 0.0.0.0:{binding.host_port_first} failed: port is already allocated"
                )
            published.append(_observed(binding, port))
        container.ports = tuple(published)
        return ""

    def _free_port(self, binding: PortBinding, also_taken: Iterable[ObservedPort]) -> int | None:
        taken = self._taken() | {(p.host_port, p.protocol) for p in also_taken}
        candidates = range(binding.host_port_first, binding.host_port_last + 1)
        return next((p for p in candidates if (p, binding.protocol) not in taken), None)

    def _taken(self) -> set[tuple[int, str]]:
        running = (c for c in self._containers.values() if c.is_running)
        return {(p.host_port, p.protocol) for c in running for p in c.ports}

    def _run(self, container: SimulatedContainer, behavior: Behavior) -> None:
        container.state = ContainerState.RUNNING
        container.started_at = self._clock()
        container.finished_at = container.exit_code = None
        container.oom_killed = False
        container.exited.clear()
        container.address = self._address(container)
        self._done("start", container.spec.name)
        self._tell(container)
        loop = asyncio.get_running_loop()
        if container.spec.health_check is not None:
            container.health = Health.STARTING
            wait = behavior.health_after.total_seconds()
            check = loop.call_later(wait, self.turn, container.spec.name, behavior.health)
            container.timers.append(check)
        if behavior.exits_after is not None:
            container.oom_killed = behavior.oom_killed
            wait = behavior.exits_after.total_seconds()
            end = loop.call_later(wait, self._exit, container, behavior.exit_code)
            container.timers.append(end)

    def _exit(self, container: SimulatedContainer, exit_code: int) -> None:
        _cancel(container)
        container.state = ContainerState.EXITED
        container.exit_code = exit_code
        container.finished_at = self._clock()
        container.ports, container.address = (), ""
        container.exited.set()
        self._tell(container)

    def _address(self, container: SimulatedContainer) -> str:
        if container.spec.network_mode != "bridge":
            return container.spec.ip_address
        taken = {c.address for c in self._containers.values()}
        return next(
            a for n in range(2, 65_536) if (a := f"172.17.{n // 256}.{n % 256}") not in taken
        )

    def _tell(self, container: SimulatedContainer) -> None:
        event = ContainerEvent(name=container.spec.name, labels=container.spec.labels)
        for watcher in self._watchers:
            watcher.put_nowait(event)

    def _observation(self, container: SimulatedContainer) -> ContainerObservation:
        image = _tagged(container.spec.image)
        return ContainerObservation(
            id=container.id,
            name=container.spec.name,
            labels=container.spec.labels,
            state=container.state,
            exit_code=container.exit_code,
            oom_killed=container.oom_killed and not container.is_running,
            error=container.error,
            health=container.health,
            started_at=container.started_at,
            finished_at=container.finished_at,
            ports=container.ports,
            ip_address=container.address,
            image_id=f"sha256:{_digest(image)}",
            image_digest=f"sha256:{_digest(f'digest {image}')}" if image in self._pulled else "",
        )


def _adopt(known: SimulatedContainer, spec: ContainerSpec) -> str:
    if known.spec.labels.get(LABEL_INSTALLATION) != spec.labels.get(LABEL_INSTALLATION):
        raise CannotCreateContainer(
            f'{DAEMON}Conflict. The container name "/{spec.name}" is already in use by container '
            f'"{known.id}".'
        )
    return known.id


def _cancel(container: SimulatedContainer) -> None:
    for timer in container.timers:
        timer.cancel()
    container.timers.clear()


def _observed(binding: PortBinding, host_port: int) -> ObservedPort:
    return ObservedPort(
        container_port=binding.container_port,
        host_port=host_port,
        protocol=binding.protocol,
        host_ip=binding.host_ip or "0.0.0.0",  # noqa: S104 - what an engine reports
    )


def _tagged(image: str) -> str:
    last = image.rpartition("/")[2]
    return image if ":" in last or "@" in last else f"{image}:latest"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
