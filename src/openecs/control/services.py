"""The service scheduler's loop: every service, whenever something about it changed.

A pass reads the service, decides (``decide.services``), places new tasks by the picture of capacity
and writes all of it in one transaction, which refuses if the world has moved: then the pass is made
again. Nothing lives here that is not found anew in the store after a crash.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial

import structlog

from openecs.api.base import ApiSettings, Call, Caller
from openecs.control.capacity import Capacity, Where
from openecs.control.service_news import matters, news_of
from openecs.control.service_writes import Pass, Seen, look, write_pass
from openecs.control.starting import Ground, Order, on_providers
from openecs.decide.placement.ask import ask_of
from openecs.decide.services import plan
from openecs.decide.services.state import FreshIds, SchedulerSettings, ServiceState, Start
from openecs.loops.controller import Again, Controller
from openecs.model.identity import Ids
from openecs.model.services import (
    Deployment,
    SchedulingStrategy,
    Service,
    ServiceRevision,
    ServiceStatus,
    TaskSet,
)
from openecs.model.tasks import Task, TaskOverride, TaskStatus
from openecs.store.base import Change, FeedTruncated, Revision, Store, StoreError, Transaction, View
from openecs.store.kinds import SERVICES, TASKS, service_key

log = structlog.get_logger(__name__)

#: Everything is looked at anew so often; changes normally say all that happens.
RESYNC = timedelta(minutes=5)

#: How long a store that is away is left alone.
RETRY = timedelta(seconds=1)

#: What of a task matters to its service: a change of anything else wakes nobody.
Facets = tuple[object, ...]


class Services:
    """Keeps every service at what was promised. One process at a time runs it.

    ``guard`` is called first in every transaction and raises where this process is not that one.
    """

    def __init__(
        self,
        *,
        store: Store,
        clock: Callable[[], datetime],
        ids: Ids,
        settings: SchedulerSettings,
        guard: Callable[[Transaction], None] | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids
        self._settings = settings
        self._guard = guard
        self._capacity = Capacity()
        self._facets: dict[Where, Facets] = {}
        #: Services as the last pass wrote them, until the change comes back.
        self._written: dict[Where, Service] = {}
        #: Tasks that are being written.
        self._placing: dict[Where, tuple[Task, ...]] = {}
        #: Services that found no place for a task, and how often room was given back so far.
        self._blocked: dict[Where, None] = {}
        self._room_given = 0
        self._controller: Controller[Where] = Controller("services", self._reconcile, clock=clock)

    async def run(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._follow())
            group.create_task(self._resync())
            group.create_task(self._controller.run())

    async def observe(self) -> Revision:
        """Learn the whole picture, and look at every service."""
        revision, capacity, services = await self._store.read(
            lambda view: (
                view.revision,
                Capacity.of(view),
                view.find(SERVICES, None, "present", ()),
            )
        )
        self._capacity = capacity
        for placing in self._placing.values():
            capacity.reserve(placing)
        self._facets.clear()
        self._blocked.clear()
        self._add(services)
        return revision

    async def _follow(self) -> None:
        while True:
            try:
                async for batch in self._store.follow(await self.observe()):
                    if matters(batch):
                        await self._absorb(batch)
            except FeedTruncated:
                log.warning("changes were missed, looking at every service")
            except StoreError as error:
                log.warning("changes cannot be followed", reason=str(error))
                await asyncio.sleep(RETRY.total_seconds())

    async def _resync(self) -> None:
        while True:
            await asyncio.sleep(RESYNC.total_seconds())
            try:
                services = await self._store.read(_present)
            except StoreError as error:
                log.warning("services not looked at", reason=str(error))
            else:
                self._add(services)

    def _add(self, services: Sequence[Service]) -> None:
        for service in services:
            self._controller.add((service.scope, SERVICES.key(service)))

    async def _absorb(self, batch: Sequence[Change]) -> None:
        """Bring the picture up to date and wake the services that a batch of changes touches."""
        news = await self._store.read(partial(news_of, batch))
        freed = [self._absorb_task(where, task) for where, task in news.tasks.items()]
        for (_, machine_id), ticket in news.tickets.items():
            self._capacity.note_ticket(machine_id, ticket.number if ticket else 0)
        for (_, machine_id), machine in news.machines.items():
            self._capacity.note_machine(machine_id, machine)
        for where, instance in news.instances.items():
            self._capacity.note_instance(where, instance)
        for where, service in news.services.items():
            self._absorb_service(where, service)
        if news.machines or news.instances:
            self._room_given += 1
            self._add(await self._store.read(_present))
        elif any(freed):
            self._room_given += 1
            for where in tuple(self._blocked):
                self._controller.add(where)

    def _absorb_service(self, where: Where, service: Service | None) -> None:
        if service is None or self._written.pop(where, None) != service:
            self._controller.add(where)

    def _absorb_task(self, where: Where, task: Task | None) -> bool:
        """Note a task and wake its service; whether it gave room back."""
        self._wake_owner(where, task)
        return self._capacity.note_task(where, task)

    def _wake_owner(self, where: Where, task: Task | None) -> None:
        facets = _facets(task) if task and task.service else None
        if facets == self._facets.get(where):
            return
        if task is None or facets is None or _is_forgotten(task):
            self._facets.pop(where, None)
        else:
            self._facets[where] = facets
        if task is None:
            return
        self._controller.add((task.scope, service_key(task.cluster, task.service or "")))

    async def _reconcile(self, where: Where) -> datetime | None:
        try:
            return await self._pass(where)
        except StoreError as error:
            log.info("service waits", service=where[1], reason=str(error))
            raise Again from error

    async def _pass(self, where: Where) -> datetime | None:
        seen = await self._store.read(partial(look, where))
        if seen is None:
            self._blocked.pop(where, None)
            return None
        room, now = self._room_given, self._clock()
        call = self._call(seen.service, now)
        ground = Ground(self._capacity, call, seen.cluster)
        fresh = FreshIds(deployment=f"ecs-svc/{self._ids.digits(19)}", hook=self._ids.hex32())
        planned = plan.plan(self._state(seen, ground), self._settings, fresh, now)
        started = [ground.start(_order(seen, planned.service, s)) for s in planned.starts]
        tasks = tuple(task for each in started for task in each.tasks)
        outcomes = [each.outcome for each in started]
        service, told = plan.after_starts(planned.service, outcomes, now)
        work = Pass(
            seen=seen,
            plan=planned,
            service=service,
            tasks=tasks,
            instances=ground.joined_by(tasks),
            events=(*planned.events, *told),
            tickets={task.machine: self._capacity.ticket(task.machine) for task in tasks},
        )
        await self._carry_out(work, call)
        if planned.stops:
            # They may have made the next move possible.
            self._controller.add(where)
        self._blocked.pop(where, None)
        if any(outcome.obstacle for outcome in outcomes):
            self._block(where, room)
        return planned.wake

    async def _carry_out(self, work: Pass, call: Call) -> None:
        """Write a pass; meanwhile its tasks count as placed, so that no other takes their room."""
        if work.is_idle:
            return
        where = (work.service.scope, SERVICES.key(work.service))
        # What it writes itself is no news.
        self._written[where] = work.service
        self._facets |= {(t.scope, TASKS.key(t)): _facets(t) for t in work.tasks}
        self._capacity.reserve(work.tasks)
        self._placing[where] = work.tasks
        try:
            await self._store.write(partial(self._write, work, call))
        except BaseException:
            self._written.pop(where, None)
            self._capacity.release(work.tasks)
            raise
        finally:
            del self._placing[where]

    def _write(self, work: Pass, call: Call, tx: Transaction) -> None:
        if self._guard is not None:
            self._guard(tx)
        write_pass(work, call, tx)

    def _block(self, where: Where, room: int) -> None:
        """Wait for room, unless some was given back since the pass began."""
        self._blocked[where] = None
        if room != self._room_given:
            self._controller.add(where)

    def _state(self, seen: Seen, ground: Ground) -> ServiceState:
        service = seen.service
        return ServiceState(
            service=service,
            tasks=seen.tasks,
            checked=seen.checked,
            draining=self._capacity.draining(service.scope, service.cluster),
            eligible=_daemon_places(seen, ground),
            task_sets=seen.task_sets,
            targets=seen.targets,
            alarms=seen.alarms.ringing,
            alarm_bake=seen.alarms.bake,
            forwards=seen.forwards,
        )

    def _call(self, service: Service, now: datetime) -> Call:
        """The scheduler acts for the service, as its service-linked role does at AWS."""
        account = service.scope.account
        role = "AWSServiceRoleForECS"
        caller = Caller(
            arn=f"arn:aws:sts::{account}:assumed-role/{role}/ecs-service-scheduler",
            user_id=account,
            account=account,
            access_key_id="",
        )
        return Call(
            scope=service.scope,
            caller=caller,
            request_id=self._ids.uuid(),
            now=now,
            ids=self._ids,
            settings=ApiSettings(),
        )


def _present(view: View) -> Sequence[Service]:
    return view.find(SERVICES, None, "present", ())


def _facets(task: Task) -> Facets:
    return (
        task.desired_status,
        task.last_status,
        task.health_status,
        task.protection,
        task.accounted,
    )


def _is_forgotten(task: Task) -> bool:
    """Whether nothing about the task can matter any more."""
    return task.accounted and task.last_status is TaskStatus.STOPPED


def _daemon_places(seen: Seen, ground: Ground) -> tuple[str, ...]:
    service = seen.service
    wanted = service.scheduling_strategy is SchedulingStrategy.DAEMON
    if not wanted or service.status is not ServiceStatus.ACTIVE or service.revision is None:
        return ()
    definition = seen.definition_of(service.revision)
    if definition is None:
        return ()
    constraints = service.placement_constraints
    ask = ask_of(definition, TaskOverride(), constraints=constraints, group=service.group)
    return ground.daemon_places(ask)


def _order(seen: Seen, service: Service, start: Start) -> Order:
    revision = _revision_of(seen, service, start.deployment)
    return Order(
        start=start,
        service=service,
        cluster=seen.cluster,
        revision=revision,
        definition=seen.definition_of(revision),
        on_providers=on_providers(seen.tasks),
    )


def _revision_of(seen: Seen, service: Service, name: str) -> ServiceRevision:
    """What the tasks of a deployment, or task set, of that id are started from."""
    owners: tuple[Deployment | TaskSet, ...] = (*service.deployments, *seen.task_sets)
    return next(owner.revision for owner in owners if owner.id == name)
