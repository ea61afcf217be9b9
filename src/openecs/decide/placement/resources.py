"""What a machine has left for tasks.

All container instances of a machine share it, and its FARGATE tasks draw on it too: a task counts
wherever its cluster is.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from openecs.model.clusters import Machine
from openecs.model.tasks import Task, TaskStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Resources:
    """Free CPU units and MiB, and the host ports that are taken, as ``8080/tcp``."""

    cpu: int
    memory: int
    ports: frozenset[str]


def remaining(machine: Machine, tasks: Iterable[Task]) -> Resources:
    """What is left of a machine that holds ``tasks``; stopped ones hold nothing.

    Static and reserved ports count as taken. CPU or memory below 0 means that more was promised
    than the machine, having shrunk, still has.
    """
    holding = [task for task in tasks if task.last_status is not TaskStatus.STOPPED]
    return Resources(
        cpu=machine.cpu - sum(task.cpu for task in holding),
        memory=machine.memory - sum(task.memory for task in holding),
        ports=frozenset(machine.reserved_ports).union(*(task.host_ports for task in holding)),
    )
