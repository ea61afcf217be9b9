"""The loop that takes away what was made for an Express service, after the service's last task.

All of it goes in one transaction; until then the record of it stays, and is found again after a
crash.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial

import structlog

from openecs.api.base import ApiSettings, Call, Caller
from openecs.api.ecs import express_removal
from openecs.control.capacity import Where
from openecs.loops.controller import Again, Controller
from openecs.model.express import ExpressGateway
from openecs.model.identity import Ids
from openecs.store.base import Change, FeedTruncated, Revision, Store, StoreError, Transaction, View
from openecs.store.kinds import EXPRESS_GATEWAYS, SERVICES, TASKS

log = structlog.get_logger(__name__)

RETRY_SECONDS = 1.0
#: What may end the wait for the last task.
_OF_SERVICES = (SERVICES.name, TASKS.name)


class ExpressGateways:
    """Removes what was made for Express services that were deleted. One process at a time.

    ``guard`` is called first in every transaction and raises where this process is not that one.
    """

    def __init__(
        self,
        *,
        store: Store,
        clock: Callable[[], datetime],
        ids: Ids,
        guard: Callable[[Transaction], None] | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids
        self._guard = guard
        #: What waits for its service's last task.
        self._left: set[Where] = set()
        self._controller: Controller[Where] = Controller("express", self.reconcile, clock=clock)

    async def run(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._follow())
            group.create_task(self._controller.run())

    async def _follow(self) -> None:
        while True:
            try:
                async for batch in self._store.follow(await self._observe()):
                    await self._absorb(batch)
            except FeedTruncated:
                log.warning("changes were missed, looking at every deleted Express service")
            except StoreError as error:
                log.warning("changes cannot be followed", reason=str(error))
                await asyncio.sleep(RETRY_SECONDS)

    async def _observe(self) -> Revision:
        revision, left = await self._store.read(lambda view: (view.revision, _left(view)))
        self._wait_for(left)
        return revision

    async def _absorb(self, batch: Sequence[Change]) -> None:
        kinds = {change.kind for change in batch}
        if EXPRESS_GATEWAYS.name in kinds:
            self._wait_for(await self._store.read(_left))
        elif kinds.intersection(_OF_SERVICES):
            self._wake()

    def _wait_for(self, left: Sequence[ExpressGateway]) -> None:
        self._left = {(each.scope, EXPRESS_GATEWAYS.key(each)) for each in left}
        self._wake()

    def _wake(self) -> None:
        for where in self._left:
            self._controller.add(where)

    async def reconcile(self, where: Where) -> None:
        """Remove what was made for one deleted service, if nothing of the service is left."""
        try:
            if await self._store.read(partial(_find, where)) is None:
                return
            complaints = await self._store.write(partial(self._remove, where))
        except StoreError as error:
            raise Again from error
        for complaint in complaints:
            log.warning("of a deleted Express service stays", service=where[1], reason=complaint)

    def _remove(self, where: Where, tx: Transaction) -> Sequence[str]:
        if self._guard is not None:
            self._guard(tx)
        gateway = _find(where, tx)
        return express_removal.dismantle(tx, self._call(gateway), gateway) if gateway else ()

    def _call(self, gateway: ExpressGateway) -> Call:
        """What is removed is removed as the infrastructure role of the service."""
        account = gateway.scope.account
        caller = Caller(
            arn=gateway.infrastructure_role_arn,
            user_id=account,
            account=account,
            access_key_id="",
        )
        return Call(
            scope=gateway.scope,
            caller=caller,
            request_id=self._ids.uuid(),
            now=self._clock(),
            ids=self._ids,
            settings=ApiSettings(),
        )


def _left(view: View) -> Sequence[ExpressGateway]:
    return view.find(EXPRESS_GATEWAYS, None, "left", ())


def _find(where: Where, view: View) -> ExpressGateway | None:
    """What is to be removed now."""
    gateway = view.get(EXPRESS_GATEWAYS, *where)
    return gateway if gateway and express_removal.is_over(view, gateway) else None
