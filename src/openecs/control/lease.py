"""Which of several control planes on one database works: the one that holds the lease.

A lease in the store, renewed while its holder lives; who finds it expired takes it. What the loops
write is guarded besides: a transaction of one that has lost the lease meanwhile is refused, so that
no two ever decide at once, whatever their clocks say. Gray and Cheriton, "Leases", SOSP 1989.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from datetime import datetime, timedelta
from functools import partial

import structlog

from openecs.model.leases import Lease
from openecs.store.base import INSTALLATION, Conflict, Store, StoreError, Transaction
from openecs.store.kinds import LEASES

log = structlog.get_logger(__name__)

NAME = "control"
#: A dead holder is succeeded after ``TERM`` and, at most, one ``RENEWAL`` more.
TERM = timedelta(seconds=6)
RENEWAL = timedelta(seconds=2)

#: The loops to run while the lease is held.
Loops = Callable[[], Sequence[Coroutine[None, None, None]]]


class LeaseLost(Conflict):
    """Another control plane holds the lease now: nothing of the transaction was kept."""


class Leader:
    """Takes the lease, runs the loops while it holds it, and stops them when it does not."""

    def __init__(self, *, store: Store, clock: Callable[[], datetime], holder: str) -> None:
        self._store = store
        self._clock = clock
        self._holder = holder

    async def run(self, loops: Loops) -> None:
        """Work until cancelled; the lease is given back then, so that another may go on at once."""
        try:
            while True:
                if await self._taken():
                    log.info("leading", holder=self._holder)
                    await self._lead(loops)
                    log.warning("no longer leading", holder=self._holder)
                await asyncio.sleep(RENEWAL.total_seconds())
        finally:
            await self._give_back()

    def guard(self, tx: Transaction) -> None:
        """Raise ``LeaseLost`` unless this is the holder: called first in every transaction."""
        lease = tx.get(LEASES, INSTALLATION, NAME)
        if lease is None or lease.holder != self._holder:
            raise LeaseLost("the control plane's lease has gone to another")

    async def _taken(self) -> bool:
        """Whether the lease is ours now; from a store that is away nobody takes it."""
        try:
            return await self._take()
        except StoreError as error:
            log.warning("lease not taken", reason=str(error))
            return False

    async def _lead(self, loops: Loops) -> None:
        async with asyncio.TaskGroup() as group:
            working = [group.create_task(loop) for loop in loops()]
            await self._keep()
            for each in working:
                each.cancel()

    async def _keep(self) -> None:
        """Renew the lease until that fails."""
        renewed = True
        while renewed:
            await asyncio.sleep(RENEWAL.total_seconds())
            renewed = await self._renewed()

    async def _renewed(self) -> bool:
        """Whether the lease is ours for another term; a store that is away costs it in time."""
        deadline = self._clock() + TERM - RENEWAL
        while self._clock() < deadline:
            try:
                return await self._take()
            except StoreError as error:
                log.warning("lease not renewed", reason=str(error))
                await asyncio.sleep(RENEWAL.total_seconds() / 4)
        return False

    async def _take(self) -> bool:
        return await self._store.write(partial(_take, self._holder, self._clock()))

    async def _give_back(self) -> None:
        try:
            await self._store.write(partial(_give_back, self._holder))
        except StoreError as error:
            log.warning("lease not given back", reason=str(error))


def _take(holder: str, now: datetime, tx: Transaction) -> bool:
    lease = tx.get(LEASES, INSTALLATION, NAME)
    if lease is not None and lease.holder != holder and lease.expires_at > now:
        return False
    tx.put(LEASES, Lease(name=NAME, holder=holder, expires_at=now + TERM))
    return True


def _give_back(holder: str, tx: Transaction) -> None:
    lease = tx.get(LEASES, INSTALLATION, NAME)
    if lease is not None and lease.holder == holder:
        tx.delete(LEASES, INSTALLATION, NAME)
