"""The instances a placement chooses among, as values: placing on one gives a new one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from openecs.decide.placement.ask import Ask
from openecs.decide.placement.resources import Resources
from openecs.model.clusters import ContainerInstance, ContainerInstanceStatus, Machine


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """An instance and everything placement looks at.

    ``free`` is its machine's; instances of one machine share it. ``groups`` counts the tasks of
    each task group on the instance, ``tasks`` all of them.
    """

    id: str
    arn: str
    machine: str
    status: ContainerInstanceStatus
    connected: bool
    attributes: dict[str, str | None]
    free: Resources
    agent_version: str
    ec2_instance_id: str
    registered_at: datetime
    groups: dict[str, int]
    #: The Managed Instances provider it belongs to; None: an EC2 instance of the cluster.
    capacity_provider: str | None = None

    @property
    def tasks(self) -> int:
        """How many tasks are on the instance."""
        return sum(self.groups.values())


def candidate_of(
    instance: ContainerInstance, machine: Machine | None, free: Resources, groups: dict[str, int]
) -> Candidate:
    """The instance as placement sees it; without a record of its machine it takes nothing."""
    return Candidate(
        id=instance.id,
        arn=instance.arn,
        machine=instance.machine,
        status=instance.status,
        connected=machine is not None and machine.connected,
        attributes={a.name: a.value for a in instance.attributes},
        free=free,
        agent_version=machine.agent_version if machine else "",
        ec2_instance_id=instance.ec2_instance_id,
        registered_at=instance.registered_at,
        groups=groups,
        capacity_provider=instance.capacity_provider,
    )


def place(chosen: Candidate, ask: Ask, among: Iterable[Candidate]) -> tuple[Candidate, ...]:
    """The candidates once the ask is placed on one; others of its machine have less left too."""
    free = Resources(
        cpu=chosen.free.cpu - ask.cpu,
        memory=chosen.free.memory - ask.memory,
        ports=chosen.free.ports | ask.host_ports,
    )
    return tuple(_after(c, chosen, ask, free) for c in among)


def _after(candidate: Candidate, chosen: Candidate, ask: Ask, free: Resources) -> Candidate:
    if candidate.machine != chosen.machine:
        return candidate
    if candidate.id != chosen.id:
        return replace(candidate, free=free)
    groups = candidate.groups | {ask.group: candidate.groups.get(ask.group, 0) + 1}
    return replace(candidate, free=free, groups=groups)
