"""On a shared database, others see from a lease whether a machine's process lives."""

from datetime import UTC, datetime, timedelta

import pytest

from openecs.node.machine import MachineRecord
from openecs.node.settings import NodeSettings
from openecs.runtime.simulated import SimulatedRuntime
from openecs.store.base import INSTALLATION
from openecs.store.kinds import LEASES, MACHINES, machine_lease
from openecs.store.memory import MemoryStore

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def now() -> datetime:
    return NOW


@pytest.mark.parametrize("shares", [True, False])
async def test_a_machine_has_its_lease_once_it_is_registered(shares):
    store, name = MemoryStore(), "m" * 32
    settings = NodeSettings(
        installation="i",
        machine=name,
        agent_version="0",
        heartbeat=timedelta(seconds=5),
        shows_life=shares,
    )
    await MachineRecord(store, SimulatedRuntime(now), now, settings).register()
    machine = await store.read(lambda view: view.get(MACHINES, INSTALLATION, name))
    lease = await store.read(lambda view: view.get(LEASES, INSTALLATION, machine_lease(name)))
    assert machine.connected
    assert (lease and lease.expires_at) == (NOW + timedelta(seconds=15) if shares else None)
