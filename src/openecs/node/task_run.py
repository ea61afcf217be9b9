"""One task's work under way: the effects of its steps, each a job of its own.

What is known only here (jobs, the last failures) may be lost at any moment: the next plan, made
from the store and the engine, comes to the same steps again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from collections.abc import Set as AbstractSet
from datetime import datetime
from functools import partial

import structlog

from openecs.decide import addresses
from openecs.decide.lifecycle import Sighting
from openecs.decide.task_plan import Launch, Restart, SetUp, Step, Stop, TearDown
from openecs.loops.turns import Turns
from openecs.model.containers import ContainerObservation
from openecs.model.task_definitions import TaskDefinition
from openecs.model.tasks import Task
from openecs.node import places, resources
from openecs.node.places import Place
from openecs.node.secrets import TaskSecrets
from openecs.node.settings import NodeSettings
from openecs.runtime import spec
from openecs.runtime.base import (
    CannotCreateNetwork,
    ContainerSpec,
    EngineError,
    EngineUnavailable,
    PlaceLost,
    Runtime,
)
from openecs.runtime.environment import Fetched
from openecs.store.base import StoreError

log = structlog.get_logger(__name__)

SET_UP = "set-up"
#: The network that every engine has.
ENGINES_OWN = "bridge"
#: How often another address is tried where one turns out to be taken.
ADDRESSES_TRIED = 8
TEAR_DOWN = "tear-down"

Work = Callable[[], Awaitable[None]]
#: What the machine tells a task's containers in their environment, by their names.
Told = Callable[[Task, TaskDefinition], Awaitable[Mapping[str, Mapping[str, str]]]]


class TaskRun:
    """The jobs of one task.

    ``turns`` is asked before the engine is to start something, for the task's group. ``ended(job,
    retry)`` is called whenever one ends, with the reason where it must be tried again; ``finish``
    records the task as STOPPED; ``subnet`` finds where an awsvpc task is to stand,
    ``admit`` has its address guarded, ``secrets`` reads what it is to know, ``told`` is what
    the machine tells its containers, ``prepare_logs`` is told a container's labels and id before
    it starts.
    """

    def __init__(  # noqa: PLR0913 - what a task's work touches, once
        self,
        task: Task,
        definition: TaskDefinition,
        *,
        runtime: Runtime,
        settings: NodeSettings,
        turns: Turns,
        clock: Callable[[], datetime],
        spawn: Callable[[Coroutine[None, None, None]], asyncio.Task[None]],
        ended: Callable[[str, str | None], None],
        finish: Callable[[], Awaitable[None]],
        subnet: Callable[[], Awaitable[Place | None]],
        admit: Callable[[str], Awaitable[None]],
        secrets: TaskSecrets,
        told: Told,
        prepare_logs: Callable[[Mapping[str, str], str], Awaitable[None]],
    ) -> None:
        self.definition = definition
        self.is_set_up = False
        self._task = task
        self._runtime = runtime
        self._settings = settings
        self._turns = turns
        self._clock = clock
        self._spawn = spawn
        self._ended = ended
        self._finish = finish
        self._subnet = subnet
        self._admit = admit
        self._secrets = secrets
        self._told = told
        self._prepare_logs = prepare_logs
        self._spec: spec.TaskSpec | None = None
        self._jobs: dict[str, asyncio.Task[None]] = {}
        self._pulling: set[str] = set()
        self._failures: dict[str, str] = {}
        self._pull_started_at: datetime | None = None
        self._pull_stopped_at: datetime | None = None

    @property
    def busy(self) -> frozenset[str]:
        """The containers, or ``SET_UP`` and ``TEAR_DOWN``, somebody works on now."""
        return frozenset(self._jobs)

    @property
    def may_have_pause(self) -> bool:
        """Whether the task has, or as far as is known may have, a pause container."""
        return self._spec is None or self._spec.pause is not None

    def sighting(self, seen: Mapping[str, ContainerObservation]) -> Sighting:
        """What is known of the task now."""
        return Sighting(
            seen=seen,
            launching=frozenset(self._jobs),
            failures=dict(self._failures),
            pull_started_at=self._pull_started_at,
            pull_stopped_at=self._pull_stopped_at,
        )

    def fail(self, failures: Mapping[str, str]) -> None:
        """Note containers that can never start, and why."""
        self._failures.update(failures)

    def take(self, step: Step) -> None:
        """Begin a step, unless it is under way."""
        match step:
            case SetUp():
                self._begin(SET_UP, self._set_up)
            case Launch(name=name):
                self._begin(name, partial(self._launch, name))
            case Restart(name=name):
                self._begin(name, partial(self._restart, name))
            case Stop(name=name):
                self._begin(name, partial(self._stop, step), retries=True)
            case TearDown():
                if not self._jobs:
                    self._begin(TEAR_DOWN, self._tear_down, retries=True)

    def cancel_pulls(self) -> None:
        """Give up waiting for images: the task is to stop."""
        for name in self._pulling:
            self._jobs[name].cancel()

    def cancel(self) -> None:
        """Drop all work."""
        for job in self._jobs.values():
            job.cancel()

    def engine_name(self, container: str) -> str:
        """The container's name in the engine."""
        return spec.container_name(self._task, container)

    @property
    def _party(self) -> str:
        return f"{self._task.cluster_arn} {self._task.group}"

    def _begin(self, key: str, work: Work, *, retries: bool = False) -> None:
        """Begin a job. One that fails is tried again, or is the end of what it was to bring up."""
        if key not in self._jobs:
            self._jobs[key] = self._spawn(self._job(key, work, retries=retries))

    async def _job(self, key: str, work: Work, *, retries: bool) -> None:
        retry: str | None = None
        try:
            await work()
        except EngineUnavailable as error:
            retry = error.message
        except StoreError as error:
            retry = str(error)
        except EngineError as error:
            log.warning("step failed", task=self._task.arn, step=key, reason=error.reason)
            if retries:
                retry = error.reason
            else:
                self._failed(key, error)
        except Exception as error:  # one task's bad day is not the others'
            log.exception("step broke", task=self._task.arn, step=key)
            retry = repr(error)
        finally:
            del self._jobs[key]
            self._pulling.discard(key)
            self._ended(key, retry)

    def _failed(self, key: str, error: EngineError) -> None:
        names = [c.name for c in self._task.containers] if key == SET_UP else [key]
        self.fail(dict.fromkeys(names, error.reason))

    async def _set_up(self) -> None:
        refused: set[str] = set()
        for _ in range(ADDRESSES_TRIED):
            place = await self._place(refused)
            try:
                await self._set_up_at(place)
            except PlaceLost:
                if place is None:
                    raise
                # Another task had the same idea at the same time, or the network was tidied away.
                refused.add(place.address)
                await self._runtime.remove(spec.pause_name(self._task))
            else:
                return
        raise CannotCreateNetwork("no address of the subnet was to be had")

    async def _place(self, refused: AbstractSet[str]) -> spec.TaskPlace | None:
        """The network and the address of an awsvpc task. Raises ``CannotCreateNetwork``."""
        subnet = await self._subnet()
        if subnet is None:
            return None
        try:
            taken = await self._runtime.ensure_network(places.network_of(subnet.vpc))
        except CannotCreateNetwork as error:
            if not subnet.vpc.is_default:
                raise
            # Nobody chose its range, which a machine in a VPC of AWS's may well have itself.
            log.warning("task outside its subnet", task=self._task.arn, reason=error.message)
            return spec.TaskPlace(network=ENGINES_OWN, address="")
        address = addresses.free_address(subnet.subnet.cidr, taken | refused, self._task.id)
        if address is None:
            raise CannotCreateNetwork(places.exhausted(subnet.subnet))
        options = subnet.dhcp_options
        return spec.TaskPlace(
            network=places.network_of(subnet.vpc).name,
            address=address,
            dns_servers=options.name_servers if options else (),
            dns_search_domains=options.search_domains if options else (),
        )

    async def _set_up_at(self, place: spec.TaskPlace | None) -> None:
        settings = self._settings
        files = await asyncio.to_thread(
            resources.read_environment_files,
            self.definition,
            self._task.overrides,
            settings.environment_files,
        )
        prepared = spec.containers_of(
            self._task,
            self.definition,
            installation=settings.installation,
            fetched=Fetched(
                files,
                await self._secrets.values(self._task, self.definition),
                await self._told(self._task, self.definition),
            ),
            file_systems=settings.file_systems,
            place=place,
        )
        if prepared.group is not None and not await self._runtime.ensure_group(prepared.group):
            prepared = spec.without_group(prepared)
        for volume in prepared.volumes:
            await self._runtime.ensure_volume(volume)
        if place is not None and place.address:
            await self._admit(place.address)
        if prepared.pause is not None:
            await self._runtime.prepare_pause()
            await self._create_and_start(prepared.pause)
        self._spec = prepared
        self.is_set_up = True

    async def _launch(self, name: str) -> None:
        prepared = self._prepared(name)
        containing = self.definition.container(name)
        if containing is None:
            return
        auth = await self._secrets.registry(self._task, self.definition, containing)
        self._pulling.add(name)
        self._pull_started_at = self._pull_started_at or self._clock()
        await self._runtime.pull(prepared.image, self._settings.pull_behavior, auth)
        self._pull_stopped_at = self._clock()
        self._pulling.discard(name)
        await self._create_and_start(prepared)

    async def _create_and_start(self, prepared: ContainerSpec) -> None:
        async with self._turns.turn(self._party):
            id_ = await self._runtime.create(prepared)
            await self._prepare_logs(prepared.labels, id_)
            await self._runtime.start(prepared.name)

    async def _restart(self, name: str) -> None:
        async with self._turns.turn(self._party):
            await self._runtime.start(self.engine_name(name))

    async def _stop(self, step: Stop) -> None:
        await self._runtime.stop(self.engine_name(step.name), step.grace)

    async def _tear_down(self) -> None:
        await self._runtime.remove(spec.pause_name(self._task))
        await self._runtime.remove_group(spec.group_name(self._task))
        await self._finish()

    def _prepared(self, name: str) -> ContainerSpec:
        if self._spec is None:
            message = "a container is launched only after set-up"
            raise RuntimeError(message)
        return self._spec.containers[name]
