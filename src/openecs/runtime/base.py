"""The contract of a container engine (what it observes: ``model.containers``).

Containers have deterministic names, so every effect can be repeated: ``create`` adopts a container
of that name, ``start`` of a running one and ``stop`` of a stopped one do nothing. What really runs
is learned from ``observe``; ``watch`` says when to look again. Errors are values of one tree, each
with the error name the ECS agent gives it (``CannotPullContainerError`` ...) and the engine's text.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Protocol

from openecs.model.containers import ContainerObservation, ContainerUsage
from openecs.model.logs import Piece
from openecs.model.task_definitions import HealthCheck, Tmpfs, Ulimit
from openecs.runtime.terminals import ExecSpec, Terminal

#: Labels the ECS agent puts on containers, and two of ours that say whose they are.
LABEL_TASK_ARN = "com.amazonaws.ecs.task-arn"
LABEL_CONTAINER_NAME = "com.amazonaws.ecs.container-name"
LABEL_FAMILY = "com.amazonaws.ecs.task-definition-family"
LABEL_VERSION = "com.amazonaws.ecs.task-definition-version"
LABEL_CLUSTER = "com.amazonaws.ecs.cluster"
#: The installation (data directory) that made the container: others' are never touched.
LABEL_INSTALLATION = "org.openecs.installation"
#: The options of the awslogs driver, in JSON: the container's output is read and logged.
LABEL_AWSLOGS = "org.openecs.awslogs"
#: Volumes of the engine that live with the task, separated by spaces.
LABEL_VOLUMES = "org.openecs.task-volumes"

#: The image of the container that owns a task's namespaces; the runtime makes it.
PAUSE_IMAGE = "openecs/pause:1"


@dataclass(frozen=True, slots=True, kw_only=True)
class PortBinding:
    """Publish a container port. ``host_port_first`` to ``host_port_last`` are the candidates.

    Both equal: a static port. Both 0: none is published, the port is only exposed. ``count``
    consecutive container ports get consecutive host ports out of the candidates.
    """

    container_port: int
    protocol: str
    host_port_first: int
    host_port_last: int
    host_ip: str = ""
    count: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Mount:
    """A host path (``bind``) or engine volume (``volume``) seen at ``target``."""

    type: str
    source: str
    target: str
    read_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeSpec:
    """A volume of the engine to be made before the containers that mount it.

    ``must_exist``: it is not to be made, only found.
    """

    name: str
    driver: str = "local"
    driver_opts: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    must_exist: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkSpec:
    """A network of the engine with a range of addresses of its own (``172.31.0.0/16``)."""

    name: str
    cidr: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceSpec:
    """A host device seen in a container; ``permissions`` as ``rwm``."""

    host_path: str
    container_path: str
    permissions: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerSpec:
    """Everything the engine needs to make one container. Sizes in bytes, durations as such.

    ``network_mode``: ``bridge``, ``host``, ``none``, ``container:NAME`` or a network's name, with
    the container's ``ip_address`` there;
    ``cpu_shares`` relative weight; ``cpu_quota`` microseconds per 100 ms period, 0 for no limit;
    ``open_files`` the limit of open files where ``ulimits`` has none, as far as the engine may.
    """

    name: str
    image: str
    labels: Mapping[str, str]
    entry_point: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    #: Has what is secret, too: nobody prints it.
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    working_directory: str = ""
    user: str = ""
    hostname: str = ""
    network_mode: str = "bridge"
    ip_address: str = ""
    ports: tuple[PortBinding, ...] = ()
    links: tuple[str, ...] = ()
    dns_servers: tuple[str, ...] = ()
    dns_search_domains: tuple[str, ...] = ()
    extra_hosts: tuple[str, ...] = ()
    cpu_shares: int = 2
    cpu_quota: int = 0
    memory: int = 0
    memory_reservation: int = 0
    memory_swap: int | None = None
    swappiness: int | None = None
    cgroup_parent: str = ""
    shm_size: int = 0
    mounts: tuple[Mount, ...] = ()
    volumes_from: tuple[str, ...] = ()
    tmpfs: tuple[Tmpfs, ...] = ()
    devices: tuple[DeviceSpec, ...] = ()
    capabilities_add: tuple[str, ...] = ()
    capabilities_drop: tuple[str, ...] = ()
    privileged: bool = False
    readonly_root_filesystem: bool = False
    security_options: tuple[str, ...] = ()
    sysctls: Mapping[str, str] = field(default_factory=dict)
    ulimits: tuple[Ulimit, ...] = ()
    open_files: int = 0
    init: bool = False
    interactive: bool = False
    tty: bool = False
    pid_mode: str = ""
    ipc_mode: str = ""
    health_check: HealthCheck | None = None
    log_driver: str = ""
    log_options: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskGroupSpec:
    """The limits all containers of a task share: CFS quota (as in ContainerSpec) and bytes."""

    cgroup_parent: str
    cpu_quota: int = 0
    memory: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerEvent:
    """That something happened to a container of ours; ``name`` empty: look at everything."""

    name: str
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryAuth:
    """Credentials for a private registry."""

    username: str
    password: str = field(repr=False)


class PullBehavior(StrEnum):
    """When an image is pulled; the ECS agent's ``ECS_IMAGE_PULL_BEHAVIOR``."""

    DEFAULT = "default"
    ALWAYS = "always"
    ONCE = "once"
    PREFER_CACHED = "prefer-cached"


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineInfo:
    """The engine and the machine it runs on; ``cpus`` cores, ``memory`` bytes."""

    version: str
    cpus: int
    memory: int
    architecture: str
    hostname: str
    cgroup_driver: str = ""
    cgroup_version: str = ""
    log_drivers: tuple[str, ...] = ()
    volume_drivers: tuple[str, ...] = ()


