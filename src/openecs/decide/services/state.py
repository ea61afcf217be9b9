"""What a service's scheduler sees, and what it decides: plain values on both sides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from openecs.model.services import Service, TaskSet
from openecs.model.tasks import Task

#: By the ARN of a listener rule (of a network load balancer: a listener): the weights of the target
#: groups it forwards to, by their ARNs. A rule that is not in it is not there.
Forwards = Mapping[str, Mapping[str, int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class SchedulerSettings:
    """The numbers of the scheduler that an installation may set."""

    #: How long a task without health checks has to be RUNNING to count as healthy in a deployment.
    #: API Reference, ``DeploymentConfiguration.minimumHealthyPercent``: 40 seconds.
    healthy_after: timedelta = timedelta(seconds=40)
    #: The wait after the first failed start in a row, doubled by each further one.
    first_backoff: timedelta = timedelta(seconds=1)
    #: Developer Guide, "Amazon ECS service throttle logic": at most 15 minutes.
    longest_backoff: timedelta = timedelta(minutes=15)
    #: A task that ran for less counts as one that did not last, and as many rounds of such are
    #: replaced without any wait.
    brief_run: timedelta = timedelta(seconds=10)
    free_restarts: int = 5
    #: After repeated failures no more than so many tasks are being started at any time.
    few_at_once: int = 3
    #: "has reached a steady state." is said again so often.
    steady_again: timedelta = timedelta(hours=6)


@dataclass(frozen=True, slots=True, kw_only=True)
class FreshIds:
    """Identifiers a plan may use: chance comes in by a parameter."""

    #: ``ecs-svc/`` and 19 digits.
    deployment: str
    #: Letters and digits for the ids of lifecycle hooks.
    hook: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetVerdict:
    """What the target groups of a task say of it together.

    ``healthy`` is None while one of them has yet to say; where it is False, the rest tells which
    one says so, of what (``(task ID) (port N)``), and why.
    """

    healthy: bool | None
    target_group_arn: str = ""
    target: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceState:
    """A service and everything its scheduling depends on, at one moment."""

    service: Service
    #: Its tasks but those that are STOPPED and accounted for.
    tasks: tuple[Task, ...]
    #: Task definitions (``family:revision``) with a health check on an essential container: their
    #: tasks are healthy when it says so, those of others by running for a while.
    checked: frozenset[str] = frozenset()
    #: The ids of the cluster's container instances that are DRAINING.
    draining: frozenset[str] = frozenset()
    #: Of a DAEMON: the ids of the instances that are to have a task, as placement's filters say.
    eligible: tuple[str, ...] = ()
    #: By task id. A task that is not in it serves no target group.
    targets: Mapping[str, TargetVerdict] = field(default_factory=dict)
    #: The names of the service's deployment alarms that are in ALARM.
    alarms: frozenset[str] = frozenset()
    #: How long they take to tell: the longest time that one of them looks back.
    alarm_bake: timedelta = timedelta(0)
    #: Of an EXTERNAL service.
    task_sets: tuple[TaskSet, ...] = ()
    #: The rules of the newest deployment, where it shifts traffic.
    forwards: Forwards = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """Start ``count`` tasks of a deployment (or task set) of this service.

    ``instances`` names, for a DAEMON, the instance each is to run on. ``replaces_unhealthy`` of
    them take the place of unhealthy ones: their event says so.
    """

    deployment: str
    count: int
    instances: tuple[str, ...] = ()
    replaces_unhealthy: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """Stop a task; ``reason`` becomes its ``stoppedReason``."""

    task: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ServicePlan:
    """What to do now. Everything in it is carried out in one transaction, or none of it."""

    #: The service as it is to be recorded; equal to the one seen where nothing changed.
    service: Service
    task_sets: tuple[TaskSet, ...] = ()
    stops: tuple[Stop, ...] = ()
    #: Stops come first: they may make room.
    starts: tuple[Start, ...] = ()
    #: Ids of tasks whose end has been taken into account with this plan.
    accounted: tuple[str, ...] = ()
    #: Weights that rules are to be given.
    forwards: Forwards = field(default_factory=dict)
    #: Messages of service events, oldest first; those of starts come from their outcome.
    events: tuple[str, ...] = ()
    #: When to look again though nothing happens: a back-off ends, a task becomes healthy.
    wake: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StartOutcome:
    """What became of a ``Start``: the tasks it started, and why the rest found no place.

    ``obstacle`` is what follows ``(service NAME) `` in the event (``placement.explain``).
    """

    start: Start
    tasks: tuple[str, ...]
    obstacle: str | None = None
