"""A service that is being deleted: everything of it is stopped, then it is INACTIVE."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from openecs.decide.services import outcome
from openecs.decide.services.health import survey
from openecs.decide.services.state import SchedulerSettings, ServicePlan, ServiceState
from openecs.model.services import ServiceStatus
from openecs.model.tasks import TaskStatus


def drain(state: ServiceState, settings: SchedulerSettings, now: datetime) -> ServicePlan:
    """What ends a DRAINING service; protection does not keep its tasks.

    Developer Guide, DeleteService: it is INACTIVE once its tasks are STOPPING or STOPPED.
    """
    seen, service = survey(state, settings, now), replace(state.service, steady_at=None)
    is_over = not seen.members and all(
        t.last_status is not TaskStatus.RUNNING for t in seen.stopping
    )
    stops = outcome.stops_of(service, seen.members)
    told = (
        *outcome.stopped_pending(service, seen.members),
        *outcome.stopped_running(service, seen.members),
    )
    if is_over:
        service = replace(service, status=ServiceStatus.INACTIVE, deleted_at=now, deployments=())
    return ServicePlan(
        service=service,
        task_sets=() if is_over else state.task_sets,
        stops=stops,
        accounted=(*(t.id for t in seen.ended), *(m.task.id for m in seen.members)),
        events=told,
    )