class EngineError(Exception):
    """The engine refused or failed. ``name`` is the ECS agent's word for it."""

    name = "DockerStateError"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    @property
    def reason(self) -> str:
        """``Name: text``, at most 1024 characters, as a container's reason reads."""
        return f"{self.name}: {self.message}"[:1024]


class EngineUnavailable(EngineError):
    """The engine does not answer: nothing is known, try again later."""

    name = "DockerClientConfigError"


class CannotPullContainer(EngineError):
    """The image is not to be had."""

    name = "CannotPullContainerError"


class CannotCreateContainer(EngineError):
    """The engine refused to create the container."""

    name = "CannotCreateContainerError"


class CannotStartContainer(EngineError):
    """The engine refused to start the container."""

    name = "CannotStartContainerError"


class CannotStopContainer(EngineError):
    """The engine failed to stop the container."""

    name = "CannotStopContainerError"


class CannotCreateVolume(EngineError):
    """The engine refused to make a volume."""

    name = "CannotCreateVolumeError"


class CannotCreateNetwork(EngineError):
    """The engine refused to make a network, or the machine has the addresses already."""

    name = "ResourceInitializationError"


class CannotExecute(EngineError):
    """The engine refused to run a command in the container."""

    name = "CannotExecuteError"


class PlaceLost(CannotStartContainer):
    """Its address has become another container's, or its network has gone: it may be made anew."""


class Runtime(Protocol):
    """A container engine. Every method may raise ``EngineUnavailable``."""

    async def open(self) -> None:
        """Be ready to connect; whether the engine answers shows with the first question."""
        ...

    async def close(self) -> None:
        """Let go; containers go on."""
        ...

    async def info(self) -> EngineInfo:
        """What machine this is, asked anew."""
        ...

    async def ping(self) -> None:
        """Return if the engine answers; as cheap as can be."""
        ...

    async def pull(self, image: str, behavior: PullBehavior, auth: RegistryAuth | None) -> None:
        """Make the image be at hand as ``behavior`` says. Raises ``CannotPullContainer``."""
        ...

    async def prepare_pause(self) -> str:
        """Make the pause image be at hand, and return its name."""
        ...

    async def ensure_group(self, spec: TaskGroupSpec) -> bool:
        """Make the cgroup that limits a whole task; False where this process may not."""
        ...

    async def remove_group(self, cgroup_parent: str) -> None:
        """Remove the cgroup of a task, if it is there and empty."""
        ...

    async def ensure_volume(self, spec: VolumeSpec) -> None:
        """Make a volume unless it exists. Raises ``CannotCreateVolume``."""
        ...

    async def remove_volume(self, name: str) -> None:
        """Remove a volume, if it exists and nobody uses it."""
        ...

    async def ensure_network(self, spec: NetworkSpec) -> AbstractSet[str]:
        """Make a network unless it exists; the addresses in use there.

        Raises ``CannotCreateNetwork``.
        """
        ...

    async def remove_networks(self) -> None:
        """Remove those networks made by ``ensure_network`` that no container is in."""
        ...

    async def create(self, spec: ContainerSpec) -> str:
        """Create the container, or adopt the one of its name; its id. ``CannotCreateContainer``."""
        ...

    async def start(self, name: str) -> None:
        """Start it. Raises ``CannotStartContainer``."""
        ...

    async def stop(self, name: str, grace: timedelta) -> None:
        """Its stop signal, then SIGKILL after ``grace``; returns once it has exited.

        A container that is not there is as good as stopped. Raises ``CannotStopContainer``.
        """
        ...

    async def remove(self, name: str) -> None:
        """Remove it (killed if it runs) with its anonymous volumes; nothing if not there."""
        ...

    async def inspect(self, name: str) -> ContainerObservation | None:
        """What the engine says of the container, or None where there is none."""
        ...

    async def observe(self, installation: str) -> Sequence[ContainerObservation]:
        """All containers labelled with this installation, running or not."""
        ...

    async def usage(self, ids: Sequence[str]) -> Mapping[str, ContainerUsage]:
        """What containers use, by the engine's ids; those that do not run are missing."""
        ...

    def output(self, id_: str, since: int, /) -> AsyncIterator[Sequence[Piece]]:
        """What a container printed from a time on (nanoseconds), and prints until it ends.

        Always the same pieces in the same order, however often it is asked. A container that is
        not there has printed nothing.
        """
        ...

    async def execute(self, id_: str, spec: ExecSpec, /) -> Terminal:
        """Run a command with a terminal in a running container, by the engine's id of it.

        Raises ``CannotExecute``. A program that is not there says so on the terminal.
        """
        ...

    def watch(self, installation: str) -> AsyncIterator[ContainerEvent]:
        """When containers of this installation change, for ever.

        Reconnects by itself; after every (re)connection an event without a name says that
        anything may have been missed.
        """
        ...
