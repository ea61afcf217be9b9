"""When a deployment, or task set, whose tasks keep failing may try again.

Developer Guide, "Amazon ECS service throttle logic": tasks that end before they run are tried again
after a wait that grows to 15 minutes. Tasks that ran are replaced at once; OpenECS's own rule is
that such as end shortly after they began, several times in a row, wait as well, so that no crash
loop spins hot.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypeVar

from openecs.decide.services.health import Member
from openecs.decide.services.state import SchedulerSettings
from openecs.model.services import Deployment, TaskSet
from openecs.model.tasks import StopCode, Task

#: From so many rounds of failures on it is told, and no more than a few are tried at a time.
REPEATEDLY = 3
UNLIMITED = 1 << 30

_EXCUSES = frozenset(
    {
        StopCode.USER_INITIATED,
        StopCode.SERVICE_SCHEDULER_INITIATED,
        StopCode.SPOT_INTERRUPTION,
        StopCode.TERMINATION_NOTICE,
    }
)
#: While a circuit breaker counts, it sets the end: then the wait need not grow beyond this.
_MONITORED = 8

Starter = TypeVar("Starter", Deployment, TaskSet)


def account(
    starter: Starter,
    ended: Sequence[Task],
    members: Iterable[Member],
    settings: SchedulerSettings,
    now: datetime,
    *,
    monitored: bool = False,
) -> Starter:
    """The deployment or task set, once it is known which of its tasks ended.

    ``start_failures`` counts rounds: what fails while a wait is under way failed together with what
    began it. A task of a later try that lasts (``settings.brief_run``) clears it. ``monitored``:
    a circuit breaker counts what does not start, and soon ends it.
    """
    if starter.start_failures and _has_lasted(starter, ended, members, settings, now):
        starter = replace(starter, start_failures=0, start_after=None)
    failed = [t for t in ended if not is_excused(t) and _is_brief(t, settings, now)]
    if not failed or (starter.start_after and now < starter.start_after):
        return starter
    rounds = starter.start_failures + 1
    born = all(t.started_at for t in failed)
    wait = backoff(rounds - settings.free_restarts if born else rounds, settings)
    if monitored and not born:
        wait = min(wait, settings.first_backoff * _MONITORED)
    return replace(starter, start_failures=rounds, start_after=now + wait)


def allowance(
    starter: Deployment | TaskSet,
    members: Iterable[Member],
    settings: SchedulerSettings,
    now: datetime,
    *,
    monitored: bool = False,
) -> int:
    """How many tasks may be started now."""
    if starter.start_after and now < starter.start_after:
        return 0
    if starter.start_failures < REPEATEDLY or monitored:
        return UNLIMITED
    trying = sum(m.task.started_at is None for m in members)
    return max(0, settings.few_at_once - trying)


def backoff(rounds: int, settings: SchedulerSettings) -> timedelta:
    """The wait after so many failed rounds; none for none."""
    if rounds <= 0:
        return timedelta()
    doubled: timedelta = settings.first_backoff * 2 ** min(rounds - 1, 30)
    return min(doubled, settings.longest_backoff)


def is_excused(task: Task) -> bool:
    """Whether the task ended for a reason that is not its own."""
    return task.stop_code in _EXCUSES


def _has_lasted(
    starter: Deployment | TaskSet,
    ended: Iterable[Task],
    members: Iterable[Member],
    settings: SchedulerSettings,
    now: datetime,
) -> bool:
    tasks = [*ended, *(m.task for m in members)]
    since = starter.start_after or now
    return any(
        t.started_at and t.started_at >= since and not _is_brief(t, settings, now) for t in tasks
    )


def _is_brief(task: Task, settings: SchedulerSettings, now: datetime) -> bool:
    """Whether the task has not run, or not for long."""
    if task.started_at is None:
        return True
    end = task.execution_stopped_at or task.stopping_at or now
    return end - task.started_at < settings.brief_run
