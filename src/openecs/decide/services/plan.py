"""One pass over a service: from what is seen to what is done."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from openecs.decide.services import deletion, events, scheduling, task_sets
from openecs.decide.services.health import survey
from openecs.decide.services.state import (
    FreshIds,
    SchedulerSettings,
    ServicePlan,
    ServiceState,
    StartOutcome,
)
from openecs.model.services import DeploymentControllerType, Service, ServiceStatus


def plan(
    state: ServiceState, settings: SchedulerSettings, fresh: FreshIds, now: datetime
) -> ServicePlan:
    """What brings the service nearer to what was promised. The same state gives the same plan."""
    match state.service.status:
        case ServiceStatus.INACTIVE:
            ended = tuple(t.id for t in survey(state, settings, now).ended)
            return ServicePlan(service=state.service, accounted=ended)
        case ServiceStatus.DRAINING:
            return deletion.drain(state, settings, now)
        case ServiceStatus.ACTIVE:
            if state.service.deployment_controller is DeploymentControllerType.ECS:
                return scheduling.schedule(state, settings, fresh, now)
            return task_sets.schedule(state, settings, now)


def after_starts(
    service: Service,
    outcomes: Sequence[StartOutcome],
    now: datetime,  # noqa: ARG001 - the contract; no start that finds no place has to wait
) -> tuple[Service, tuple[str, ...]]:
    """The planned service once its starts were tried, and the events that tells.

    A task that found no place is no failure of its deployment: it is tried again when there is
    room, so nothing is counted and nothing has to wait.
    """
    told: list[str] = []
    for outcome in outcomes:
        replaced = min(outcome.start.replaces_unhealthy, len(outcome.tasks))
        if outcome.tasks:
            told.append(events.started(service.name, outcome.tasks, replaced))
        if outcome.obstacle:
            told.append(events.said(service.name, outcome.obstacle))
    return service, tuple(told)
