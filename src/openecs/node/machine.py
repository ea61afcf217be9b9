"""The machine's record in the store: its resources, and whether its engine answers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime

import structlog

from openecs.model.clusters import Machine
from openecs.model.leases import Lease
from openecs.model.task_definitions import Attribute
from openecs.node.settings import NodeSettings
from openecs.runtime.base import EngineInfo, EngineUnavailable, Runtime
from openecs.store.base import INSTALLATION, Store, StoreError, Transaction, View
from openecs.store.kinds import LEASES, MACHINES, machine_lease

log = structlog.get_logger(__name__)

#: Heartbeats that may be missed before others take the machine for gone.
HEARTBEATS_MISSED = 3

#: Seconds that a description of the engine is waited for; it is asked again anyway.
PATIENCE = 1.0

CPU_UNITS_PER_CORE = 1024
MIB = 1024 * 1024

#: Ports the ECS agent never gives to a task: SSH, Docker, its own.
RESERVED_PORTS = ("22/tcp", "2375/tcp", "2376/tcp", "51678/tcp", "51679/tcp", "51680/tcp")

ARCHITECTURES = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}

#: Log drivers that ECS knows and the engine serves by itself, where it has them.
LOG_DRIVERS = frozenset({"fluentd", "gelf", "journald", "json-file", "local", "splunk", "syslog"})

#: What every engine we drive can do for a task, in the ECS agent's words.
CAPABILITIES = (
    *(f"com.amazonaws.ecs.capability.docker-remote-api.1.{minor}" for minor in range(17, 42)),
    "com.amazonaws.ecs.capability.logging-driver.awslogs",
    "com.amazonaws.ecs.capability.logging-driver.none",
    "com.amazonaws.ecs.capability.privileged-container",
    "com.amazonaws.ecs.capability.task-iam-role",
    "com.amazonaws.ecs.capability.task-iam-role-network-host",
    "ecs.capability.container-health-check",
    "ecs.capability.container-ordering",
    "ecs.capability.container-port-range",
    "ecs.capability.container-restart-policy",
    "ecs.capability.env-files.s3",
    "ecs.capability.execution-role-awslogs",
    "ecs.capability.execution-role-ecr-pull",
    "ecs.capability.pid-ipc-namespace-sharing",
    "ecs.capability.private-registry-authentication.secretsmanager",
    "ecs.capability.secrets.asm.bootstrap.log-driver",
    "ecs.capability.secrets.asm.environment-variables",
    "ecs.capability.task-cpu-mem-limit",
    "ecs.capability.task-eni",
)

#: What it can do once file systems are mapped to local paths.
FILE_SYSTEM_CAPABILITIES = (
    "ecs.capability.efs",
    "ecs.capability.efsAuth",
    "ecs.capability.fsxWindowsFileServer",
)


class MachineRecord:
    """Registers the machine and keeps its record true."""

    def __init__(
        self,
        store: Store,
        runtime: Runtime,
        clock: Callable[[], datetime],
        settings: NodeSettings,
    ) -> None:
        self._store = store
        self._runtime = runtime
        self._clock = clock
        self._settings = settings
        #: Why the engine cannot be reached; None: it answers.
        self.absence: str | None = None

    async def register(self) -> None:
        """Put the machine in the store; without an engine that answers soon, as not connected."""
        # First: whoever dies before the first heartbeat must be missed as well.
        await self._show_life()
        try:
            async with asyncio.timeout(PATIENCE):
                info = await self._runtime.info()
        except (EngineUnavailable, TimeoutError) as error:
            log.warning("engine does not answer", reason=str(error))
            await self._disconnect(error)
        else:
            self.absence = None
            known = await self._store.read(self._known)
            await self._put(machine_of(info, self._settings, self._clock(), known))

    async def beat(self) -> None:
        """Ask for the engine now and then, and write down when the answer changes; for ever."""
        while True:
            await asyncio.sleep(self._settings.heartbeat.total_seconds())
            try:
                await self._beat()
            except StoreError as error:
                log.warning("machine not recorded", reason=str(error))

    async def _beat(self) -> None:
        await self._show_life()
        try:
            await self._runtime.ping()
        except EngineUnavailable as error:
            await self._disconnect(error)
            return
        self.absence = None
        known = await self._store.read(self._known)
        if known is None or not known.connected:
            await self.register()

    async def _show_life(self) -> None:
        if self._settings.shows_life:
            await self._store.write(self._prolong)

    def _prolong(self, transaction: Transaction) -> None:
        machine = self._settings.machine
        until = self._clock() + HEARTBEATS_MISSED * self._settings.heartbeat
        name = machine_lease(machine)
        transaction.put(LEASES, Lease(name=name, holder=machine, expires_at=until))

    async def _disconnect(self, why: Exception) -> None:
        self.absence = str(why) or "no answer"
        known = await self._store.read(self._known)
        if known is not None:
            await self._put(replace(known, connected=False))

    async def _put(self, machine: Machine) -> None:
        if machine != await self._store.read(self._known):
            log.info("machine", connected=machine.connected, engine=machine.engine_version)
            await self._store.write(lambda transaction: transaction.put(MACHINES, machine))

    def _known(self, view: View) -> Machine | None:
        return view.get(MACHINES, INSTALLATION, self._settings.machine)


def machine_of(
    info: EngineInfo, settings: NodeSettings, now: datetime, known: Machine | None
) -> Machine:
    """The machine's record, from what its engine says and what is set aside."""
    return Machine(
        id=settings.machine,
        hostname=info.hostname,
        cpu=max(info.cpus * CPU_UNITS_PER_CORE - settings.reserved_cpu, 0),
        memory=max(info.memory // MIB - settings.reserved_memory, 0),
        reserved_ports=RESERVED_PORTS,
        attributes=tuple(_attributes(info, settings)),
        engine_version=info.version,
        agent_version=settings.agent_version,
        connected=True,
        joins_clusters=settings.joins_clusters,
        registered_at=known.registered_at if known else now,
    )


def _attributes(info: EngineInfo, settings: NodeSettings) -> Iterator[Attribute]:
    known = "com.amazonaws.ecs.capability"
    for name in CAPABILITIES:
        yield Attribute(name=name)
    for driver in sorted(LOG_DRIVERS.intersection(info.log_drivers)):
        yield Attribute(name=f"{known}.logging-driver.{driver}")
    for driver in info.volume_drivers:
        yield Attribute(name=f"{known}.docker-plugin.{driver}")
    for name in FILE_SYSTEM_CAPABILITIES if settings.file_systems else ():
        yield Attribute(name=name)
    architecture = ARCHITECTURES.get(info.architecture, info.architecture)
    yield Attribute(name="ecs.os-type", value="linux")
    yield Attribute(name="ecs.os-family", value="LINUX")
    yield Attribute(name="ecs.cpu-architecture", value=architecture)
