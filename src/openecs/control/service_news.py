"""What a batch of changes means to the service scheduler, read in one go."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from openecs.control.capacity import Where
from openecs.model.clusters import ContainerInstance, Machine, PlacementTicket
from openecs.model.services import Service
from openecs.model.tasks import Task
from openecs.store.alarms import COMPOSITE_ALARMS, METRIC_ALARMS
from openecs.store.base import Change, Kind, View
from openecs.store.kinds import (
    CONTAINER_INSTANCES,
    MACHINES,
    PLACEMENT_TICKETS,
    SERVICES,
    TARGET_HEALTH,
    TARGETS,
    TASK_SETS,
    TASKS,
    service_key,
)

_MATTERS = frozenset(
    kind.name
    for kind in (
        TASKS,
        CONTAINER_INSTANCES,
        MACHINES,
        PLACEMENT_TICKETS,
        SERVICES,
        TASK_SETS,
        TARGET_HEALTH,
        METRIC_ALARMS,
        COMPOSITE_ALARMS,
    )
)
_ALARMS = frozenset({METRIC_ALARMS.name, COMPOSITE_ALARMS.name})


@dataclass(frozen=True, slots=True)
class News:
    """What changed, as it is now; None: it is gone."""

    tasks: dict[Where, Task | None] = field(default_factory=dict)
    instances: dict[Where, ContainerInstance | None] = field(default_factory=dict)
    machines: dict[Where, Machine | None] = field(default_factory=dict)
    tickets: dict[Where, PlacementTicket | None] = field(default_factory=dict)
    #: None also for one of whose task sets, whose targets' health or whose alarms changed.
    services: dict[Where, Service | None] = field(default_factory=dict)


def matters(batch: Sequence[Change]) -> bool:
    """Whether there is news in a batch; many are about other things."""
    return any(change.kind in _MATTERS for change in batch)


def news_of(batch: Sequence[Change], view: View) -> News:
    """The news of a batch of changes."""
    news = News()
    collected: dict[str, tuple[Kind[Any], dict[Where, Any]]] = {
        TASKS.name: (TASKS, news.tasks),
        CONTAINER_INSTANCES.name: (CONTAINER_INSTANCES, news.instances),
        MACHINES.name: (MACHINES, news.machines),
        PLACEMENT_TICKETS.name: (PLACEMENT_TICKETS, news.tickets),
        SERVICES.name: (SERVICES, news.services),
    }
    for change in batch:
        where = (change.scope, change.key)
        if change.kind == TASK_SETS.name:
            news.services[change.scope, "/".join(change.key.split("/")[:2])] = None
        elif change.kind == TARGET_HEALTH.name:
            if served := _served(view, where):
                news.services[served] = None
        elif change.kind in collected:
            kind, found = collected[change.kind]
            if where not in found:
                found[where] = view.get(kind, change.scope, change.key)
    changed = {(change.scope, change.key) for change in batch if change.kind in _ALARMS}
    if changed:
        news.services.update(dict.fromkeys(_alarmed(view, changed)))
    return news


def _alarmed(view: View, changed: set[Where]) -> Iterator[Where]:
    """The services with a deployment in progress that one of some alarms may fail."""
    for service in view.find(SERVICES, None, "alarmed", ()):
        if any((service.scope, name) in changed for name in service.watched_alarms):
            yield service.scope, SERVICES.key(service)


def _served(view: View, where: Where) -> Where | None:
    """The service whose task is the target."""
    target = view.get(TARGETS, *where)
    task = view.get(TASKS, target.scope, target.task) if target and target.task else None
    if task is None or task.service is None:
        return None
    return task.scope, service_key(task.cluster, task.service)
