"""The node: keeps the tasks placed on this machine as the store wants them.

Level-triggered: a change in the store or an event of the engine only says which task to look at.
Looking means: what the store says, what the engine says, ``lifecycle.absorb`` into the record,
``task_plan.plan`` into steps, steps into jobs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import structlog

from openecs.api.sts import task_sessions
from openecs.decide import lifecycle, serving, task_plan
from openecs.decide.task_plan import Launch, Restart, Stop
from openecs.loops.controller import Again, Controller
from openecs.loops.turns import Turns
from openecs.model.containers import PAUSE, ContainerObservation
from openecs.model.identity import Scope, parse_arn
from openecs.model.task_definitions import TaskDefinition
from openecs.model.tasks import Task, TaskStatus
from openecs.node import cleanup, places, targets
from openecs.node.container_logs import ContainerLogs
from openecs.node.engine_view import EngineView
from openecs.node.machine import MachineRecord
from openecs.node.packet_filter import PacketFilter
from openecs.node.secrets import TaskSecrets
from openecs.node.settings import NodeSettings
from openecs.node.task_run import SET_UP, TEAR_DOWN, TaskRun, Told
from openecs.runtime.base import EngineUnavailable, Runtime
from openecs.store.base import FeedTruncated, Revision, Store, StoreError, Transaction, View
from openecs.store.definitions import definition_of
from openecs.store.kinds import TASKS

log = structlog.get_logger(__name__)

#: How long a step waits that the engine or the store did not take.
RETRY = timedelta(seconds=1)
#: So many containers are started at a time: more gain little from an engine, and make a single one
#: that is needed at once wait for all of them.
STARTS = 16


@dataclass(frozen=True, slots=True)
class TaskKey:
    """Which task: its scope and its key in the store."""

    scope: Scope
    key: str


async def _nothing(_: Task, __: TaskDefinition) -> Mapping[str, Mapping[str, str]]:
    return {}


class Node:
    """The container-agent role for one machine."""

    def __init__(  # noqa: PLR0913 - what a machine works with, once
        self,
        *,
        store: Store,
        runtime: Runtime,
        clock: Callable[[], datetime],
        settings: NodeSettings,
        packet_filter: PacketFilter | None = None,
        logs: ContainerLogs | None = None,
        told: Told = _nothing,
    ) -> None:
        self._store = store
        self._runtime = runtime
        self._clock = clock
        self._settings = settings
        self._view = EngineView(runtime, settings.installation)
        self._machine = MachineRecord(store, runtime, clock, settings)
        self._filter = packet_filter
        self._logs = logs
        self._secrets = TaskSecrets(store=store, clock=clock, registries=settings.registries)
        self._told = told
        self._are_balanced = True
        self._turns = Turns(STARTS)
        self._runs: dict[TaskKey, TaskRun] = {}
        self._controller: Controller[TaskKey] = Controller("tasks", self._reconcile, clock=clock)
        self._group: asyncio.TaskGroup | None = None
        self._observed = asyncio.Event()

    async def register(self) -> None:
        """Learn what machine this is and put it in the store, the engine answering or not."""
        await self._machine.register()

    async def run(self) -> None:
        """Work until cancelled. Containers go on when it ends."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            group.create_task(self._watch())
            group.create_task(self._resync())
            group.create_task(self._machine.beat())
            if self._filter is not None:
                group.create_task(self._filter.run())
            if self._logs is not None:
                group.create_task(self._logs.run())
            await self._observed.wait()
            group.create_task(self._follow())
            group.create_task(self._controller.run())

    def notices(self) -> list[str]:
        """What does not work as it should on this machine, in words for whoever runs it."""
        absence, filter_ = self._machine.absence, self._filter
        found = [f"The container engine does not answer: {absence}"] if absence else []
        if filter_ is not None and filter_.refusal:
            found.append(f"Security groups of tasks are not enforced: {filter_.refusal}")
        return found

    def seen(self, task_arn: str) -> Mapping[str, ContainerObservation]:
        """The containers of a task as the engine has them, by their names in its definition."""
        return self._view.of(task_arn)

    def rest(self) -> None:
        """Load balancers have ended: targets are withdrawn, and no task waits to be drained."""
        self._are_balanced = False
        for key in self._runs:
            self._controller.add(key)

    async def empty(self) -> None:
        """Forget every task and remove every container of this installation."""
        for run in self._runs.values():
            run.cancel()
        self._runs.clear()
        await cleanup.remove_all(self._runtime, self._settings.installation)
        self._view.forget()

    async def _follow(self) -> None:
        """Every change of a task, and all of them anew where changes were missed."""
        while True:
            try:
                async for batch in self._store.follow(await self._add_all()):
                    for change in batch:
                        if change.kind == TASKS.name:
                            self._controller.add(TaskKey(change.scope, change.key))
            except FeedTruncated:
                log.warning("changes were missed, looking at every task")
            except StoreError as error:
                log.warning("changes cannot be followed", reason=str(error))
                await asyncio.sleep(RETRY.total_seconds())

    async def _add_all(self) -> Revision:
        machine = self._settings.machine
        revision, tasks = await self._store.read(
            lambda view: (view.revision, view.find(TASKS, None, "machine", (machine,)))
        )
        for task in tasks:
            self._controller.add(TaskKey(task.scope, TASKS.key(task)))
        return revision

    async def _watch(self) -> None:
        async for event in self._runtime.watch(self._settings.installation):
            if not event.name:
                await self._observe()
            elif arn := self._view.mark(event):
                self._add_arn(arn)

    async def _resync(self) -> None:
        """What events missed is found by looking at everything now and then."""
        while True:
            await asyncio.sleep(self._settings.resync.total_seconds())
            await self._observe()
            await self._clean_up()

    async def _observe(self) -> None:
        try:
            await self._view.observe()
        except EngineUnavailable as error:
            log.warning("engine does not answer", reason=error.message)
            return
        self._observed.set()
        try:
            await self._add_all()
        except StoreError as error:
            log.warning("tasks not looked at", reason=str(error))

    def _add_arn(self, arn: str) -> None:
        if key := _key_of(arn):
            self._controller.add(key)

    async def _reconcile(self, key: TaskKey) -> datetime | None:
        try:
            return await self._look_and_act(key)
        except (EngineUnavailable, StoreError) as error:
            log.info("task waits", task=key.key, reason=str(error))
            raise Again from error

    async def _look_and_act(self, key: TaskKey) -> datetime | None:
        task, definition = await self._load(key)
        if task is None or definition is None or not self._is_mine(task):
            self._runs.pop(key, None)
            return None
        run = self._runs.get(key) or self._begin(key, task, definition)
        busy = run.busy
        await self._view.freshen(task.arn, busy)
        task = await self._absorb(key, task, run)
        plan = self._plan(task, run)
        if plan.failures:
            run.fail(plan.failures)
            task = await self._absorb(key, task, run)
            plan = self._plan(task, run)
        if task.desired_status is TaskStatus.STOPPED:
            run.cancel_pulls()
        for step in plan.steps:
            # What was worked on was not looked at: it may have started and exited meanwhile. The
            # end of that work has the task looked at anew.
            if not (isinstance(step, Launch | Restart | Stop) and step.name in busy):
                run.take(step)
        return plan.wake

    def _is_mine(self, task: Task) -> bool:
        return task.machine == self._settings.machine and task.last_status is not TaskStatus.STOPPED

    async def _load(self, key: TaskKey) -> tuple[Task | None, TaskDefinition | None]:
        def load(view: View) -> tuple[Task | None, TaskDefinition | None]:
            task = view.get(TASKS, key.scope, key.key)
            if task is None:
                return None, None
            return task, definition_of(view, task)

        return await self._store.read(load)

    def _begin(self, key: TaskKey, task: Task, definition: TaskDefinition) -> TaskRun:
        run = TaskRun(
            task,
            definition,
            runtime=self._runtime,
            settings=self._settings,
            turns=self._turns,
            clock=self._clock,
            spawn=self._spawn,
            ended=lambda container, retry: self._job_ended(key, task.arn, container, retry),
            finish=lambda: self._finish(key),
            subnet=lambda: self._store.read(partial(places.subnet_of, task)),
            admit=partial(self._admit, task),
            secrets=self._secrets,
            told=self._told,
            prepare_logs=self._prepare_logs,
        )
        self._runs[key] = run
        return run

    async def _admit(self, task: Task, address: str) -> None:
        if self._filter is not None:
            await self._filter.admit(task, address)

    async def _prepare_logs(self, labels: Mapping[str, str], runtime_id: str) -> None:
        if self._logs is not None:
            await self._logs.prepare(labels, runtime_id)

    def _spawn(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        """A job of the node's; when the node ends, so does whoever wants one begun."""
        try:
            if self._group is not None:
                return self._group.create_task(work)
        except RuntimeError as shutting_down:
            work.close()
            raise asyncio.CancelledError from shutting_down
        work.close()
        message = "the node is not running"
        raise RuntimeError(message)

    async def _absorb(self, key: TaskKey, task: Task, run: TaskRun) -> Task:
        """Bring the record up to date with what is seen; no write where nothing changed."""
        sighting = run.sighting(self._view.of(task.arn))
        now = self._clock()
        definition = run.definition
        after = lifecycle.absorb(task, definition, sighting, now)
        if after == task and not any(serving.changes(task, are_balanced=self._are_balanced)):
            return task

        def record(transaction: Transaction) -> Task:
            current = transaction.get(TASKS, key.scope, key.key)
            if current is None:
                return task
            absorbed = lifecycle.absorb(current, definition, sighting, now)
            settled = targets.settle(transaction, absorbed, now, are_balanced=self._are_balanced)
            transaction.put(TASKS, settled)
            return settled

        return await self._store.write(record)

    def _plan(self, task: Task, run: TaskRun) -> task_plan.TaskPlan:
        return task_plan.plan(
            task,
            run.definition,
            run.sighting(self._view.of(task.arn)),
            is_set_up=run.is_set_up,
            now=self._clock(),
            stop_timeout=self._settings.stop_timeout,
        )

    async def _finish(self, key: TaskKey) -> None:
        now = self._clock()

        def record(transaction: Transaction) -> None:
            task = transaction.get(TASKS, key.scope, key.key)
            if task is not None:
                transaction.put(TASKS, lifecycle.finish(task, now))
            task_sessions.end(transaction, key.scope, key.key)

        await self._store.write(record)

    def _job_ended(self, key: TaskKey, arn: str, job: str, retry: str | None) -> None:
        run = self._runs.get(key)
        if run is not None:
            name = PAUSE if job in {SET_UP, TEAR_DOWN} else job
            if name != PAUSE or run.may_have_pause:
                self._view.mark_container(arn, run.engine_name(name), name)
        if retry is None:
            self._controller.add(key)
        else:
            self._controller.add_at(key, self._clock() + RETRY)

    async def _clean_up(self) -> None:
        """Remove what stopped long enough ago."""
        await cleanup.sweep(
            store=self._store,
            runtime=self._runtime,
            settings=self._settings,
            now=self._clock(),
            is_read=self._logs.is_read if self._logs is not None else lambda _: True,
        )


def _key_of(arn: str) -> TaskKey | None:
    parsed = parse_arn(arn)
    if parsed is None or not parsed.resource.startswith("task/"):
        return None
    return TaskKey(parsed.scope, parsed.resource.removeprefix("task/"))
