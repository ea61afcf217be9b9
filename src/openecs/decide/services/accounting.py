"""What the end of tasks, and their ill health, means to the deployments they belong to."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from openecs.decide.services import circuit_breaker, events, start_backoff, traffic
from openecs.decide.services.health import Survey, narrowed
from openecs.decide.services.state import SchedulerSettings
from openecs.model.services import Deployment, RolloutState, Service


def account(
    service: Service, seen: Survey, settings: SchedulerSettings, now: datetime
) -> tuple[Service, tuple[str, ...]]:
    """The service with every ended task counted in its PRIMARY, and the events that tells.

    Older deployments start nothing any more, but for one whose traffic is being shifted away: how
    the tasks of others end is of no consequence.
    """
    service = _with_source_counted(service, seen, settings, now)
    before = service.primary
    if before is None:
        return service, ()
    after = _counted(service, before, seen, settings, now)
    if after == before:
        return service, ()
    after = replace(after, updated_at=now)
    grown = start_backoff.REPEATEDLY <= after.start_failures > before.start_failures
    waits = after.start_after is not None and after.start_after > now
    told = (events.unable_to_start(service.name),) if grown and waits else ()
    return replace(service, deployments=(after, *service.deployments[1:])), told


def _with_source_counted(
    service: Service, seen: Survey, settings: SchedulerSettings, now: datetime
) -> Service:
    source = traffic.source(service) if traffic.current(service) else None
    if source is None:
        return service
    own = narrowed(seen, source)
    after = start_backoff.account(source, own.ended, own.members, settings, now)
    deployments = tuple(after if d is source else d for d in service.deployments)
    return replace(service, deployments=deployments)


def _counted(
    service: Service,
    primary: Deployment,
    seen: Survey,
    settings: SchedulerSettings,
    now: datetime,
) -> Deployment:
    ended = [t for t in seen.ended if t.started_by == primary.id]
    members = seen.of(primary)
    monitored = circuit_breaker.is_monitored(service, primary)
    primary = start_backoff.account(primary, ended, members, settings, now, monitored=monitored)
    if primary.rollout_state is not RolloutState.IN_PROGRESS:
        return primary
    return circuit_breaker.count(primary, ended, members)
