"""A pass over a service that ECS itself deploys, of the REPLICA or the DAEMON strategy."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from openecs.decide.services import (
    circuit_breaker,
    daemon,
    deployment_alarms,
    outcome,
    rollout,
    shifting,
    start_backoff,
    traffic,
)
from openecs.decide.services.accounting import account
from openecs.decide.services.health import Condition, Survey, survey
from openecs.decide.services.rollout import Moves
from openecs.decide.services.state import FreshIds, SchedulerSettings, ServicePlan, ServiceState
from openecs.decide.services.wake import wake_at
from openecs.model.services import Deployment, SchedulingStrategy, Service


def schedule(
    state: ServiceState, settings: SchedulerSettings, fresh: FreshIds, now: datetime
) -> ServicePlan:
    """What the service's deployments ask for now."""
    seen = survey(state, settings, now)
    service, accounted = account(_sized(state), seen, settings, now)
    service = deployment_alarms.begin(service, state.alarms, state.alarm_bake)
    problem = traffic.problem(service, state.forwards, now)
    service, broken = circuit_breaker.check(service, state.alarms, problem, fresh.deployment, now)
    shifted = traffic.advance(service, seen, state.forwards, fresh.hook, now)
    has_moved, service = shifted != service, shifted
    forwards = traffic.unwritten(service, state.forwards)
    moves = _moves(state, service, seen, settings, now)
    settled: tuple[str, ...] = ()
    if not broken:
        # A failure is on record before what comes of it is.
        service, settled = outcome.settle(service, seen, moves, settings, now)
    primary = service.primary
    held = [d.start_after for d in service.deployments] if moves.is_held else []
    # The order of AWS's own: what never ran goes before the failure is told, what ran after it.
    events = (
        *accounted,
        *outcome.complaints(service, moves.told),
        *outcome.stopped_pending(service, moves.stops),
        *broken,
        *outcome.stopped_running(service, moves.stops),
        *outcome.obstacles(service, moves, primary.id if primary else ""),
        *settled,
    )
    return ServicePlan(
        service=service,
        task_sets=state.task_sets,
        stops=outcome.stops_of(service, moves.stops),
        starts=outcome.starts_of(service, moves),
        accounted=accounted_tasks(seen, moves),
        events=events,
        forwards=forwards,
        wake=now if broken or has_moved else wake_at(service, seen, held, settings, now),
    )


def accounted_tasks(seen: Survey, moves: Moves) -> tuple[str, ...]:
    """Ids of the tasks whose end is dealt with: those that ended, and those stopped now."""
    return (*(t.id for t in seen.ended), *(m.task.id for m in moves.stops))


def _sized(state: ServiceState) -> Service:
    """The service; of a DAEMON with as many tasks wanted as there are instances for them."""
    service = state.service
    if service.scheduling_strategy is SchedulingStrategy.REPLICA:
        return service
    return replace(service, desired_count=len(state.eligible))


def _moves(
    state: ServiceState,
    service: Service,
    seen: Survey,
    settings: SchedulerSettings,
    now: datetime,
) -> Moves:
    def allowance(deployment: Deployment | None) -> int:
        if deployment is None:
            return 0
        pending = [m for m in seen.of(deployment) if m.condition is Condition.PENDING]
        monitored = circuit_breaker.is_monitored(service, deployment)
        return start_backoff.allowance(deployment, pending, settings, now, monitored=monitored)

    allowed, shift = allowance(service.primary), traffic.current(service)
    if service.scheduling_strategy is SchedulingStrategy.DAEMON:
        return daemon.moves(service, seen, state.eligible, allowed)
    if shift is None:
        return rollout.moves(service, seen, allowed)
    both = allowed, allowance(traffic.source(service))
    return shifting.moves(service, shift, seen, state.forwards, both)
