"""The task sets of a service that is deployed from outside (EXTERNAL, CODE_DEPLOY).

API Reference, ``TaskSet``: each is kept at its share of the desired count, whatever the bounds of a
deployment; what is unhealthy is replaced before it is stopped.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from openecs.decide.services import events, outcome, start_backoff
from openecs.decide.services.bounds import Bounds
from openecs.decide.services.health import Condition, Member, Survey, survey
from openecs.decide.services.rollout import Moves, balance
from openecs.decide.services.state import SchedulerSettings, ServicePlan, ServiceState, Start
from openecs.decide.services.wake import wake_at
from openecs.model.services import Service, TaskSet

STEADY, STABILIZING, DRAINING = "STEADY_STATE", "STABILIZING", "DRAINING"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Step:
    """What becomes of one task set."""

    task_set: TaskSet
    moves: Moves
    events: tuple[str, ...]
    is_gone: bool


def computed_desired_count(service: Service, task_set: TaskSet) -> int:
    """How many tasks the set is to have: its percentage of the service's, rounded up."""
    if task_set.status == DRAINING:
        return 0
    # Ten digits are more than any scale has, and less than where floats err.
    return math.ceil(round(service.desired_count * task_set.scale / 100, 10))


def schedule(state: ServiceState, settings: SchedulerSettings, now: datetime) -> ServicePlan:
    """What the service's task sets ask for now."""
    seen, service = survey(state, settings, now), state.service
    steps = [_step(service, s, seen, settings, now) for s in state.task_sets]
    orphans = _orphans(state, seen)
    stops = (*orphans, *(m for step in steps for m in step.moves.stops))
    kept = tuple(step.task_set for step in steps if not step.is_gone)
    is_steady = bool(kept) and not stops and all(s.stability_status == STEADY for s in kept)
    service, told = outcome.noted(service, (), settings, now, is_steady=is_steady)
    held = (s.task_set.start_after if s.moves.is_held else None for s in steps)
    return ServicePlan(
        service=service,
        task_sets=kept,
        stops=outcome.stops_of(service, stops),
        starts=tuple(_start(step) for step in steps if step.moves.starts),
        accounted=(*(t.id for t in seen.ended), *(m.task.id for m in stops)),
        events=(
            *(event for step in steps for event in step.events),
            *outcome.stopped_pending(service, stops),
            *outcome.stopped_running(service, stops),
            *told,
        ),
        wake=wake_at(service, seen, held, settings, now),
    )


def _step(
    service: Service, task_set: TaskSet, seen: Survey, settings: SchedulerSettings, now: datetime
) -> _Step:
    members = [m for m in seen.members if m.task.started_by == task_set.id]
    ended = [t for t in seen.ended if t.started_by == task_set.id]
    after = start_backoff.account(task_set, ended, members, settings, now)
    desired = computed_desired_count(service, after)
    pending = [m for m in members if m.condition is Condition.PENDING]
    allowed = start_backoff.allowance(after, pending, settings, now)
    moves = balance(service, members, desired, Bounds(ceiling=2 * desired, floor=desired), allowed)
    told = [*outcome.complaints(service, moves.told)]
    if start_backoff.REPEATEDLY <= after.start_failures > task_set.start_failures:
        told.append(events.unable_to_start(service.name))
    after = _judged(after, members, desired, moves, now)
    return _Step(
        task_set=after if after == task_set else replace(after, updated_at=now),
        moves=moves,
        events=(*told, *outcome.obstacles(service, moves, task_set.id)),
        is_gone=task_set.status == DRAINING and not _remains(task_set, seen),
    )


def _judged(
    task_set: TaskSet, members: Sequence[Member], desired: int, moves: Moves, now: datetime
) -> TaskSet:
    is_whole = len(members) == desired and not moves.starts and not moves.stops
    status = STEADY if is_whole and all(m.is_settled for m in members) else STABILIZING
    if status == task_set.stability_status:
        return task_set
    return replace(task_set, stability_status=status, stability_status_at=now)


def _remains(task_set: TaskSet, seen: Survey) -> bool:
    """Whether a task of the set is still live: what is being stopped does not keep it."""
    return any(m.task.started_by == task_set.id for m in seen.members)


def _orphans(state: ServiceState, seen: Survey) -> list[Member]:
    """Tasks of task sets that are no more."""
    known = {s.id for s in state.task_sets}
    return [m for m in seen.members if m.task.started_by not in known]


def _start(step: _Step) -> Start:
    return Start(
        deployment=step.task_set.id,
        count=step.moves.starts,
        replaces_unhealthy=step.moves.replaces_unhealthy,
    )
