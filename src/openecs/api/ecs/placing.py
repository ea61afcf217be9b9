"""Where tasks can go: the instances of a cluster with what their machines have left.

A machine joins a cluster by itself when the first EC2-type task is placed there, and once more for
each Managed Instances provider of the cluster; every task of a machine, in whatever cluster,
account or region, draws on one pool.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence

from openecs.api.base import Call
from openecs.decide.placement import resources
from openecs.decide.placement.candidates import Candidate, candidate_of
from openecs.model.clusters import Cluster, ContainerInstance, ContainerInstanceStatus, Machine
from openecs.model.task_definitions import Attribute
from openecs.model.tasks import Task
from openecs.store.base import INSTALLATION, View
from openecs.store.kinds import CONTAINER_INSTANCES, MACHINES, TASKS

ACTIVE = ContainerInstanceStatus.ACTIVE
ZONE = "ecs.availability-zone"


def instances(
    view: View, call: Call, cluster: Cluster, provider: str | None = None
) -> list[ContainerInstance]:
    """The ACTIVE instances of a cluster, and those that machines would get by joining it now.

    Those of a Managed Instances ``provider``, or those of none. A machine that was taken out of the
    cluster by hand does not come back by itself.
    """
    everything = view.scan(CONTAINER_INSTANCES, call.scope, prefix=f"{cluster.name}/")
    known = [instance for instance in everything if instance.capacity_provider == provider]
    there = {instance.machine for instance in known}
    newcomers = [
        joining(call, cluster, machine, provider)
        for machine in view.scan(MACHINES, INSTALLATION)
        if machine.joins_clusters and machine.id not in there
    ]
    return [i for i in known if i.status is ACTIVE] + newcomers


def candidate(view: View, instance: ContainerInstance) -> Candidate:
    """The instance as placement sees it."""
    machine = view.get(MACHINES, INSTALLATION, instance.machine)
    tasks = view.find(TASKS, None, "machine", (instance.machine,))
    own = [t for t in tasks if _is_on(t, instance)]
    free = (
        resources.remaining(machine, tasks)
        if machine
        else resources.Resources(cpu=0, memory=0, ports=frozenset())
    )
    return candidate_of(instance, machine, free, dict(Counter(t.group for t in own)))


def zone_of(call: Call, machine: Machine) -> str:
    """The availability zone a machine stands in for."""
    return f"{call.scope.region}{machine.availability_zone_suffix}"


def machines(view: View) -> Sequence[Machine]:
    """All machines of the installation."""
    return view.scan(MACHINES, INSTALLATION)


def joining(
    call: Call, cluster: Cluster, machine: Machine, provider: str | None = None
) -> ContainerInstance:
    """The record a machine gets that joins a cluster now, for a Managed Instances ``provider``.

    To the user that is another EC2 instance, with an id of its own.
    """
    name = machine.id if provider is None else f"{machine.id}/{cluster.name}/{provider}"
    digest = hashlib.sha256(name.encode()).hexdigest()
    attributes = (
        *machine.attributes,
        Attribute(name=ZONE, value=zone_of(call, machine)),
        Attribute(name="ecs.instance-type", value="openecs"),
    )
    return ContainerInstance(
        scope=call.scope,
        cluster=cluster.name,
        id=call.ids.hex32(),
        machine=machine.id,
        ec2_instance_id=f"i-{digest[:17]}",
        attributes=attributes,
        capacity_provider=provider,
        registered_at=call.now,
    )


def _is_on(task: Task, instance: ContainerInstance) -> bool:
    here = (instance.scope, instance.cluster, instance.id)
    return (task.scope, task.cluster, task.container_instance) == here
