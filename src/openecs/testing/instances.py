"""Instances for tests of placement."""

from __future__ import annotations

from typing import Any

from openecs.decide.placement.candidates import Candidate
from openecs.decide.placement.resources import Resources
from openecs.model.clusters import ContainerInstanceStatus
from openecs.testing.builders import NOW


def an_instance(
    name: str, *, zone: str = "a", cpu: int = 1024, memory: int = 1024, **changes: Any
) -> Candidate:
    """An empty, connected instance on a machine of its own."""
    values = {
        "id": name,
        "arn": f"arn:{name}",
        "machine": name,
        "status": ContainerInstanceStatus.ACTIVE,
        "connected": True,
        "attributes": {"ecs.availability-zone": zone},
        "free": Resources(cpu=cpu, memory=memory, ports=frozenset()),
        "agent_version": "1.90.0",
        "ec2_instance_id": f"i-{name}",
        "registered_at": NOW,
        "groups": {},
    }
    return Candidate(**{**values, **changes})
