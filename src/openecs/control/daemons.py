"""The loop of managed daemons: every daemon, whenever something about it changed.

What runs where, and how far a deployment has come, is in the store only; a pass is one transaction
(``daemon_pass``), so that nothing is lost or doubled when a process dies between two of them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from functools import partial

import structlog

from openecs.api.base import ApiSettings, Call, Caller
from openecs.control.capacity import Where
from openecs.control.daemon_pass import Outcome, run_pass, settle_definitions
from openecs.decide.services.state import SchedulerSettings
from openecs.loops.controller import Again, Controller
from openecs.model.identity import Ids, Scope
from openecs.model.tasks import Task, TaskStatus
from openecs.store.alarms import COMPOSITE_ALARMS, METRIC_ALARMS
from openecs.store.base import Change, FeedTruncated, Revision, Store, StoreError, Transaction, View
from openecs.store.kinds import (
    CONTAINER_INSTANCES,
    DAEMON_DEPLOYMENTS,
    DAEMON_TASK_DEFINITIONS,
    DAEMONS,
    MACHINES,
    TASKS,
    daemon_key,
)

log = structlog.get_logger(__name__)

#: Every daemon is looked at anew so often; changes normally say all that happens.
RESYNC = timedelta(minutes=5)

_OF_DAEMONS = (DAEMONS.name, DAEMON_DEPLOYMENTS.name)
_ALARMS = (METRIC_ALARMS.name, COMPOSITE_ALARMS.name)
_OF_PLACES = (MACHINES.name, CONTAINER_INSTANCES.name)
#: What may end, or begin, the use of a deleted daemon task definition.
_OF_DEFINITIONS = (DAEMON_TASK_DEFINITIONS.name, *_OF_DAEMONS)
_ALL_DEFINITIONS = "all"


class Daemons:
    """Keeps a task of every daemon on each instance of its providers. One process at a time.

    ``guard`` is called first in every transaction and raises where this process is not that one.
    """

    def __init__(
        self,
        *,
        store: Store,
        clock: Callable[[], datetime],
        ids: Ids,
        settings: SchedulerSettings | None = None,
        guard: Callable[[Transaction], None] | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids
        self._settings = settings or SchedulerSettings()
        self._guard = guard
        #: All daemons, those that found no room on an instance, and how often a task has stopped.
        self._known: set[Where] = set()
        self._blocked: set[Where] = set()
        self._room_given = 0
        self._controller: Controller[Where] = Controller("daemons", self._reconcile, clock=clock)
        self._definitions: Controller[str] = Controller(
            "daemon task definitions", self._settle_definitions, clock=clock
        )

    async def run(self) -> None:
        """Work until cancelled."""
        revision = await self._observe()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._follow(revision))
            group.create_task(self._resync())
            group.create_task(self._controller.run())
            group.create_task(self._definitions.run())

    async def _observe(self) -> Revision:
        revision, daemons = await self._store.read(lambda view: (view.revision, _all(view)))
        self._add(daemons)
        self._definitions.add(_ALL_DEFINITIONS)
        return revision

    async def _follow(self, revision: Revision) -> None:
        while True:
            try:
                async for batch in self._store.follow(revision):
                    await self._absorb(batch)
            except FeedTruncated:
                log.warning("changes were missed, looking at every daemon")
                revision = await self._observe()

    async def _resync(self) -> None:
        while True:
            await asyncio.sleep(RESYNC.total_seconds())
            try:
                self._add(await self._store.read(_all))
            except StoreError as error:
                log.warning("daemons not looked at", reason=str(error))

    def _add(self, daemons: Iterable[Where]) -> None:
        for where in daemons:
            self._known.add(where)
            self._controller.add(where)

    async def _absorb(self, batch: Sequence[Change]) -> None:
        """Wake the daemons that a batch of changes touches."""
        if any(change.kind in _OF_DEFINITIONS for change in batch):
            self._definitions.add(_ALL_DEFINITIONS)
        self._add(_daemon_of(change) for change in batch if change.kind in _OF_DAEMONS)
        alarms = {(c.scope, c.key) for c in batch if c.kind in _ALARMS}
        if alarms and self._known:
            self._add(await self._store.read(partial(_alarmed, alarms)))
        if any(change.kind in _OF_PLACES for change in batch):
            self._add(await self._store.read(_all))
        changed = {(c.scope, c.key) for c in batch if c.kind == TASKS.name}
        # Where there are no daemons, none of the many changes of tasks is of any interest.
        if changed and self._known:
            self._absorb_tasks(await self._store.read(partial(_tasks, changed)))

    def _absorb_tasks(self, tasks: Sequence[Task | None]) -> None:
        own = (task for task in tasks if task is not None)
        self._add((t.scope, daemon_key(t.cluster, t.daemon)) for t in own if t.daemon)
        if any(task is None or task.last_status is TaskStatus.STOPPED for task in tasks):
            self._room_given += 1
            self._add(tuple(self._blocked))

    async def _reconcile(self, where: Where) -> datetime | None:
        call, room = self._call(where[0]), self._room_given
        try:
            outcome = await self._store.write(partial(self._pass, where, call))
        except StoreError as error:
            log.info("daemon waits", daemon=where[1], reason=str(error))
            raise Again from error
        self._blocked.discard(where)
        if outcome.is_gone:
            self._known.discard(where)
        if outcome.is_blocked:
            self._block(where, room)
        return outcome.wake

    def _block(self, where: Where, room: int) -> None:
        """Wait for room, unless some was given back since the pass began."""
        self._blocked.add(where)
        if room != self._room_given:
            self._controller.add(where)

    def _pass(self, where: Where, call: Call, tx: Transaction) -> Outcome:
        if self._guard is not None:
            self._guard(tx)
        return run_pass(where, call, self._settings, tx)

    async def _settle_definitions(self, _: str) -> None:
        try:
            await self._store.write(self._settle)
        except StoreError as error:
            raise Again from error

    def _settle(self, tx: Transaction) -> None:
        if self._guard is not None:
            self._guard(tx)
        settle_definitions(tx)

    def _call(self, scope: Scope) -> Call:
        """The scheduler acts for the daemon, as its service-linked role does at AWS."""
        role = "AWSServiceRoleForECS"
        caller = Caller(
            arn=f"arn:aws:sts::{scope.account}:assumed-role/{role}/ecs-daemon-scheduler",
            user_id=scope.account,
            account=scope.account,
            access_key_id="",
        )
        return Call(
            scope=scope,
            caller=caller,
            request_id=self._ids.uuid(),
            now=self._clock(),
            ids=self._ids,
            settings=ApiSettings(),
        )


def _all(view: View) -> Sequence[Where]:
    return [(daemon.scope, DAEMONS.key(daemon)) for daemon in view.scan(DAEMONS, None)]


def _alarmed(alarms: set[Where], view: View) -> Sequence[Where]:
    """The daemons with a deployment in progress that one of some alarms may fail."""
    return [
        (deployment.scope, daemon_key(deployment.cluster, deployment.daemon))
        for deployment in view.find(DAEMON_DEPLOYMENTS, None, "alarmed", ())
        if any((deployment.scope, name) in alarms for name in deployment.watched_alarms)
    ]


def _tasks(changed: Iterable[Where], view: View) -> Sequence[Task | None]:
    return [view.get(TASKS, *where) for where in changed]


def _daemon_of(change: Change) -> Where:
    """The daemon that a changed record of its own, or of a deployment of it, is about."""
    cluster, name, *_ = change.key.split("/")
    return change.scope, daemon_key(cluster, name)
