"""Which tasks go first when there are too many.

Tasks of older deployments, then those that do not run or are not healthy, then what the placement
strategy says: of the fullest place for spread (and by default: zone, then instance), of the
emptiest for binpack; of equal ones the newest. Developer Guide, "Amazon ECS task placement
strategies" and "Task scale-in"; ties are OpenECS's own rule.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from openecs.decide.services.health import Member
from openecs.model.services import Service
from openecs.model.task_definitions import PlacementStrategy
from openecs.model.tasks import Task

_ZONE = "ecs.availability-zone"
_DEFAULT = (
    PlacementStrategy(type="spread", field=f"attribute:{_ZONE}"),
    PlacementStrategy(type="spread", field="instanceId"),
)


def victims(members: Sequence[Member], count: int, service: Service) -> tuple[Member, ...]:
    """The ``count`` members to stop, fewer where protection forbids more."""
    if count <= 0:
        return ()
    return tuple(m for m in in_order(members, service) if not m.is_kept)[:count]


def in_order(members: Sequence[Member], service: Service) -> list[Member]:
    """The members, the first to go first."""
    ordered = sorted(members, key=lambda m: (m.task.created_at, m.task.id), reverse=True)
    for strategy in reversed(service.placement_strategy or _DEFAULT):
        ordered = _ranked(ordered, strategy)
    newest = service.primary.id if service.primary else None
    return sorted(ordered, key=lambda m: (m.task.started_by == newest, m.condition))


def _ranked(members: list[Member], strategy: PlacementStrategy) -> list[Member]:
    match strategy.type:
        case "spread":
            return _from_fullest(members, strategy.field or "")
        case "binpack":
            sizes = Counter(m.task.container_instance for m in members)
            return sorted(members, key=lambda m: sizes[m.task.container_instance])
        case _:
            return members


def _from_fullest(members: list[Member], field: str) -> list[Member]:
    """Places give in turn, the fullest first: a task ranks by how full its place is before it."""
    sizes = Counter(_place(m.task, field) for m in members)
    heights: dict[str, int] = {}
    for member in members:
        place = _place(member.task, field)
        heights[member.task.id] = sizes[place]
        sizes[place] -= 1
    return sorted(members, key=lambda m: -heights[m.task.id])


def _place(task: Task, field: str) -> str | None:
    name = field.removeprefix("attribute:")
    if name == _ZONE:
        return task.availability_zone
    if name == field:
        return task.container_instance
    own = (a.value for a in task.attributes if a.name == name)
    return next(own, task.container_instance)
