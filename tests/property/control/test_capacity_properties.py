"""The scheduler's picture of capacity, kept by changes, is the one drawn anew from everything."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from openecs.control.capacity import Capacity
from openecs.decide.placement import resources
from openecs.model.tasks import TaskStatus
from openecs.testing.builders import SCOPE, a_container_instance, a_machine, a_task, an_instance_id

MACHINES = {f"machine-{n}": a_machine(n) for n in (1, 2)}
INSTANCES = [a_container_instance(n) for n in (1, 2)]

tasks = st.builds(
    lambda number, machine, cpu, memory, ports, group, stopped: a_task(
        number,
        machine=f"machine-{machine}",
        container_instance=an_instance_id(machine),
        cpu=cpu,
        memory=memory,
        host_ports=ports,
        group=group,
        last_status=TaskStatus.STOPPED if stopped else TaskStatus.RUNNING,
    ),
    number=st.integers(1, 6),
    machine=st.integers(1, 2),
    cpu=st.integers(0, 512),
    memory=st.integers(0, 512),
    ports=st.sampled_from([(), ("80/tcp",), ("80/tcp", "53/udp")]),
    group=st.sampled_from(["service:a", "service:b"]),
    stopped=st.booleans(),
)


@given(st.lists(tasks, max_size=30))
def test_changes_lead_to_the_same_picture_as_a_look_at_everything(changes):
    kept: dict[str, object] = {}
    picture = Capacity()
    for machine in MACHINES.values():
        picture.note_machine(machine.id, machine)
    for instance in INSTANCES:
        picture.note_instance((SCOPE, f"default/{instance.id}"), instance)
    for change in changes:
        # Where a task is, and what it holds, never changes.
        known = kept.get(change.id)
        task = replace(known, last_status=change.last_status) if known else change
        kept[task.id] = task
        picture.candidate(INSTANCES[0])
        picture.note_task((SCOPE, f"default/{task.id}"), task)
    for machine in MACHINES.values():
        own = [t for t in kept.values() if t.machine == machine.id]
        assert picture.free(machine.id) == resources.remaining(machine, own)
    for instance in INSTANCES:
        alive = [
            t.group
            for t in kept.values()
            if t.container_instance == instance.id and t.last_status is not TaskStatus.STOPPED
        ]
        expected = {group: alive.count(group) for group in alive}
        assert picture.candidate(instance).groups == expected
        assert picture.candidate(instance).free == picture.free(instance.machine)


@given(st.lists(tasks, max_size=10, unique_by=lambda t: t.id))
def test_what_is_released_was_never_there(reserved):
    picture = Capacity()
    for machine in MACHINES.values():
        picture.note_machine(machine.id, machine)
    alive = [t for t in reserved if t.last_status is not TaskStatus.STOPPED]
    picture.reserve(alive)
    picture.release(alive)
    for machine in MACHINES.values():
        assert picture.free(machine.id) == resources.remaining(machine, [])
