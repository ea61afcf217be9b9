"""Machines whose process is gone: on a shared database somebody else has to notice."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

import structlog

from openecs.store.base import INSTALLATION, Store, StoreError, Transaction
from openecs.store.kinds import LEASES, MACHINES, machine_lease

log = structlog.get_logger(__name__)

INTERVAL = timedelta(seconds=5)


class MachineWatch:
    """Marks machines whose lease has run out as not connected, so that nothing is placed there.

    Their tasks stay as they are, as at AWS when an agent is disconnected: the containers may well
    be running. The node connects its machine again when it comes back.
    """

    def __init__(
        self,
        *,
        store: Store,
        clock: Callable[[], datetime],
        guard: Callable[[Transaction], None],
    ) -> None:
        self._store = store
        self._clock = clock
        self._guard = guard

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            try:
                await self.look()
            except StoreError as error:
                log.warning("machines not looked at", reason=str(error))
            await asyncio.sleep(INTERVAL.total_seconds())

    async def look(self) -> None:
        """Look at every machine once."""
        await self._store.write(partial(self._look, self._clock()))

    def _look(self, now: datetime, tx: Transaction) -> None:
        self._guard(tx)
        for machine in tx.scan(MACHINES, INSTALLATION):
            lease = tx.get(LEASES, INSTALLATION, machine_lease(machine.id))
            if machine.connected and lease is not None and lease.expires_at <= now:
                tx.put(MACHINES, replace(machine, connected=False))
