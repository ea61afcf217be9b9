from __future__ import annotations

from datetime import timedelta

import pytest

from openecs.control.lease import LeaseLost
from openecs.control.machines import MachineWatch
from openecs.model.leases import Lease
from openecs.store.base import INSTALLATION
from openecs.store.kinds import LEASES, MACHINES, machine_lease
from openecs.store.memory import MemoryStore
from openecs.testing.builders import NOW, a_machine


@pytest.mark.parametrize(
    ("expires", "connected"),
    [(timedelta(seconds=1), True), (timedelta(0), False), (None, True)],
)
async def test_a_machine_whose_lease_ran_out_is_not_connected(expires, connected):
    store = MemoryStore()
    await store.write(lambda tx: tx.put(MACHINES, a_machine()))
    if expires is not None:
        name = machine_lease(a_machine().id)
        lease = Lease(name=name, holder="m", expires_at=NOW + expires)
        await store.write(lambda tx: tx.put(LEASES, lease))
    watch = MachineWatch(store=store, clock=lambda: NOW, guard=lambda _: None)
    await watch.look()
    machine = await store.read(lambda view: view.get(MACHINES, INSTALLATION, a_machine().id))
    assert machine.connected is connected


async def test_only_the_leader_says_so():
    def lost(_):
        raise LeaseLost("gone")

    watch = MachineWatch(store=MemoryStore(), clock=lambda: NOW, guard=lost)
    with pytest.raises(LeaseLost):
        await watch.look()
