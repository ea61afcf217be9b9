"""What the target groups of a service's tasks say, as it is stored."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from openecs.decide.services import targets
from openecs.decide.services.state import TargetVerdict
from openecs.model.identity import parse_arn
from openecs.model.load_balancing import TargetHealth, target_key
from openecs.model.tasks import ServedGroup, Task
from openecs.store.base import View
from openecs.store.kinds import TARGET_HEALTH, TARGETS


def verdicts(view: View, tasks: Iterable[Task]) -> Mapping[str, TargetVerdict]:
    """By task id, for those that serve target groups."""
    return {
        task.id: targets.verdict(task, dict(_health(view, task)))
        for task in tasks
        if task.served_groups
    }


def _health(view: View, task: Task) -> Iterator[tuple[ServedGroup, TargetHealth]]:
    for group in task.served_groups:
        arn = parse_arn(group.target_group_arn)
        if arn is None or group.target_id is None or group.target_port is None:
            continue
        path = arn.resource.removeprefix("targetgroup/")
        key = target_key(path, group.target_id, group.target_port)
        target, health = view.get(TARGETS, arn.scope, key), view.get(TARGET_HEALTH, arn.scope, key)
        if target and health and health.registered_at == target.registered_at:
            yield group, health
