"""What the target groups of a task say of it together.

Developer Guide, "Amazon ECS services and load balancers": a task of several target groups is
healthy when all of them find it so.
"""

from __future__ import annotations

from collections.abc import Mapping

from openecs.decide.services.state import TargetVerdict
from openecs.model.load_balancing import TargetHealth, TargetState
from openecs.model.tasks import ServedGroup, Task

_UNHEALTHY = frozenset({TargetState.UNHEALTHY, TargetState.UNHEALTHY_DRAINING})


def verdict(task: Task, found: Mapping[ServedGroup, TargetHealth]) -> TargetVerdict:
    """The verdict on a task with target groups, from the health of its targets where known."""
    for group in task.served_groups:
        health = found.get(group)
        if health is not None and health.state in _UNHEALTHY:
            return TargetVerdict(
                healthy=False,
                target_group_arn=group.target_group_arn,
                target=_target(task, group),
                reason=health.description or "Health checks failed",
            )
    states = [found[g].state if g in found else None for g in task.served_groups]
    is_healthy = all(state is TargetState.HEALTHY for state in states)
    return TargetVerdict(healthy=True if is_healthy else None)


def _target(task: Task, group: ServedGroup) -> str:
    is_instance = (group.target_id or "").startswith("i-")
    subject = f"instance {group.target_id}" if is_instance else f"task {task.id}"
    return f"({subject}) (port {group.target_port})"
