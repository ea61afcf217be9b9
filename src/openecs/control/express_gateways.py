"""The loop that looks after what was made for Express services.

Requests are counted at the target group that serves, which a deployment changes. After a deleted
service's last task all goes in one transaction; until then the record of it stays, and is found
again after a crash.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial

import structlog

from openecs.api.base import ApiSettings, Call, Caller
from openecs.api.ecs import express_removal, express_scaling
from openecs.control.capacity import Where
from openecs.loops.controller import Again, Controller
from openecs.model.express import ExpressGateway
from openecs.model.identity import Ids
from openecs.store.base import Change, FeedTruncated, Revision, Store, StoreError, Transaction, View
from openecs.store.kinds import EXPRESS_GATEWAYS, SERVICES, TASKS, service_key

log = structlog.get_logger(__name__)

RETRY_SECONDS = 1.0


class ExpressGateways:
    """Keeps what was made for Express services right, and removes it. One process at a time.

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
        #: By the services they are of.
        self._gateways: dict[Where, set[Where]] = {}
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
                log.warning("changes were missed, looking at every Express service")
            except StoreError as error:
                log.warning("changes cannot be followed", reason=str(error))
                await asyncio.sleep(RETRY_SECONDS)

    async def _observe(self) -> Revision:
        revision, found = await self._store.read(lambda view: (view.revision, _all(view)))
        self._know(found)
        return revision

    async def _absorb(self, batch: Sequence[Change]) -> None:
        if any(change.kind == EXPRESS_GATEWAYS.name for change in batch):
            self._know(await self._store.read(_all))
        elif any(change.kind == TASKS.name for change in batch):
            self._wake(*self._left)
        changed = {(each.scope, each.key) for each in batch if each.kind == SERVICES.name}
        self._wake(*(where for each in changed for where in self._gateways.get(each, ())))

    def _know(self, gateways: Sequence[ExpressGateway]) -> None:
        self._gateways = defaultdict(set)
        self._left = set()
        for each in gateways:
            where = (each.scope, EXPRESS_GATEWAYS.key(each))
            self._gateways[each.scope, service_key(each.cluster, each.service)].add(where)
            if each.left_at is not None:
                self._left.add(where)
            self._wake(where)

    def _wake(self, *gateways: Where) -> None:
        for where in gateways:
            self._controller.add(where)

    async def reconcile(self, where: Where) -> None:
        """Look after one service: after its requests' count, or after its end."""
        try:
            if await self._store.read(partial(_is_right, where)):
                return
            complaints = await self._store.write(partial(self._mend, where))
        except StoreError as error:
            raise Again from error
        for complaint in complaints:
            log.warning("of a deleted Express service stays", service=where[1], reason=complaint)

    def _mend(self, where: Where, tx: Transaction) -> Sequence[str]:
        if self._guard is not None:
            self._guard(tx)
        gateway = tx.get(EXPRESS_GATEWAYS, *where)
        if gateway is None:
            return ()
        call = self._call(gateway)
        if express_removal.is_over(tx, gateway):
            return express_removal.dismantle(tx, call, gateway)
        if express_scaling.is_astray(tx, gateway):
            express_scaling.follow(tx, call, gateway)
        return ()

    def _call(self, gateway: ExpressGateway) -> Call:
        """What is done is done as the infrastructure role of the service."""
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


def _all(view: View) -> Sequence[ExpressGateway]:
    return view.scan(EXPRESS_GATEWAYS, None)


def _is_right(where: Where, view: View) -> bool:
    gateway = view.get(EXPRESS_GATEWAYS, *where)
    if gateway is None:
        return True
    is_over = express_removal.is_over(view, gateway)
    return not is_over and not express_scaling.is_astray(view, gateway)
