"""A whole installation in virtual time: machines, their engines and processes, one store.

Each machine's process is what ``openecs serve`` runs on a shared database: a node, and the control
loops while it holds the lease. Processes can be killed at any moment and started again.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import structlog

from openecs.api.base import Reads
from openecs.api.ecs import SERVICE
from openecs.control.lease import Leader
from openecs.control.machines import MachineWatch
from openecs.control.services import Services
from openecs.decide.services.state import SchedulerSettings
from openecs.model.services import Service
from openecs.model.tasks import Task, TaskStatus
from openecs.node.node import Node
from openecs.node.settings import NodeSettings
from openecs.runtime.base import ContainerSpec
from openecs.runtime.behavior import Behavior, SimulatedContainer
from openecs.runtime.simulated import SimulatedRuntime
from openecs.store.base import Change, StoreError, View
from openecs.store.kinds import CLUSTERS, SERVICES, TASK_DEFINITIONS, TASKS, service_key
from openecs.store.memory import MemoryStore
from openecs.testing.builders import NOW, SCOPE, CountingIds, a_call, a_cluster
from openecs.testing.simulation.faults import FaultyRuntime, FaultyStore, Line, Weather
from openecs.testing.simulation.virtual_time import clock_from
from simulation.checks import Checks
from simulation.images import IMAGES, behaves, definition, registry

INSTALLATION = "simulation"
SETTINGS = SchedulerSettings()
CLEANUP = timedelta(minutes=10)


class WatchedStore(MemoryStore):
    """A store that shows every transaction to somebody, as soon as it is kept."""

    def __init__(self, shows: Callable[[list[Change], View], None]) -> None:
        super().__init__()
        self._shows = shows

    async def write(self, work):
        changes: list[Change] = []

        def watched(transaction):
            result = work(transaction)
            changes.extend(transaction.changes)
            return result

        result = await super().write(watched)
        if changes:
            self._shows(changes, self._state)
        return result


class WatchedEngine(SimulatedRuntime):
    """An engine that shows every change of a container to somebody."""

    def __init__(self, clock, shows: Callable[[SimulatedContainer], None], **settings) -> None:
        super().__init__(clock, **settings)
        self._shows = shows

    def _tell(self, container: SimulatedContainer) -> None:
        self._shows(container)
        super()._tell(container)

    def take_away(self, name: str) -> None:
        """Remove a container by hand, as ``docker rm -f`` does."""
        container = self._containers[name]
        self.end(name, 137)
        del self._containers[name]
        self._tell(container)

    @property
    def containers(self) -> Mapping[str, SimulatedContainer]:
        return self._containers


@dataclass(slots=True)
class Machine:
    """A machine: its engine lives on, whatever becomes of its process."""

    name: str
    engine: WatchedEngine
    line: Line | None = None
    process: asyncio.Task[None] | None = None

    @property
    def is_up(self) -> bool:
        return self.process is not None and not self.process.done()

    def thaw(self) -> None:
        """What was frozen goes on."""
        if self.line is not None:
            self.line.thaw()


@dataclass(slots=True)
class World:
    """Everything there is; to be made and used inside of a ``VirtualLoop``."""

    seed: int = 0
    machines: int = 1
    behaves: Callable[[ContainerSpec], Behavior] = behaves
    weather: Weather = field(default_factory=Weather)
    ids: CountingIds = field(default_factory=CountingIds)
    chance: random.Random = field(init=False)
    clock: Callable[[], datetime] = field(init=False)
    checks: Checks = field(init=False)
    store: WatchedStore = field(init=False)
    fleet: list[Machine] = field(init=False)
    #: Processes that ended by themselves, and errors that were logged: there should be none.
    broken: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        self.clock = clock_from(NOW)
        self.checks = Checks(self.clock, SETTINGS)
        self.store = WatchedStore(self.checks.transaction)
        self.fleet = [self._machine(number) for number in range(self.machines)]
        self.checks.engines = {m.name: m.engine for m in self.fleet}

    def _machine(self, number: int) -> Machine:
        name = f"{number:032x}"
        engine = WatchedEngine(
            self.clock,
            lambda container: self.checks.container(name, container),
            behaves=self.behaves,
            images=("good",),
            registry=registry(),
        )
        return Machine(name, engine)

    async def begin(self) -> None:
        """The cluster, a task definition for each image, every process running."""
        structlog.configure(processors=[self._note_errors])
        await self.store.write(lambda tx: tx.put(CLUSTERS, a_cluster()))
        for name in IMAGES:
            made = definition(name)
            await self.store.write(lambda tx, made=made: tx.put(TASK_DEFINITIONS, made))
        for machine in self.fleet:
            self.start(machine)
        await asyncio.sleep(1)

    async def end(self) -> None:
        for machine in self.fleet:
            await self.kill(machine)
            await machine.engine.close()
        structlog.reset_defaults()

    def start(self, machine: Machine) -> None:
        """Start the machine's process, unless it runs."""
        if not machine.is_up:
            machine.line = Line(self.weather, random.Random(self.chance.random()).random)
            machine.process = asyncio.create_task(self._process(machine, machine.line))

    async def kill(self, machine: Machine) -> None:
        """End the machine's process at once."""
        if machine.line is None or machine.process is None:
            return
        machine.line.cut()
        machine.process.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await machine.process

    async def call(self, operation: str, **request: Any) -> Any:
        """Do an operation of the API, at once and without fail."""
        found = SERVICE.operations[operation]
        call = a_call(ids=self.ids, now=self.clock(), request_id=self.ids.uuid())
        work = lambda view: found.function(view, call, request)  # noqa: E731
        return await (self.store.read(work) if isinstance(found, Reads) else self.store.write(work))

    def service(self, name: str) -> Service | None:
        return self.store._state.get(SERVICES, SCOPE, service_key("default", name))

    def services(self) -> list[Service]:
        return self.store._state.scan(SERVICES, SCOPE)

    def tasks(self, service: str | None = None) -> list[Task]:
        """The tasks that have not stopped, of one service or of all."""
        alive = self.store._state.find(TASKS, None, "alive", ())
        return [t for t in alive if service in {None, t.service}]

    def running(self, service: str) -> int:
        """How many tasks of a service run and are to."""
        return sum(
            t.last_status is t.desired_status is TaskStatus.RUNNING for t in self.tasks(service)
        )

    async def until(self, holds: Callable[[], bool], within: timedelta) -> bool:
        """Whether it came to hold in time; broken rules end the wait at once."""
        end = self.clock() + within
        while not holds():
            if self.checks.broken or self.broken or self.clock() > end:
                return False
            await asyncio.sleep(1)
        return True

    async def _process(self, machine: Machine, line: Line) -> None:
        try:
            await self._serve(machine, line)
        except* Exception as error:  # noqa: BLE001 - none may end a process
            if not line.is_cut:
                self.broken.append(f"{self.clock()}: a process died: {_causes(error)}")

    async def _serve(self, machine: Machine, line: Line) -> None:
        store = FaultyStore(self.store, line)
        runtime = FaultyRuntime(machine.engine, line)
        settings = NodeSettings(
            installation=INSTALLATION,
            machine=machine.name,
            agent_version="0",
            shows_life=True,
            cleanup_wait=CLEANUP,
        )
        node = Node(store=store, runtime=runtime, clock=self.clock, settings=settings)
        holder = f"{machine.name}/{self.ids.uuid()}"
        leader = Leader(store=store, clock=self.clock, holder=holder)
        services = Services(
            store=store, clock=self.clock, ids=self.ids, settings=SETTINGS, guard=leader.guard
        )
        watch = MachineWatch(store=store, clock=self.clock, guard=leader.guard)
        await _patiently(node.register)
        async with asyncio.TaskGroup() as group:
            group.create_task(node.run())
            group.create_task(leader.run(lambda: [services.run(), watch.run()]))

    def _note_errors(self, _logger, method: str, event: dict[str, Any]) -> str:
        trouble = sys.exception()
        if method in {"error", "critical"}:
            self.broken.append(f"{self.clock()}: logged: {event} {trouble!r}")
        raise structlog.DropEvent


async def _patiently(work) -> None:
    """As whoever supervises the process: a store that is away at its start is waited for."""
    while True:
        try:
            return await work()
        except StoreError:
            await asyncio.sleep(1)


def _causes(error: BaseException) -> str:
    if isinstance(error, BaseExceptionGroup):
        return "; ".join(_causes(each) for each in error.exceptions)
    return repr(error)
