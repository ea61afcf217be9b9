"""One task of a daemon on every instance of its capacity providers: what is next to be done.

Developer Guide, "Amazon ECS Managed Daemons"; API Reference, ``CreateDaemon``. A daemon's task
comes before others can (an instance joins with it) and goes after them (it stays while a DRAINING
instance has others). A deployment takes the old task of a few instances at a time, of
``drainPercent`` of them but at least one, and starts the new one where the old one has stopped.

Where AWS drains and replaces an instance whose daemon task stopped, the machine here stays: the
task is replaced in place and the other tasks run on, whether the daemon is critical or not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from openecs.decide.services.circuit_breaker import threshold
from openecs.decide.services.start_backoff import backoff, is_excused
from openecs.decide.services.state import SchedulerSettings, Stop
from openecs.model.daemons import (
    Daemon,
    DaemonDeployment,
    DaemonDeploymentStatus,
    DaemonRollback,
    DaemonStatus,
    MonitorStatus,
)
from openecs.model.tasks import HealthStatus, Task, TaskStatus

SUCCESS = "Deployment completed successfully."
ROLLED_BACK = "Deployment rolled back successfully."
TASKS_FAILED = "Circuit breaker: daemon tasks failed to start."
ALARM_DETECTED = "Alarm detected."
NO_WAY_BACK = "No rollback candidate was found to run the rollback."
ROLLBACK_FAILED = "Circuit breaker: daemon tasks of the rollback failed to start."

_MONITORED = (DaemonDeploymentStatus.IN_PROGRESS, DaemonDeploymentStatus.ROLLBACK_IN_PROGRESS)
#: While the circuit breaker counts, it sets the end: then no wait need be longer.
_LONGEST_MONITORED = timedelta(seconds=8)


@dataclass(frozen=True, slots=True, kw_only=True)
class DaemonState:
    """A daemon and all its scheduler looks at.

    ``tasks`` are those whose end is not both come and accounted for. ``places`` are the ids of the
    ACTIVE instances of the wanted revision's providers, ``busy`` those of DRAINING ones that still
    have tasks of others. ``is_checked``: the wanted revision has a container health check.
    ``alarms`` are those of its deployment that are in ALARM.
    """

    daemon: Daemon
    deployment: DaemonDeployment
    tasks: tuple[Task, ...]
    places: tuple[str, ...]
    busy: frozenset[str] = frozenset()
    is_checked: bool = False
    alarms: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class DaemonPlan:
    """What is to be written: ``starts`` are instances that get a task of the wanted revision."""

    daemon: Daemon
    deployment: DaemonDeployment
    starts: tuple[str, ...] = ()
    stops: tuple[Stop, ...] = ()
    #: Ended tasks that now are taken into account.
    accounted: tuple[str, ...] = ()
    #: Whether the daemon is no more.
    is_removed: bool = False
    #: When to look again if nothing changes before.
    wake: datetime | None = None


def plan(state: DaemonState, settings: SchedulerSettings, now: datetime) -> DaemonPlan:
    """The next step of a daemon: the same state gives the same plan."""
    accounted = tuple(t.id for t in state.tasks if t.last_status is TaskStatus.STOPPED)
    deployment = _begun(state.deployment, len(state.places), now)
    if state.daemon.status is DaemonStatus.DELETE_IN_PROGRESS:
        return _removal(state, deployment, accounted, now)
    deployment = _counted(state, deployment, settings, now)
    failed = _failed(state, deployment, now)
    if failed is not None:
        return DaemonPlan(daemon=state.daemon, deployment=failed, accounted=accounted)
    ground = _survey(state, deployment, settings, now)
    deployment = _settled(deployment, now, is_settled=ground.is_settled)
    starts = () if _waits(deployment, now) else ground.vacant
    return DaemonPlan(
        daemon=_completed(state.daemon, state.deployment, deployment),
        deployment=deployment,
        starts=() if deployment.status is DaemonDeploymentStatus.STOPPED else starts,
        stops=_stops(ground, deployment),
        accounted=accounted,
        wake=_wake(ground, deployment, now),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ground:
    """The instances of a daemon sorted by what is there."""

    size: int
    #: Current tasks that are well or may still become so, by instance.
    current: Mapping[str, Task]
    #: Instances that have their current task, or still an old one.
    served: frozenset[str]
    #: Where nothing of the daemon is or is still stopping.
    vacant: tuple[str, ...]
    old: tuple[Task, ...]
    misplaced: tuple[Task, ...]
    spare: tuple[Task, ...]
    sick: tuple[Task, ...]
    is_settled: bool
    #: When the next current task will have run for long enough.
    fit_at: datetime | None


def _begun(deployment: DaemonDeployment, places: int, now: datetime) -> DaemonDeployment:
    if deployment.status is not DaemonDeploymentStatus.PENDING:
        return deployment
    return replace(
        deployment,
        status=DaemonDeploymentStatus.IN_PROGRESS,
        started_at=now,
        threshold=threshold(places),
    )


def _removal(
    state: DaemonState, deployment: DaemonDeployment, accounted: tuple[str, ...], now: datetime
) -> DaemonPlan:
    remaining = [t for t in state.tasks if t.last_status is not TaskStatus.STOPPED]
    if not remaining:
        deployment = _finished(deployment, DaemonDeploymentStatus.SUCCESSFUL, SUCCESS, now)
    return DaemonPlan(
        daemon=state.daemon,
        deployment=deployment,
        stops=tuple(Stop(task=t.id, reason=_reason(deployment)) for t in _live(remaining)),
        accounted=accounted,
        is_removed=not remaining,
    )


def _counted(
    state: DaemonState, deployment: DaemonDeployment, settings: SchedulerSettings, now: datetime
) -> DaemonDeployment:
    """The deployment with the tasks counted that ended, or are ill, for a reason of their own."""
    own = [t for t in state.tasks if t.started_by == deployment.wanted]
    ended = [t for t in own if t.last_status is TaskStatus.STOPPED and not is_excused(t)]
    sick = [t for t in _live(own) if _is_sick(t)]
    if not ended and not sick:
        return deployment
    deployment = _with_failures(deployment, len(ended) + len(sick))
    if any(not _is_brief(t, settings, now) for t in ended):
        deployment = replace(deployment, start_failures=0, start_after=None)
    brief = [t for t in ended if _is_brief(t, settings, now)]
    return _postponed(deployment, brief, settings, now) if brief else deployment


def _with_failures(deployment: DaemonDeployment, count: int) -> DaemonDeployment:
    match deployment.status:
        case DaemonDeploymentStatus.IN_PROGRESS:
            return replace(deployment, failure_count=deployment.failure_count + count)
        case DaemonDeploymentStatus.ROLLBACK_IN_PROGRESS:
            return replace(deployment, rollback_failures=deployment.rollback_failures + count)
        case _:
            return deployment


def _postponed(
    deployment: DaemonDeployment, brief: Sequence[Task], settings: SchedulerSettings, now: datetime
) -> DaemonDeployment:
    """The deployment with the next try put off; what fails during a wait failed with its cause."""
    if _waits(deployment, now):
        return deployment
    rounds = deployment.start_failures + 1
    born = all(t.started_at for t in brief)
    wait = backoff(rounds - settings.free_restarts if born else rounds, settings)
    if deployment.status in _MONITORED:
        wait = min(wait, _LONGEST_MONITORED)
    return replace(deployment, start_failures=rounds, start_after=now + wait)


def _failed(
    state: DaemonState, deployment: DaemonDeployment, now: datetime
) -> DaemonDeployment | None:
    """The deployment given up, and on its way back where there is one; None if it goes on."""
    limit = deployment.threshold
    match deployment.status:
        case DaemonDeploymentStatus.IN_PROGRESS if deployment.failure_count >= limit:
            tripped = replace(deployment, breaker_status=MonitorStatus.TRIGGERED)
            return _given_up(state, tripped, TASKS_FAILED, now)
        case DaemonDeploymentStatus.IN_PROGRESS if _is_alarmed(state, deployment):
            alarmed = replace(deployment, triggered_alarms=tuple(sorted(state.alarms)))
            return _given_up(state, alarmed, ALARM_DETECTED, now)
        case DaemonDeploymentStatus.ROLLBACK_IN_PROGRESS if deployment.rollback_failures >= limit:
            end = DaemonDeploymentStatus.ROLLBACK_FAILED
            return _finished(deployment, end, ROLLBACK_FAILED, now)
        case _:
            return None


def _is_alarmed(state: DaemonState, deployment: DaemonDeployment) -> bool:
    alarms = deployment.configuration.alarms
    return alarms is not None and alarms.enable and bool(state.alarms)


def _given_up(
    state: DaemonState, deployment: DaemonDeployment, reason: str, now: datetime
) -> DaemonDeployment:
    target = state.daemon.completed_revision
    if target is None:
        return replace(
            deployment,
            status=DaemonDeploymentStatus.STOPPED,
            status_reason=f"{reason} {NO_WAY_BACK}",
            stopped_at=now,
        )
    return replace(
        deployment,
        status=DaemonDeploymentStatus.ROLLBACK_IN_PROGRESS,
        status_reason=reason,
        rollback=DaemonRollback(reason=reason, started_at=now, target=target),
        start_failures=0,
        start_after=None,
        settled_at=None,
    )


def _survey(
    state: DaemonState, deployment: DaemonDeployment, settings: SchedulerSettings, now: datetime
) -> _Ground:
    live = _live(state.tasks)
    places = frozenset(state.places)
    placed = [t for t in live if _place(t) in places]
    own = [t for t in placed if t.started_by == deployment.wanted]
    old = [t for t in placed if t.started_by != deployment.wanted]
    sick = [t for t in own if _is_sick(t)]
    current = _one_each(t for t in own if not _is_sick(t))
    leaving = [t for t in state.tasks if _is_stopping(t)]
    taken = current.keys() | {_place(t) for t in (*old, *sick, *leaving)}
    fit_at = {place: _fit_at(t, state, settings) for place, t in current.items()}
    fit = {place for place, when in fit_at.items() if when is not None and when <= now}
    coming = [when for when in fit_at.values() if when is not None and when > now]
    return _Ground(
        size=len(places),
        current=current,
        served=frozenset(fit | {_place(t) for t in old}),
        vacant=tuple(p for p in state.places if p not in taken),
        old=tuple(old),
        misplaced=tuple(t for t in live if _place(t) not in places | state.busy),
        spare=tuple(t for t in own if not _is_sick(t) and current[_place(t)] is not t),
        sick=tuple(sick),
        is_settled=fit == places and not old and not leaving,
        fit_at=min(coming, default=None),
    )


def _settled(deployment: DaemonDeployment, now: datetime, *, is_settled: bool) -> DaemonDeployment:
    """The deployment, ended where every instance has had its task for the bake time."""
    if deployment.status not in _MONITORED:
        return deployment
    if not is_settled:
        return replace(deployment, settled_at=None)
    deployment = replace(deployment, settled_at=deployment.settled_at or now)
    if now < _baked_at(deployment, now):
        return deployment
    if deployment.rollback is not None:
        end = DaemonDeploymentStatus.ROLLBACK_SUCCESSFUL
        return _finished(deployment, end, ROLLED_BACK, now)
    return _finished(deployment, DaemonDeploymentStatus.SUCCESSFUL, SUCCESS, now)


def _finished(
    deployment: DaemonDeployment, status: DaemonDeploymentStatus, reason: str, now: datetime
) -> DaemonDeployment:
    watched = deployment.breaker_status is MonitorStatus.MONITORING
    return replace(
        deployment,
        status=status,
        status_reason=reason,
        breaker_status=(
            MonitorStatus.MONITORING_COMPLETE if watched else deployment.breaker_status
        ),
        finished_at=now,
    )


def _completed(daemon: Daemon, before: DaemonDeployment, after: DaemonDeployment) -> Daemon:
    """The daemon, which remembers the revision that was brought about."""
    if after.finished_at is None or before.finished_at is not None:
        return daemon
    return replace(daemon, completed_revision=after.wanted)


def _stops(ground: _Ground, deployment: DaemonDeployment) -> tuple[Stop, ...]:
    """What is misplaced, twice there or ill, and old tasks as far as the percentage goes."""
    going = (*ground.misplaced, *ground.spare, *ground.sick, *_released(ground, deployment))
    return tuple(Stop(task=t.id, reason=_reason(deployment)) for t in going)


def _released(ground: _Ground, deployment: DaemonDeployment) -> list[Task]:
    if deployment.status is DaemonDeploymentStatus.STOPPED:
        return []
    percent = deployment.configuration.drain_percent
    at_once = max(1, int(ground.size * percent / 100))
    room = max(0, at_once - (ground.size - len(ground.served)))
    outdone = {place for place in map(_place, ground.old) if place in ground.current}
    waiting = sorted({_place(t) for t in ground.old} - outdone)
    going = outdone | set(waiting[:room])
    return [t for t in ground.old if _place(t) in going]


def _wake(ground: _Ground, deployment: DaemonDeployment, now: datetime) -> datetime | None:
    times = [ground.fit_at] if deployment.status in _MONITORED else []
    if ground.vacant and _waits(deployment, now):
        times.append(deployment.start_after)
    if deployment.settled_at and deployment.status in _MONITORED:
        times.append(_baked_at(deployment, now))
    return min((t for t in times if t is not None), default=None)


def _baked_at(deployment: DaemonDeployment, now: datetime) -> datetime:
    bake = timedelta(minutes=deployment.configuration.bake_time_in_minutes)
    return (deployment.settled_at or now) + bake


def _waits(deployment: DaemonDeployment, now: datetime) -> bool:
    return deployment.start_after is not None and now < deployment.start_after


def _reason(deployment: DaemonDeployment) -> str:
    return f"Daemon deployment initiated by (deployment {deployment.id})"


def _live(tasks: Iterable[Task]) -> list[Task]:
    return [
        t
        for t in tasks
        if t.desired_status is TaskStatus.RUNNING and t.last_status is not TaskStatus.STOPPED
    ]


def _is_stopping(task: Task) -> bool:
    stopped = TaskStatus.STOPPED
    return task.desired_status is stopped and task.last_status is not stopped


def _is_sick(task: Task) -> bool:
    return task.health_status is HealthStatus.UNHEALTHY


def _is_brief(task: Task, settings: SchedulerSettings, now: datetime) -> bool:
    """Whether the task has not run, or not for long."""
    if task.started_at is None:
        return True
    end = task.execution_stopped_at or task.stopping_at or now
    return end - task.started_at < settings.brief_run


def _fit_at(task: Task, state: DaemonState, settings: SchedulerSettings) -> datetime | None:
    """From when on the task counts as well; None as long as that cannot be said."""
    if task.last_status is not TaskStatus.RUNNING or task.started_at is None:
        return None
    if not state.is_checked:
        return task.started_at + settings.healthy_after
    return task.started_at if task.health_status is HealthStatus.HEALTHY else None


def _one_each(tasks: Iterable[Task]) -> dict[str, Task]:
    """The task that stays of each instance: one that runs, else the oldest."""
    best: dict[str, Task] = {}
    running = TaskStatus.RUNNING
    for task in sorted(tasks, key=lambda t: (t.last_status is not running, t.created_at, t.id)):
        best.setdefault(_place(task), task)
    return best


def _place(task: Task) -> str:
    return task.container_instance or ""
